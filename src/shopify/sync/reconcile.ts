import { sql } from "../../db/client";
import { type AskContext, countOf } from "./ask";
import { listStreams, RECONCILED, saveStream, type Stream } from "./streams";

/** Webhooks are not guaranteed: so often everything that changed since is asked for. */
const EVERY_MS = 3_600_000;

const changesOf = (streams: Stream[]) => streams.filter(({ stretch }) => stretch === "changes");

/** When the next reconciliation is due: an hour after the last one was begun, never while one runs. */
export function reconcileAt(streams: Stream[]): number {
  const changes = changesOf(streams);
  if (changes.length === 0 || changes.some(({ state }) => state !== "done" && state !== "failed")) {
    return Number.POSITIVE_INFINITY;
  }
  return Math.max(...changes.map(({ startedAt, watermark }) => startedAt ?? watermark ?? 0)) + EVERY_MS;
}

/**
 * Asks for what changed since the last reconciliation. Where Shopify counts nothing, nothing is asked for. What was
 * deleted is not seen this way, but once a week (`deletions.ts`).
 */
export async function beginReconciliation(ask: AskContext, streams: Stream[]): Promise<Stream[]> {
  const { env, shop, now } = ask;
  const changes = changesOf(streams);
  const counts = await countOf(ask, changes);
  for (const [n, stream] of changes.entries()) {
    const total = counts[n] ?? null;
    const fresh = { attempts: 0, done: 0, skipped: 0, offset: 0, error: null, fileUrl: null, startedAt: now, total };
    const set =
      total === 0 ? { ...fresh, state: "done" as const, watermark: now } : { ...fresh, state: "waiting" as const };
    await saveStream(env.DB, stream, set, now);
  }
  return listStreams(env.DB, shop.key);
}

/** The rows that reconciliation works with; those that are there stay as they are. */
export function watchChanges(db: D1Database, shop: number, now: number): D1PreparedStatement {
  return sql(
    db,
    `insert into sync_streams (shop, resource, stretch, state, watermark, started_at, updated_at)
     select ?1, value, 'changes', 'done', ?3, ?3, ?3 from json_each(?2) where true on conflict do nothing`,
    shop,
    JSON.stringify(RECONCILED),
    now,
  );
}
