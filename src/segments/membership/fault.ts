import { isOutage } from "../../db/outage";
import { reason } from "../../lib/log";

/** Why a segment is taken out: it costs too much, or it cannot be asked at all until somebody looks at it. */
export interface Fault {
  state: "slow" | "paused";
  /** For people. */
  problem: string;
}

/**
 * What the database says of one statement that used more than it may.
 * https://developers.cloudflare.com/d1/observability/debug-d1/#error-list
 */
const TOO_HEAVY = /exceeded its (?:CPU time|memory) limit/;

/**
 * What an error says about the segment whose statement alone caused it. Throws it again where it says nothing about
 * the segment: when the database did not answer, everything waits and is tried again.
 */
export function verdictOn(error: unknown): Fault {
  if (error instanceof Error && TOO_HEAVY.test(error.message)) {
    return { state: "slow", problem: `is more than the database can do at once: ${reason(error)}` };
  }
  if (isOutage(error)) throw error;
  return { state: "paused", problem: `could not be looked at: ${reason(error)}` };
}
