import { sql } from "../db/client";
import { findShop, type Shop } from "../shops";
import {
  addCodes,
  AdminError,
  CODES_AT_ONCE,
  makeDiscount,
  readConnection,
  readCreation,
  readDiscount,
  writeObstacle,
} from "../shopify/rest";
import { newCode } from "./code";
import { poolByKey, type PoolRow } from "./read";

import type { PoolProblem } from "./schemas";
import { Terms } from "./terms";

/** Batches that a run sends; Shopify works on them at the same time. */
const BATCHES_A_RUN = 8;

/** Codes on their way for longer than any request may take were cut off, ms. */
const CUT_OFF_MS = 2 * 60_000;

interface Job {
  id: string;
  shop: number;
}

/** Whom a run is about. */
interface Filling {
  env: Env;
  shop: Shop;
  pool: PoolRow;
  now: number;
}

/** A reason to end, for a person to look at. */
interface Trouble {
  problem: PoolProblem;
  detail: string | null;
}

/**
 * A run of the job that fills a pool up: makes the discount, makes codes up and stores them, hands them to Shopify,
 * and frees those that Shopify has added. Everything is stored before it is sent, so a run may be cut off anywhere and
 * the next one sends the same again; what Shopify has already is recognised.
 */
export async function continueFill(
  env: Env,
  job: Job,
  now: number,
  batches = BATCHES_A_RUN,
): Promise<"running" | "done"> {
  const row = await sql(
    env.DB,
    "select cast(input ->> 'pool' as integer) as pool from jobs where id = ? and shop = ? and state = 'running'",
    job.id,
    job.shop,
  ).first<{ pool: number }>();
  if (!row) return "done";
  const pool = await poolByKey(env.DB, job.shop, row.pool);
  const shop = await findShop(env.DB, job.shop);
  if (!pool || !shop || pool.stoppedAt !== null) return ended(env.DB, job, row.pool, null, now);
  const obstacle = writeObstacle(await readConnection(env.DB, shop.key), shop.settings);
  if (obstacle) return ended(env.DB, job, pool.key, { problem: obstacle, detail: null }, now);
  try {
    const filling = { env, shop, pool, now };
    const trouble = await fill(filling, batches);
    if (trouble || (await isFull(filling))) return await ended(env.DB, job, pool.key, trouble, now);
    await goesOn(env.DB, job, pool.key, null, now);
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const trouble = troubleOf(error);
    if (trouble && trouble.problem !== "unreachable") return ended(env.DB, job, pool.key, trouble, now);
    await goesOn(env.DB, job, pool.key, trouble, now);
  }
  return "running";
}

/** What an error means for the filling; null for one that only asks for patience. */
function troubleOf({ kind, code, message }: AdminError): Trouble | null {
  if (kind === "throttled") return null;
  if (kind === "unreachable") return { problem: "unreachable", detail: null };
  if (kind === "frozen") return { problem: "shop_frozen", detail: null };
  if (kind === "refused") return { problem: "token_refused", detail: null };
  return { problem: code === "ACCESS_DENIED" ? "scope_missing" : "request_refused", detail: message };
}

async function fill(filling: Filling, batches: number): Promise<Trouble | null> {
  const discount = await discountOf(filling);
  if (typeof discount !== "string") return discount;
  const before = await settle(filling, discount);
  if (before) return before;
  await makeUp(filling);
  for (let batch = 0; batch < batches; batch++) {
    const sent = await send(filling, discount);
    if (sent === "nothing") break;
    if (sent !== "sent") return sent;
  }
  return settle(filling, discount);
}

/** Shopify's id of the pool's discount, which is made where it has to be; or why there is none to add codes to. */
async function discountOf({ env, shop, pool, now }: Filling): Promise<string | Trouble> {
  const ended = (at: number | null): at is number => at !== null && at <= now;
  if (pool.discount !== null) {
    const found = await readDiscount(env, shop, pool.discount);
    if (!found) return { problem: "discount_not_found", detail: null };
    await sql(env.DB, "update discount_pools set ends_at = ?2 where key = ?1", pool.key, found.endsAt).run();
    return ended(found.endsAt) ? { problem: "discount_ended", detail: null } : found.id;
  }
  if (ended(pool.endsAt)) return { problem: "discount_ended", detail: null };
  const first = await sql(
    env.DB,
    "select code from discount_codes where pool = ? and state = 'new' order by key limit 1",
    pool.key,
  ).first<{ code: string }>();
  if (!first) return { problem: "discount_not_found", detail: null };
  const made = await makeDiscount(env, shop, Terms.parse(JSON.parse(pool.terms ?? "{}")), first.code, now);
  if ("refused" in made) return { problem: "discount_refused", detail: made.refused };
  await env.DB.batch([
    sql(env.DB, "update discount_pools set discount = ?2 where key = ?1 and discount is null", pool.key, made.done),
    // It came with the discount.
    sql(
      env.DB,
      "update discount_codes set state = 'free' where pool = ? and code = ? and state = 'new'",
      pool.key,
      first.code,
    ),
  ]);
  return made.done;
}

