import { randomBytes } from "node:crypto";
import { createWriteStream, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { GraphQLError } from "graphql";
import { bulkLines, rootListing } from "./bulk-lines.ts";
import { BulkQueryError, type Plan, planBulk } from "./bulk-plan.ts";
import { type Failure, nextFailure } from "./failures.ts";
import { type Args, type Listing, listOf, type Source } from "./listing.ts";
import { matches, parseSearch, type SearchFields } from "./search.ts";
import { gid, parseGid, stampOf, stampOrNull } from "./stamps.ts";
import type { AdminStore } from "./store.ts";

/** A bulk operation of a store. Its file lies on disk, so that it stays what it was however the store changes. */
export type BulkOperation = {
  id: number;
  query: string;
  createdAt: number;
  completedAt: number | null;
  status: "CREATED" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELING" | "CANCELED";
  errorCode: "ACCESS_DENIED" | "INTERNAL_SERVER_ERROR" | "TIMEOUT" | null;
  objectCount: number;
  rootObjectCount: number;
  fileSize: number;
  path: string;
  /** Where the file is to be had; part of it when the operation failed. */
  url: string;
  /** Epoch ms; the file is not to be had after this. */
  expiresAt: number | null;
};

/** Bulk queries at a time in a store, since 2026-01. */
const MOST_RUNNING = 5;
const VALID_MS = 7 * 86_400_000;
/** Time in CREATED and before the end, so that a caller meets every status. */
const MOMENT_MS = 20;
/** Lines between two breaths of the event loop, and bytes of one write. */
const BREATH = 500;
const CHUNK_BYTES = 256 * 1024;

let folder: string | undefined;

/** The folder of the files, gone with the process. */
function files(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "footfall-bulk-"));
    folder = made;
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return folder;
}

