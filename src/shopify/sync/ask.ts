import { config } from "../../config";
import { seal } from "../../lib/crypto";
import type { Shop } from "../../shops";
import { AdminError, adminQuery } from "../admin";
import { isGranted } from "../scopes";
import { BULK_STATE, type BulkOperation, COUNTS, RUN_BULK } from "./bulk.queries";
import { checkoutsQuery, customersQuery, type OrderParts, ordersQuery, productsQuery } from "./resources.queries";
import { filterOf, saveStream, type Stream } from "./streams";

/** How often a stream is asked for before it counts as failed. */
const MOST_ATTEMPTS = 4;

/** Bulk operations that Shopify runs for one app and store at a time (2026-01 and later). */
export const MOST_OPERATIONS = 5;

const FIRST_POLL_MS = 1_000;
const LONGEST_POLL_MS = 60_000;

export interface AskContext {
  env: Env;
  shop: Shop;
  scopes: string[];
  /** When the backfill began: stretches are counted from there. */
  begun: number;
  now: number;
}

/** Asks Shopify for a stream. Null when Shopify takes no more operations now: the stream goes on waiting. */
export async function askFor(context: AskContext, stream: Stream): Promise<Stream | null> {
  const { env, shop, now } = context;
  const query = queryOf(context, stream);
  const told = await orRefusal(adminQuery(env, shop, RUN_BULK, { query }));
  if (typeof told === "string") return giveUpOrWait(env, { ...stream, attempts: stream.attempts + 1 }, told, now);
  const { bulkOperationRunQuery: answer } = told;
  const error = answer.userErrors[0];
  if (error?.code === "LIMIT_REACHED" || error?.code === "OPERATION_IN_PROGRESS") return null;
  const attempts = stream.attempts + 1;
  if (!answer.bulkOperation) return giveUpOrWait(env, { ...stream, attempts }, error?.message ?? "was not begun", now);
  const operation = answer.bulkOperation.id;
  return saveStream(
    env.DB,
    stream,
    { state: "asked", operation, attempts, startedAt: now, offset: 0, done: 0, skipped: 0, fileUrl: null },
    now,
  );
}

/** When a stream that was asked for is looked at next: soon at first, then ever less often. */
export function pollAt({ startedAt, updatedAt }: Stream): number {
  const waited = updatedAt - (startedAt ?? updatedAt);
  return updatedAt + Math.min(LONGEST_POLL_MS, Math.max(FIRST_POLL_MS, Math.floor(waited / 2)));
}

/** Looks how a stream's operation stands, and takes its file when it is there. */
export async function poll({ env, shop, now }: AskContext, stream: Stream): Promise<Stream> {
  const told = await orRefusal(adminQuery(env, shop, BULK_STATE, { id: stream.operation ?? "" }));
  if (typeof told === "string") return giveUpOrWait(env, stream, told, now);
  const { bulkOperation: operation } = told;
  if (!operation) return giveUpOrWait(env, stream, "Shopify does not know the operation any more", now);
  switch (operation.status) {
    case "CREATED":
    case "RUNNING":
    case "CANCELING":
      return saveStream(env.DB, stream, {}, now);
    case "COMPLETED":
      return take(env, stream, operation, operation.url ?? null, now);
    default: {
      const why = `${operation.status}${operation.errorCode ? ` (${operation.errorCode})` : ""}`;
      const isLast = stream.attempts >= MOST_ATTEMPTS;
      // Asking again costs nothing but time, so a part of the answer counts only when there will be no whole one.
      if (isLast && operation.partialDataUrl && operation.errorCode !== "ACCESS_DENIED") {
        const incomplete = { ...stream, error: `incomplete: ${why}` };
        return take(env, incomplete, operation, operation.partialDataUrl, now, incomplete.error);
      }
      return giveUpOrWait(env, stream, why, now);
    }
  }
}

/** A file is of no use any more: a new one is asked for, unless that was done often enough. */
export async function fileGone(env: Env, stream: Stream, why: string, now: number): Promise<Stream> {
  return giveUpOrWait(env, stream, why, now);
}

/** The answer, or why Shopify refuses the question. That is about one stream, so the others go on. */
async function orRefusal<T>(answer: Promise<T>): Promise<T | string> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AdminError && error.kind === "invalid") return `${error.code ?? "refused"}: ${error.message}`;
    throw error;
  }
}

/** How many records each of these streams has: for progress, and to ask for nothing where nothing is. */
export async function countOf(context: AskContext, streams: Stream[]): Promise<(number | null)[]> {
  const filters = Object.fromEntries(streams.map((stream) => [stream.resource, filterOf(stream, context.begun)]));
  try {
    const counts = await adminQuery(context.env, context.shop, COUNTS, {
      products: filters["products"] ?? "",
      // Counts know another name for the day that a customer was created on.
      customers: (filters["customers"] ?? "").replace("customer_date", "created_at"),
      orders: filters["orders"] ?? "",
      checkouts: filters["checkouts"] ?? "",
    });
    return streams.map(({ resource }) => counts[resource]?.count ?? null);
  } catch (error) {
    // Without a scope for one of them there are no counts at all; the streams do not need them.
    if (error instanceof AdminError && error.kind === "invalid") return streams.map(() => null);
    throw error;
  }
}

async function take(
  env: Env,
  stream: Stream,
  operation: BulkOperation,
  url: string | null,
  now: number,
  error: string | null = null,
): Promise<Stream> {
  const watermark = stream.stretch === "changes" ? stream.startedAt : stream.watermark;
  if (url === null) {
    return saveStream(env.DB, stream, { state: "done", total: 0, fileUrl: null, error, watermark }, now);
  }
  return saveStream(
    env.DB,
    stream,
    {
      state: "reading",
      fileUrl: await seal(config(env).sealingKeys, url),
      total: operation.rootObjectCount,
      offset: 0,
      done: 0,
      skipped: 0,
      error,
    },
    now,
  );
}

function giveUpOrWait(env: Env, stream: Stream, why: string, now: number): Promise<Stream> {
  const { attempts } = stream;
  // What Shopify refuses is refused again; once more without the parts that need a scope of their own.
  const most = why.includes("ACCESS_DENIED") ? 2 : MOST_ATTEMPTS;
  const state = attempts >= most ? "failed" : "waiting";
  return saveStream(env.DB, stream, { state, error: why.slice(0, 500), fileUrl: null, attempts }, now);
}

/** When a stream that waits after a failure is asked for again. */
export function askAt({ attempts, updatedAt }: Stream): number {
  return attempts === 0 ? updatedAt : updatedAt + Math.min(10 * 60_000, 5_000 * 3 ** (attempts - 1));
}

function queryOf({ scopes, begun }: AskContext, stream: Stream): string {
  const filter = filterOf(stream, begun);
  const isDenied = stream.error?.includes("ACCESS_DENIED") === true;
  const parts: OrderParts = {
    location: !isDenied && isGranted(scopes, "read_locations"),
    staff: !isDenied && isGranted(scopes, "read_users"),
  };
  switch (stream.resource) {
    case "products":
      return productsQuery(filter);
    case "customers":
      return customersQuery(filter);
    case "orders":
      return ordersQuery(filter, parts);
    case "checkouts":
      return checkoutsQuery(filter);
    default:
      return stream.resource satisfies never;
  }
}
