import { z } from "zod";

/** What is to go wrong next, for tests. */
export const failureSchema = z.object({
  /** `graphql`, `token`, `bulk-operation` (the run), `bulk` (the file), `redeem-codes` (stays queued), or the name of a GraphQL operation. */
  on: z.string(),
  /** Answers this HTTP status instead: 401, 402, 423, 429, 500, 502 and so on. */
  status: z.number().int().min(300).max(599).optional(),
  /** Answers THROTTLED with status 200, as a bucket does that is empty. */
  throttled: z.boolean().optional(),
  /** Closes the connection; of a bulk file after this many bytes of the answer. */
  dropAfterBytes: z.number().int().min(0).optional(),
  /** Sends a bulk file whole, whatever range is asked for. */
  ignoreRange: z.boolean().optional(),
  /** Never answers. */
  hang: z.boolean().optional(),
  /** Leaves a bulk operation RUNNING until `release` is ordered. */
  hold: z.boolean().optional(),
  /** Waits this long before it goes on. */
  delayMs: z.number().int().min(0).optional(),
  /** Does what was asked, then fails all the same. */
  afterEffect: z.boolean().default(false),
  /** Ends a bulk operation as FAILED with this code, after so many objects. */
  errorCode: z.enum(["ACCESS_DENIED", "INTERNAL_SERVER_ERROR", "TIMEOUT"]).optional(),
  afterObjects: z.number().int().min(0).optional(),
  /** How many requests it hits. */
  times: z.number().int().min(1).default(1),
  /** How many requests it lets pass before. */
  skip: z.number().int().min(0).default(0),
  headers: z.record(z.string(), z.string()).default({}),
});

export type Failure = z.infer<typeof failureSchema>;

/** The failure ordered for a request that goes by any of these names; using it up as it goes. */
export function nextFailure(failures: Failure[], names: readonly string[]): Failure | undefined {
  const found = failures.find((failure) => names.includes(failure.on));
  if (found === undefined) return undefined;
  if (found.skip > 0) {
    found.skip -= 1;
    return undefined;
  }
  found.times -= 1;
  if (found.times <= 0) failures.splice(failures.indexOf(found), 1);
  return found;
}
