import { sql } from "../db/client";

/** Every reason for which something sent to `/ff` is not kept. */
export const DROP_REASONS = [
  "bot",
  "prerender",
  "origin",
  "consent",
  "opted_out",
  "malformed",
  "stale",
  "limit",
  "uninstalled",
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

const WRITE_EVERY_MS = 60_000;

/** Per isolate, by `shop day reason`: written at most once a minute, so the last minute of an isolate may be lost. */
const counts = new Map<string, { shop: number; day: string; reason: DropReason; count: number }>();
let writtenAt = 0;

/** Counts a drop and, now and then, writes the counts behind the response. */
export function countDrop(
  db: D1Database,
  shop: number,
  reason: DropReason,
  now: number,
  later: (work: Promise<unknown>) => void,
): void {
  const day = new Date(now).toISOString().slice(0, 10);
  const name = `${shop} ${day} ${reason}`;
  const entry = counts.get(name) ?? { shop, day, reason, count: 0 };
  entry.count++;
  counts.set(name, entry);
  if (now - writtenAt < WRITE_EVERY_MS && counts.size < 500) return;
  writtenAt = now;
  later(writeDrops(db));
}

/** Writes what this isolate has counted. */
async function writeDrops(db: D1Database): Promise<void> {
  const rows = [...counts.values()];
  counts.clear();
  if (rows.length > 0) await write(db, rows);
}

async function write(db: D1Database, rows: { shop: number; day: string; reason: DropReason; count: number }[]) {
  try {
    await sql(
      db,
      `insert into drops (shop, day, reason, count)
       select value ->> 'shop', value ->> 'day', value ->> 'reason', value ->> 'count' from json_each(?) where true
       on conflict do update set count = count + excluded.count`,
      JSON.stringify(rows),
    ).run();
  } catch {
    console.warn(JSON.stringify({ message: "drop counts were not written", feature: "collect" }));
  }
}

export interface DropCount {
  day: string;
  reason: DropReason;
  count: number;
}

/** Drops by day and reason, newest day first; with what this isolate has not written yet. */
export async function listDrops(db: D1Database, shop: number): Promise<DropCount[]> {
  await writeDrops(db);
  const { results } = await sql(
    db,
    "select day, reason, count from drops where shop = ? order by day desc, reason limit 300",
    shop,
  ).all<DropCount>();
  return results;
}
