import { sql } from "../db/client";
import { logFailure } from "../lib/log";
import { closeAlert, openAlert } from "./alerts";
import { countIntake, firstHour, HOUR_MS, INTAKE_KINDS, latestHour, readIntake } from "./intake";
import { findSilence, HISTORY_HOURS } from "./silence";

interface DueShop {
  key: number;
  timezone: string;
  last: number | null;
}

/**
 * Counts the intake of every shop whose latest hour is not counted yet, and opens or closes its alerts: each shop once
 * an hour, whoever calls how often (cron, and requests where cron does not run). One shop's failure stops no other.
 */
export async function checkIntake(env: Env, now: number): Promise<void> {
  const latest = latestHour(now);
  const { results } = await sql(
    env.DB,
    `select key, timezone,
       (select max(hour) from intake_hours where shop = shops.key and kind = 'beacons') as last
     from shops where status = 'active' and not exists (
       select 1 from intake_hours where shop = shops.key and kind = 'beacons' and hour = ?)`,
    latest,
  ).all<DueShop>();
  for (const shop of results) {
    await checkShop(env.DB, shop, latest, now).catch((error: unknown) => logFailure("health", error));
  }
}

async function checkShop(db: D1Database, { key, timezone, last }: DueShop, latest: number, now: number): Promise<void> {
  await db.batch([
    ...countIntake(db, key, firstHour(last, latest), latest),
    sql(db, "delete from intake_hours where shop = ? and hour < ?", key, latest - 2 * HISTORY_HOURS * HOUR_MS),
  ]);
  for (const kind of INTAKE_KINDS) {
    const alert = { shop: key, kind: `${kind}_silent` as const };
    const [current] = await readIntake(db, key, kind, latest - 1);
    if (!current || current.count > 0) {
      await db.batch(closeAlert(db, alert, now));
      continue;
    }
    const silence = findSilence(await readIntake(db, key, kind, latest - HISTORY_HOURS * HOUR_MS), timezone);
    if (!silence) continue;
    const { since, expected } = silence;
    await db.batch(openAlert(db, { ...alert, data: { since, expected: Math.round(expected) } }, now));
  }
}
