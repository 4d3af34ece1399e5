import { fromBase64 } from "../lib/crypto";
import { nesting } from "../lib/json";

/** D1 holds at most 2 MB in a row; what is longer is kept compressed. */
const LONGEST_PLAIN = 1_900_000;

const PACKED = "gzip:";

/** Deepest nesting that is parsed: Shopify's own bodies need eight levels. */
const DEEPEST = 64;

/** A body as it goes into the inbox; null when it does not fit even compressed. */
export async function packBody(text: string, bytes: number): Promise<string | null> {
  if (bytes <= LONGEST_PLAIN) return text;
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  const zipped = new Uint8Array(await new Response(stream).arrayBuffer());
  const packed = PACKED + toBase64(zipped);
  return packed.length <= LONGEST_PLAIN ? packed : null;
}

/** The text of a body in the inbox. */
export async function unpackBody(stored: string): Promise<string> {
  if (!stored.startsWith(PACKED)) return stored;
  const zipped = fromBase64(stored.slice(PACKED.length));
  if (!zipped) throw new Error("a packed body is damaged");
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** True for the text of a JSON object whose nesting no parser or visitor of it has to fear. */
export function isUsableJson(text: string): boolean {
  if (nesting(text) > DEEPEST) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let from = 0; from < bytes.length; from += 32_768) {
    binary += String.fromCharCode(...bytes.subarray(from, from + 32_768));
  }
  return btoa(binary);
}
