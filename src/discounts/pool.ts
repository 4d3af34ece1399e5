import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import {
  AdminError,
  DISCOUNT_SCOPE,
  type DiscountTerms,
  readConnection,
  readDiscount,
  writeObstacle,
} from "../shopify/rest";
import { newCode } from "./code";
import { continueFill } from "./fill";
import { findPool, type PoolRow } from "./read";
import type { NewDiscountPool } from "./schemas";
import { beginFilling } from "./take";

const MOST_POOLS = 1_000;

/** Batches sent before the request is answered; the rest follows. */
const BATCHES_AT_ONCE = 1;

/**
 * Adds a pool and begins to fill it. Throws 422 where the shop may not write codes, the store has no such discount, or
 * the discount cannot be made as asked; 503 where Shopify does not answer.
 */
export async function createPool(ctx: Ctx, input: NewDiscountPool): Promise<PoolRow> {
  const { db, shop, now } = ctx;
  await refuseUnlessWritable(ctx);
  const terms = termsOf(ctx, input);
  const existing = input.discountId === undefined ? null : await discountNamed(ctx, input.discountId);
  const id = newId("dpl", now);
  await armClock(ctx.env, shop.key, now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into discount_pools (shop, id, name, discount, terms, prefix, size, low_water, fallback_code, ends_at,
         created_at, updated_at)
       select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11
       where (select count(*) from discount_pools where shop = ?1 and stopped_at is null) < ?12 returning key`,
      shop.key,
      id,
      input.name,
      existing?.id ?? null,
      terms === null ? null : JSON.stringify(terms),
      input.prefix,
      input.size,
      input.lowWater ?? Math.floor(input.size / 5),
      input.fallbackCode ?? null,
      existing?.endsAt ?? terms?.endsAt ?? null,
      now,
      MOST_POOLS,
    ),
    // The code with which the discount is made, and by which it is found again should the answer get lost.
    sql(
      db,
      `insert into discount_codes (shop, pool, code, created_at)
       select shop, key, ?3, ?4 from discount_pools where id = ?1 and shop = ?2 and terms is not null`,
      id,
      shop.key,
      newCode(input.prefix),
      now,
    ),
    audit(ctx, "discount_pool.created", id),
  ]);
  if (made?.results.length === 0) throw new AppError("unprocessable", `A shop has at most ${MOST_POOLS} pools`);
  return fillPool(ctx, await readPool(ctx, id));
}

/** Fills a pool up again, as far as one request goes; the job does the rest. Throws 422 where codes may not be written. */
export async function fillPool(ctx: Ctx, pool: PoolRow): Promise<PoolRow> {
  const { db, shop, now } = ctx;
  if (pool.stoppedAt !== null) throw new AppError("conflict", "The pool is stopped");
  await refuseUnlessWritable(ctx);
  await armClock(ctx.env, shop.key, now);
  const job = await beginFilling(db, shop.key, pool.key, now).first<{ id: string }>();
  if (job) await continueFill(ctx.env, { id: job.id, shop: shop.key }, now, BATCHES_AT_ONCE);
  return readPool(ctx, pool.id);
}

/** No more codes of it, from now on. Those that are at Shopify stay there; whoever has one has it. Repeatable. */
export async function stopPool(ctx: Ctx, pool: PoolRow): Promise<void> {
  const { db, now } = ctx;
  if (pool.stoppedAt !== null) return;
  await db.batch([
    sql(
      db,
      "update discount_pools set stopped_at = ?2, updated_at = ?2, problem = null, detail = null where key = ?1",
      pool.key,
      now,
    ),
    sql(db, "delete from discount_codes where pool = ? and state = 'new'", pool.key),
    audit(ctx, "discount_pool.stopped", pool.id),
  ]);
}

/** The pool of this id; throws 404 when it went in the meantime. */
export async function readPool(ctx: Ctx, id: string): Promise<PoolRow> {
  const row = await findPool(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return row;
}

const OBSTACLES = {
  scope_not_wanted: `Codes are written to Shopify only where settings.optionalScopes of the shop names ${DISCOUNT_SCOPE}`,
  not_connected: `The shop is not connected with Shopify; codes need its scope ${DISCOUNT_SCOPE}, which settings.optionalScopes asks for`,
  scope_missing: `The store has not granted ${DISCOUNT_SCOPE}, which settings.optionalScopes asks for: add it to the app and connect again`,
};

async function refuseUnlessWritable({ db, shop }: Ctx): Promise<void> {
  const obstacle = writeObstacle(await readConnection(db, shop.key), shop.settings);
  if (obstacle) throw new AppError("unprocessable", OBSTACLES[obstacle]);
}

const wrong = (pointer: string, detail: string) =>
  new AppError("unprocessable", `${pointer.slice(1)} ${detail}`, { errors: [{ pointer, detail }] });

function termsOf({ shop, now }: Ctx, { discount }: NewDiscountPool): DiscountTerms | null {
  if (!discount) return null;
  const { title, percent, amount, endsAt = null, oncePerCustomer } = discount;
  if (endsAt !== null && endsAt <= now) throw wrong("/discount/endsAt", "is over");
  if (amount && amount.currency !== shop.currency) {
    throw wrong("/discount/amount/currency", `is not the store's, ${shop.currency}`);
  }
  if (amount) return { title, value: { amount }, endsAt, oncePerCustomer };
  if (percent === undefined) throw wrong("/discount", "takes percent or amount");
  return { title, value: { percent }, endsAt, oncePerCustomer };
}

async function discountNamed({ env, shop, now }: Ctx, named: string) {
  const id = named.startsWith("gid:") ? named : `gid://shopify/DiscountCodeNode/${named}`;
  try {
    const found = await readDiscount(env, shop, id);
    if (!found) throw wrong("/discountId", "is no code discount of the store");
    if (found.endsAt !== null && found.endsAt <= now) throw wrong("/discountId", "has ended");
    return found;
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    if (error.kind === "throttled" || error.kind === "unreachable") {
      throw new AppError("unavailable", "Shopify does not answer; try again");
    }
    throw new AppError("unprocessable", error.message);
  }
}