/** Makes up the codes that are lacking. Two runs at once make no more than one would. */
async function makeUp({ env, shop, pool, now }: Filling): Promise<void> {
  const lacking = pool.size - pool.free - pool.pending;
  const codes = Array.from({ length: Math.max(0, lacking) }, () => newCode(pool.prefix));
  await sql(
    env.DB,
    `insert into discount_codes (shop, pool, code, created_at) select ?1, ?2, value, ?5 from json_each(?3)
     where json_each.key + (select count(*) from discount_codes c
       where c.pool = ?2 and c.state in ('new', 'sending', 'sent', 'free')) < ?4
     on conflict do nothing`,
    shop.key,
    pool.key,
    JSON.stringify(codes),
    pool.size,
    now,
  ).run();
}

/** Hands one batch to Shopify: codes that are new, else those of a run that was cut off. */
async function send({ env, shop, pool, now }: Filling, discount: string): Promise<"sent" | "nothing" | Trouble> {
  const claim = (which: string, ...values: number[]) =>
    sql(
      env.DB,
      `update discount_codes set state = 'sending', sent_at = ?2 where key in (
         select key from discount_codes where pool = ?1 and ${which} order by key limit ${CODES_AT_ONCE}) returning code`,
      pool.key,
      now,
      ...values,
    ).all<{ code: string }>();
  let { results } = await claim("state = 'new'");
  if (results.length === 0) ({ results } = await claim("state = 'sending' and sent_at <= ?3", now - CUT_OFF_MS));
  if (results.length === 0) return "nothing";
  const codes = results.map(({ code }) => code);
  const become = (state: "new" | "sent", creation: string | null) =>
    sql(
      env.DB,
      `update discount_codes set state = ?3, creation = ?4
       where pool = ?1 and state = 'sending' and code in (select value from json_each(?2))`,
      pool.key,
      JSON.stringify(codes),
      state,
      creation,
    ).run();
  try {
    const added = await addCodes(env, shop, discount, codes);
    if ("done" in added) {
      await become("sent", added.done);
      return "sent";
    }
    await become("new", null);
    return { problem: "codes_refused", detail: added.refused };
  } catch (error) {
    // They are sent again as they are: whichever Shopify has got nevertheless is recognised then.
    if (error instanceof AdminError) await become("new", null);
    throw error;
  }
}

/** Takes Shopify's answers in. A batch of which nothing was added is trouble: more of the same would not help. */
async function settle({ env, shop, pool }: Filling, discount: string): Promise<Trouble | null> {
  const { results } = await sql(
    env.DB,
    "select distinct creation from discount_codes where pool = ? and state = 'sent'",
    pool.key,
  ).all<{ creation: string }>();
  let trouble: Trouble | null = null;
  for (const { creation } of results) {
    const answer = await readCreation(env, shop, discount, creation);
    if (answer.state === "queued") continue;
    const these = "where pool = ?1 and state = 'sent' and creation = ?2";
    const run = (text: string, ...values: string[]) => sql(env.DB, text, pool.key, creation, ...values);
    await env.DB.batch([
      ...(answer.state === "done"
        ? [
            run(
              `update discount_codes set state = 'free' ${these} and code in (select value from json_each(?3))`,
              JSON.stringify(answer.added),
            ),
            run(
              `update discount_codes set state = 'refused', reason = r.value ->> 'reason'
               from json_each(?3) r ${these} and code = r.value ->> 'code'`,
              JSON.stringify(answer.refused),
            ),
          ]
        : []),
      // What Shopify knows nothing of is sent again.
      run(`update discount_codes set state = 'new', creation = null ${these}`),
    ]);
    const [first] = answer.state === "done" && answer.added.length === 0 ? answer.refused : [];
    if (first) trouble = { problem: "codes_refused", detail: first.reason };
  }
  return trouble;
}

async function isFull({ env, shop, pool }: Filling): Promise<boolean> {
  const now = await poolByKey(env.DB, shop.key, pool.key);
  return now === null || (now.pending === 0 && now.free >= now.size);
}

async function ended(db: D1Database, job: Job, pool: number, trouble: Trouble | null, now: number): Promise<"done"> {
  await db.batch([
    sql(
      db,
      `update jobs set state = ?2, error = ?3, updated_at = ?4,
         progress = coalesce((select min(free, size) from discount_pools where key = ?5), progress)
       where id = ?1 and state = 'running'`,
      job.id,
      trouble ? "failed" : "done",
      trouble?.problem ?? null,
      now,
      pool,
    ),
    keep(db, pool, trouble, now),
  ]);
  return "done";
}

async function goesOn(db: D1Database, job: Job, pool: number, trouble: Trouble | null, now: number): Promise<void> {
  await db.batch([
    sql(
      db,
      `update jobs set updated_at = ?2, progress = coalesce((select min(free, size) from discount_pools where key = ?3), 0)
       where id = ?1 and state = 'running'`,
      job.id,
      now,
      pool,
    ),
    keep(db, pool, trouble, now),
  ]);
}

function keep(db: D1Database, pool: number, trouble: Trouble | null, now: number): D1PreparedStatement {
  return sql(
    db,
    "update discount_pools set problem = ?2, detail = ?3, updated_at = ?4 where key = ?1 and stopped_at is null",
    pool,
    trouble?.problem ?? null,
    trouble?.detail ?? null,
    now,
  );
}
