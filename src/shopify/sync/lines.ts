import { DownloadFailed, FileGone } from "./file";

/** A line of a file and the byte after its end, counted from the start of the file. */
export interface Line {
  text: string;
  end: number;
}

const NEWLINE = 10;

/** Longest line that is kept in memory: an order of some thousand lines is one of them per line, so none is near it. */
export const LONGEST_LINE = 4 * 1024 * 1024;

/** A server that sends nothing for so long has gone without a word. */
const STALLED_MS = 20_000;

/**
 * Reads a stream of bytes line by line, never holding more than a line and a chunk. Characters that chunks cut apart are
 * put together, since a line is only decoded as a whole. A last line without a newline counts.
 *
 * Throws `DownloadFailed` when the stream breaks or stands still, `FileGone` for a line that is no object of Shopify's.
 *
 * @param start where in the file the stream begins, which has to be a line's first byte
 * @param stalledMs how long it may bring nothing
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  start: number,
  stalledMs = STALLED_MS,
): AsyncGenerator<Line> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const pieces: Uint8Array[] = [];
  let held = 0;
  let at = start;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), stalledMs);
      if (done) break;
      let from = 0;
      for (;;) {
        const to = value.indexOf(NEWLINE, from);
        if (to < 0) break;
        const last = value.subarray(from, to);
        at += held + last.length + 1;
        yield { text: decoder.decode(join(pieces, held, last)), end: at };
        pieces.length = 0;
        held = 0;
        from = to + 1;
      }
      if (from < value.length) {
        // A copy: the rest of a chunk must not keep the whole of it alive.
        pieces.push(value.slice(from));
        held += value.length - from;
        if (held > LONGEST_LINE) throw new FileGone(`a line has more than ${LONGEST_LINE} bytes`);
      }
    }
    if (held > 0) yield { text: decoder.decode(join(pieces, held)), end: at + held };
  } finally {
    // The rest of the file is not wanted: this closes the connection.
    await reader.cancel().catch(() => undefined);
  }
}

function join(pieces: Uint8Array[], held: number, last?: Uint8Array): Uint8Array {
  if (pieces.length === 0) return last ?? new Uint8Array();
  const whole = new Uint8Array(held + (last?.length ?? 0));
  let at = 0;
  for (const piece of last ? [...pieces, last] : pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

async function inTime<T>(work: Promise<T>, stalledMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DownloadFailed("the result file has stalled")), stalledMs);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof FileGone || error instanceof DownloadFailed) throw error;
    throw new DownloadFailed("the result file broke off");
  } finally {
    clearTimeout(timer);
  }
}
