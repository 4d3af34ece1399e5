/** The result of a bulk operation is of no use any more: its address has run out, or it is another file than before. */
export class FileGone extends Error {
  override readonly name = "FileGone";
}

/** A result file could not be read (on) just now: trying again may help. */
export class DownloadFailed extends Error {
  override readonly name = "DownloadFailed";
}

const TIMEOUT_MS = 30_000;

const NEWLINE = 10;

/**
 * Opens a result file at a byte where a line begins. It is asked for from the byte before, which has to end a line: so a
 * file that is shorter than before, or another one, is noticed. A server that knows no ranges sends the whole file, of
 * which the beginning is read over. Throws, or lets the stream fail with, `FileGone` or `DownloadFailed`.
 */
export async function openFile(url: string, offset: number): Promise<ReadableStream<Uint8Array>> {
  const response = await request(url, offset);
  if (response.status === 200 || response.status === 206) {
    const begins = response.status === 206 ? rangeStart(response.headers.get("content-range")) : 0;
    if (response.body && begins !== null && begins <= Math.max(0, offset - 1)) {
      return offset === 0 ? response.body : response.body.pipeThrough(fromLine(offset - begins - 1));
    }
    await response.body?.cancel();
    throw new DownloadFailed("the result file answered another range");
  }
  await response.body?.cancel();
  const told = `the result file answered ${response.status}`;
  const isRefused = response.status >= 400 && response.status < 500;
  throw isRefused && ![408, 429].includes(response.status) ? new FileGone(told) : new DownloadFailed(told);
}

async function request(url: string, offset: number): Promise<Response> {
  const abort = new AbortController();
  // Only until the answer begins: how long it takes to read is up to us.
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    return await fetch(url, {
      // Bytes are counted as they are in the file, so nothing may pack them on the way.
      headers: { "accept-encoding": "identity", ...(offset > 0 ? { range: `bytes=${offset - 1}-` } : {}) },
      signal: abort.signal,
    });
  } catch {
    throw new DownloadFailed("the result file cannot be reached");
  } finally {
    clearTimeout(timer);
  }
}

function rangeStart(header: string | null): number | null {
  const start = /^bytes (\d+)-/.exec(header ?? "")?.[1];
  return start === undefined ? null : Number(start);
}

/** Reads over some bytes and over the newline after them. The last line of a file may have none. */
function fromLine(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = bytes;
  let last: number | undefined;
  return new TransformStream({
    transform(chunk, controller) {
      const from = Math.min(left, chunk.length);
      left -= from;
      let rest = chunk.subarray(from);
      if (rest.length === 0) return;
      if (last === undefined) {
        last = rest[0];
        rest = rest.subarray(1);
      }
      if (rest.length === 0) return;
      if (last === NEWLINE) controller.enqueue(rest);
      else controller.error(new FileGone("the result file has changed"));
    },
    flush(controller) {
      if (last === undefined) controller.error(new FileGone("the result file has become shorter"));
    },
  });
}
