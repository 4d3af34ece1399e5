import { sql } from "../db/client";
import { logFailure } from "../lib/log";
import { findShop } from "../shops";
import { unpackBody } from "./body";
import { handleInboxRow, type InboxRow, mapContext } from "./inbox";
import { type Change, mapBody } from "./map";
import { recordOf, supersedes } from "./supersede";

/** Topics that come in storms and whose newest body says all that those before it said. */
const STORM_TOPICS = ["customers/update", "products/update"];

/** Bodies that are read together, characters: a Worker has 128 MB. */
const MOST_TEXT = 8_000_000;

/**
 * Handles stored deliveries that came up together. Of a storm about one record only the newest is applied: those that
 * it supersedes end with it, in its batch.
 */
export async function handleInboxRows(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  const superseded = keys.length > 1 ? await findSuperseded(env.DB, shop, keys).catch(noneOnFailure) : new Map();
  const passedOver = new Set([...superseded.values()].flat());
  for (const key of keys) {
    if (!passedOver.has(key)) await handleInboxRow(env, key, now(), superseded.get(key) ?? []);
  }
}

/** It is only a short cut: without it every delivery is handled by itself. */
function noneOnFailure(error: unknown): Map<number, number[]> {
  logFailure("inbox", error, { doing: "supersede" });
  return new Map();
}

/** For the newest delivery of each record, those that it makes needless. */
async function findSuperseded(db: D1Database, shopKey: number, keys: number[]): Promise<Map<number, number[]>> {
  const { results } = await sql(
    db,
    `select key, topic, body, triggered_at as "triggeredAt", received_at as "receivedAt" from (
       select *, sum(length(body)) over (order by key) as text from webhook_inbox
       where key in (select value from json_each(?1)) and +shop = ?2 and state = 'pending'
         and topic in (select value from json_each(?3)))
     where text <= ?4`,
    JSON.stringify(keys),
    shopKey,
    JSON.stringify(STORM_TOPICS),
    MOST_TEXT,
  ).all<InboxRow>();
  const shop = results.length > 1 ? await findShop(db, shopKey) : null;
  if (!shop) return new Map();
  const changes: { key: number; change: Change }[] = [];
  for (const row of results) {
    const change = row.body === null ? null : mapped(row.topic, await unpackBody(row.body), mapContext(shop, row));
    if (change) changes.push({ key: row.key, change });
  }
  const byRecord = Map.groupBy(changes, ({ change }) => recordOf(change)?.name ?? "");
  const found = new Map<number, number[]>();
  for (const [name, ofRecord] of byRecord) {
    if (name === "") continue;
    const newest = ofRecord.reduce((a, b) => (isLater(b.change, a.change) ? b : a));
    const older = ofRecord.filter(({ change }) => supersedes(newest.change, change)).map(({ key }) => key);
    if (older.length > 0) found.set(newest.key, older);
  }
  return found;
}

/** A body that does not fit is left to be handled, and refused, by itself. */
function mapped(...delivery: Parameters<typeof mapBody>): Change | null {
  try {
    return mapBody(...delivery);
  } catch {
    return null;
  }
}

function isLater(a: Change, b: Change): boolean {
  const [x, y] = [recordOf(a)?.version, recordOf(b)?.version];
  if (!x || !y) return false;
  return x.updatedAt === y.updatedAt ? x.triggeredAt > y.triggeredAt : x.updatedAt > y.updatedAt;
}
