import { audit } from "../../api/audit";
import type { Ctx } from "../../context";
import { sql } from "../../db/client";
import { AppError } from "../../errors";
import { closeAlert } from "../../health";
import { messageKey } from "../../installation";
import { base64url, hmac } from "../../lib/crypto";
import type { PrivacyRequest } from "../map/privacy";
import { continueJob } from "./run";
import { jobOf } from "./accept";
import { findPeople } from "./people";

/** A held request is carried out so long before the law's time is over, unless somebody has decided otherwise. */
const BEFORE_DUE_MS = 2 * 86_400_000;

export function heldUntil(dueAt: number): number {
  return dueAt - BEFORE_DUE_MS;
}

/** What a request asks for, under the installation's own key: two of the same say the same, and nobody can guess whom. */
export async function digestOf(env: Env, shop: number, request: PrivacyRequest): Promise<string> {
  return base64url(await hmac(await messageKey(env), `privacy:${shop}:${JSON.stringify(request)}`)).slice(0, 32);
}

/**
 * True when a redaction would take somebody who was not there when the same was asked for the first time. Shopify signs
 * the body alone, so a body from back then may be sent again by whoever has seen it.
 */
export async function cameSince(db: D1Database, shop: number, request: PrivacyRequest, at: number): Promise<boolean> {
  if (request.kind === "shop_redact") return false;
  const { contacts } = await findPeople(db, shop, request);
  const row = await sql(
    db,
    `select 1 from contacts where +shop = ?1 and key in (select value from json_each(?2)) and created_at > ?3 limit 1`,
    shop,
    JSON.stringify(contacts),
    at,
  ).first();
  return row !== null;
}

/** Carries a held request out, or puts it away for good. Throws `conflict` for one that is not held. */
export async function decideHeld(ctx: Ctx, id: string, carryOut: boolean): Promise<void> {
  const { env, db, shop, now } = ctx;
  const [changed] = await db.batch([
    carryOut ? release(db, id) : dismiss(db, id, now),
    carryOut ? startJob(db, id, now) : sql(db, "delete from jobs where id = ? and state = 'queued'", jobOf(id)),
    audit(ctx, carryOut ? "privacy_request.confirmed" : "privacy_request.dismissed", id),
    ...closeAlert(db, { shop: shop.key, kind: "privacy_request_held", subject: id }, now),
  ]);
  if (changed?.meta.changes !== 1) throw new AppError("conflict", "The request is not held");
  if (carryOut) await continueJob(env, jobOf(id), now);
}

/** Held requests that nobody has decided on in time are carried out: the law's duty weighs more. Called by cron. */
export async function releaseDue(db: D1Database, now: number): Promise<void> {
  const { results } = await sql(
    db,
    "select id, shop from privacy_requests where held_until <= ? and state = 'held' limit 20",
    now,
  ).all<{ id: string; shop: number }>();
  for (const { id, shop } of results) {
    await db.batch([
      release(db, id),
      startJob(db, id, now),
      ...closeAlert(db, { shop, kind: "privacy_request_held", subject: id }, now),
    ]);
  }
}

function release(db: D1Database, id: string): D1PreparedStatement {
  return sql(
    db,
    "update privacy_requests set state = 'running', held_until = null where id = ? and state = 'held'",
    id,
  );
}

function dismiss(db: D1Database, id: string, now: number): D1PreparedStatement {
  return sql(
    db,
    `update privacy_requests set state = 'dismissed', held_until = null, done_at = ? where id = ? and state = 'held'`,
    now,
    id,
  );
}

function startJob(db: D1Database, id: string, now: number): D1PreparedStatement {
  return sql(db, "update jobs set state = 'running', updated_at = ? where id = ? and state = 'queued'", now, jobOf(id));
}
