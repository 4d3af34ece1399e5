import { z } from "zod";

import { AppError } from "../errors";
import { base64url, fromBase64 } from "../lib/crypto";

/** One page of a list as it is answered. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Where a page ends: the keys of its last row, marked with the list that they belong to. */
export function encodeCursor(list: string, position: (number | string)[]): string {
  return base64url(new TextEncoder().encode(JSON.stringify([list, ...position])));
}

/** Throws `bad_cursor` unless the text is a cursor of this list with these parts. */
export function decodeCursor<T extends unknown[]>(list: string, cursor: string, parts: z.ZodType<T>): T {
  const bytes = fromBase64(cursor);
  let value: unknown = null;
  try {
    value = bytes && JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new AppError("bad_cursor");
  }
  if (!Array.isArray(value) || value[0] !== list) throw new AppError("bad_cursor");
  const parsed = parts.safeParse(value.slice(1));
  if (!parsed.success) throw new AppError("bad_cursor");
  return parsed.data;
}

const KeyPart = z.tuple([z.int().min(0)]);

/** The integer key after which a list by key goes on; null for the first page. */
export function keyFrom(list: string, cursor: string | undefined): number | null {
  return cursor === undefined ? null : decodeCursor(list, cursor, KeyPart)[0];
}

/** Makes a page of `limit` rows out of at most `limit + 1` that were read: the extra one tells that there are more. */
export function pageOf<Row, T>(
  list: string,
  rows: Row[],
  limit: number,
  position: (row: Row) => (number | string)[],
  show: (row: Row) => T,
): Page<T> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    items: kept.map(show),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(list, position(last)) : null,
  };
}
