import { sql } from "../db/client";
import { newId } from "../lib/ids";
import { findShop, type Shop } from "../shops";
import { linkVisitor } from "../visitor";

/** Failures after which a row is put aside, so that it blocks nobody. */
const MOST_ATTEMPTS = 8;

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;

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
 * Carries out what a domain event asks for and deletes its row, in that order; every effect has a natural key, so that
 * a second run changes nothing. Rows of one subject are handled by key: an earlier one that still waits goes first.
 */
export async function react(env: Env, key: number, now: number): Promise<void> {
  const { DB } = env;
  const asked = await sql(DB, "select * from outbox where key = ?", key).first<OutboxRow>();
  if (!asked) return;
  const { results: rows } = await sql(
    DB,
    "select * from outbox where shop = ? and subject = ? and key <= ? order by key limit 50",
    asked.shop,
    asked.subject,
    key,
  ).all<OutboxRow>();
  const shop = await findShop(DB, asked.shop);
  for (const row of rows) {
    if (row.next_attempt_at > now) {
      await waitFor(DB, asked, row);
      return;
    }
    try {
      if (shop) await carryOut(env, shop, row);
      await sql(DB, "delete from outbox where key = ?", row.key).run();
    } catch (error) {
      await putOff(DB, row, error, now);
      return;
    }
  }
}

/** A row behind one that waits does not wake it early: it comes up together with it. */
async function waitFor(db: D1Database, asked: OutboxRow, first: OutboxRow): Promise<void> {
  await sql(
    db,
    "update outbox set next_attempt_at = max(next_attempt_at, ?) where key = ?",
    first.next_attempt_at,
    asked.key,
  ).run();
}

/** What this installation does about a domain event. Types without a reaction here are done by being recorded. */
async function carryOut(env: Env, shop: Shop, row: OutboxRow): Promise<void> {
  if (row.type !== "visitor_joined") return;
  const data: { tracker: string; contact: string; cartToken?: string | null } = JSON.parse(row.data);
  await linkVisitor(env, shop, data.tracker, { contactId: data.contact, cartToken: data.cartToken ?? null });
}

/** Back-off with full jitter; after the last attempt a dead letter, listed and replayable. */
async function putOff(db: D1Database, row: OutboxRow, error: unknown, now: number): Promise<void> {
  const attempts = row.attempts + 1;
  const why = error instanceof Error ? error.message.slice(0, 500) : "unknown";
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
