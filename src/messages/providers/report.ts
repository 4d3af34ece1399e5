import type { z } from "zod";

import { AppError } from "../../errors";
import { readText } from "./http";

/** Reports may be as long as a batch of a thousand events. */
const MOST_REPORT = 1_000_000;

/** The body of a report, byte for byte as it was signed; throws `too_large`. */
export async function reportText(request: Request): Promise<string> {
  const { text, whole } = await readText(request.body, MOST_REPORT);
  if (!whole) throw new AppError("too_large");
  return text;
}

/** JSON that fits the schema; throws `bad_request` for anything else. */
export function parseReport<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError("bad_request", "The report is no JSON");
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new AppError("bad_request", "The report has another form than is published");
  return result.data;
}

/** What a report is answered whose signature does not hold, or cannot be checked. */
export function notSigned(detail = "The signature does not hold"): AppError {
  return new AppError("unauthorized", detail);
}

/** Epoch ms of an ISO 8601 text; `now` for what is none. */
export function timeOf(text: string | undefined, now: number): number {
  const at = Date.parse(text ?? "");
  return Number.isFinite(at) ? Math.min(at, now) : now;
}
