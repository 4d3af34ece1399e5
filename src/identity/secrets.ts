import { base64url, hex, hmac } from "../lib/crypto";

/** Keyed hash of an identity within a shop, short enough to keep many and useless without the key. */
export async function identityHash(encryptionKey: string, shop: number, kind: string, value: string): Promise<string> {
  const mac = await hmac(`${encryptionKey}:identity`, `${shop}:${kind}:${value}`);
  return `${kind}:${base64url(mac).slice(0, 16)}`;
}

/** Keyed hash of a persona, for the list of what was erased. Never of an e-mail: a later order makes a new contact. */
export async function personaHash(encryptionKey: string, shop: number, tracker: string, person: number) {
  return base64url(await hmac(`${encryptionKey}:persona`, `${shop}:${tracker}:${person}`)).slice(0, 22);
}

/** The secret under which a shop's theme signs `customer.id` (hex HMAC-SHA256), so that a browser cannot type another's. */
export async function identitySecret(encryptionKey: string, shopId: string): Promise<string> {
  return hex(await hmac(`${encryptionKey}:customer-signature`, shopId));
}
