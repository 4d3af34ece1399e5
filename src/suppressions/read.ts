import { audit } from "../api/audit";
import { keyFrom, type Page, pageOf } from "../api/page";
import { config } from "../config";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { normaliseEmail, normalisePhone } from "../identity/normalise";
import { open } from "../lib/crypto";
import { iso } from "../lib/time";
import type { NewSuppressionInput, Suppression, SuppressionQuery } from "./schemas";
import { addressHash, suppressStatements } from "./suppress";

interface Row {
  key: number;
  shop: number;
  id: string;
  channel: Suppression["channel"];
  address: string | null;
  class: Suppression["class"];
  reason: Suppression["reason"];
  source: string;
  at: number;
}

const COLUMNS = "key, shop, id, channel, address, class, reason, source, at";

/** The suppression of this id, of any shop; null for none. The caller checks the shop. */
export async function findSuppression(db: D1Database, id: string): Promise<Row | null> {
  return sql(db, `select ${COLUMNS} from suppressions where id = ?`, id).first<Row>();
}

export async function showSuppression(ctx: Ctx, row: Row): Promise<Suppression> {
  const { key: _key, shop: _shop, ...rest } = row;
  // Sealed with a key that is gone: nobody can read it any more, and it holds all the same.
  const address = row.address === null ? null : await open(config(ctx.env).sealingKeys, row.address).catch(() => null);
  return { ...rest, address, at: iso(row.at) };
}

/** Who is suppressed in a shop, newest first. */
export async function listSuppressions(ctx: Ctx, query: SuppressionQuery): Promise<Page<Suppression>> {
  const { db, env, shop } = ctx;
  const where = ["shop = ?1"];
  const values: (string | number)[] = [shop.key];
  const bind = (value: string | number) => `?${values.push(value)}`;
  const byAddress = query.address === undefined ? "" : "indexed by suppressions_address";
  if (query.address !== undefined) {
    const address = normaliseEmail(query.address) ?? normalisePhone(query.address);
    if (address === null) return { items: [], nextCursor: null };
    where.push(`channel in ('email', 'sms', 'whatsapp')`, `hash = ${bind(await addressHash(env, shop.key, address))}`);
  }
  if (query.channel !== undefined) where.push(`channel = ${bind(query.channel)}`);
  if (query.reason !== undefined) where.push(`reason = ${bind(query.reason)}`);
  const after = keyFrom("suppressions", query.cursor);
  if (after !== null) where.push(`key < ${bind(after)}`);
  const { results } = await sql(
    db,
    `select ${COLUMNS} from suppressions ${byAddress} where ${where.join(" and ")} order by key desc limit ${bind(query.limit + 1)}`,
    ...values,
  ).all<Row>();
  const page = pageOf(
    "suppressions",
    results,
    query.limit,
    (row) => [row.key],
    (row) => row,
  );
  return { items: await Promise.all(page.items.map((row) => showSuppression(ctx, row))), nextCursor: page.nextCursor };
}

/** Suppresses an address; one that is suppressed for this reason already stays one. Throws 400 for what is no address. */
export async function addSuppression(ctx: Ctx, input: NewSuppressionInput): Promise<Suppression> {
  const { env, db, shop, now } = ctx;
  const address = input.channel === "email" ? normaliseEmail(input.address) : normalisePhone(input.address);
  if (address === null) {
    const detail =
      input.channel === "email" ? "is not an e-mail address" : "is not a phone number with its country code";
    throw new AppError("validation_failed", undefined, { errors: [{ pointer: "/address", detail }] });
  }
  const { channel, reason } = input;
  const entry = { channel, address, reason, class: input.class, source: "api", at: now };
  await db.batch(await suppressStatements(env, shop.key, [entry]));
  const row = await sql(
    db,
    `select ${COLUMNS} from suppressions where shop = ? and channel = ? and hash = ? and reason = ?`,
    shop.key,
    channel,
    await addressHash(env, shop.key, address),
    reason,
  ).first<Row>();
  if (!row) throw new Error("the suppression just made is not there");
  await audit(ctx, "suppression.added", row.id).run();
  return showSuppression(ctx, row);
}

/** Takes a suppression away, whatever its reason. What the person decided themself stays with their consent. */
export async function removeSuppression(ctx: Ctx, row: { key: number; id: string }): Promise<void> {
  await ctx.db.batch([
    sql(ctx.db, "delete from suppressions where key = ? and shop = ?", row.key, ctx.shop.key),
    audit(ctx, "suppression.removed", row.id),
  ]);
}
