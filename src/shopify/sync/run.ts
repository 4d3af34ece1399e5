import { sql } from "../../db/client";
import { findShop, type Shop } from "../../shops";
import { askAt, askFor, type AskContext, countOf, fileGone, MOST_OPERATIONS, poll, pollAt } from "./ask";
import { startDeletions } from "./deletions";
import { FileGone } from "./file";
import { importStream, type ImportResult } from "./import";
import { reconcileAt, beginReconciliation } from "./reconcile";
import { finishJob, isOver, listStreams, saveStream, type Stream } from "./streams";

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
  /** Operations that Shopify has told to be over: looked at without waiting. */
  ended: ReadonlySet<string>;
  /** Compares scopes and subscriptions of the connection with what they should be. */
  check: (env: Env, shop: Shop, now: number) => Promise<unknown>;
}

/** A download that gets no further for so long is given up, and its file asked for anew. */
const STUCK_MS = 10 * 60_000;

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

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

  streams = await askAndPoll(ask, streams, context.ended);
  const quietBefore = Math.max(connection.connectedAt ?? now, now - NEWS_MS);
  const careful = context.failures >= CAREFUL_AFTER;
  /** Streams whose download broke off in this run: the others are read meanwhile. */
  const broken = new Set<number>();
  for (;;) {
    const at = streams.findIndex(({ state }, n) => state === "reading" && !broken.has(n));
    const stream = streams[at];
    if (!stream || clock() >= context.until) break;
    const read = await readOn({ env, shop, quietBefore, clock, until: context.until, careful }, stream);
    if (read.end === "stopped") return clock();
    streams = streams.with(at, read.stream);
    context.failures = 0;
    if (read.end === "broken") broken.add(at);
    // Places that have become free are asked for before the next file is read.
    if (read.stream.state !== "reading") streams = await askAndPoll({ ...ask, now: clock() }, streams, context.ended);
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
  return nextRun(context, shop, { checkedAt: connection.checkedAt, streams, broken, isBackfill: job !== null });
}

/** Reads on in a file; one that is of no use any more, or that nobody gets further in, is asked for anew. */
async function readOn(context: Parameters<typeof importStream>[0], stream: Stream): Promise<ImportResult> {
  const { env, clock } = context;
  try {
    const read = await importStream(context, stream);
    if (read.end !== "broken" || clock() - read.stream.updatedAt < STUCK_MS) return read;
    return { stream: await fileGone(env, read.stream, "the result file cannot be read", clock()), end: "read" };
  } catch (error) {
    if (!(error instanceof FileGone)) throw error;
    return { stream: await fileGone(env, stream, error.message, clock()), end: "read" };
  }
}

/** Keeps as many operations going as Shopify allows, in the order of reading. */
async function askAndPoll(ask: AskContext, streams: Stream[], ended: ReadonlySet<string>): Promise<Stream[]> {
  const { now } = ask;
  const next: Stream[] = [];
  for (const stream of streams) {
    const isDue = pollAt(stream) <= now || ended.has(stream.operation ?? "");
    next.push(stream.state === "asked" && isDue ? await poll(ask, stream) : stream);
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
  {
    checkedAt,
    streams,
    broken,
    isBackfill,
  }: { checkedAt: number | null; streams: Stream[]; broken: ReadonlySet<number>; isBackfill: boolean },
): Promise<number> {
  const now = clock();
  let checked = checkedAt ?? 0;
  if (checked + CHECK_MS <= now) {
    await check(env, shop, now);
    await startDeletions(env.DB, shop.key, now, true);
    checked = now;
  }
  const times = streams.map((stream, n) => {
    if (stream.state === "reading") return broken.has(n) ? now + retryAfter(stream, now) : now;
    if (stream.state === "asked") return pollAt(stream);
    // A place may become free at any time.
    if (stream.state === "waiting") return Math.max(askAt(stream), now + 5_000);
    return Number.POSITIVE_INFINITY;
  });
  return Math.min(checked + CHECK_MS, isBackfill ? Number.POSITIVE_INFINITY : reconcileAt(streams), ...times);
}

/** A download that broke off is tried again soon if it got further, and ever less often if not. */
function retryAfter({ updatedAt }: Stream, now: number): number {
  return Math.min(LONGEST_RETRY_MS, Math.max(FIRST_RETRY_MS, Math.floor((now - updatedAt) / 2)));
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
