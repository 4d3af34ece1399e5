/** The result of a bulk operation is not there any more: its address has run out. */
export class FileGone extends Error {
  override readonly name = "FileGone";
}

const TIMEOUT_MS = 30_000;

/**
 * Opens a result file at a byte. A server that knows no ranges sends the whole file, of which the beginning is read over.
 * Null when the file ends there. Throws `FileGone` when the address is of no use any more, and any other error when
 * trying again may help.
 */
export async function openFile(url: string, offset: number): Promise<ReadableStream<Uint8Array> | null> {
  const abort = new AbortController();
  // Only until the answer begins: how long it takes to read is up to us.
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      signal: abort.signal,
    });
  } finally {
    clearTimeout(timer);
  }
  if (response.status === 416) {
    await response.body?.cancel();
    return null;
  }
  if (response.status >= 400 && response.status < 500 && response.status !== 429 && response.status !== 408) {
    await response.body?.cancel();
    throw new FileGone(`the result file answered ${response.status}`);
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`the result file answered ${response.status}`);
  }
  const begins = response.status === 206 ? rangeStart(response.headers.get("content-range")) : 0;
  if (begins === null || begins > offset) {
    await response.body.cancel();
    throw new Error("the result file answered another range");
  }
  return begins === offset ? response.body : response.body.pipeThrough(withoutFirst(offset - begins));
}

function rangeStart(header: string | null): number | null {
  const start = /^bytes (\d+)-/.exec(header ?? "")?.[1];
  return start === undefined ? null : Number(start);
}

function withoutFirst(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = bytes;
  return new TransformStream({
    transform(chunk, controller) {
      if (left >= chunk.length) {
        left -= chunk.length;
        return;
      }
      controller.enqueue(left > 0 ? chunk.subarray(left) : chunk);
      left = 0;
    },
  });
}
