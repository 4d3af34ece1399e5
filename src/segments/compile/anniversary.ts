import type { Test } from "../condition";
import { addDays, dayOf, endOf, plus, rangeOf, startOf } from "../window";
import type { Asked, Later } from "./parameters";

type Meant = Extract<Test, { kind: "anniversary" }>["of"];

/** The first years in which an instant of ours may lie, and one that a merchant wrote down; and how far ahead. */
const FIRST_YEAR = 1970;
const FIRST_WRITTEN_YEAR = 1900;
const YEARS_AHEAD = 5;
const WRITTEN_YEARS_AHEAD = 50;

/** Days of the year as the values of a condition. */
interface Days {
  /** `MM-DD`. */
  named: string[];
  /** With the days beside them, since a day in UTC is at most one off. */
  near: string[];
  /** With two days on each side, between bars: `|01-14|01-15|`. */
  sieve: string;
  /** First and last instant of these stretches of days in every year. */
  ranges: number[][];
}

/** What an anniversary comes to whenever the query is asked. */
export function anniversaryOf(of: Meant, zone: string, written: boolean): Record<keyof Days, Later> {
  const name = `${zone} ${written} ${JSON.stringify(of)}`;
  const part = (which: keyof Days): Later => ({
    name: `${which} ${name}`,
    of: ({ now }: Asked) => daysOf(of, now, zone, written)[which],
  });
  return { named: part("named"), near: part("near"), sieve: part("sieve"), ranges: part("ranges") };
}

/** Per isolate: the days of every year change once a day, and each costs a look into the rules of the zone. */
const known = new Map<string, Days>();
const MOST_KEPT = 200;

function daysOf(of: Meant, now: number, zone: string, written: boolean): Days {
  const [first, last] = anniversaryDays(of, now, zone);
  const year = Number(dayOf(now, zone).slice(0, 4));
  const name = `${zone} ${written} ${year} ${first} ${last}`;
  const before = known.get(name);
  if (before) return before;
  /** With so many days before and after them, since they follow each other. */
  const around = (by: number) => daysOfYear(daysBetween(addDays(first, -by), addDays(last, by)));
  const named = around(0);
  const [inLeapYears, inOthers] = [stretches(named, true), stretches(named, false)];
  const ranges: number[][] = [];
  const lastYear = year + (written ? WRITTEN_YEARS_AHEAD : YEARS_AHEAD);
  for (let one = written ? FIRST_WRITTEN_YEAR : FIRST_YEAR; one <= lastYear; one++) {
    for (const [from, to] of isLeap(one) ? inLeapYears : inOthers) {
      ranges.push([startOf(`${one}-${from}`, zone), endOf(`${one}-${to}`, zone)]);
    }
  }
  const days = { named, near: around(1), sieve: `|${around(2).join("|")}|`, ranges };
  if (known.size >= MOST_KEPT) known.clear();
  known.set(name, days);
  return days;
}

/** The first and the last day of the calendar, around today, whose anniversary is meant. */
function anniversaryDays(of: Meant, now: number, zone: string): [string, string] {
  const today = dayOf(now, zone);
  if ("month" in of) {
    const month = of.month === null ? today.slice(5, 7) : String(of.month).padStart(2, "0");
    // A leap year has all days there are.
    return [`2000-${month}-01`, addDays(plus(`2000-${month}-01`, { n: 1, unit: "month" }), -1)];
  }
  const { fromDay, toDay } = rangeOf({ kind: of.in, length: of.length }, now, zone);
  const year = { n: of.in === "next" ? 1 : -1, unit: "year" } as const;
  const most = plus(today, year);
  if (of.in === "next") return [today, toDay !== null && toDay < most ? toDay : most];
  return [fromDay !== null && fromDay > most ? fromDay : most, today];
}

function daysBetween(first: string, last: string): string[] {
  const days = [first];
  for (let day = first; day < last;) {
    day = addDays(day, 1);
    days.push(day);
  }
  return days;
}

/** `MM-DD` of these days; with the 28th of February of a common year comes the 29th. */
function daysOfYear(days: string[]): string[] {
  const found = new Set(days.map((day) => day.slice(5)));
  if (days.some((day) => day.slice(5) === "02-28" && !isLeap(Number(day.slice(0, 4))))) found.add("02-29");
  return [...found].sort();
}

/** Days `MM-DD` as stretches of days that follow each other in a year. */
function stretches(days: string[], leap: boolean): [string, string][] {
  const found: [string, string][] = [];
  const year = leap ? 2000 : 2001;
  for (const day of days) {
    if (day === "02-29" && !leap) continue;
    const last = found.at(-1);
    if (last && addDays(`${year}-${last[1]}`, 1) === `${year}-${day}`) last[1] = day;
    else found.push([day, day]);
  }
  return found;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}
