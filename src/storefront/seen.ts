import { sql } from "../db/client";
import type { SeenPart } from "./tables";

/** How exact a time is that the installation check shows, ms: what it costs is one row in that time, not one a beacon. */
const EVERY_MS = 10 * 60_000;

const MOST = 10_000;

/** Per isolate, by `shop part`: when it was last written. */
const written = new Map<string, number>();

/**
 * Notes, behind the response, that a part of a shop's storefront is there. Whoever asks again within ten minutes writes
 * nothing, in this isolate or in another; a time that could not be written is tried with the next call.
 */
export function noteSeen(
  db: D1Database,
  shop: number,
  part: SeenPart,
  now: number,
  later: (work: Promise<unknown>) => void,
): void {
  const name = `${shop} ${part}`;
  if (now - (written.get(name) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
  if (written.size >= MOST) written.clear();
  written.set(name, now);
  later(
    sql(
      db,
      `insert into storefront_seen (shop, part, at) values (?, ?, ?)
       on conflict do update set at = excluded.at where excluded.at >= storefront_seen.at + ?`,
      shop,
      part,
      now,
      EVERY_MS,
    )
      .run()
      .catch(() => written.delete(name)),
  );
}
