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

async function aesKey(base64Key: string): Promise<CryptoKey> {
  const raw = fromBase64(base64Key);
  if (raw?.length !== 32) throw new Error("ENCRYPTION_KEY must be 32 bytes of base64");
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** AES-256-GCM, `base64url(iv || ciphertext)`. */
export async function seal(base64Key: string, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await aesKey(base64Key), utf8.encode(text)),
  );
  const both = new Uint8Array(12 + sealed.length);
  both.set(iv);
  both.set(sealed, 12);
  return base64url(both);
}

/** Opens what `seal` made; throws when the key or the text is wrong. */
export async function open(base64Key: string, sealed: string): Promise<string> {
  const both = fromBase64(sealed);
  if (!both || both.length < 13) throw new Error("not a sealed text");
  const plain = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: both.slice(0, 12) },
    await aesKey(base64Key),
    both.slice(12),
  );
  return new TextDecoder().decode(plain);
}
