import { cellOf } from "../lib/grid";
import { isRealPlace } from "./geo";

/** What a request tells beside names of places. All of it is coarse: many people share each value. */
export interface Locale {
  /** Where, to a tenth of a degree (`lib/grid.ts`). */
  cell: number | null;
  /** IANA name of the time zone there. */
  timezone: string | null;
  /** The language that the browser asks for first, without its region: `de`. */
  language: string | null;
}

export const NO_LOCALE: Locale = { cell: null, timezone: null, language: null };

/**
 * Locale of a request: place and time zone from `request.cf`, or from Cloudflare's visitor location headers where a
 * proxy of one's own is trusted to set them; the language from the browser itself.
 */
export function localeOf(request: Request, trustHeaders: boolean): Locale {
  const { headers } = request;
  const language = languageOf(headers.get("accept-language"));
  if (trustHeaders) {
    const cell = cellFrom(headers.get("cf-iplatitude"), headers.get("cf-iplongitude"));
    return { cell, timezone: zone(headers.get("cf-timezone")), language };
  }
  const { cf } = request;
  if (!isRealPlace(cf)) return { cell: null, timezone: null, language };
  return { cell: cellFrom(cf["latitude"], cf["longitude"]), timezone: zone(cf["timezone"]), language };
}

function cellFrom(latitude: unknown, longitude: unknown): number | null {
  const [north, east] = [degrees(latitude), degrees(longitude)];
  return north === null || east === null ? null : cellOf({ latitude: north, longitude: east });
}

function degrees(value: unknown): number | null {
  return typeof value === "string" && /^-?\d{1,3}(\.\d{1,15})?$/.test(value) ? Number(value) : null;
}

function zone(value: unknown): string | null {
  return typeof value === "string" && /^[A-Za-z][\w+/-]{1,59}$/.test(value) ? value : null;
}

/** The first of the languages asked for; weights only ever go down from it in what browsers send. */
function languageOf(header: string | null): string | null {
  return /^\s*([a-z]{2,3})(?![a-z])/i.exec(header ?? "")?.[1]?.toLowerCase() ?? null;
}
