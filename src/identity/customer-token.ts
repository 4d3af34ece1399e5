import { z } from "zod";

import { hex, hmac } from "../lib/crypto";
import { makeSignedToken, readSignedToken } from "./signed-token";

/** Long enough for a slow page to hand it on, too short to be worth keeping, ms. */
export const CUSTOMER_TOKEN_LIFE_MS = 15 * 60_000;

const Payload = z.tuple([z.string().regex(/^\d{1,20}$/), z.int().min(0)]);

/** A key of its own, so that a link token is never taken for a customer's. */
async function customerTokenSecret(encryptionKey: string): Promise<string> {
  return hex(await hmac(encryptionKey, "customer-token"));
}

/**
 * A token that names a customer whom the shop itself has just vouched for, for `identified` events of that customer's
 * browser. It is good for `CUSTOMER_TOKEN_LIFE_MS`.
 *
 * @param shop public id of the shop; it is signed, not carried
 * @param customerId Shopify's id, digits
 */
export async function makeCustomerToken(
  encryptionKey: string,
  shop: string,
  customerId: string,
  now: number,
): Promise<string> {
  const secret = await customerTokenSecret(encryptionKey);
  return makeSignedToken(secret, shop, [customerId, now + CUSTOMER_TOKEN_LIFE_MS]);
}

/** The customer id of a token; null unless we signed it for this shop and it has not expired. */
export async function readCustomerToken(
  encryptionKey: string,
  shop: string,
  token: string,
  now: number,
): Promise<string | null> {
  const secret = await customerTokenSecret(encryptionKey);
  const parsed = Payload.safeParse(await readSignedToken(secret, shop, token));
  if (!parsed.success) return null;
  const [customerId, expiresAt] = parsed.data;
  return expiresAt > now ? customerId : null;
}
