import { Temporal } from "temporal-polyfill";

import { PERIODS, type Length, type Period } from "../window";
import type { ValueToken } from "./operation";
import { minorOf } from "./decimal";
import { TextError } from "./problem";

/** What the values of a text depend on. */
export interface ShopSense {
  /** ISO 4217: amounts are written in its units. */
  currency: string;
  /** IANA: times without an offset are local. */
  timezone: string;
}

export function textOf(token: ValueToken): string {
  if (token.kind === "quoted" || token.kind === "number") return token.text;
  throw new TextError(token.at, "a text stands between quotes");
}

export function numberOf(token: ValueToken): number {
  if (token.kind === "number" && Number.isFinite(Number(token.text))) return Number(token.text);
  throw new TextError(token.at, "a number was expected here");
}

/** In minor units. */
export function moneyOf(token: ValueToken, { currency }: ShopSense): number {
  const minor = token.kind === "number" ? minorOf(token.text, currency) : null;
  if (minor !== null) return minor;
  throw new TextError(token.at, `an amount in ${currency} was expected here, as a number without its sign`);
}

export function boolOf(token: ValueToken): boolean {
  if (token.kind === "word" && (token.lower === "true" || token.lower === "false")) return token.lower === "true";
  throw new TextError(token.at, "true or false was expected here");
}

/** A day as a text names it. */
export type Day =
  /** A day, or an instant with its offset. */
  | { kind: "absolute"; value: string }
  /** So long before today; null is today itself. */
  | { kind: "back"; length: Length | null }
  | { kind: "ahead"; length: Length }
  | { kind: "period"; period: Period };

const DAY = /^\d{4}-\d{2}-\d{2}(?:T.*)?$/i;

export function dayOf(token: ValueToken, sense: ShopSense): Day {
  if (token.kind === "date" || (token.kind === "quoted" && DAY.test(token.text))) {
    return { kind: "absolute", value: absolute(token, sense) };
  }
  if (token.kind === "length" && token.sign !== "") {
    if (token.length.n === 0) return { kind: "back", length: null };
    return token.sign === "-" ? { kind: "back", length: token.length } : { kind: "ahead", length: token.length };
  }
  if (token.kind === "word") {
    if (token.lower === "today") return { kind: "back", length: null };
    if (token.lower === "yesterday") return { kind: "back", length: { n: 1, unit: "day" } };
    const [, n, unit] = /^(\d+)_(day|week|month|year)s_ago$/.exec(token.lower) ?? [];
    if (n !== undefined && (unit === "day" || unit === "week" || unit === "month" || unit === "year")) {
      return { kind: "back", length: { n: Number(n), unit } };
    }
    const period = PERIODS.find((known) => known === token.lower);
    if (period !== undefined) return { kind: "period", period };
  }
  throw new TextError(
    token.at,
    "a date was expected here: 2026-11-30, an offset such as -7d, -4w, -3m and -1y, today, yesterday, last_month, ...",
  );
}

/** A time without an offset is one of the shop's zone, as in Shopify. */
function absolute({ text, at }: ValueToken, { timezone }: ShopSense): string {
  if (!/T/i.test(text) || /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text)) return text;
  try {
    return Temporal.PlainDateTime.from(text).toZonedDateTime(timezone).toInstant().toString();
  } catch (error) {
    if (error instanceof RangeError) throw new TextError(at, "is no time of the calendar");
    throw error;
  }
}
