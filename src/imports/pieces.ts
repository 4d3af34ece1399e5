import { sql } from "../db/client";
import { fromBase64 } from "../lib/crypto";

/** Bytes of a file in one row before compression: D1 holds 2 MB in a row, and two of them are the most held in memory. */
export const PIECE_BYTES = 512 * 1024;

interface Stored {
  part: number;
  piece: number;
  bytes: number;
  last: boolean;
}

/** Marks compressed text; the same mark as on stored bodies. */
const PACKED = "gzip:";

/** The statement that stores a piece; fails as a conflict where another upload of the same part is under way. */
export async function storePiece(
  db: D1Database,
  shop: number,
  owner: string,
  { part, piece, last }: Omit<Stored, "bytes">,
  bytes: Uint8Array,
): Promise<D1PreparedStatement> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  const zipped = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (let from = 0; from < zipped.length; from += 32_768) {
    binary += String.fromCharCode(...zipped.subarray(from, from + 32_768));
  }
  return sql(
    db,
    "insert into file_pieces (shop, owner, part, piece, bytes, last, data) values (?, ?, ?, ?, ?, ?, ?)",
    shop,
    owner,
    part,
    piece,
    bytes.length,
    last,
    PACKED + btoa(binary),
  );
}

/** Every piece of a file in order, without its data. */
export async function piecesOf(db: D1Database, owner: string): Promise<Stored[]> {
  const { results } = await sql(
    db,
    "select part, piece, bytes, last from file_pieces where owner = ? order by part, piece",
    owner,
  ).all<Omit<Stored, "last"> & { last: number }>();
  return results.map((row) => ({ ...row, last: row.last === 1 }));
}

export async function readPiece(
  db: D1Database,
  owner: string,
  { part, piece }: { part: number; piece: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const row = await sql(
    db,
    "select data from file_pieces where owner = ? and part = ? and piece = ?",
    owner,
    part,
    piece,
  ).first<{ data: string }>();
  const zipped = row ? fromBase64(row.data.slice(PACKED.length)) : null;
  if (!zipped) throw new Error("a piece of the file is gone");
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What a file says from a byte on. */
export interface Window {
  text: string;
  /** Whether the file ends with it. */
  isEnd: boolean;
}

/**
 * The text from a byte on: at least a piece of it, unless the file ends before. Throws `TypeError` where it is not UTF-8.
 */
export async function readWindow(db: D1Database, owner: string, offset: number): Promise<Window> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const pieces = await piecesOf(db, owner);
  let text = "";
  let start = 0;
  let read = 0;
  for (const [index, piece] of pieces.entries()) {
    const end = start + piece.bytes;
    if (end > offset) {
      const bytes = await readPiece(db, owner, piece);
      const wanted = bytes.subarray(Math.max(0, offset - start));
      const isEnd = index === pieces.length - 1;
      text += decoder.decode(wanted, { stream: !isEnd });
      read += wanted.length;
      if (isEnd) return { text, isEnd };
      if (read >= PIECE_BYTES) return { text, isEnd: false };
    }
    start = end;
  }
  return { text, isEnd: true };
}

/** The statement that lets a file go. */
export function dropFile(db: D1Database, owner: string): D1PreparedStatement {
  return sql(db, "delete from file_pieces where owner = ?", owner);
}
