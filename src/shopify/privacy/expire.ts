import { sql } from "../../db/client";

/** How long what a data request found may be fetched. */
export const DATA_LIFE_MS = 30 * 86_400_000;

/** Forgets what data requests found once its time is over, and ends the time of held requests. Called by cron. */
export async function expireData(db: D1Database, now: number): Promise<void> {
  const { releaseDue } = await import("./held");
  await releaseDue(db, now);
  await sql(
    db,
    `update jobs set result = null where kind = 'privacy.data_request' and state = 'done' and result is not null
       and updated_at <= ?`,
    now - DATA_LIFE_MS,
  ).run();
}
