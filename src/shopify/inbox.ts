import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { reason } from "../lib/log";
import { findShop, type Shop } from "../shops";
import { applyChange } from "./apply";
import { unpackBody } from "./body";
import { ForeignBody, LASTING_TOPICS, mapBody, type MapContext, sameBodyTopics, UnusableBody } from "./map";

/** Failures after which a delivery waits for a person. */
const MOST_ATTEMPTS = 8;

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10 * 60_000;

export type InboxOutcome = "handled" | "unhandled" | "stale" | "retry" | "dead";

export interface InboxRow {
  key: number;
  shop: number;
  topic: string;
  webhookId: string;
  body: string | null;
  bodyHash: string;
  triggeredAt: number;
  receivedAt: number;
  state: "pending" | Exclude<InboxOutcome, "retry">;
  attempts: number;
}

/**
 * Handles one stored delivery: maps its body and writes all its rows, its domain events and its own end in one batch.
 * May run any number of times, also at once: only a pending row is handled, and only once.
 *
 * Never throws: a failure is remembered on the row (`retry`, with a growing wait) until the delivery is `dead`, which
 * `replayInboxRow` undoes. A body that does not fit is dead at once, since trying again changes nothing.
 *
 * @param superseded pending deliveries that say nothing beside this one: they end as stale when it is done
 */
export async function handleInboxRow(
  env: Env,
  key: number,
  now: number,
  superseded: number[] = [],
): Promise<InboxOutcome> {
  try {
    return await onConflictRetry(() => handle(env, key, now, superseded));
  } catch (error) {
    return putOff(env.DB, key, error, now).catch(() => "retry");
  }
}

async function handle(env: Env, key: number, now: number, superseded: number[]): Promise<InboxOutcome> {
  const db = env.DB;
  const row = await sql(
    db,
    `select key, shop, topic, webhook_id as "webhookId", body, body_hash as "bodyHash", triggered_at as "triggeredAt",
       received_at as "receivedAt", state, attempts from webhook_inbox where key = ?`,
    key,
  ).first<InboxRow>();
  if (!row) return "handled";
  if (row.state !== "pending") return row.state;
  const shop = await findShop(db, row.shop);
  if (!shop || row.body === null) return finish(db, row, "unhandled", [], now);
  if (shop.status === "uninstalled" && !LASTING_TOPICS.includes(row.topic))
    return finish(db, row, "unhandled", [], now);
  if (await wasApplied(db, row)) return finish(db, row, "handled", [], now);

  const change = mapBody(row.topic, await unpackBody(row.body), mapContext(shop, row));
  if (!change) return finish(db, row, "unhandled", [], now);
  const delivery = { key: row.key, webhookId: row.webhookId, receivedAt: row.receivedAt };
  const context = { env, db, shop, triggeredAt: row.triggeredAt, now, delivery };
  const { outcome, statements } = await applyChange(context, change);
  await finish(db, row, outcome, [...statements, ...endSuperseded(db, row.shop, superseded, now)], now);
  if (change.kind === "privacy_request" && outcome === "handled") {
    // Carrying it out brings much along that no other webhook needs.
    const { beginRequest } = await import("./privacy/run");
    await beginRequest(env, shop.key, row.webhookId, now);
  }
  return outcome;
}

export function mapContext(shop: Shop, row: InboxRow): MapContext {
  return {
    currency: shop.currency,
    domain: shop.domain,
    keepQueryParams: shop.settings.keepQueryParams,
    triggeredAt: row.triggeredAt,
    receivedAt: row.receivedAt,
  };
}

/** Shopify sends one body for several reasons; the same bytes about the same record are applied once. */
async function wasApplied(db: D1Database, row: InboxRow): Promise<boolean> {
  const topics = sameBodyTopics(row.topic);
  if (topics.length === 0) return false;
  const same = await sql(
    db,
    `select 1 from webhook_inbox where shop = ? and topic in (select value from json_each(?)) and body_hash = ?
       and key <> ? and state in ('handled', 'stale') limit 1`,
    row.shop,
    JSON.stringify(topics),
    row.bodyHash,
    row.key,
  ).first();
  return same !== null;
}

async function finish(
  db: D1Database,
  row: InboxRow,
  outcome: Exclude<InboxOutcome, "retry" | "dead">,
  statements: D1PreparedStatement[],
  now: number,
): Promise<InboxOutcome> {
  await db.batch([
    mustHold(db, "exists (select 1 from webhook_inbox where key = ? and state = 'pending')", row.key),
    ...statements,
    sql(
      db,
      "update webhook_inbox set state = ?, handled_at = ?, error = null where key = ? and shop = ?",
      outcome,
      now,
      row.key,
      row.shop,
    ),
  ]);
  return outcome;
}

function endSuperseded(db: D1Database, shop: number, keys: number[], now: number): D1PreparedStatement[] {
  if (keys.length === 0) return [];
  return [
    sql(
      db,
      `update webhook_inbox set state = 'stale', handled_at = ?, error = null
       where key in (select value from json_each(?)) and +shop = ? and state = 'pending'`,
      now,
      JSON.stringify(keys),
      shop,
    ),
  ];
}

async function putOff(db: D1Database, key: number, error: unknown, now: number): Promise<InboxOutcome> {
  const why = reason(error);
  const row = await sql(db, "select attempts from webhook_inbox where key = ? and state = 'pending'", key).first<{
    attempts: number;
  }>();
  if (!row) return "handled";
  const attempts = row.attempts + 1;
  const isDead = error instanceof UnusableBody || attempts >= MOST_ATTEMPTS;
  const wait = FIRST_WAIT_MS + Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts);
  await sql(
    db,
    `update webhook_inbox set state = ?, attempts = ?, next_attempt_at = ?, error = ?, body = iif(?, null, body)
     where key = ? and state = 'pending'`,
    isDead ? "dead" : "pending",
    attempts,
    now + Math.floor(wait),
    why,
    // Another shop's customer must not be readable here.
    error instanceof ForeignBody,
    key,
  ).run();
  return isDead ? "dead" : "retry";
}

/** Puts a delivery of the shop back to be handled; false when there is none of that id, or its body is gone. */
export async function replayInboxRow(db: D1Database, shop: number, id: string, now: number): Promise<boolean> {
  const { meta } = await sql(
    db,
    `update webhook_inbox set state = 'pending', attempts = 0, next_attempt_at = ?, error = null, handled_at = null
     where shop = ? and id = ? and body is not null`,
    now,
    shop,
    id,
  ).run();
  return meta.changes > 0;
}

/** Deliveries of the shop that wait to be handled, the longest waiting first. */
export async function dueInboxRows(db: D1Database, shop: number, now: number, limit: number): Promise<number[]> {
  const { results } = await sql(
    db,
    `select key from webhook_inbox where shop = ? and state = 'pending' and next_attempt_at <= ?
     order by next_attempt_at limit ?`,
    shop,
    now,
    limit,
  ).all<{ key: number }>();
  return results.map(({ key }) => key);
}
