/** One request to a provider's stand-in. */
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: string;
}

/** What the stand-in answers; `drop` closes the connection without a word, after the request was read. */
export type Answer = { status: number; headers?: Record<string, string>; body?: unknown } | "drop";

/** A message that a provider took, as it was asked to. */
export interface Taken {
  id: string;
  message: unknown;
  headers: Record<string, string>;
}

/** What one account of a provider has: its messages, and what it answers next instead. */
export interface Account {
  taken: Taken[];
  planned: Answer[];
}

export interface StandIn {
  /** The account that a request is by; null when its credentials are no good. */
  account: (call: Call) => string | null;
  /** What is answered without good credentials. */
  unauthorized: Answer;
  /** Takes the message or refuses it, as the published interface does. */
  handle: (call: Call, account: Account) => Answer;
}

/** User and password of basic authentication; null without. */
export function basicOf(call: Call): [user: string, password: string] | null {
  const encoded = /^Basic (.+)$/.exec(call.headers["authorization"] ?? "")?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon === -1 ? null : [text.slice(0, colon), text.slice(colon + 1)];
}

export function bearerOf(call: Call): string {
  return /^Bearer (.+)$/.exec(call.headers["authorization"] ?? "")?.[1] ?? "";
}

/** Address of `Name <address>` or of an address alone; null where it is neither. */
export function addressOf(text: string): string | null {
  const address = /^(?:(?:"(?:[^"\\]|\\.)*"|[^"<>,]*) )?<([^<>\s]+)>$/.exec(text)?.[1] ?? text;
  return /^[^\s@<>,"]+@[^\s@<>,"]+\.[^\s@<>,"]+$/.test(address) ? address : null;
}

/** Senders that were never verified with any provider. */
export const UNVERIFIED = "unverified.example";

export function isVerified(from: string): boolean {
  return !addressOf(from)?.endsWith(`@${UNVERIFIED}`);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
