import { sql } from "./client";

/**
 * Fails the whole batch when what was read before it no longer holds, so that nothing is decided on a stale read.
 * The error counts as a conflict (`isConflict`): `onConflictRetry` reads and decides again.
 *
 * @param condition an SQL condition, static text
 */
export function mustHold(
  db: D1Database,
  condition: string,
  ...values: (string | number | null)[]
): D1PreparedStatement {
  // SQLite has no `raise` outside triggers; parsing text that is not JSON is an error that rolls the batch back.
  return sql(db, `select case when ${condition} then 1 else json('stale read') end`, ...values);
}

/** How far apart two writers' choices lie on average: wide enough that they rarely meet. */
const SPREAD = 256;

/** What this isolate chose last, by the last key that was read: what is planned at the same time must not meet. */
const chosen = new Map<number, number>();

/**
 * An integer key for a row that is about to be inserted, so that other statements of the same batch can name it. Keys
 * stay close to ascending; a clash fails on the primary key and is retried like any conflict.
 */
export function keyAfter(last: number | null): number {
  const after = last ?? 0;
  const random = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;
  const before = chosen.get(after);
  const key = before === undefined ? after + 1 + (random % SPREAD) : before + 1;
  if (chosen.size >= 16) chosen.clear();
  chosen.set(after, key);
  return key;
}

/** Reads the last key that a table with an autoincrement key has given out; null for a table never written. */
export function lastKey(db: D1Database, table: "contacts" | "orders" | "carts"): D1PreparedStatement {
  return sql(db, "select seq from sqlite_sequence where name = ?", table);
}
