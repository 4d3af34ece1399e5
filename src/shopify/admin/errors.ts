export type AdminErrorKind = "refused" | "frozen" | "throttled" | "unreachable" | "invalid";

/**
 * Why Shopify's Admin API gave no answer. `refused`: there is no token that it takes. `frozen`: the store does not pay
 * or is locked; later it may work again. `throttled`, `unreachable`: try again. `invalid`: asking the same again
 * changes nothing. The message holds neither tokens nor personal data.
 */
export class AdminError extends Error {
  readonly kind: AdminErrorKind;
  /** When asking again makes sense, ms from now; null where it makes none. */
  readonly retryAfterMs: number | null;
  /** Shopify's code of the first GraphQL error, such as `ACCESS_DENIED`. */
  readonly code: string | null;

  constructor(kind: AdminErrorKind, message: string, retryAfterMs: number | null = null, code: string | null = null) {
    super(message);
    this.name = "AdminError";
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
    this.code = code;
  }
}

/** How long to leave a frozen store alone, ms. */
export const FROZEN_RETRY_MS = 60 * 60_000;

/** How long to wait after no or no sensible answer, ms. */
export const UNREACHABLE_RETRY_MS = 30_000;
