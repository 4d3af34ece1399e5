import { sql } from "../../db/client";
import type { Resource } from "./nodes";

export type Stretch = "recent" | "rest" | "changes";

/** A row of `sync_streams`: what is read of one resource, and how far. */
export interface Stream {
  shop: number;
  resource: Resource;
  stretch: Stretch;
  job: number | null;
  state: "waiting" | "asked" | "reading" | "done" | "failed";
  operation: string | null;
  fileUrl: string | null;
  offset: number;
  done: number;
  total: number | null;
  skipped: number;
  watermark: number | null;
  error: string | null;
  attempts: number;
  startedAt: number | null;
  updatedAt: number;
}

/** How far back the first stretch reaches: what a merchant looks at first. */
const RECENT_MS = 90 * 86_400_000;

/** Changes are asked for from this long before the last time: clocks differ, and Shopify's search lags behind. */
const OVERLAP_MS = 10 * 60_000;

/** What a backfill reads, in this order. Products come whole: lines of orders take pictures and categories from them. */
export const BACKFILL: { resource: Resource; stretch: "recent" | "rest" }[] = [
  { resource: "products", stretch: "rest" },
  { resource: "customers", stretch: "recent" },
  { resource: "orders", stretch: "recent" },
  { resource: "checkouts", stretch: "rest" },
  { resource: "customers", stretch: "rest" },
  { resource: "orders", stretch: "rest" },
];

/** What is asked for again and again. */
export const RECONCILED: Resource[] = ["products", "customers", "orders", "checkouts"];

/** Where a stream stands in the order of reading. */
export function rankOf({ resource, stretch }: Pick<Stream, "resource" | "stretch">): number {
  const rank = BACKFILL.findIndex((one) => one.resource === resource && one.stretch === stretch);
  return rank === -1 ? BACKFILL.length + RECONCILED.indexOf(resource) : rank;
}

/**
 * Shopify's search for the records of a stream. A record's day of creation never changes, so that none moves from one
 * stretch to the other while they are read.
 *
 * @param begun when the backfill began
 */
export function filterOf({ resource, stretch, watermark }: Stream, begun: number): string {
  const since = (at: number) => `'${new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z")}'`;
  if (stretch === "changes") return `updated_at:>=${since((watermark ?? begun) - OVERLAP_MS)}`;
  if (resource === "products") return "";
  if (resource === "checkouts") return "recovery_state:not_recovered";
  const created = resource === "customers" ? "customer_date" : "created_at";
  return `${created}:${stretch === "recent" ? ">=" : "<"}${since(begun - RECENT_MS)}`;
}

export function isOver({ state }: Pick<Stream, "state">): boolean {
  return state === "done" || state === "failed";
}

const COLUMNS = `shop, resource, stretch, job, state, operation, file_url as "fileUrl", "offset", done, total, skipped,
  watermark, error, attempts, started_at as "startedAt", updated_at as "updatedAt"`;

/** The streams of a shop, in the order of reading. */
export async function listStreams(db: D1Database, shop: number): Promise<Stream[]> {
  const { results } = await sql(db, `select ${COLUMNS} from sync_streams where shop = ?`, shop).all<Stream>();
  return results.sort((a, b) => rankOf(a) - rankOf(b));
}

/** What may be set of a stream, and the column of it. */
const SETTABLE = {
  state: "state",
  operation: "operation",
  fileUrl: "file_url",
  offset: "offset",
  done: "done",
  total: "total",
  skipped: "skipped",
  watermark: "watermark",
  error: "error",
  attempts: "attempts",
  startedAt: "started_at",
} as const;

type Settable = keyof typeof SETTABLE;

/**
 * Writes how far a stream is, and the progress of its job. Only while the stream stands where it was read: a backfill
 * that was begun anew meanwhile is not overwritten.
 */
export async function saveStream(
  db: D1Database,
  stream: Stream,
  set: Partial<Pick<Stream, Settable>>,
  now: number,
): Promise<Stream> {
  const entries = Object.entries(set) as [Settable, string | number | null][];
  const sets = entries.map(([name], n) => `"${SETTABLE[name]}" = ?${n + 7}`);
  await db.batch([
    sql(
      db,
      `update sync_streams set ${[...sets, "updated_at = ?6"].join(", ")}
       where shop = ?1 and resource = ?2 and stretch = ?3 and job is ?4 and operation is ?5`,
      stream.shop,
      stream.resource,
      stream.stretch,
      stream.job,
      stream.operation,
      now,
      ...entries.map(([, value]) => value),
    ),
    ...(stream.job === null ? [] : [progressOf(db, stream.shop, stream.job, now)]),
  ]);
  return { ...stream, ...set, updatedAt: now };
}

/** False once the store was disconnected, or the stream begun anew, since it was read. */
export async function isWanted(db: D1Database, stream: Stream): Promise<boolean> {
  const row = await sql(
    db,
    `select 1 from sync_streams s join shops p on p.key = s.shop
     where s.shop = ? and s.resource = ? and s.stretch = ? and s.job is ? and s.operation is ?
       and p.connected_at is not null and p.status = 'active'`,
    stream.shop,
    stream.resource,
    stream.stretch,
    stream.job,
    stream.operation,
  ).first();
  return row !== null;
}

/**
 * A job's pieces are the records of its streams. Totals are estimates until the files are there, and a stream may be
 * asked for anew; the share that is told never shrinks, so the total grows no faster than the pieces until it is true.
 */
function progressOf(db: D1Database, shop: number, job: number, now: number): D1PreparedStatement {
  return sql(
    db,
    `update jobs set updated_at = ?3, error = null, progress = max(jobs.progress, n.read),
       total = iif(jobs.progress = 0, n.total,
         min(max(n.total, jobs.progress, n.read), max(jobs.progress, n.read) * jobs.total / jobs.progress))
     from (select coalesce(sum(s.done + s.skipped), 0) as read,
         sum(max(coalesce(s.total, 0), s.done + s.skipped)) as total
       from sync_streams s where s.shop = ?1 and s.job = ?2) n
     where jobs.key = ?2 and jobs.shop = ?1 and jobs.state = 'running'`,
    shop,
    job,
    now,
  );
}

/** Ends a job whose streams have all come to an end. */
export async function finishJob(db: D1Database, shop: number, job: number, streams: Stream[], now: number) {
  const failed = streams.filter(({ state }) => state === "failed");
  const why = failed.map(({ resource, stretch, error }) => `${resource} (${stretch}): ${error ?? "failed"}`).join("; ");
  await db.batch([
    progressOf(db, shop, job, now),
    sql(
      db,
      "update jobs set state = ?, error = ?, updated_at = ? where key = ? and shop = ? and state = 'running'",
      failed.length > 0 ? "failed" : "done",
      failed.length > 0 ? why.slice(0, 1_000) : null,
      now,
      job,
      shop,
    ),
  ]);
}
