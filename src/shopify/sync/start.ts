import { onConflictRetry, sql } from "../../db/client";
import { mustHold } from "../../db/guard";
import { newId } from "../../lib/ids";
import type { Shop } from "../../shops";
import { findInterrupted, resumeSync } from "./interrupt";
import { watchChanges } from "./reconcile";
import { BACKFILL } from "./streams";

/** The alarm is armed before the job is committed, so that a kill in between strands nothing. */
const NET_MS = 10_000;

/**
 * Begins to read everything that the store knows, or goes on where the last connection ended, unless that is under way.
 * Returns the job's id, or null when one runs already; its work goes on by itself either way.
 */
export async function startSync(env: Env, shop: Pick<Shop, "key">, now: number): Promise<string | null> {
  const sync = env.SYNC.getByName(String(shop.key));
  await sync.arm(now + NET_MS);
  const job = await onConflictRetry(() => begin(env.DB, shop.key, now));
  await sync.arm(now);
  return job;
}

async function begin(db: D1Database, shop: number, now: number): Promise<string | null> {
  const running = "select 1 from jobs where shop = ? and kind = 'backfill' and state = 'running'";
  if (await sql(db, running, shop).first()) return null;
  const isAlone = mustHold(db, `not exists (${running})`, shop);
  const interrupted = await findInterrupted(db, shop);
  if (interrupted) {
    await db.batch([isAlone, ...resumeSync(db, shop, interrupted.key, now)]);
    return interrupted.id;
  }
  const id = newId("job", now);
  await db.batch([
    isAlone,
    sql(
      db,
      `insert into jobs (id, shop, kind, state, created_at, updated_at) values (?1, ?2, 'backfill', 'running', ?3, ?3)`,
      id,
      shop,
      now,
    ),
    sql(
      db,
      `insert into sync_streams (shop, resource, stretch, job, state, updated_at)
       select ?1, value ->> 'resource', value ->> 'stretch', (select key from jobs where id = ?2), 'waiting', ?4
       from json_each(?3) where true
       on conflict do update set job = excluded.job, state = 'waiting', operation = null, file_url = null, "offset" = 0,
         done = 0, total = null, skipped = 0, error = null, attempts = 0, started_at = null,
         updated_at = excluded.updated_at`,
      shop,
      id,
      JSON.stringify(BACKFILL),
      now,
    ),
    watchChanges(db, shop, now),
  ]);
  return id;
}
