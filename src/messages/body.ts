import { base64url, fromBase64 } from "../lib/crypto";

/** Texts from this length on are kept compressed: mail is mostly markup, of which about a sixth is left. */
const PACK_FROM = 2_000;

const PACKED = "gzip:";

/** A text as it is kept. */
export async function pack(text: string): Promise<string> {
  if (text.length < PACK_FROM && !text.startsWith(PACKED)) return text;
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let packed = PACKED;
  // In threes, so that the pieces join to one text of base64; and few enough for one call.
  for (let from = 0; from < bytes.length; from += 30_000) packed += base64url(bytes.subarray(from, from + 30_000));
  return packed;
}

/** The text again. */
export async function unpack(stored: string): Promise<string> {
  if (!stored.startsWith(PACKED)) return stored;
  const bytes = fromBase64(stored.slice(PACKED.length));
  if (!bytes) throw new Error("a kept message is damaged");
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
