import { sql } from "../db/client";

const DAY_MS = 86_400_000;

/** Rows of one statement. */
const CHUNK = 1_000;

/** Links of a message lead on for this long, its text gone or not. */
const LINKS_KEPT_MS = 400 * DAY_MS;

/**
 * Empties what messages said after each shop's `messageBodyRetentionDays`, forgets where their links led after 400 days,
 * and what senders sent in which minute after a day. A bounded piece a run; repeatable.
 */
export async function dropOldMessages(db: D1Database, now: number): Promise<void> {
  await db.batch([
    sql(
      db,
      `update delivery_bodies set subject = null, html = null, text = '' where delivery in (
         select b.delivery from shops s cross join delivery_bodies b indexed by delivery_bodies_kept
           on b.shop = s.key and b.text <> ''
         where b.at < ?1 - coalesce(s.settings ->> 'messageBodyRetentionDays', 90) * ${DAY_MS} limit ${CHUNK})`,
      now,
    ),
    // Rows come in the order of time, so the oldest are the first.
    sql(
      db,
      `delete from delivery_bodies where at < ? and delivery in (
         select delivery from delivery_bodies order by delivery limit ${CHUNK})`,
      now - LINKS_KEPT_MS,
    ),
    sql(db, "delete from sender_minutes where minute < ?", Math.floor((now - DAY_MS) / 60_000)),
  ]);
}
