import { z } from "zod";

import { AdminError, FROZEN_RETRY_MS, UNREACHABLE_RETRY_MS } from "./errors";

const Cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({ currentlyAvailable: z.number(), restoreRate: z.number().positive() }),
});

const Body = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z.object({ code: z.string().optional() }).optional(),
      }),
    )
    .optional(),
  extensions: z.object({ cost: Cost.optional().catch(undefined) }).optional(),
});

/** What an answer means. `data` is not looked into. */
export type Verdict = { kind: "answered"; data: unknown } | { kind: "failed"; error: AdminError };

/** Shortest and longest wait that is believed of a throttled answer, ms. */
const LEAST_WAIT_MS = 100;
const MOST_WAIT_MS = 60_000;

/**
 * Judges an answer of the Admin API by its status (Shopify's response codes), its `errors` and its cost.
 *
 * @param retryAfter the `Retry-After` header, seconds
 * @param text the body
 */
export function judge(status: number, retryAfter: string | null, text: string): Verdict {
  if (status === 401 || status === 403) return failed("refused", `Shopify answered ${status}`);
  if (status === 402 || status === 423) return failed("frozen", `Shopify answered ${status}`, FROZEN_RETRY_MS);
  if (status === 429) return failed("throttled", "Shopify answered 429", inMs(retryAfter) ?? 1_000);
  if (status >= 500)
    return failed("unreachable", `Shopify answered ${status}`, inMs(retryAfter) ?? UNREACHABLE_RETRY_MS);
  if (status !== 200) return failed("invalid", `Shopify answered ${status}`);
  const body = read(text);
  if (!body) return failed("unreachable", "Shopify answered something that is not GraphQL", UNREACHABLE_RETRY_MS);
  const [first] = body.errors ?? [];
  if (!first) return { kind: "answered", data: body.data };
  const code = first.extensions?.code ?? null;
  if (code === "THROTTLED") return failed("throttled", "Shopify throttles", waitFor(body.extensions?.cost), code);
  if (code === "INTERNAL_SERVER_ERROR" || code === "TIMEOUT") {
    return failed("unreachable", `Shopify answered ${code}`, UNREACHABLE_RETRY_MS, code);
  }
  if (code === "SHOP_INACTIVE") return failed("frozen", "The store is inactive", FROZEN_RETRY_MS, code);
  return failed("invalid", `Shopify refused the query: ${first.message.slice(0, 300)}`, null, code);
}

function failed(
  kind: AdminError["kind"],
  message: string,
  retryAfterMs: number | null = null,
  code: string | null = null,
) {
  return { kind: "failed" as const, error: new AdminError(kind, message, retryAfterMs, code) };
}

/** The bucket refills evenly: what is lacking divided by the rate. */
function waitFor(cost: z.infer<typeof Cost> | undefined): number {
  if (!cost) return 1_000;
  const { currentlyAvailable, restoreRate } = cost.throttleStatus;
  const wait = ((cost.requestedQueryCost - currentlyAvailable) / restoreRate) * 1_000;
  return Math.ceil(Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, wait)));
}

function inMs(retryAfter: string | null): number | null {
  const seconds = retryAfter === null || retryAfter.trim() === "" ? Number.NaN : Number(retryAfter);
  return Number.isFinite(seconds) && seconds >= 0
    ? Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, seconds * 1_000))
    : null;
}

function read(text: string): z.infer<typeof Body> | null {
  try {
    return Body.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
