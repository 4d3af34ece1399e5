import { z } from "zod";

import { tally } from "../../contacts/rest";
import { sql } from "../../db/client";
import { findShop, forgetCachedShop } from "../../shops";
import { wipeVisitor } from "../../visitor";
import { type OwnRows, PIECES } from "./shop-tables";

/** Browsers whose objects go in one step, at the same time. */
const BROWSERS_A_STEP = 100;
/** Each object that goes is a call of its own, of which an invocation has a thousand: seven such steps are a run. */
const STEPS_FOR_BROWSERS = 30;
const VISITS_A_STEP = 5_000;

/** Beyond the shop's longest flush: how long after its end a visitor's object may still bring something. */
const SETTLE_MS = 60_000;

/** Where the removal stands; nothing of it is personal. */
const Progress = z.object({
  /** -1 closes the shop, 0 removes visitors, then the pieces by number. */
  stage: z.int(),
  /** The second look waits until then; null when it has been done or is not needed. */
  lookAgainAt: z.int().nullable(),
});

type Progress = z.infer<typeof Progress>;

interface Job {
  id: string;
  shop: number;
}

/**
 * Removes everything of a shop, piece by piece: visitors with their objects, every table, the tokens, the shop itself;
 * the receipt stays. May be cut off and repeated at any point. A shop that was open until now is looked at a second
 * time, once its visitors have brought what they held.
 *
 * @returns `more` when only the run is over: the next one need not wait
 */
export async function continueShopRedact(
  env: Env,
  job: Job,
  now: number,
  steps: number,
): Promise<"done" | "more" | "waiting"> {
  for (let done = 0; done < steps; done++) {
    const row = await sql(env.DB, "select cursor from jobs where id = ? and state = 'running'", job.id).first<{
      cursor: string | null;
    }>();
    if (!row) return "done";
    const progress = row.cursor === null ? { stage: -1, lookAgainAt: null } : Progress.parse(JSON.parse(row.cursor));
    if (progress.stage > PIECES.length) {
      if (progress.lookAgainAt === null) {
        await finish(env.DB, job, now);
        return "done";
      }
      if (now < progress.lookAgainAt) {
        await wait(env.DB, job, now);
        return "waiting";
      }
      await keep(env.DB, job, { stage: 0, lookAgainAt: null }, now).run();
    } else {
      await stepOn(env, job, progress, now);
      if (progress.stage === 0) done += STEPS_FOR_BROWSERS - 1;
    }
  }
  return "more";
}

/** Not stalled, only early. */
async function wait(db: D1Database, job: Job, now: number): Promise<void> {
  await sql(db, "update jobs set updated_at = ? where id = ?", now, job.id).run();
}

async function stepOn(env: Env, job: Job, progress: Progress, now: number): Promise<void> {
  if (progress.stage === -1) return close(env, job, now);
  const isDone =
    progress.stage === 0 ? await removeVisitors(env, job) : await removePiece(env.DB, job, progress.stage - 1);
  if (isDone) await keep(env.DB, job, { ...progress, stage: progress.stage + 1 }, now).run();
}

function keep(db: D1Database, job: Job, progress: Progress, now: number): D1PreparedStatement {
  return sql(
    db,
    "update jobs set cursor = ?, progress = progress + 1, updated_at = ? where id = ? and state = 'running'",
    JSON.stringify(progress),
    now,
    job.id,
  );
}

/** No beacon, no webhook and no call of Shopify's gets in or out any more. */
async function close(env: Env, job: Job, now: number): Promise<void> {
  const shop = await findShop(env.DB, job.shop);
  await env.CONNECTION.getByName(String(job.shop)).forget();
  const since = shop?.uninstalledAt ?? now;
  const settled = since + SETTLE_MS + 1_000 * (shop?.settings.flushSeconds ?? 0);
  await env.DB.batch([
    sql(
      env.DB,
      `update shops set status = 'uninstalled', uninstalled_at = coalesce(uninstalled_at, ?2), connected_at = null,
         app_secret = null, updated_at = ?2 where key = ?1`,
      job.shop,
      now,
    ),
    keep(env.DB, job, { stage: 0, lookAgainAt: settled > now ? settled : null }, now),
  ]);
  if (shop) forgetCachedShop(shop.domain);
}

/** True when no visitor is left. Objects go before the rows that name them. */
async function removeVisitors(env: Env, job: Job): Promise<boolean> {
  const { DB } = env;
  const { results } = await sql(
    DB,
    "select key, tracker from visitors where shop = ? order by tracker, person limit ?",
    job.shop,
    BROWSERS_A_STEP,
  ).all<{ key: number; tracker: string }>();
  if (results.length === 0) return true;
  const trackers = new Set(results.map(({ tracker }) => tracker));
  await Promise.all([...trackers].map((tracker) => wipeVisitor(env, { key: job.shop }, tracker)));
  const keys = JSON.stringify(results.map(({ key }) => key));
  await DB.batch([
    sql(
      DB,
      `delete from visits where (visitor, no, part) in (select v.visitor, v.no, v.part from json_each(?) j
         join visits v on v.visitor = j.value limit ?)`,
      keys,
      VISITS_A_STEP,
    ),
    tally(DB, job.id, "visits"),
    sql(
      DB,
      `delete from visitors where key in (select value from json_each(?))
         and not exists (select 1 from visits where visitor = visitors.key)`,
      keys,
    ),
    tally(DB, job.id, "visitors"),
  ]);
  return false;
}

async function removePiece(db: D1Database, job: Job, number: number): Promise<boolean> {
  const piece = PIECES[number];
  if (!piece) return true;
  const own: OwnRows = { job: job.id, request: job.id.replace(/^job_/, "prv_") };
  const left = await piece.left(db, job.shop, own).first();
  if (!left) return true;
  await db.batch([...piece.statements(db, job.shop, own), tally(db, job.id, piece.what)]);
  return false;
}

async function finish(db: D1Database, job: Job, now: number): Promise<void> {
  await db.batch([
    sql(
      db,
      `update privacy_requests set state = 'done', done_at = ?2,
         receipt = json_patch(receipt, coalesce((select result from jobs where id = ?1), '{}'))
       where id = 'prv_' || substr(?1, 5) and state = 'running'`,
      job.id,
      now,
    ),
    sql(db, "delete from jobs where id = ?", job.id),
  ]);
}
