const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits between attempts: about a day in all. */
const WAITS_MS = [5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8 * HOUR];

/** How much of a wait is random, so that what failed together does not come back together. */
const JITTER = 0.2;

/** Failures in a row for this long make an endpoint `failing`, and for that long disable it. */
const FAILING_AFTER_MS = HOUR;
const DISABLED_AFTER_MS = 5 * 24 * HOUR;

/** What came back: a status, or why there was none. */
export interface Reply {
  status: number | null;
  error: string | null;
}

export interface DeliveryState {
  state: "pending" | "delivered" | "failed";
  nextAttemptAt: number;
}

/** Only 2xx is a success: a redirect is not followed, so it is a failure too. */
export function succeeded({ status }: Reply): boolean {
  return status !== null && status >= 200 && status < 300;
}

/** True where the receiver says that it wants nothing more. */
export function isGone({ status }: Reply): boolean {
  return status === 410;
}

/**
 * What becomes of a delivery after an attempt.
 *
 * @param attempts made so far, this one included
 * @param chance from 0 up to 1
 */
export function afterAttempt(reply: Reply, attempts: number, now: number, chance: number): DeliveryState {
  if (succeeded(reply)) return { state: "delivered", nextAttemptAt: now };
  const wait = WAITS_MS[attempts - 1];
  if (wait === undefined || isGone(reply)) return { state: "failed", nextAttemptAt: now };
  return { state: "pending", nextAttemptAt: now + Math.round(wait * (1 + JITTER * chance)) };
}

export interface EndpointHealth {
  state: "enabled" | "failing" | "disabled";
  /** Of the failures in a row, the first. */
  failingSince: number | null;
}

/** What an attempt says about its endpoint. One that was disabled by hand stays so. */
export function endpointAfter(before: EndpointHealth, reply: Reply, now: number): EndpointHealth {
  if (before.state === "disabled") return before;
  if (succeeded(reply)) return { state: "enabled", failingSince: null };
  const failingSince = before.failingSince ?? now;
  const since = now - failingSince;
  const state =
    isGone(reply) || since >= DISABLED_AFTER_MS ? "disabled" : since >= FAILING_AFTER_MS ? "failing" : "enabled";
  return { state, failingSince };
}
