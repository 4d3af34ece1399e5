import { type Counts, total } from "./worker/counts.ts";

/** Cloudflare's list prices beyond what Workers Paid includes, US dollars per million, as of mid 2026. */
export const PRICES = {
  workerRequests: 0.3,
  workerCpuMs: 0.02,
  objectRequests: 0.15,
  objectGbSeconds: 12.5,
  objectRowsRead: 0.001,
  objectRowsWritten: 1,
  databaseRowsRead: 0.001,
  databaseRowsWritten: 1,
  queueOperations: 0.4,
} as const;

/** Memory that a running Durable Object is billed for, GB. */
const OBJECT_GB = 0.128;

/** Time that an object runs for one call, and waits for one batch of D1 on Cloudflare, ms: assumptions. */
export const OBJECT_CALL_MS = 2;
export const DATABASE_BATCH_MS = 50;

/** A message is written, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3;

/** The script is kept by the browser for 15 minutes: about one request a visit. */
const SCRIPTS_PER_VISIT = 1;

export interface Bill {
  /** One line per price: quantity per page view and dollars per million page views. */
  lines: { name: string; perPageView: number; price: number; dollars: number }[];
  dollars: number;
}

/**
 * List price of a million page views with what was counted, without any included quota.
 *
 * @param cpuMs processor time of one Worker request
 */
export function billOf(counts: Counts, cpuMs: number): Bill {
  const requests = total(counts.requests) + counts.visits * SCRIPTS_PER_VISIT;
  const objectCalls = total(counts.objectRequests);
  const objectMs = objectCalls * OBJECT_CALL_MS + counts.objectBatches * DATABASE_BATCH_MS;
  const quantities: Record<keyof typeof PRICES, number> = {
    workerRequests: requests,
    workerCpuMs: requests * cpuMs,
    objectRequests: objectCalls,
    objectGbSeconds: (objectMs / 1000) * OBJECT_GB,
    objectRowsRead: counts.objectRowsRead,
    objectRowsWritten: total(counts.objectRows),
    databaseRowsRead: total(counts.databaseReads),
    databaseRowsWritten: total(counts.databaseRows),
    queueOperations: counts.queueMessages * OPERATIONS_PER_MESSAGE,
  };
  const names = Object.keys(PRICES).filter((name): name is keyof typeof PRICES => name in PRICES);
  const lines = names.map((name) => {
    const perPageView = quantities[name] / counts.pageViews;
    return { name, perPageView, price: PRICES[name], dollars: perPageView * PRICES[name] };
  });
  return { lines, dollars: lines.reduce((sum, line) => sum + line.dollars, 0) };
}
