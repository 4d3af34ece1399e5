import type { Certificate } from "./certificate";

/** How the providers sign what they report, for the tests to do the same. */

export const utf8 = new TextEncoder();

export const base64 = (bytes: ArrayBuffer | Uint8Array) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

export const hex = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

export async function hmac(hash: "SHA-1" | "SHA-256", secret: string, text: string): Promise<ArrayBuffer> {
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", key, utf8.encode(text));
}

/** A signature as SendGrid has it: DER. */
export function derOf(raw: ArrayBuffer): Uint8Array {
  const number = (bytes: Uint8Array) => {
    const from = bytes.findIndex((b) => b !== 0);
    const short = Array.from(bytes.subarray(from));
    const positive = (short[0] ?? 0) > 127 ? [0, ...short] : short;
    return [2, positive.length, ...positive];
  };
  const bytes = new Uint8Array(raw);
  const both = [...number(bytes.slice(0, 32)), ...number(bytes.slice(32))];
  return Uint8Array.from([0x30, both.length, ...both]);
}

/** Signs as SNS does: names and values in a fixed order, RSA. */
export async function sns(certificate: Certificate, message: Record<string, string>, version = "2"): Promise<string> {
  const names =
    message["Type"] === "Notification"
      ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
      : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const text = names.flatMap((name) => (message[name] === undefined ? [] : [`${name}\n${message[name]}\n`])).join("");
  let key = certificate.privateKey;
  if (version === "1") {
    const pkcs8 = (await crypto.subtle.exportKey("pkcs8", key)) as ArrayBuffer;
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1" };
    key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
  }
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, utf8.encode(text));
  return JSON.stringify({ ...message, SignatureVersion: version, Signature: base64(signature) });
}
