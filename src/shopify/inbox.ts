import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { reason } from "../lib/log";
import { findShop, type Shop } from "../shops";
import { applyChange } from "./apply";
import { unpackBody } from "./body";
import {
  type Change,
  ForeignBody,
  LASTING_TOPICS,
  mapBody,
  type MapContext,
  sameBodyTopics,
  UnusableBody,
} from "./map";

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
  const [row] = await readInboxRows(env.DB, [key]);
  if (!row) return "handled";
  if (row.state !== "pending") return row.state;
  const planned = await planRow(env, row, await findShop(env.DB, row.shop), now, superseded);
  await env.DB.batch(planned.statements);
  await planned.after?.();
  return planned.outcome;
}

/** Columns of a row that is handled. */
const ROW = `select i.key, i.shop, i.topic, i.webhook_id as "webhookId", i.body, i.body_hash as "bodyHash",
  i.triggered_at as "triggeredAt", i.received_at as "receivedAt", i.state, i.attempts from webhook_inbox i`;

/** The rows of these keys, as many as hold `mostText` characters of bodies together. */
export async function readInboxRows(db: D1Database, keys: number[], mostText?: number): Promise<InboxRow[]> {
  const { results } = await sql(
    db,
    `${ROW} where i.key in (select key from (
       select key, sum(length(body)) over (order by key) as text from webhook_inbox
       where key in (select value from json_each(?1))) where text <= ?2 or text is null or ?2 is null) order by i.key`,
    JSON.stringify(keys),
    mostText ?? null,
  ).all<InboxRow>();
  return results;
}

/** A delivery that is decided: all statements of its batch, its guard first and its end last. */
export interface PlannedRow {
  outcome: Exclude<InboxOutcome, "retry" | "dead">;
  statements: D1PreparedStatement[];
  /** What follows the commit. */
  after?: () => Promise<void>;
}

/**
 * Decides on one pending delivery as the database stands.
 *
 * @param shop null where it is gone
 * @param known the change that its body asks for, where it was mapped before
 */
export async function planRow(
  env: Env,
  row: InboxRow,
  shop: Shop | null,
  now: number,
  superseded: number[] = [],
  known?: Change,
): Promise<PlannedRow> {
  const db = env.DB;
  const unhandled: PlannedRow = { outcome: "unhandled", statements: ended(db, row, "unhandled", [], now) };
  if (!shop || row.body === null) return unhandled;
  if (shop.status === "uninstalled" && !LASTING_TOPICS.includes(row.topic)) return unhandled;
  const change = known ?? mapBody(row.topic, await unpackBody(row.body), mapContext(shop, row));
  if (!change) return unhandled;
  const same = sameBody(row);
  if (same && (await sql(db, `select 1 where ${same.text}`, ...same.values).first()) !== null) {
    return { outcome: "handled", statements: ended(db, row, "handled", [], now) };
  }
  const delivery = { key: row.key, webhookId: row.webhookId, receivedAt: row.receivedAt };
  const context = { env, db, shop, triggeredAt: row.triggeredAt, now, delivery };
  const { outcome, statements } = await applyChange(context, change);
  const first = same ? [mustHold(db, `not ${same.text}`, ...same.values)] : [];
  const all = [...first, ...statements, ...endSuperseded(db, row.shop, superseded, now)];
  const planned: PlannedRow = { outcome, statements: ended(db, row, outcome, all, now) };
  if (change.kind !== "privacy_request" || outcome !== "handled") return planned;
  const after = async () => {
    // Carrying it out brings much along that no other webhook needs.
    const { beginRequest } = await import("./privacy/run");
    await beginRequest(env, shop.key, row.webhookId, now);
  };
  return { ...planned, after };
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
function sameBody(row: InboxRow): { text: string; values: (string | number)[] } | null {
  const topics = sameBodyTopics(row.topic);
  if (topics.length === 0) return null;
  const text = `exists (select 1 from webhook_inbox where shop = ? and topic in (select value from json_each(?))
    and body_hash = ? and key <> ? and state in ('handled', 'stale'))`;
  return { text, values: [row.shop, JSON.stringify(topics), row.bodyHash, row.key] };
}

function ended(
  db: D1Database,
  row: InboxRow,
  outcome: PlannedRow["outcome"],
  statements: D1PreparedStatement[],
  now: number,
): D1PreparedStatement[] {
  return [
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
  ];
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
