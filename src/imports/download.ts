import { sql } from "../db/client";
import { messageKey } from "../installation";
import { base64url, fromBase64, hmac, hmacMatches } from "../lib/crypto";
import { piecesOf, readPiece } from "./pieces";

/** Of this purpose alone, so that no other signature fits. */
async function secretOf(env: Env): Promise<string> {
  return `${await messageKey(env)}:export-download`;
}

/** Where an export can be fetched until then, by whoever has the link: `/files/<export>/<until>.<signature>`. */
export async function downloadPath(env: Env, id: string, until: number): Promise<string> {
  const signature = base64url(await hmac(await secretOf(env), `${id}.${until}`));
  return `/files/${id}/${until}.${signature}`;
}

const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};

/** The file behind a link; 404 for one that is not ours, has expired, or whose file has gone. */
export async function downloadFile(env: Env, id: string, token: string, now: number): Promise<Response> {
  const [until = "", signature = ""] = token.split(".");
  const bytes = fromBase64(signature);
  const gone = new Response("This link is not, or no longer, valid.\n", { status: 404, headers: HEADERS });
  if (!/^\d{1,15}$/.test(until) || Number(until) <= now || !bytes) return gone;
  if (!(await hmacMatches(await secretOf(env), `${id}.${until}`, bytes))) return gone;
  const row = await sql(env.DB, "select format, bytes from exports where id = ? and state = 'done'", id).first<{
    format: "csv" | "jsonl";
    bytes: number;
  }>();
  if (!row) return gone;
  const pieces = await piecesOf(env.DB, id);
  let next = 0;
  const file = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const piece = pieces[next++];
      if (piece) controller.enqueue(await readPiece(env.DB, id, piece));
      else controller.close();
    },
  });
  return new Response(file, {
    headers: {
      ...HEADERS,
      "content-type": row.format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson",
      "content-disposition": `attachment; filename="${id}.${row.format}"`,
    },
  });
}
