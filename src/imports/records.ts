import Papa from "papaparse";

import type { Window } from "./pieces";

/** How a CSV is written. */
export interface Dialect {
  delimiter: string;
  newline: "\n" | "\r\n" | "\r";
}

/** A record of a file: cells by place in a CSV, the text of a line in JSONL. */
export interface RawRecord {
  cells: string[];
  /** Why it cannot be what it was meant to be; null for nothing. */
  problem: string | null;
  /** Where the next record begins, in characters of the window. */
  end: number;
}

/**
 * The complete records of a window, at most so many. None at all while the window is not empty means that one record is
 * longer than a window, as it is when a quotation mark is never closed.
 */
export function readRecords(
  { text, isEnd }: Window,
  format: "csv" | "jsonl",
  dialect: Dialect | null,
  most: number,
): RawRecord[] {
  return format === "csv" ? csvRecords(text, isEnd, dialect, most) : lines(text, isEnd, most);
}

/** How a CSV that begins like this is written. */
export function dialectOf({ text }: Window): Dialect {
  const { meta } = Papa.parse<string[]>(text, { preview: 20 });
  const newline = meta.linebreak === "\r\n" || meta.linebreak === "\r" ? meta.linebreak : "\n";
  return { delimiter: meta.delimiter || ",", newline };
}

function csvRecords(text: string, isEnd: boolean, dialect: Dialect | null, most: number): RawRecord[] {
  const records: RawRecord[] = [];
  let isCut = false;
  Papa.parse<string[]>(text, {
    ...dialect,
    step: ({ data, meta, errors }, parser) => {
      // One more than asked for tells that the last of those asked for is complete.
      if (records.length === most) {
        isCut = true;
        parser.abort();
        return;
      }
      const quotes = errors.find(({ type }) => type === "Quotes");
      const problem =
        quotes?.code === "MissingQuotes"
          ? "has a quotation mark that is never closed: what follows it is left out"
          : quotes
            ? "has a quotation mark where none belongs"
            : null;
      records.push({ cells: data, problem, end: meta.cursor });
    },
  });
  if (!isEnd && !isCut) records.pop();
  return records;
}

function lines(text: string, isEnd: boolean, most: number): RawRecord[] {
  const records: RawRecord[] = [];
  let from = 0;
  while (records.length < most && from < text.length) {
    const at = text.indexOf("\n", from);
    if (at === -1 && !isEnd) break;
    const end = at === -1 ? text.length : at + 1;
    records.push({ cells: [text.slice(from, at === -1 ? end : at)], problem: null, end });
    from = end;
  }
  return records;
}