/** Removes the files of these stores, and the folder when it was for them alone. */
export function removeBulkFiles(stores: Iterable<AdminStore>): void {
  for (const store of stores) for (const { path } of store.bulk.values()) rmSync(path, { force: true });
  if (folder === undefined || readdirSync(folder).length > 0) return;
  rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

/** What works on operations of a store, and what lets those go on that were told to wait. */
const working = new WeakMap<AdminStore, Set<Promise<void>>>();
const holding = new WeakMap<AdminStore, (() => void)[]>();

/** Resolves when no operation of the store is under way but those that are held. */
export async function bulkSettled(store: AdminStore): Promise<void> {
  await Promise.all(Array.from(working.get(store) ?? []));
}

/** Lets operations go on that a failure on order holds. */
export function releaseBulk(store: AdminStore): void {
  for (const goOn of holding.get(store)?.splice(0) ?? []) goOn();
}

/** Counts work until it is over. */
function watch(store: AdminStore, work: Promise<void>): void {
  const all = working.get(store) ?? new Set();
  working.set(store, all.add(work));
  void work.finally(() => all.delete(work));
}

const isRunning = ({ status }: BulkOperation): boolean => ["CREATED", "RUNNING", "CANCELING"].includes(status);

/** `bulkOperationRunQuery`. `root` is the store's QueryRoot, `base` the address that stands for the store. */
export function runBulkQuery(store: AdminStore, args: Args, root: Source, base: string): Source {
  const query = String(args["query"]);
  const refuse = (message: string, code: string): Source => ({
    bulkOperation: null,
    userErrors: [{ field: code === "INVALID" ? ["query"] : null, message, code }],
  });
  const running = [...store.bulk.values()].filter(isRunning);
  if (running.length >= MOST_RUNNING)
    return refuse(
      `The limit of ${MOST_RUNNING} concurrent bulk query operations for this app and shop is reached`,
      "OPERATION_IN_PROGRESS",
    );
  const operation = blank(store, query, base);
  try {
    const plan = planBulk(query, store.app.scopes);
    store.bulk.set(operation.id, operation);
    const job = { plan, root, grouped: args["groupObjects"] === true };
    const failure = nextFailure(store.failures, ["bulk-operation"]);
    const begin = (): void =>
      watch(
        store,
        work(store, operation, job, failure).catch((error: unknown) => {
          console.error(error);
          end(store, operation, "FAILED", "INTERNAL_SERVER_ERROR");
        }),
      );
    if (failure?.hold === true) {
      operation.status = "RUNNING";
      holding.set(store, [...(holding.get(store) ?? []), begin]);
    } else begin();
  } catch (error) {
    if (error instanceof BulkQueryError) return refuse(error.message, "INVALID");
    if (!(error instanceof GraphQLError)) throw error;
    store.bulk.set(operation.id, operation);
    end(store, operation, "FAILED", "ACCESS_DENIED");
  }
  // The caller meets the operation as it was made, whatever became of it meanwhile.
  return {
    bulkOperation: bulkNode({ ...operation, status: "CREATED", errorCode: null, completedAt: null }),
    userErrors: [],
  };
}

function blank(store: AdminStore, query: string, base: string): BulkOperation {
  const id = store.nextId();
  const name = `bulk-${id}-${randomBytes(8).toString("hex")}.jsonl`;
  return {
    id,
    query,
    createdAt: store.now(),
    completedAt: null,
    status: "CREATED",
    errorCode: null,
    objectCount: 0,
    rootObjectCount: 0,
    fileSize: 0,
    path: join(files(), name),
    url: `${base}/bulk/${name}`,
    expiresAt: null,
  };
}

async function work(
  store: AdminStore,
  operation: BulkOperation,
  job: { plan: Plan; root: Source; grouped: boolean },
  failure: Failure | undefined,
): Promise<void> {
  await setTimeout(MOMENT_MS);
  if (operation.status === "CREATED") operation.status = "RUNNING";
  const listing = rootListing(job.plan, job.root);
  if (listing === undefined) throw new Error(`The stand-in cannot list ${job.plan.root.field}`);
  const finished = await write(operation, bulkLines(job.plan, listing, job.grouped), failure);
  await setTimeout(failure?.delayMs ?? MOMENT_MS);
  if (!finished) end(store, operation, "FAILED", failure?.errorCode ?? "INTERNAL_SERVER_ERROR");
  else end(store, operation, operation.status === "CANCELING" ? "CANCELED" : "COMPLETED", null);
}

/** Writes the lines with bounded memory; false when a failure on order ended it. */
async function write(
  operation: BulkOperation,
  lines: Iterable<{ text: string; root: boolean }>,
  failure: Failure | undefined,
): Promise<boolean> {
  const out = createWriteStream(operation.path);
  let chunk = "";
  let complete = true;
  for (const { text, root } of lines) {
    if (failure?.errorCode !== undefined && operation.objectCount >= (failure.afterObjects ?? 0)) {
      complete = false;
      break;
    }
    chunk += `${text}\n`;
    operation.objectCount += 1;
    if (root) operation.rootObjectCount += 1;
    if (operation.objectCount % BREATH !== 0) continue;
    if (chunk.length > CHUNK_BYTES) {
      operation.fileSize += Buffer.byteLength(chunk);
      if (!out.write(chunk)) await once(out, "drain");
      chunk = "";
    }
    await setImmediate();
    if (operation.status === "CANCELING") break;
  }
  operation.fileSize += Buffer.byteLength(chunk);
  out.end(chunk);
  await once(out, "close");
  return complete;
}

function end(
  store: AdminStore,
  operation: BulkOperation,
  status: BulkOperation["status"],
  errorCode: BulkOperation["errorCode"],
): void {
  const now = store.now();
  Object.assign(operation, { status, errorCode, completedAt: now, expiresAt: now + VALID_MS });
  store.emit("bulk_operations/finish", {
    admin_graphql_api_id: gid("BulkOperation", operation.id),
    status: status.toLowerCase(),
    type: "query",
    error_code: errorCode?.toLowerCase() ?? null,
    created_at: stampOf(operation.createdAt),
    completed_at: stampOf(now),
  });
}

/** `bulkOperationCancel`. */
export function cancelBulk(store: AdminStore, args: Args): Source {
  const operation = store.bulk.get(parseGid(args["id"])?.id ?? 0);
  const refuse = (message: string): Source => ({ bulkOperation: null, userErrors: [{ field: ["id"], message }] });
  if (operation === undefined) return refuse("Bulk operation does not exist");
  if (!isRunning(operation)) return refuse("A bulk operation cannot be canceled when it is completed");
  operation.status = "CANCELING";
  return { bulkOperation: bulkNode(operation), userErrors: [] };
}

export function bulkNode(operation: BulkOperation): Source {
  const over = operation.status === "COMPLETED";
  const partial = operation.status === "FAILED" || operation.status === "CANCELED";
  const filled = operation.objectCount > 0;
  return {
    __typename: "BulkOperation",
    id: gid("BulkOperation", operation.id),
    type: "QUERY",
    query: operation.query,
    status: operation.status,
    errorCode: operation.errorCode,
    createdAt: stampOf(operation.createdAt),
    completedAt: stampOrNull(operation.completedAt),
    objectCount: String(operation.objectCount),
    rootObjectCount: String(operation.rootObjectCount),
    fileSize: over || partial ? String(operation.fileSize) : null,
    url: over && filled ? operation.url : null,
    partialDataUrl: partial && filled ? operation.url : null,
  };
}

const fields: SearchFields<BulkOperation> = {
  id: (one) => one.id,
  status: (one) => one.status,
  operation_type: () => "query",
  created_at: (one) => ({ time: one.createdAt }),
  completed_at: (one) => ({ time: one.completedAt }),
};

export function listBulk(store: AdminStore, args: Args): Listing {
  const search = parseSearch(typeof args["query"] === "string" ? args["query"] : "");
  return listOf([...store.bulk.values()].filter((one) => matches(search, one, fields)).map(bulkNode));
}
