import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type Answer, type Call, jsonAnswer } from "./exchange.ts";
import { nextFailure } from "./failures.ts";
import type { AdminStore } from "./store.ts";

/** GET of a bulk operation's file, whole (200) or a range of it (206). Streams it; an Answer where it refuses. */
export async function sendBulkFile(
  store: AdminStore,
  call: Call,
  name: string,
  outgoing: ServerResponse,
): Promise<Answer | undefined> {
  const operation = [...store.bulk.values()].find(({ path }) => basename(path) === name);
  if (operation === undefined || operation.expiresAt === null) return xml(404, "NoSuchKey");
  if (operation.expiresAt < store.now()) return xml(400, "ExpiredToken");
  const failure = nextFailure(store.failures, ["bulk"]);
  if (failure?.status !== undefined) return jsonAnswer(failure.status, { error: "on order" }, failure.headers);
  if (failure?.hang === true) return undefined;
  const { size } = statSync(operation.path);
  const range = failure?.ignoreRange === true ? undefined : rangeOf(call.headers.range, size);
  if (range === null) return { ...xml(416, "InvalidRange"), headers: { "content-range": `bytes */${size}` } };
  const whole = range === undefined;
  const { start, end } = range ?? { start: 0, end: size - 1 };
  outgoing.writeHead(whole ? 200 : 206, {
    "content-type": "application/jsonl",
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    etag: `"${operation.id}"`,
    ...(whole ? {} : { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  if (call.method === "HEAD") {
    outgoing.end();
    return undefined;
  }
  const last = failure?.dropAfterBytes === undefined ? end : Math.min(end, start + failure.dropAfterBytes - 1);
  try {
    await pipeline(createReadStream(operation.path, { start, end: last }), outgoing, { end: last === end });
  } catch {
    // The reader went away.
    return undefined;
  }
  if (last < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    outgoing.destroy();
  }
  return undefined;
}

/** The bytes asked for; undefined for all, null where there are none such. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [from, to] = [match[1] ?? "", match[2] ?? ""];
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? null : { start, end };
}

const xml = (status: number, code: string): Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code></Error>`,
});
