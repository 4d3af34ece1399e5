import { z } from "zod";

import { hex, hmac } from "../lib/crypto";
import { makeSignedToken, readSignedToken } from "./signed-token";

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

const Payload = z.tuple([z.string().min(1).max(100), z.string().max(100).nullable(), z.int().min(0)]);

/** The key of link tokens, derived from the installation's key so that neither can stand in for the other. */
export async function linkTokenSecret(encryptionKey: string): Promise<string> {
  return hex(await hmac(encryptionKey, "link-token"));
}

/**
 * A token for a link in a message.
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
  return makeSignedToken(secret, shop, [contact, delivery, expiresAt]);
}

/** What a token says; null unless we signed it for this shop and it has not expired. */
export async function readLinkToken(
  secret: string,
  shop: string,
  token: string,
  now: number,
): Promise<LinkToken | null> {
  const parsed = Payload.safeParse(await readSignedToken(secret, shop, token));
  if (!parsed.success) return null;
  const [contact, delivery, expiresAt] = parsed.data;
  return expiresAt > now ? { contact, delivery, expiresAt } : null;
}
