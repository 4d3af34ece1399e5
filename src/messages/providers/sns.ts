import { X509Certificate } from "node:crypto";

import { z } from "zod";

import { fromBase64 } from "../../lib/crypto";
import { TIMEOUT_MS } from "./http";
import { notSigned } from "./report";

/** What SNS posts: https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html. */
export const SnsMessage = z.object({
  Type: z.enum(["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]),
  MessageId: z.string().max(200),
  TopicArn: z.string().max(500),
  Message: z.string(),
  Subject: z.string().optional(),
  Timestamp: z.string().max(50),
  Token: z.string().optional(),
  SubscribeURL: z.string().optional(),
  SignatureVersion: z.enum(["1", "2"]),
  Signature: z.string(),
  SigningCertURL: z.string().max(500),
});

export type SnsMessage = z.infer<typeof SnsMessage>;

/** SNS tries again for an hour; what is older was kept by somebody. */
const MOST_AGE_MS = 24 * 3_600_000;

/** What is signed, in this order, each as name and value on lines of their own. */
const SIGNED = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
  UnsubscribeConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
} as const;

/** True for a message that Amazon signed, not long ago; version 1 is SHA-1, version 2 SHA-256. */
export async function isFromSns(message: SnsMessage, now: number): Promise<boolean> {
  const signature = fromBase64(message.Signature);
  if (!signature || !(Math.abs(now - Date.parse(message.Timestamp)) < MOST_AGE_MS)) return false;
  const text = SIGNED[message.Type]
    .flatMap((name) => (message[name] === undefined ? [] : [`${name}\n${message[name]}\n`]))
    .join("");
  const hash = message.SignatureVersion === "1" ? "SHA-1" : "SHA-256";
  const key = await signingKey(message.SigningCertURL, hash, now);
  if (!key) return false;
  return crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, new TextEncoder().encode(text));
}

/** Follows the link by which a subscription is confirmed; it leads nowhere but to SNS. */
export async function confirmSubscription({ SubscribeURL }: SnsMessage): Promise<void> {
  if (!isSns(SubscribeURL)) throw notSigned("The link of confirmation does not lead to SNS");
  const response = await fetch(SubscribeURL, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`SNS answered the confirmation with ${response.status}`);
}

/** Addresses of SNS itself, in any region and partition. */
function isSns(address: string | undefined): address is string {
  const url = URL.parse(address ?? "");
  if (url?.protocol !== "https:" || url.port !== "" || url.username !== "" || url.password !== "") return false;
  return /^sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(url.hostname);
}

/** Certificates by address: SNS changes them a few times a year. */
const certificates = new Map<string, X509Certificate>();

const MOST_CERTIFICATES = 20;
const MOST_CERTIFICATE = 20_000;

async function signingKey(address: string, hash: "SHA-1" | "SHA-256", now: number): Promise<CryptoKey | null> {
  if (!isSns(address) || !new URL(address).pathname.endsWith(".pem")) return null;
  const certificate = certificates.get(address) ?? (await fetchCertificate(address));
  if (!certificate || !(Date.parse(certificate.validTo) > now)) return null;
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash };
  return crypto.subtle.importKey("spki", Uint8Array.from(spki), algorithm, false, ["verify"]).catch(() => null);
}

/** Fetched over TLS from Amazon's own host, which vouches for it. */
async function fetchCertificate(address: string): Promise<X509Certificate | null> {
  const response = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const pem = response.ok ? await response.text() : "";
  if (pem.length > MOST_CERTIFICATE || !pem.includes("BEGIN CERTIFICATE")) return null;
  const certificate = new X509Certificate(pem);
  if (certificates.size >= MOST_CERTIFICATES) certificates.clear();
  certificates.set(address, certificate);
  return certificate;
}
