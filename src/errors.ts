import { isOutage } from "./db/outage";

/** Every error that a caller can meet: its HTTP status and a title. The closed list of codes. */
export const ERRORS = {
  bad_request: [400, "The request is malformed"],
  validation_failed: [400, "The request does not fit its schema"],
  bad_cursor: [400, "The cursor is not one of ours"],
  unauthorized: [401, "A valid bearer key is required"],
  forbidden: [403, "This key may not do that"],
  origin_not_allowed: [403, "This origin may not send to this shop"],
  shop_uninstalled: [403, "The app was uninstalled from this shop"],
  not_found: [404, "There is nothing here"],
  shop_not_found: [404, "This shop is not known"],
  method_not_allowed: [405, "This method is not available here"],
  conflict: [409, "The request conflicts with what is stored"],
  duplicate_contact: [409, "A contact with this identity exists"],
  contact_merged: [409, "This contact was merged into another"],
  idempotency_in_flight: [409, "The first request with this Idempotency-Key is still being handled"],
  too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The body must be JSON"],
  idempotency_mismatch: [422, "This Idempotency-Key was used with another request"],
  unprocessable: [422, "The request is understood but cannot be carried out"],
  rate_limited: [429, "Too many requests"],
  internal: [500, "Something went wrong on our side"],
  unavailable: [503, "The store of this data does not answer; try again"],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof ERRORS;

/** One wrong field: `pointer` is a JSON pointer into the body, or the parameter's name. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** The only error that verbs throw on purpose; `app.onError` alone turns it into HTTP. Across RPC test `code`, not the class. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[] | undefined;
  /** Members added to the problem document, such as `contactId`. */
  readonly extra: Record<string, string> | undefined;
  readonly headers: Record<string, string> | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    more: { errors?: FieldError[]; extra?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(detail ?? ERRORS[code][1]);
    this.name = "AppError";
    this.code = code;
    this.errors = more.errors;
    this.extra = more.extra;
    this.headers = more.headers;
  }
}

/** How soon a caller may try again what the database did not answer, seconds. */
const RETRY_AFTER = "5";

/** An error as callers meet it: the database's outages are `unavailable`, what else we did not throw is `internal`. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(isOutage(error) ? "unavailable" : "internal");
}

/** RFC 9457 document for an error. */
export function toProblem(error: unknown, requestId: string): Response {
  const known = asAppError(error);
  const [status, title] = ERRORS[known.code];
  return new Response(
    JSON.stringify({
      type: `/docs#error-${known.code}`,
      title,
      status,
      detail: known.message,
      code: known.code,
      requestId,
      ...known.extra,
      ...(known.errors ? { errors: known.errors } : {}),
    }),
    {
      status,
      headers: {
        "content-type": "application/problem+json",
        "x-request-id": requestId,
        ...(status === 503 ? { "retry-after": RETRY_AFTER } : {}),
        ...known.headers,
      },
    },
  );
}
