import { sql } from "../../db/client";
import { findShop, type Shop } from "../../shops";
import { askAt, askFor, type AskContext, countOf, fileGone, MOST_OPERATIONS, poll, pollAt } from "./ask";
import { FileGone } from "./file";
import { importStream } from "./import";
import { reconcileAt, beginReconciliation } from "./reconcile";
import { finishJob, listStreams, saveStream, type Stream } from "./streams";

/** Domain events tell of the last days at most, whatever is read: a reaction to something older would be out of place. */
const NEWS_MS = 2 * 86_400_000;

/** A connection's checks come back after this time. */
export const CHECK_MS = 6 * 3_600_000;

export interface RunContext {
  env: Env;
  /** Integer key of the shop. */
  shop: number;
  clock: () => number;
  /** Epoch ms after which no further slice is begun. */
  until: number;
  /** Slices that have failed in a row. */
  failures: number;
  /** Compares scopes and subscriptions of the connection with what they should be. */
  check: (env: Env, shop: Shop, now: number) => Promise<unknown>;
}

/** Runs in a row that fail before records of a slice are stored one by one. */
const CAREFUL_AFTER = 3;

/**
 * One piece of a shop's synchronisation: asks for what waits, looks how it stands, reads until the time is up. All that
 * it knows is in D1, so any run may be the first after a kill.
 *
 * Returns when to go on, or null for a shop that is not connected.
 */
export async function runSync(context: RunContext): Promise<number | null> {
  const { env, clock } = context;
  const shop = await findShop(env.DB, context.shop);
  if (!shop?.connected || shop.status !== "active") return null;
  const now = clock();
  let connection = await connectionOf(env.DB, shop.key);
  if (connection.scopes.length === 0) {
    // Nobody has looked yet what may be asked for.
    await context.check(env, shop, now);
    connection = await connectionOf(env.DB, shop.key);
  }
  const job = await runningJob(env.DB, shop.key);
  const ask: AskContext = { env, shop, scopes: connection.scopes, begun: job?.createdAt ?? now, now };
  let streams = await listStreams(env.DB, shop.key);
  if (job && !job.counted) {
    await countBackfill(ask, job, streams);
    streams = await listStreams(env.DB, shop.key);
  }
  if (!job && reconcileAt(streams) <= now) streams = await beginReconciliation(ask, streams);

  streams = await askAndPoll(ask, streams);
  const quietBefore = Math.max(connection.connectedAt ?? now, now - NEWS_MS);
  const careful = context.failures >= CAREFUL_AFTER;
  for (;;) {
    const at = streams.findIndex(({ state }) => state === "reading");
    const stream = streams[at];
    if (!stream || clock() >= context.until) break;
    const read = await importStream({ env, shop, quietBefore, clock, until: context.until, careful }, stream).catch(
      (error: unknown) => {
        if (error instanceof FileGone) return fileGone(env, stream, clock());
        throw error;
      },
    );
    streams = streams.with(at, read);
    context.failures = 0;
    // Places that have become free are asked for before the next file is read.
    if (read.state !== "reading") streams = await askAndPoll({ ...ask, now: clock() }, streams);
  }
  if (job && streams.every((stream) => stream.job !== job.key || isOver(stream))) {
    await finishJob(
      env.DB,
      shop.key,
      job.key,
      streams.filter((stream) => stream.job === job.key),
      clock(),
    );
    return clock();
  }
  return nextRun(context, shop, connection.checkedAt, streams, job !== null);
}

function isOver({ state }: Stream): boolean {
  return state === "done" || state === "failed";
}

/** Keeps as many operations going as Shopify allows, in the order of reading. */
async function askAndPoll(ask: AskContext, streams: Stream[]): Promise<Stream[]> {
  const { now } = ask;
  const next: Stream[] = [];
  for (const stream of streams) {
    const isDue = stream.state === "asked" && pollAt(stream) <= now;
    next.push(isDue ? await poll(ask, stream) : stream);
  }
  let running = next.filter(({ state }) => state === "asked").length;
  for (const [at, stream] of next.entries()) {
    if (running >= MOST_OPERATIONS) break;
    if (stream.state !== "waiting" || askAt(stream) > now) continue;
    const asked = await askFor(ask, stream);
    if (!asked) break;
    next[at] = asked;
    if (asked.state === "asked") running++;
  }
  return next;
}

async function nextRun(
  { env, clock, check }: RunContext,
  shop: Shop,
  checkedAt: number | null,
  streams: Stream[],
  isBackfill: boolean,
): Promise<number> {
  const now = clock();
  let checked = checkedAt ?? 0;
  if (checked + CHECK_MS <= now) {
    await check(env, shop, now);
    checked = now;
  }
  const times = streams.map((stream) => {
    if (stream.state === "reading") return now;
    if (stream.state === "asked") return pollAt(stream);
    // A place may become free at any time.
    if (stream.state === "waiting") return Math.max(askAt(stream), now + 5_000);
    return Number.POSITIVE_INFINITY;
  });
  return Math.min(checked + CHECK_MS, isBackfill ? Number.POSITIVE_INFINITY : reconcileAt(streams), ...times);
}

interface Job {
  key: number;
  createdAt: number;
  counted: boolean;
}

async function runningJob(db: D1Database, shop: number): Promise<Job | null> {
  const row = await sql(
    db,
    `select key, created_at as "createdAt", cursor from jobs
     where shop = ? and kind = 'backfill' and state = 'running' order by key desc limit 1`,
    shop,
  ).first<{ key: number; createdAt: number; cursor: string | null }>();
  return row && { key: row.key, createdAt: row.createdAt, counted: row.cursor === "counted" };
}

/** Totals make the progress; they are asked for once, before anything is read. */
async function countBackfill(ask: AskContext, job: Job, streams: Stream[]): Promise<void> {
  const { env, shop, now } = ask;
  for (const stretch of ["recent", "rest"] as const) {
    const asked = streams.filter((stream) => stream.job === job.key && stream.stretch === stretch);
    const counts = await countOf(ask, asked);
    for (const [n, stream] of asked.entries()) {
      if (stream.total === null) await saveStream(env.DB, stream, { total: counts[n] ?? null }, now);
    }
  }
  await sql(env.DB, "update jobs set cursor = 'counted' where key = ? and shop = ?", job.key, shop.key).run();
}

interface ConnectionFacts {
  scopes: string[];
  checkedAt: number | null;
  connectedAt: number | null;
}

async function connectionOf(db: D1Database, shop: number): Promise<ConnectionFacts> {
  const row = await sql(
    db,
    `select c.scopes, c.checked_at as "checkedAt", s.connected_at as "connectedAt"
     from shops s left join shopify_connections c on c.shop = s.key where s.key = ?`,
    shop,
  ).first<{ scopes: string | null; checkedAt: number | null; connectedAt: number | null }>();
  return {
    scopes: JSON.parse(row?.scopes ?? "[]"),
    checkedAt: row?.checkedAt ?? null,
    connectedAt: row?.connectedAt ?? null,
  };
}
