import { sql } from "../../db/client";
import { iso } from "../../lib/time";
import type { SyncProgress } from "./schemas";
import { listStreams, type Stream } from "./streams";

/** How far the last backfill of a shop is, stream by stream. */
export async function readProgress(db: D1Database, shop: number): Promise<SyncProgress> {
  const job = await sql(
    db,
    `select key, state, created_at as "createdAt", updated_at as "updatedAt" from jobs
     where shop = ? and kind = 'backfill' order by key desc limit 1`,
    shop,
  ).first<{ key: number; state: "queued" | "running" | "done" | "failed"; createdAt: number; updatedAt: number }>();
  const streams = await listStreams(db, shop);
  const state = job === null ? "never" : job.state === "queued" ? "running" : job.state;
  const isOver = state === "done" || state === "failed";
  return {
    state,
    progress: state === "done" ? 100 : percentOf(streams.filter((stream) => stream.job === job?.key)),
    startedAt: iso(job?.createdAt ?? null),
    finishedAt: iso(isOver ? (job?.updatedAt ?? null) : null),
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

/** Counts are estimates until a file is there, so the last percent comes with the end. */
export function percentOf(streams: Pick<Stream, "done" | "skipped" | "total">[]): number {
  let read = 0;
  let all = 0;
  for (const { done, skipped, total } of streams) {
    read += done + skipped;
    all += Math.max(total ?? 0, done + skipped);
  }
  return all === 0 ? 0 : Math.min(99, Math.floor((100 * read) / all));
}
