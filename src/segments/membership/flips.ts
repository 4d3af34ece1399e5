import type { Test } from "../condition";
import { addDays, dayOf, isCalendar, type Length, nextFlip, plus, type Span, startOf } from "../window";

/**
 * Times at which the clock may change what a condition says. They may be too early, since looking again only costs a
 * query, and never too late. Callers leave out those that are past.
 */

const DAY_MS = 86_400_000;
const MS = { minute: 60_000, hour: 3_600_000 } as const;

/** Days by which a sum of months may be beside where it was expected (31 January and a month). */
const SLACK_DAYS = 4;

/** When an instant enters or leaves a span. */
export function spanFlips(span: Span, at: number, now: number, zone: string): number[] {
  const flip = nextFlip(span, at, now, zone);
  return flip === null ? [] : [flip];
}

/** When something that began at `at` has lasted for the length. */
export function heldFlips({ n, unit }: Length, at: number, now: number, zone: string): number[] {
  if (!isCalendar(unit)) return [at + n * MS[unit]].filter((time) => time > now);
  const middle = plus(dayOf(at, zone), { n, unit });
  return midnights([middle], SLACK_DAYS, zone).filter((time) => time > now);
}

/** When the whole days since `at` reach or leave one of these numbers. */
export function daysSinceFlips(bounds: number[], at: number, now: number): number[] {
  // Days of what is still to come are negative, and cut towards 0 like others.
  const days = bounds.flatMap((bound) => [Math.floor(bound) - 1, Math.floor(bound), Math.floor(bound) + 1]);
  return days.flatMap((n) => [at + n * DAY_MS, at + n * DAY_MS + 1]).filter((time) => time > now);
}

/** When the day of the year of `at` comes into what is asked, or goes. */
export function anniversaryFlips(
  of: Extract<Test, { kind: "anniversary" }>["of"],
  at: number,
  now: number,
  zone: string,
): number[] {
  const year = Number(dayOf(now, zone).slice(0, 4));
  const [, month = "01", date = "01"] = dayOf(at, zone).split("-");
  const anniversaries = [-1, 0, 1, 2].map((step) => {
    const name = `${year + step}-${month}-${date}`;
    return isDay(name) ? name : `${year + step}-02-28`;
  });
  if ("month" in of) {
    const months = anniversaries.map((day) => `${day.slice(0, 7)}-01`);
    const days = months.flatMap((first) => [first, plus(first, { n: 1, unit: "month" })]);
    return midnights(days, SLACK_DAYS, zone).filter((time) => time > now);
  }
  const { n, unit } = of.length;
  if (isCalendar(unit)) {
    const days = anniversaries.flatMap((day) => [day, ...[n, -n].map((by) => plus(day, { n: by, unit }))]);
    return midnights(days, SLACK_DAYS, zone).filter((time) => time > now);
  }
  // The days that hours reach to change so many hours before and after midnight.
  const starts = midnights(anniversaries, SLACK_DAYS, zone);
  const exact = n * MS[unit];
  return starts.flatMap((start) => [start, start - exact, start + exact]).filter((time) => time > now);
}

function midnights(days: string[], slack: number, zone: string): number[] {
  const all = days.flatMap((day) => Array.from({ length: 2 * slack + 1 }, (_, i) => addDays(day, i - slack)));
  return [...new Set(all)].map((day) => startOf(day, zone));
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
