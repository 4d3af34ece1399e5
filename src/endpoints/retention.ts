import { sql } from "../db/client";

/** How long the log keeps what was sent, days. */
const LOG_DAYS = 30;

/** Rows deleted per run. */
const CHUNK = 5_000;

/** Forgets what was made for any shop long ago and is not pending, a bounded piece a run. Keys ascend with the time. */
export function dropOldDeliveries(db: D1Database, now: number): D1PreparedStatement {
  return sql(
    db,
    `delete from endpoint_deliveries where key in (
       select key from endpoint_deliveries where created_at < ?1 and state <> 'pending' and key < (
         select key from endpoint_deliveries order by key limit 1) + ?2)`,
    now - LOG_DAYS * 86_400_000,
    CHUNK,
  );
}
