import { VISIT_GAP_MS } from "./session";
import { hasPending, type VisitorState } from "./state";

/** First wait after a failed flush, and the longest, ms. */
export const RETRY_FIRST_MS = 1_000;
export const RETRY_MOST_MS = 5 * 60_000;

/** A beacon that finds events older than this brings them along, without waiting for the alarm, ms. */
const OPPORTUNE_MS = 240_000;

/** True when a beacon that comes now should flush, alarm or not. */
export function flushDue(state: VisitorState, now: number): boolean {
  return state.pendingSince !== null && now - state.pendingSince > OPPORTUNE_MS && (state.retryAt ?? 0) <= now;
}

/**
 * When the object must wake next: the flush deadline (the visit's end or `flushSeconds` after the first pending event,
 * whichever is first; a retry's own time after a failure) and, unless only flushing is asked about, the cart's
 * abandonment and unfinished erasure. Infinity when there is nothing to wake for.
 */
export function nextWake(state: VisitorState, now: number, flushOnly: boolean): number {
  let wake = Number.POSITIVE_INFINITY;
  if (hasPending(state)) {
    const since = state.pendingSince ?? now;
    const lastAt = Math.max(0, ...state.persons.map((p) => p.lastSeenAt));
    const deadline = Math.max(since + 1000 * state.shop.flushSeconds, since + RETRY_FIRST_MS);
    wake = state.retryAt ?? Math.min(deadline, Math.max(since, lastAt) + VISIT_GAP_MS);
  }
  if (flushOnly) return wake;
  if (state.cart?.reached && state.cart.watched)
    wake = Math.min(wake, state.cart.activityAt + 1000 * state.shop.abandonAfterSeconds);
  if (state.erasing.length > 0) wake = Math.min(wake, now + 60_000);
  return wake;
}

/** When the alarm will go off: infinity without one, and when its time has passed, since it has then gone off. */
export function armedUntil({ alarmAt }: Pick<VisitorState, "alarmAt">, now: number): number {
  return alarmAt !== null && alarmAt > now ? alarmAt : Number.POSITIVE_INFINITY;
}
