import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { reason } from "../lib/log";
import { findShop, type Shop } from "../shops";
import { type Applied, closing, opening, planChange } from "./apply";
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
  eventId: string | null;
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
  const planned = await planRow(env, env.DB, row, await findShop(env.DB, row.shop), now, superseded);
  await env.DB.batch(statementsOf(env.DB, row.shop, [planned], now));
  await planned.after?.();
  return planned.outcome;
}

/** Columns of a row that is handled; of one that was, the body is not needed. */
const ROW = `select i.key, i.shop, i.topic, i.webhook_id as "webhookId", i.event_id as "eventId",
  iif(i.state = 'pending', i.body, null) as body, i.body_hash as "bodyHash",
  i.triggered_at as "triggeredAt", i.received_at as "receivedAt", i.state, i.attempts from webhook_inbox i`;

/** The rows of these keys, as many as hold `mostText` characters of bodies together. */
export async function readInboxRows(db: D1Database, keys: number[], mostText?: number): Promise<InboxRow[]> {
  const { results } = await sql(
    db,
    `${ROW} where i.key in (select key from (
       select key, sum(iif(state = 'pending', length(body), 0)) over (order by key) as text from webhook_inbox
       where key in (select value from json_each(?1))) where text <= ?2 or text is null or ?2 is null) order by i.key`,
    JSON.stringify(keys),
    mostText ?? null,
  ).all<InboxRow>();
  return results;
}

/** A delivery that is decided. `statementsOf` makes the batch, of several if need be. */
export interface PlannedRow {
  row: InboxRow;
  outcome: Exclude<InboxOutcome, "retry" | "dead">;
  applied: Applied | null;
  superseded: number[];
  /** What follows the commit. */
  after?: () => Promise<void>;
}

/**
 * Decides on one pending delivery as the database stands.
 *
 * @param db what is read, is read here: several may be planned together (`readTogether`)
 * @param shop null where it is gone
 * @param known the change that its body asks for, where it was mapped before
 */
export async function planRow(
  env: Env,
  db: D1Database,
  row: InboxRow,
  shop: Shop | null,
  now: number,
  superseded: number[] = [],
  known?: Change,
): Promise<PlannedRow> {
  const unhandled: PlannedRow = { row, outcome: "unhandled", applied: null, superseded: [] };
  if (!shop || row.body === null) return unhandled;
  if (shop.status === "uninstalled" && !LASTING_TOPICS.includes(row.topic)) return unhandled;
  const change = known ?? mapBody(row.topic, await unpackBody(row.body), mapContext(shop, row));
  if (!change) return unhandled;
  const wasApplied = mayRepeat(row) && appliedBefore(db, row);
  const { key, webhookId, eventId, receivedAt } = row;
  const delivery = { key, webhookId, eventId, receivedAt };
  const context = { env, db, shop, triggeredAt: row.triggeredAt, now, delivery };
  const [isKnown, applied] = await Promise.all([wasApplied, planChange(context, change)]);
  if (isKnown) return { row, outcome: "handled", applied: null, superseded: [] };
  const { outcome } = applied;
  const planned: PlannedRow = { row, outcome, applied, superseded };
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

/**
 * Shopify sends one body for several reasons; the same bytes about the same record are applied once. Where each event
 * counts, so are the same bytes of one event, which comes once for each subscription: the app's and those made here.
 */
const SAME_BODY = `select 1 from json_each(?2) j cross join webhook_inbox i
  on i.shop = ?1 and i.topic in (select value from json_each(j.value ->> 'topics')) and i.body_hash = j.value ->> 'hash'
    and i.key <> j.value ->> 'key' and i.state in ('handled', 'stale')
    and (j.value ->> 'event' is null or i.event_id = j.value ->> 'event')`;

function mayRepeat({ topic, eventId }: InboxRow): boolean {
  return eventId !== null || sameBodyTopics(topic).length > 0;
}

function bodiesOf(rows: InboxRow[]): string {
  return JSON.stringify(
    rows.map(({ key, topic, bodyHash, eventId }) => {
      const family = sameBodyTopics(topic);
      return family.length > 0
        ? { key, hash: bodyHash, topics: family, event: null }
        : { key, hash: bodyHash, topics: [topic], event: eventId };
    }),
  );
}

async function appliedBefore(db: D1Database, row: InboxRow): Promise<boolean> {
  return (await sql(db, `${SAME_BODY} limit 1`, row.shop, bodiesOf([row])).first()) !== null;
}

/** The one batch of deliveries of a shop that were planned: their guards first, their ends last. */
export function statementsOf(db: D1Database, shop: number, planned: PlannedRow[], now: number): D1PreparedStatement[] {
  const rows = planned.map(({ row }) => row);
  const applied = planned.flatMap((one) => one.applied ?? []);
  const told = planned.filter((one) => one.applied && mayRepeat(one.row)).map(({ row }) => row);
  const ends = planned.flatMap(({ row, outcome, superseded }) => [
    { key: row.key, state: outcome },
    ...superseded.map((key) => ({ key, state: "stale" })),
  ]);
  return [
    mustHold(
      db,
      `not exists (select 1 from json_each(?2) j
         left join webhook_inbox i on i.key = j.value and +i.shop = ?1 and i.state = 'pending' where i.key is null)`,
      shop,
      JSON.stringify(rows.map(({ key }) => key)),
    ),
    ...(told.length > 0 ? [mustHold(db, `not exists (${SAME_BODY})`, shop, bodiesOf(told))] : []),
    ...opening(db, shop, applied),
    ...applied.flatMap(({ statements }) => statements),
    ...closing(db, shop, applied, now),
    sql(
      db,
      `update webhook_inbox set state = j.value ->> 'state', handled_at = ?2, error = null from json_each(?3) j
       where webhook_inbox.key = j.value ->> 'key' and +webhook_inbox.shop = ?1 and webhook_inbox.state = 'pending'`,
      shop,
      now,
      JSON.stringify(ends),
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
