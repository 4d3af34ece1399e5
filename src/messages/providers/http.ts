import type { SendOutcome } from "./provider";
import { baseUrlProblem } from "./address";

/** How long a provider may take to answer. */
export const TIMEOUT_MS = 20_000;

/** Characters of an answer that are read; the longest published errors are a few kilobytes. */
const MOST_ANSWER = 64 * 1_024;

const MINUTE = 60_000;

/** How long a refusal for too many requests is waited for when the provider names no time, and at most. */
const DEFAULT_RETRY_MS = MINUTE;
const MOST_RETRY_MS = 24 * 60 * MINUTE;

/** What a provider said. */
export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON; the text itself where it is none. */
  body: unknown;
}

/**
 * One request to a provider. A redirect is not followed: it comes back as the answer that it is. An `unknown` outcome
 * where no answer came, since the request may have arrived; `refused` for an address that may not be called.
 *
 * @param base the sender's own address of the provider, or the published one
 */
export async function callProvider(
  base: string,
  path: string,
  init: { method?: "POST" | "GET"; headers: Record<string, string>; body?: BodyInit },
): Promise<Answer | SendOutcome> {
  const problem = baseUrlProblem(base);
  if (problem) return { kind: "refused", code: "address_not_allowed", permanent: false };
  try {
    const response = await fetch(addressOf(base, path), {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...init,
    });
    const { text } = await readText(response.body, MOST_ANSWER);
    return { status: response.status, headers: response.headers, body: parsed(text) };
  } catch (error) {
    return { kind: "unknown", code: isTimeout(error) ? "timeout" : "connection_lost" };
  }
}

/** The whole address of a path below a base that may end with a slash. */
export function addressOf(base: string, path: string): string {
  return base.replace(/\/+$/, "") + path;
}

export function isAnswer(result: Answer | SendOutcome): result is Answer {
  return "status" in result;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

/** The text of a body; `whole` is false where it was longer than `most` characters and the rest was not read. */
export async function readText(body: ReadableStream | null, most: number): Promise<{ text: string; whole: boolean }> {
  const reader = body?.pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true })).getReader();
  let text = "";
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
    text += chunk.value;
    if (text.length <= most) continue;
    await reader?.cancel();
    return { text: text.slice(0, most), whole: false };
  }
  return { text, whole: true };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Milliseconds of a Retry-After header (seconds or a date); null without a usable one. */
export function retryAfter(headers: Headers, now: number): number | null {
  const value = headers.get("retry-after");
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 1_000), MOST_RETRY_MS) : null;
}

/** Answers of Cloudflare's network that mean: the provider was not reached at all. */
const NOT_REACHED = [521, 523, 525, 526, 530];

/**
 * What an answer means that is no success and that the provider's own codes did not settle.
 *
 * - 429 and 503 say that nothing was taken: again later.
 * - 401, 403, 404 and redirects: the sender is at fault, not the message.
 * - Other 4xx: this message will not be taken.
 * - Other 5xx: taken back by the provider in its own words, so again; without them it may come from a gateway that lost
 *   sight of a request which arrived, so nobody knows.
 *
 * @param code the provider's own, null where the answer is not in its own form
 */
export function outcomeOf(answer: Answer, code: string | null, now: number): SendOutcome {
  const { status, headers } = answer;
  const named = code ?? `http_${status}`;
  if (status === 429 || status === 503) {
    return { kind: "retry", code: named, afterMs: retryAfter(headers, now) ?? DEFAULT_RETRY_MS };
  }
  if (NOT_REACHED.includes(status)) return { kind: "retry", code: named, afterMs: DEFAULT_RETRY_MS };
  if (status >= 500) {
    if (code === null) return { kind: "unknown", code: named };
    return { kind: "retry", code: named, afterMs: retryAfter(headers, now) ?? DEFAULT_RETRY_MS };
  }
  const sendersFault = status < 400 || status === 401 || status === 403 || status === 404;
  return { kind: "refused", code: named, permanent: !sendersFault };
}

/** An address as it stands in a header: `"Name" <address>`, the name quoted (RFC 5322). */
export function mailbox({ address, name }: { address: string; name: string | null }): string {
  const plain = name?.replaceAll(/[\p{Cc}]+/gu, " ").trim() ?? "";
  return plain === "" ? address : `"${plain.replaceAll(/["\\]/g, String.raw`\$&`)}" <${address}>`;
}

/** Basic authentication of UTF-8 text (RFC 7617). */
export function basic(user: string, password: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)))}`;
}
