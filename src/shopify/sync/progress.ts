import { sql } from "../../db/client";
import { iso } from "../../lib/time";
import { isGranted } from "../scopes";
import type { SyncProgress } from "./schemas";
import { isOver, listStreams, type Stream } from "./streams";

interface Job {
  key: number;
  state: "queued" | "running" | "done" | "failed";
  progress: number;
  total: number | null;
  error: string | null;
  createdAt: number;
  updatedAt: number;
}

/** How far the last backfill of a shop is, stream by stream. */
export async function readProgress(db: D1Database, shop: number): Promise<SyncProgress> {
  const job = await sql(
    db,
    `select key, state, progress, total, error, created_at as "createdAt", updated_at as "updatedAt" from jobs
     where shop = ? and kind = 'backfill' order by key desc limit 1`,
    shop,
  ).first<Job>();
  const streams = await listStreams(db, shop);
  const state = job === null ? "never" : job.state === "queued" ? "running" : job.state;
  const isOver = state === "done" || state === "failed";
  return {
    state,
    progress: state === "done" ? 100 : percentOf(job),
    startedAt: iso(job?.createdAt ?? null),
    finishedAt: iso(isOver ? (job?.updatedAt ?? null) : null),
    notes:
      job === null ? [] : notesOf(await connectionOf(db, shop), { ...job, isInterrupted: isInterrupted(job, streams) }),
    streams: streams.map(({ resource, stretch, state, done, total, skipped, error }) => ({
      resource,
      stretch,
      state,
      done,
      total,
      skipped,
      error,
    })),
  };
}

/** The last percent comes with the end. */
function percentOf(job: Pick<Job, "progress" | "total"> | null): number {
  return job?.total ? Math.min(99, Math.floor((100 * job.progress) / job.total)) : 0;
}

interface ConnectionFacts {
  connectedAt: number | null;
  problem: string | null;
  scopes: string | null;
}

async function connectionOf(db: D1Database, shop: number): Promise<ConnectionFacts | null> {
  return sql(
    db,
    `select s.connected_at as "connectedAt", c.problem, c.scopes
     from shops s left join shopify_connections c on c.shop = s.key where s.key = ?`,
    shop,
  ).first<ConnectionFacts>();
}

const KEPT_FROM: Record<string, string> = {
  token_refused: "Shopify refuses the token: reading goes on once it is taken or the store is connected anew.",
  shop_frozen: "The store is frozen: reading goes on when it is open again.",
  unreachable: "Shopify does not answer: it is asked again.",
};

/** A backfill that ended before its streams did. */
function isInterrupted({ key, state }: Job, streams: Stream[]): boolean {
  return state === "failed" && streams.some((stream) => stream.job === key && !isOver(stream));
}

/** What cannot be read, and what keeps the rest from being read now. */
function notesOf(connection: ConnectionFacts | null, job: Job & { isInterrupted: boolean }): string[] {
  const notes: string[] = [];
  const kept = KEPT_FROM[connection?.problem ?? ""];
  const isRunning = job.state === "running";
  if (job.isInterrupted) notes.push(job.error ?? "");
  else if (isRunning && kept) notes.push(kept);
  else if (isRunning && job.error !== null) notes.push(`The last attempt failed and is repeated: ${job.error}`);
  const scopes: string[] = JSON.parse(connection?.scopes ?? "[]");
  if (scopes.length > 0 && !isGranted(scopes, "read_all_orders")) {
    notes.push(
      isGranted(scopes, "read_orders")
        ? "Only orders of the last 60 days could be read: older ones need the scope read_all_orders."
        : "No orders and checkouts could be read: they need the scope read_orders.",
    );
  }
  return notes;
}

/** Writes down why a backfill does not get on; the next record that is stored takes it away. */
export async function notePutOff(db: D1Database, shop: number, why: string): Promise<void> {
  await sql(
    db,
    "update jobs set error = ? where shop = ? and kind = 'backfill' and state = 'running'",
    why,
    shop,
  ).run();
}
