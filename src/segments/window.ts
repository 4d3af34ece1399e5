import { Temporal } from "temporal-polyfill";

/** Units that count exact instants, and units that count whole local days. */
export const INSTANT_UNITS = ["minute", "hour"] as const;
export const CALENDAR_UNITS = ["day", "week", "month", "year"] as const;

export type Unit = (typeof INSTANT_UNITS)[number] | (typeof CALENDAR_UNITS)[number];

/** A length of time as the merchant says it: 30 days, 2 hours. */
export interface Length {
  n: number;
  unit: Unit;
}

/** Periods of the calendar around today; weeks begin on Monday. */
export const PERIODS = [
  "today",
  "yesterday",
  "tomorrow",
  "this_week",
  "last_week",
  "next_week",
  "this_month",
  "last_month",
  "next_month",
  "this_quarter",
  "last_quarter",
  "next_quarter",
  "this_year",
  "last_year",
  "next_year",
] as const;

export type Period = (typeof PERIODS)[number];

/** A point that a merchant names: a whole local day, or an instant in epoch ms. */
export type Point = { day: string } | { at: number };

/** A stretch of time as a definition names it, before anybody knows what time it is. */
export type Span =
  | { kind: "fixed"; from: Point | null; to: Point | null; open: boolean }
  | { kind: "last"; length: Length }
  | { kind: "next"; length: Length }
  | { kind: "ago"; lengths: [Length, Length] }
  | { kind: "before"; length: Length }
  | { kind: "period"; period: Period };

/**
 * A stretch of time, both ends included: epoch ms for instants, `YYYY-MM-DD` for values that are days without a time.
 * Null is no bound.
 */
export interface Range {
  from: number | null;
  to: number | null;
  fromDay: string | null;
  toDay: string | null;
}

const MINUTE = 60_000;
const MS: Record<(typeof INSTANT_UNITS)[number], number> = { minute: MINUTE, hour: 60 * MINUTE };

/** What a span means at `now` in the shop's zone. Days are whole local days, so a day of a clock change has 23 or 25 hours. */
export function rangeOf(span: Span, now: number, zone: string): Range {
  const today = dayOf(now, zone);
  switch (span.kind) {
    case "fixed":
      return fixed(span, zone);
    case "last": {
      const from = back(span.length, now, zone);
      return { from: from.at, to: now, fromDay: from.day, toDay: today };
    }
    case "next": {
      const to = ahead(span.length, now, zone);
      return { from: now, to: to.at, fromDay: today, toDay: to.day };
    }
    case "ago": {
      const [older, newer] = span.lengths
        .map((length) => ({ length, from: back(length, now, zone) }))
        .sort((a, b) => a.from.at - b.from.at);
      if (!older || !newer) throw new Error("two lengths");
      const to = isCalendar(newer.length.unit) ? endOf(newer.from.day, zone) : newer.from.at;
      return { from: older.from.at, to, fromDay: older.from.day, toDay: newer.from.day };
    }
    case "before": {
      const from = back(span.length, now, zone);
      return { from: null, to: from.at - 1, fromDay: null, toDay: addDays(from.day, -1) };
    }
    case "period": {
      const [first, last] = periodDays(span.period, today);
      return { from: startOf(first, zone), to: endOf(last, zone), fromDay: first, toDay: last };
    }
    default:
      return span satisfies never;
  }
}

export function inRange({ from, to }: Range, at: number): boolean {
  return (from === null || at >= from) && (to === null || at <= to);
}

/**
 * The next moment after `now` at which the clock alone changes whether the instant `at` lies in the span; null when
 * nothing but a change of the instant can. What the clock must look at again is due then.
 */
export function nextFlip(span: Span, at: number, now: number, zone: string): number | null {
  if (span.kind === "fixed") return null;
  const current = inRange(rangeOf(span, now, zone), at);
  const flips = candidates(span, at, now, zone).filter((moment) => moment > now);
  return flips.sort((a, b) => a - b).find((moment) => inRange(rangeOf(span, moment, zone), at) !== current) ?? null;
}

/** How far a day may lie beside where a sum of months puts it (31 January plus a month). */
const SLACK_DAYS = 4;

/** The periods that each kind of period is beside or is itself, and how long they are. */
const KINDS = {
  day: { own: "today", length: { days: 1 } },
  week: { own: "this_week", length: { days: 7 } },
  month: { own: "this_month", length: { months: 1 } },
  quarter: { own: "this_quarter", length: { months: 3 } },
  year: { own: "this_year", length: { months: 12 } },
} as const satisfies Record<string, { own: Period; length: { days?: number; months?: number } }>;

function kindOf(period: Period): keyof typeof KINDS {
  const [, unit] = period.split("_");
  return unit === "week" || unit === "month" || unit === "quarter" || unit === "year" ? unit : "day";
}

function candidates(span: Exclude<Span, { kind: "fixed" }>, at: number, now: number, zone: string): number[] {
  if (span.kind === "period") {
    // It is in the last, this or the next one while now is in the one after, the same or the one before.
    const { own, length } = KINDS[kindOf(span.period)];
    const first = Temporal.PlainDate.from(periodDays(own, dayOf(at, zone))[0]);
    const after = first.add(length);
    const days = [first.subtract(length), first, after, after.add(length)];
    return days.map((day) => startOf(day.toString(), zone));
  }
  const lengths = span.kind === "ago" ? span.lengths : [span.length];
  return lengths.flatMap(({ n, unit }) => {
    const sign = span.kind === "next" ? -1 : 1;
    if (!isCalendar(unit)) return [at + sign * n * MS[unit], at + sign * n * MS[unit] + 1, at, at + 1];
    const middle = plus(dayOf(at, zone), { n: sign * n, unit });
    const around = Array.from({ length: 2 * SLACK_DAYS + 1 }, (_, i) => addDays(middle, i - SLACK_DAYS));
    return [...around.map((day) => startOf(day, zone)), at + 1, at];
  });
}

