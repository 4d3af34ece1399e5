import { z } from "zod";

import { base64url, fromBase64, hex, hmac, sameSecret } from "../lib/crypto";

/** What a link in a message carries: which contact it was sent to, and by which delivery. Nothing about the person. */
export interface LinkToken {
  /** Public id of the contact. */
  contact: string;
  /** Id of the delivery, where the link was in one. */
  delivery: string | null;
  /** Epoch ms after which it links nobody. */
  expiresAt: number;
}

export const LINK_TOKEN_LIFE_MS = 30 * 86_400_000;

const LONGEST = 500;
const SIGNATURE_BYTES = 16;

const Payload = z.tuple([z.string().min(1).max(100), z.string().max(100).nullable(), z.int().min(0)]);

/** The key of link tokens, derived from the installation's key so that neither can stand in for the other. */
export async function linkTokenSecret(encryptionKey: string): Promise<string> {
  return hex(await hmac(encryptionKey, "link-token"));
}

/**
 * `<payload>.<signature>`, both base64url: JSON of contact, delivery and expiry, and 128 bits of HMAC-SHA256 over shop
 * and payload.
 *
 * @param shop public id of the shop; it is signed, not carried
 */
export async function makeLinkToken(
  secret: string,
  {
    shop,
    contact,
    delivery = null,
    expiresAt,
  }: { shop: string; contact: string; delivery?: string | null; expiresAt: number },
): Promise<string> {
  const payload = base64url(new TextEncoder().encode(JSON.stringify([contact, delivery, expiresAt])));
  const signature = new Uint8Array(await hmac(secret, `${shop}.${payload}`));
  return `${payload}.${base64url(signature.slice(0, SIGNATURE_BYTES))}`;
}

/** What a token says; null unless we signed it for this shop and it has not expired. */
export async function readLinkToken(
  secret: string,
  shop: string,
  token: string,
  now: number,
): Promise<LinkToken | null> {
  const [payload, signature, ...rest] = token.slice(0, LONGEST).split(".");
  if (!payload || !signature || rest.length > 0 || token.length > LONGEST) return null;
  const expected = base64url(new Uint8Array(await hmac(secret, `${shop}.${payload}`)).slice(0, SIGNATURE_BYTES));
  if (!(await sameSecret(signature, expected))) return null;
  const bytes = fromBase64(payload);
  if (!bytes) return null;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  const parsed = Payload.safeParse(value);
  if (!parsed.success) return null;
  const [contact, delivery, expiresAt] = parsed.data;
  return expiresAt > now ? { contact, delivery, expiresAt } : null;
}
