import { sql } from "../../db/client";
import type { Shop } from "../../shops";

/** What a merchant reads of a backfill that lost its store. */
const WHY = "The store was disconnected before everything was read: when it is connected again, reading goes on.";

/**
 * Ends a backfill that is under way, because the store is not connected any more: nobody has to wait for it. How far
 * it got stays, and `resumeSync` goes on from there. Nothing when the store was connected again since `shop` was read.
 */
export function interruptSync(
  db: D1Database,
  shop: Pick<Shop, "key" | "installedAt">,
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `update jobs set state = 'failed', error = ?3, updated_at = ?4
     where shop = (select key from shops where key = ?1 and installed_at = ?2)
       and kind = 'backfill' and state = 'running'`,
    shop.key,
    shop.installedAt,
    WHY,
    now,
  );
}

/** The last backfill of a shop, when it ended before its streams did; null when there is nothing to go on with. */
export async function findInterrupted(db: D1Database, shop: number): Promise<{ key: number; id: string } | null> {
  return sql(
    db,
    `select j.key, j.id from jobs j
     where j.key = (select max(key) from jobs where shop = ?1 and kind = 'backfill') and j.state = 'failed'
       and exists (select 1 from sync_streams s where s.shop = ?1 and s.job = j.key and s.state not in ('done', 'failed'))`,
    shop,
  ).first<{ key: number; id: string }>();
}

/** Goes on with a backfill that was interrupted. Attempts that failed before count no more. */
export function resumeSync(db: D1Database, shop: number, job: number, now: number): D1PreparedStatement[] {
  return [
    sql(
      db,
      "update jobs set state = 'running', error = null, updated_at = ?3 where key = ?2 and shop = ?1",
      shop,
      job,
      now,
    ),
    sql(
      db,
      `update sync_streams set attempts = 0, updated_at = ?3
       where shop = ?1 and job = ?2 and state not in ('done', 'failed')`,
      shop,
      job,
      now,
    ),
  ];
}
