import { sql } from "../db/client";
import { listenersOf, type Listener, planDeliveries } from "../endpoints";
import { newId } from "../lib/ids";
import { messageReactions, nudgeDeliveries } from "../messages";
import { reason } from "../lib/log";
import { findShop, type Shop } from "../shops";
import { linkVisitor } from "../visitor";
import { armClock } from "./arm";

/** Failures after which a row is put aside, so that it blocks nobody. */
const MOST_ATTEMPTS = 8;

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** Rows carried out at once; those of a subject that has more come up with the next nudge. */
const MOST_ROWS = 500;

/** Deliveries named in one message: two rounds of requests at once. */
const CALLS_PER_MESSAGE = 12;

interface OutboxRow {
  key: number;
  shop: number;
  type: string;
  subject: string;
  natural_key: string;
  data: string;
  at: number;
  attempts: number;
  next_attempt_at: number;
}

/**
 * Carries out what domain events of a shop ask for and deletes their rows in one batch; every effect has a natural key,
 * so that a second run changes nothing. Rows of one subject are handled by key: an earlier one that still waits goes
 * first, and one that fails holds back its subject alone.
 */
export async function react(env: Env, shopKey: number, keys: number[], now: number): Promise<void> {
  const { DB } = env;
  const [asked, listening, watching] = await DB.batch<OutboxRow & Listener>([
    sql(
      DB,
      `select o.* from (
         select subject, max(key) as last from outbox where key in (select value from json_each(?1)) and shop = ?2
         group by subject) a
       join outbox o on o.shop = ?2 and o.subject = a.subject and o.key <= a.last order by o.key limit ?3`,
      JSON.stringify(keys),
      shopKey,
      MOST_ROWS,
    ),
    listenersOf(DB, shopKey),
    sql(DB, "select 1 from automation_watches where shop = ? limit 1", shopKey),
  ]);
  const rows: OutboxRow[] = asked?.results ?? [];
  const shop = rows.length === 0 ? null : await findShop(DB, shopKey);
  const done: OutboxRow[] = [];
  for (const ofSubject of Map.groupBy(rows, ({ subject }) => subject).values()) {
    done.push(...(await carryOutInOrder(env, shop, ofSubject, now)));
  }
  if (done.length === 0) return;
  const listeners: Listener[] = listening?.results ?? [];
  const isAutomated = (watching?.results.length ?? 0) > 0;
  try {
    await commit(env, { key: shopKey, shop, isAutomated }, done, listeners, now);
  } catch (error) {
    if (done.length === 1 && done[0]) return putOff(DB, done[0], error, now);
    // One of them may be at fault: it must not hold back the others.
    for (const row of done) {
      await commit(env, { key: shopKey, shop, isAutomated }, [row], listeners, now).catch((why) =>
        putOff(DB, row, why, now),
      );
    }
  }
}

/** The rows that are carried out and may go: all up to one that waits or fails. */
async function carryOutInOrder(env: Env, shop: Shop | null, rows: OutboxRow[], now: number): Promise<OutboxRow[]> {
  for (const [index, row] of rows.entries()) {
    if (row.next_attempt_at > now) {
      await waitFor(env.DB, rows.slice(index + 1), row);
      return rows.slice(0, index);
    }
    try {
      if (shop) await carryOut(env, shop, row);
    } catch (error) {
      await putOff(env.DB, row, error, now);
      return rows.slice(0, index);
    }
  }
  return rows;
}

