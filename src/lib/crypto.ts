const utf8 = new TextEncoder();

const keys = new Map<string, Promise<CryptoKey>>();

/** Keys are imported once per isolate: importing costs more than signing. */
function hmacKey(secret: string): Promise<CryptoKey> {
  let key = keys.get(secret);
  if (!key) {
    if (keys.size > 100) keys.clear();
    key = crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
      "verify",
    ]);
    keys.set(secret, key);
  }
  return key;
}

/** HMAC-SHA256 of text or bytes. */
export async function hmac(secret: string, message: string | ArrayBuffer): Promise<ArrayBuffer> {
  return crypto.subtle.sign(
    "HMAC",
    await hmacKey(secret),
    typeof message === "string" ? utf8.encode(message) : message,
  );
}

/** Compares in constant time: WebCrypto's verify recomputes the signature itself. */
export async function hmacMatches(secret: string, message: string | ArrayBuffer, signature: Uint8Array) {
  return crypto.subtle.verify(
    "HMAC",
    await hmacKey(secret),
    signature,
    typeof message === "string" ? utf8.encode(message) : message,
  );
}

/** Lower-case hex SHA-256. */
export async function sha256(message: string | ArrayBuffer): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", typeof message === "string" ? utf8.encode(message) : message));
}

/** Compares two secrets without telling by the time taken where they differ. */
export async function sameSecret(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([
    crypto.subtle.digest("SHA-256", utf8.encode(a)),
    crypto.subtle.digest("SHA-256", utf8.encode(b)),
  ]);
  return crypto.subtle.timingSafeEqual(x, y);
}

export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}

export function base64url(bytes: ArrayBuffer | Uint8Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Null when the text is not base64 (either alphabet). */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}

/**
 * Base64 keys of 32 bytes each: the first seals, all of them open. While a key is being replaced, the one before is
 * the second.
 */
export type SealingKeys = readonly [string, ...string[]];

interface ImportedKey {
  /** Public: the first characters of the key's SHA-256. Tells which key sealed a text without trying. */
  id: string;
  aes: CryptoKey;
}

const sealingKeys = new Map<string, Promise<ImportedKey>>();

/** Imported once per isolate, as HMAC keys are. */
function sealingKey(base64Key: string): Promise<ImportedKey> {
  let key = sealingKeys.get(base64Key);
  if (!key) {
    if (sealingKeys.size > 20) sealingKeys.clear();
    key = importSealingKey(base64Key);
    sealingKeys.set(base64Key, key);
  }
  return key;
}

async function importSealingKey(base64Key: string): Promise<ImportedKey> {
  const raw = fromBase64(base64Key);
  if (raw?.length !== 32) throw new Error("ENCRYPTION_KEY must be 32 bytes of base64");
  const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { id: hex(await crypto.subtle.digest("SHA-256", raw)).slice(0, 8), aes };
}

/** The id that texts sealed with the first of these keys begin with. */
export async function sealingKeyId(keys: SealingKeys): Promise<string> {
  return (await sealingKey(keys[0])).id;
}

/** AES-256-GCM under the first key: `<key id>.<base64url(iv || ciphertext)>`. */
export async function seal(keys: SealingKeys, text: string): Promise<string> {
  const { id, aes } = await sealingKey(keys[0]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, utf8.encode(text)));
  const both = new Uint8Array(12 + sealed.length);
  both.set(iv);
  both.set(sealed, 12);
  return `${id}.${base64url(both)}`;
}

/**
 * Opens what `seal` made with any of the keys; throws when none of them fits or the text was changed. Texts of the
 * first version carry no key id: for those every key is tried.
 */
export async function open(keys: SealingKeys, sealed: string): Promise<string> {
  const dot = sealed.indexOf(".");
  const keyId = dot === -1 ? null : sealed.slice(0, dot);
  const both = fromBase64(sealed.slice(dot + 1));
  if (!both || both.length < 13) throw new Error("not a sealed text");
  for (const base64Key of keys) {
    const { id, aes } = await sealingKey(base64Key);
    if (keyId !== null && keyId !== id) continue;
    const plain = await crypto.subtle
      .decrypt({ name: "AES-GCM", iv: both.slice(0, 12) }, aes, both.slice(12))
      .catch(() => null);
    if (plain) return new TextDecoder().decode(plain);
  }
  throw new Error("sealed with a key that is not known, or changed since");
}

/** True for a text that another than the first key sealed: it should be sealed again while that key is still known. */
export async function isSealedBefore(keys: SealingKeys, sealed: string): Promise<boolean> {
  return !sealed.startsWith(`${await sealingKeyId(keys)}.`);
}
