import type { NumberTest, Test } from "../condition";
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

/** When the whole days since `at` reach or leave what is asked. */
export function daysSinceFlips(test: NumberTest, at: number, now: number): number[] {
  const bounds = test.compare === "between" ? [test.from, test.to] : [test.to];
  const days = bounds.flatMap((bound) => [Math.floor(bound), Math.floor(bound) + 1]);
  return days.map((n) => at + n * DAY_MS).filter((time) => time > now);
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
  const days = anniversaries.flatMap((day) => {
    if (!("month" in of)) return [day, ...[1, -1].map((sign) => plus(day, inDays(of.length, sign)))];
    const first = `${day.slice(0, 7)}-01`;
    return [first, plus(first, { n: 1, unit: "month" })];
  });
  return midnights(days, SLACK_DAYS, zone).filter((time) => time > now);
}

/** Less than a day counts as a day. */
function inDays({ n, unit }: Length, sign: number): Length {
  return isCalendar(unit) ? { n: sign * n, unit } : { n: sign, unit: "day" };
}

function midnights(days: string[], slack: number, zone: string): number[] {
  const all = days.flatMap((day) => Array.from({ length: 2 * slack + 1 }, (_, i) => addDays(day, i - slack)));
  return [...new Set(all)].map((day) => startOf(day, zone));
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
