import type { SendOutcome } from "./providers";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits between attempts, at least; a day and a half in all. */
const WAITS_MS = [30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 15 * HOUR];

/** How much of a wait is random, so that what failed together does not come back together. */
const JITTER = 0.2;

/** Before a provider forgets a key, so that a call that takes its time still falls within. */
const MARGIN_MS = MINUTE;

export type Next =
  | { kind: "sent"; providerId: string }
  | { kind: "failed"; reason: string }
  /** `called`: the provider may have it, and knows the key. */
  | { kind: "again"; dueAt: number; reason: string; called: boolean }
  /** It may have been sent, and sending it again could make two. */
  | { kind: "unknown"; reason: string };

/** True while a repeated call is surely no second message. */
export function mayRepeat(idempotencyMs: number, calledAt: number, now: number): boolean {
  return now - calledAt < idempotencyMs - MARGIN_MS;
}

/**
 * What becomes of a delivery after the provider was called.
 *
 * @param calledAt when it was first called for this delivery without an answer that it took nothing
 * @param mayHaveIt true where a call before this one had no answer
 * @param attempts made so far, this one included
 * @param chance from 0 up to 1
 */
export function afterCall(
  outcome: SendOutcome,
  {
    idempotencyMs,
    calledAt,
    mayHaveIt,
    attempts,
  }: { idempotencyMs: number; calledAt: number; mayHaveIt: boolean; attempts: number },
  now: number,
  chance: number,
): Next {
  if (outcome.kind === "accepted") return { kind: "sent", providerId: outcome.providerId };
  const reason = `provider:${outcome.code}`;
  if (outcome.kind === "refused" && outcome.permanent) return { kind: "failed", reason };
  const wait = WAITS_MS[attempts - 1];
  const asked = outcome.kind === "retry" ? outcome.afterMs : 0;
  const dueAt = now + Math.round(Math.max(wait ?? 0, asked) * (1 + JITTER * chance));
  if (outcome.kind === "unknown" || mayHaveIt) {
    const repeats = wait !== undefined && mayRepeat(idempotencyMs, calledAt, dueAt);
    return repeats ? { kind: "again", dueAt, reason, called: true } : { kind: "unknown", reason };
  }
  if (wait === undefined) return { kind: "failed", reason };
  return { kind: "again", dueAt, reason, called: false };
}
