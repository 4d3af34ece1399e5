import { z } from "zod";

import { config } from "../../config";
import { open } from "../../lib/crypto";
import { reason } from "../../lib/log";
import type { Shop } from "../../shops";
import { AdminError } from "../admin";
import { type Change, mapRecord, UnusableBody } from "../map";
import { DownloadFailed, FileGone, openFile } from "./file";
import { type Group, groupLines } from "./groups";
import { readLines } from "./lines";
import { bodyOf, type Node, TOPIC_OF } from "./nodes";
import { completeRefunds } from "./refunds";
import { storeChanges, type SyncContext } from "./store";
import { isWanted, saveStream, type Stream } from "./streams";

/** Records written between two checkpoints, and the bytes of them: whichever comes first. */
const SLICE_RECORDS = 250;
const SLICE_BYTES = 1_500_000;

export interface ImportContext {
  env: Env;
  shop: Shop;
  quietBefore: number;
  clock: () => number;
  /** Epoch ms after which no further slice is begun. */
  until: number;
  /** Set after a slice has failed several times: then its records go in one by one, and those that cannot be stored are skipped. */
  careful: boolean;
}

/** How a stream stands after reading. `broken`: the download broke off. `stopped`: nobody wants it any more. */
export interface ImportResult {
  stream: Stream;
  end: "read" | "broken" | "stopped";
}

/**
 * Reads on in a stream's file, slice by slice, until the file or the time ends. The checkpoint is written after the
 * slice, so after a kill a slice is repeated, which changes nothing. Memory holds one slice, whatever the file's size.
 *
 * Throws `FileGone`, and what D1 or Shopify threw.
 */
export async function importStream(context: ImportContext, stream: Stream): Promise<ImportResult> {
  const { env, clock } = context;
  if (stream.fileUrl === null) throw new FileGone("there is no file");
  const url = await open(config(env).sealingKeys, stream.fileUrl);
  let current = stream;
  let slice: Group[] = [];
  let isBroken = false;
  try {
    for await (const group of groupLines(readLines(await openFile(url, stream.offset), stream.offset))) {
      slice.push(group);
      const bytes = group.end - current.offset;
      if (slice.length < SLICE_RECORDS && bytes < SLICE_BYTES) continue;
      // A store that was disconnected meanwhile is left alone, and so is a stream that was begun anew.
      if (!(await isWanted(env.DB, current))) return { stream: current, end: "stopped" };
      current = await storeSlice(context, current, slice);
      slice = [];
      if (clock() >= context.until) return { stream: current, end: "read" };
    }
  } catch (error) {
    if (!(error instanceof DownloadFailed)) throw error;
    isBroken = true;
  }
  // What came whole before a download broke off counts, so that each attempt gets further.
  if (!(await isWanted(env.DB, current))) return { stream: current, end: "stopped" };
  if (slice.length > 0) current = await storeSlice(context, current, slice);
  if (isBroken) return { stream: current, end: "broken" };
  return { stream: await end(context, current), end: "read" };
}

/** A file that Shopify could not finish leaves its stream failed, with all that was in it. */
function end({ env, clock }: ImportContext, stream: Stream): Promise<Stream> {
  const now = clock();
  if (stream.error?.startsWith("incomplete"))
    return saveStream(env.DB, stream, { state: "failed", fileUrl: null }, now);
  const watermark = stream.stretch === "changes" ? stream.startedAt : stream.watermark;
  const total = stream.done + stream.skipped;
  if (total < (stream.total ?? 0)) throw new FileGone(`the result file holds ${total} records of ${stream.total}`);
  return saveStream(env.DB, stream, { state: "done", fileUrl: null, total, watermark }, now);
}

async function storeSlice(context: ImportContext, stream: Stream, slice: Group[]): Promise<Stream> {
  const { env, shop, clock, careful, quietBefore } = context;
  const now = clock();
  const nodes = slice.flatMap(({ node }) => (node ? [node] : []));
  if (stream.resource === "orders") await completeRefunds(env, shop, nodes);
  const sync: SyncContext = {
    env,
    db: env.DB,
    shop,
    // What a bulk operation brings is as new as its beginning, at least.
    triggeredAt: stream.startedAt ?? now,
    quietBefore,
    now,
  };
  let problem: string | null = null;
  let skipped = 0;
  const skip = (why: string) => {
    problem ??= why.slice(0, 500);
    skipped++;
  };
  const changes: { id: string; change: Change }[] = [];
  for (const { node, problem } of slice) {
    if (!node) skip(problem ?? "a line is no object");
    else {
      const change = read(stream, node, sync);
      if (typeof change === "string") skip(`${node.id}: ${change}`);
      else if (change) changes.push({ id: node.id, change });
    }
  }
  if (!careful)
    await storeChanges(
      sync,
      changes.map(({ change }) => change),
    );
  else {
    for (const { id, change } of changes) {
      await storeChanges(sync, [change]).catch(async (error: unknown) => {
        if (!isItsOwn(error)) throw error;
        skip(`${id}: ${reason(error)}`);
      });
    }
  }
  return saveStream(
    env.DB,
    stream,
    {
      offset: slice.at(-1)?.end ?? stream.offset,
      done: stream.done + slice.length - skipped,
      skipped: stream.skipped + skipped,
      ...(problem !== null && stream.error === null ? { error: problem } : {}),
    },
    clock(),
  );
}

/** How D1 says that it does not take a value, whoever offers it. */
const NOT_TAKEN = /constraint|SQLITE_(?:TOOBIG|MISMATCH|RANGE)|too big|malformed JSON|D1_TYPE_ERROR/i;

/** True for a failure that the record itself is the reason for. Anything else may be gone later, so nothing is skipped. */
export function isItsOwn(error: unknown): boolean {
  if (error instanceof AdminError || !(error instanceof Error)) return false;
  const isMapping =
    error instanceof UnusableBody ||
    error instanceof z.ZodError ||
    error instanceof TypeError ||
    error instanceof RangeError;
  return isMapping || NOT_TAKEN.test(error.message);
}

/** What a node asks for, or why nobody can tell. Null for what needs nothing done. */
function read(stream: Stream, node: Node, { shop, triggeredAt, now }: SyncContext): Change | string | null {
  try {
    const body = bodyOf(stream.resource, node);
    // A checkout that became an order is told by the order.
    if (stream.resource === "checkouts" && (body["completed_at"] || !body["cart_token"])) return null;
    return mapRecord(TOPIC_OF[stream.resource], body, {
      currency: shop.currency,
      domain: shop.domain,
      keepQueryParams: shop.settings.keepQueryParams,
      triggeredAt,
      receivedAt: now,
      isReading: true,
    });
  } catch (error) {
    if (error instanceof UnusableBody) return error.message;
    if (error instanceof z.ZodError) {
      return `does not fit: ${error.issues
        .slice(0, 3)
        .map(({ path }) => path.join("."))
        .join(", ")}`;
    }
    throw error;
  }
}