/** The local day of an instant, `YYYY-MM-DD`. */
export function dayOf(at: number, zone: string): string {
  // A day in UTC is part of two or three local ones.
  const name = `${zone} ${Math.floor(at / DAY_MS)}`;
  const known = days.get(name) ?? [];
  const one = known.find(({ from, until }) => at >= from && at < until);
  if (one) return one.day;
  const day = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate().toString();
  const found = { day, from: startOf(day, zone), until: startOf(addDays(day, 1), zone) };
  if (days.size >= MOST_KEPT) days.clear();
  days.set(name, [...known.filter((other) => other.day !== day), found]);
  return day;
}

const DAY_MS = 86_400_000;

/** Per isolate: many segments ask about the same few days, and a zone's rules and a calendar's are slow to read. */
const days = new Map<string, { day: string; from: number; until: number }[]>();
const starts = new Map<string, number>();
const sums = new Map<string, string>();
const MOST_KEPT = 5_000;

/** The first instant of a local day; where midnight does not exist, the first one that does. */
export function startOf(day: string, zone: string): number {
  const name = `${zone} ${day}`;
  const known = starts.get(name);
  if (known !== undefined) return known;
  const start = Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds;
  if (starts.size >= MOST_KEPT) starts.clear();
  starts.set(name, start);
  return start;
}

/** The last ms of a local day. */
export function endOf(day: string, zone: string): number {
  return startOf(addDays(day, 1), zone) - 1;
}

export function addDays(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

export function isCalendar(unit: Unit): unit is (typeof CALENDAR_UNITS)[number] {
  return unit !== "minute" && unit !== "hour";
}

/** `n` units after a local day. */
export function plus(day: string, { n, unit }: Length): string {
  const name = `${day} ${n} ${unit}`;
  const known = sums.get(name);
  if (known !== undefined) return known;
  const sum = Temporal.PlainDate.from(day)
    .add({ [`${unit}s`]: n })
    .toString();
  if (sums.size >= MOST_KEPT) sums.clear();
  sums.set(name, sum);
  return sum;
}

function back({ n, unit }: Length, now: number, zone: string): { at: number; day: string } {
  if (!isCalendar(unit)) return { at: now - n * MS[unit], day: dayOf(now - n * MS[unit], zone) };
  const day = plus(dayOf(now, zone), { n: -n, unit });
  return { at: startOf(day, zone), day };
}

function ahead({ n, unit }: Length, now: number, zone: string): { at: number; day: string } {
  if (!isCalendar(unit)) return { at: now + n * MS[unit], day: dayOf(now + n * MS[unit], zone) };
  const day = plus(dayOf(now, zone), { n, unit });
  return { at: endOf(day, zone), day };
}

/** `open` leaves the named points themselves out: before and after, instead of on or before and on or after. */
function fixed({ from, to, open }: Extract<Span, { kind: "fixed" }>, zone: string): Range {
  const range: Range = { from: null, to: null, fromDay: null, toDay: null };
  if (from && "day" in from) {
    range.fromDay = open ? addDays(from.day, 1) : from.day;
    range.from = startOf(range.fromDay, zone);
  } else if (from) {
    range.from = from.at + (open ? 1 : 0);
    range.fromDay = dayFrom(range.from, zone);
  }
  if (to && "day" in to) {
    range.toDay = open ? addDays(to.day, -1) : to.day;
    range.to = endOf(range.toDay, zone);
  } else if (to) {
    range.to = to.at - (open ? 1 : 0);
    range.toDay = dayOf(range.to, zone);
  }
  return range;
}

/** The first local day that begins at or after an instant: a day without a time counts as its first instant. */
function dayFrom(at: number, zone: string): string {
  const day = dayOf(at, zone);
  return startOf(day, zone) === at ? day : addDays(day, 1);
}

function periodDays(period: Period, today: string): [string, string] {
  if (period === "today") return [today, today];
  if (period === "yesterday") return [addDays(today, -1), addDays(today, -1)];
  if (period === "tomorrow") return [addDays(today, 1), addDays(today, 1)];
  const [which = "", unit = ""] = period.split("_");
  const shift = which === "last" ? -1 : which === "next" ? 1 : 0;
  const date = Temporal.PlainDate.from(today);
  if (unit === "week") {
    const first = addDays(mondayOf(today), 7 * shift);
    return [first, addDays(first, 6)];
  }
  const months = unit === "month" ? 1 : unit === "quarter" ? 3 : 12;
  const begun = Math.floor((date.month - 1) / months) * months + 1;
  const first = date.with({ month: begun, day: 1 }).add({ months: months * shift });
  return [first.toString(), first.add({ months }).subtract({ days: 1 }).toString()];
}

function mondayOf(day: string): string {
  return addDays(day, 1 - Temporal.PlainDate.from(day).dayOfWeek);
}
