import { sql } from "../db/client";
import type { HourCount } from "./silence";

export const HOUR_MS = 3_600_000;

/** After the end of an hour until it is counted: what visitors hold back is in the database by then. */
const SETTLE_MS = 10 * 60_000;

/** Hours counted at most in one run; what was missed before stays uncounted. */
const MOST_HOURS = 72;

/** Hours counted again each time, since late flushes (up to an hour, by the shop's settings) still add to them. */
const RECOUNTED_HOURS = 2;

export type IntakeKind = "beacons" | "webhooks";

export const INTAKE_KINDS: readonly IntakeKind[] = ["beacons", "webhooks"];

/** The beginning of the latest hour that can be counted. */
export function latestHour(now: number): number {
  return Math.floor((now - SETTLE_MS) / HOUR_MS) * HOUR_MS - HOUR_MS;
}

/** The first hour to count, where the last one counted is known. */
export function firstHour(last: number | null, latest: number): number {
  const most = latest - (MOST_HOURS - 1) * HOUR_MS;
  return last === null ? latest : Math.max(most, Math.min(last, latest) - (RECOUNTED_HOURS - 1) * HOUR_MS);
}

/**
 * Counts what came in from hour `from` to hour `latest`, both included, into `intake_hours`. Page views stand for
 * beacons: they are read by their key (shop, type, at); webhooks are read from the newest back to the first hour, by
 * the shop's index. No beacon and no webhook writes anything for this.
 */
export function countIntake(db: D1Database, shop: number, from: number, latest: number): D1PreparedStatement[] {
  const until = latest + HOUR_MS;
  const write = (kind: IntakeKind, source: string) =>
    sql(
      db,
      `with recursive hours(hour) as (select ?2 union all select hour + ${HOUR_MS} from hours where hour < ?3),
         came as materialized (select hour, count(*) as n from (${source}) group by hour)
       insert into intake_hours (shop, kind, hour, count)
       select ?1, '${kind}', hour, coalesce((select n from came where came.hour = hours.hour), 0) from hours where true
       on conflict do update set count = excluded.count where count <> excluded.count`,
      shop,
      from,
      latest,
      until,
    );
  return [
    write(
      "beacons",
      `select at - at % ${HOUR_MS} as hour from events where shop = ?1 and at >= ?2 and at < ?4
         and type = (select key from event_types where name = 'page_viewed')`,
    ),
    write(
      "webhooks",
      `select received_at - received_at % ${HOUR_MS} as hour from webhook_inbox
       where shop = ?1 and received_at >= ?2 and received_at < ?4 and key > coalesce((
         select key from webhook_inbox where shop = ?1 and received_at < ?2 order by key desc limit 1), 0)`,
    ),
  ];
}

/** The counted hours of a kind after `since`, ascending. */
export async function readIntake(db: D1Database, shop: number, kind: IntakeKind, since: number): Promise<HourCount[]> {
  const { results } = await sql(
    db,
    "select hour, count from intake_hours where shop = ? and kind = ? and hour > ? order by hour",
    shop,
    kind,
    since,
  ).all<HourCount>();
  return results;
}
