import type { MiddlewareHandler } from "hono";

import { actorName } from "../context";
import { AppError } from "../errors";
import type { ApiEnv } from "./route";

const WINDOW_SECONDS = 60;
/** Requests a minute. */
const QUOTA = { key: 1_200, operator: 6_000 };
const MOST_CALLERS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Takes one token out of a bucket that refills evenly to `quota` in a window. Pure: returns the bucket afterwards. */
export function takeToken(
  bucket: Bucket | undefined,
  quota: number,
  now: number,
): { bucket: Bucket; allowed: boolean } {
  const elapsed = bucket ? Math.max(0, now - bucket.at) / 1000 : 0;
  const tokens = bucket ? Math.min(quota, bucket.tokens + (elapsed * quota) / WINDOW_SECONDS) : quota;
  const allowed = tokens >= 1;
  return { bucket: { tokens: allowed ? tokens - 1 : tokens, at: now }, allowed };
}

/**
 * Limits each key, per isolate: Cloudflare runs several, so that a caller may get more than the quota, never less.
 * Every answer says what is left (draft-ietf-httpapi-ratelimit-headers-11).
 */
export function rateLimit(quotas: { key: number; operator: number } = QUOTA): MiddlewareHandler<ApiEnv> {
  const buckets = new Map<string, Bucket>();
  return async (c, next) => {
    const caller = actorName(c.var.actor);
    const quota = c.var.actor.kind === "operator" ? quotas.operator : quotas.key;
    const { bucket, allowed } = takeToken(buckets.get(caller), quota, c.var.now);
    if (buckets.size >= MOST_CALLERS) buckets.clear();
    buckets.set(caller, bucket);
    const untilFull = Math.ceil(((quota - bucket.tokens) * WINDOW_SECONDS) / quota);
    const headers = {
      "ratelimit-policy": `"default";q=${quota};w=${WINDOW_SECONDS}`,
      ratelimit: `"default";r=${Math.floor(bucket.tokens)};t=${untilFull}`,
    };
    if (!allowed) {
      const seconds = Math.ceil(((1 - bucket.tokens) * WINDOW_SECONDS) / quota);
      throw new AppError("rate_limited", undefined, { headers: { ...headers, "retry-after": String(seconds) } });
    }
    await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
  };
}