/** Deletes the rows together with writing what is to be sent of them, and nudges the queue that sends it. */
async function commit(
  env: Env,
  { key, shop, isAutomated }: { key: number; shop: Shop | null; isAutomated: boolean },
  done: OutboxRow[],
  listeners: Listener[],
  now: number,
): Promise<void> {
  const deliveries = shop ? await planDeliveries(env.DB, shop, done, listeners, now) : [];
  const runs = shop && isAutomated ? await reactions(env, shop, done, now) : [];
  const { queued, credited } = shop ? await messageReactions(env.DB, shop, done, now) : { queued: [], credited: [] };
  if (deliveries.length + runs.length + queued.length > 0) await armClock(env, key, now);
  const results = await env.DB.batch<{ key: number }>([
    ...deliveries,
    ...runs,
    ...queued,
    ...credited,
    sql(
      env.DB,
      "delete from outbox where key in (select value from json_each(?)) and shop = ?",
      JSON.stringify(done.map((row) => row.key)),
      key,
    ),
  ]);
  const keysOf = (some: typeof results) => some.flatMap((result) => result.results.map((row) => row.key));
  const moved = keysOf(results.slice(deliveries.length, deliveries.length + runs.length));
  if (moved.length > 0) await env.RUNS.send({ shop: key, runs: [...new Set(moved)] }).catch(() => undefined);
  const firstQueued = deliveries.length + runs.length;
  const asked = keysOf(results.slice(firstQueued, firstQueued + queued.length));
  if (asked.length > 0 && shop) await nudgeDeliveries(env, key, asked, now);
  const calls = keysOf(results.slice(0, deliveries.length));
  for (let from = 0; from < calls.length; from += CALLS_PER_MESSAGE) {
    // The clock finds what a lost message leaves behind.
    await env.CALLS.send({ shop: key, calls: calls.slice(from, from + CALLS_PER_MESSAGE) }).catch(() => undefined);
  }
}

/** What automations do about the events; loads with the first shop that has one. */
async function reactions(env: Env, shop: Shop, done: OutboxRow[], now: number): Promise<D1PreparedStatement[]> {
  const { reactToEvents } = await import("../automations");
  return reactToEvents(env, shop, done, now);
}

/** Rows behind one that waits do not wake it early: they come up together with it. */
async function waitFor(db: D1Database, behind: OutboxRow[], first: OutboxRow): Promise<void> {
  await sql(
    db,
    "update outbox set next_attempt_at = max(next_attempt_at, ?) where key in (select value from json_each(?))",
    first.next_attempt_at,
    JSON.stringify(behind.map(({ key }) => key)),
  ).run();
}

/** What this installation itself does about a domain event; most are only told to others. */
async function carryOut(env: Env, shop: Shop, row: OutboxRow): Promise<void> {
  if (row.type !== "visitor_joined") return;
  const data: { tracker: string; contact: string; cartToken?: string | null } = JSON.parse(row.data);
  await linkVisitor(env, shop, data.tracker, { contactId: data.contact, cartToken: data.cartToken ?? null });
}

/** Back-off with full jitter; after the last attempt a dead letter, listed and replayable. */
async function putOff(db: D1Database, row: OutboxRow, error: unknown, now: number): Promise<void> {
  const attempts = row.attempts + 1;
  const why = reason(error);
  if (attempts < MOST_ATTEMPTS) {
    const wait = FIRST_WAIT_MS + Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts);
    await sql(
      db,
      "update outbox set attempts = ?, next_attempt_at = ? where key = ?",
      attempts,
      now + Math.floor(wait),
      row.key,
    ).run();
    return;
  }
  await db.batch([
    sql(
      db,
      `insert into dead_letters (id, shop, type, subject, natural_key, data, at, error, died_at)
       select ?, shop, type, subject, natural_key, data, at, ?, ? from outbox where key = ?`,
      newId("dlt", now),
      why,
      now,
      row.key,
    ),
    sql(db, "delete from outbox where key = ?", row.key),
  ]);
}

/** Puts a dead letter back into the outbox; false when there is no such letter. */
export async function replayDeadLetter(db: D1Database, shop: number, id: string, now: number): Promise<boolean> {
  const [, deleted] = await db.batch([
    sql(
      db,
      `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
       select shop, type, subject, natural_key, data, at, ? from dead_letters where shop = ? and id = ?
       on conflict do nothing`,
      now,
      shop,
      id,
    ),
    sql(db, "delete from dead_letters where shop = ? and id = ?", shop, id),
  ]);
  return (deleted?.meta.changes ?? 0) > 0;
}
