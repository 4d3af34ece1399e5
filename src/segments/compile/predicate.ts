import { AppError } from "../../errors";
import type { NumberTest, Test } from "../condition";
import { fold, replacements } from "../fold";
import { addDays, dayOf, endOf, plus, type Range, rangeOf, startOf } from "../window";
import type { Frame } from "./frame";

/** SQL of a scalar. */
export interface Value {
  sql: string;
  /** It is text: a day, or a time with its offset. */
  written?: boolean;
  /** It is stored folded already; this folds the words of a condition likewise. */
  folded?: (word: string) => string;
}

/** Most letters to replace in one condition: each costs every row. */
const MOST_REPLACEMENTS = 60;

/** D1 nests expressions 100 deep, subqueries of expressions included; what a subquery reads from is counted by itself. */
const NESTED = 4;

/** SQL that is true where the value passes the test; false or null elsewhere, so null for a missing value. */
export function passes(frame: Frame, value: Value, test: Test): string {
  const { sql } = value;
  const { parameters } = frame;
  switch (test.kind) {
    case "present":
      return `${sql} <> ''`;
    case "text":
      return textPasses(frame, value, test.match, test.words);
    case "number":
      return compares(sql, test.test, (to) => parameters.one(to));
    case "oneOf":
      return `${sql} in (${parameters.rows(test.numbers)})`;
    case "bool":
      // No comparison: a bare "exists" is joined instead of being asked for every row.
      return test.is ? `(${sql})` : `not (${sql})`;
    case "time":
      return within(frame, value, rangeOf(test.span, frame.now, frame.zone));
    case "anniversary":
      return anniversary(frame, value, test.of);
    case "held":
    case "all":
    case "size":
      throw new Error(`not a test of one value: ${test.kind}`);
    default:
      return test satisfies never;
  }
}

/** SQL that compares a number. */
export function compares(sql: string, test: NumberTest, parameter: (to: number) => string): string {
  if (test.compare === "between") return `${sql} between ${parameter(test.from)} and ${parameter(test.to)}`;
  const sign = { eq: "=", ne: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" }[test.compare];
  return `${sql} ${sign} ${parameter(test.to)}`;
}

/** The words of a condition as they are compared, each once. */
export function wordsOf({ folded }: Value, words: string[]): string[] {
  return [...new Set(words.map(folded ?? fold))];
}

/** SQL of a text as `fold` has it, as far as these words can tell. */
export function foldedText(frame: Frame, { sql, folded }: Value, words: string[]): string {
  if (folded) return sql;
  const pairs = replacements(words);
  if (pairs.length > MOST_REPLACEMENTS) {
    throw new AppError("unprocessable", "has too many different letters outside ASCII for one condition");
  }
  const replaced = (text: string, some: typeof pairs) =>
    some.reduce((inner, [written, letter]) => {
      return `replace(${inner}, ${frame.parameters.one(written)}, ${frame.parameters.one(letter)})`;
    }, text);
  let text = replaced(`lower(${sql})`, pairs.slice(0, NESTED));
  for (let i = NESTED; i < pairs.length; i += NESTED) {
    text = `select ${replaced("folded", pairs.slice(i, i + NESTED))} as folded from (${i === NESTED ? `select ${text} as folded` : text})`;
  }
  return pairs.length > NESTED ? `(${text})` : text;
}

function textPasses(
  frame: Frame,
  value: Value,
  match: Extract<Test, { kind: "text" }>["match"],
  given: string[],
): string {
  const { parameters } = frame;
  const words = match === "is" ? wordsOf(value, given) : given.map(value.folded ?? fold);
  const text = foldedText(frame, value, words);
  const [word = ""] = words;
  const length = parameters.one(Array.from(word).length);
  switch (match) {
    case "is":
      return words.length === 1 ? `${text} = ${parameters.one(word)}` : `${text} in (${parameters.rows(words)})`;
    case "contains":
      return `instr(${text}, ${parameters.one(word)}) > 0`;
    case "starts":
      return `substr(${text}, 1, ${length}) = ${parameters.one(word)}`;
    case "ends":
      return `substr(${text}, -${length}) = ${parameters.one(word)}`;
    case "prefix":
      return beginsWithAny(frame, text, words);
    case "glob":
      return `${text} glob ${parameters.one(word)}`;
    default:
      return match satisfies never;
  }
}

/** One comparison for each length that the words have. */
function beginsWithAny({ parameters }: Frame, text: string, words: string[]): string {
  const byLength = Map.groupBy(words, (word) => Array.from(word).length);
  const parts = [...byLength].map(
    ([length, alike]) => `substr(${text}, 1, ${parameters.one(length)}) in (${parameters.rows(alike)})`,
  );
  return `(${parts.join(" or ")})`;
}

/** SQL that is true for instants, or written days and times, in the range. */
export function within(frame: Frame, { sql, written = false }: Value, range: Range): string {
  if (!written) return bounded(frame, sql, range.from, range.to);
  return dated(
    sql,
    bounded(frame, sql, range.fromDay, range.toDay),
    bounded(frame, writtenInstant(sql), range.from, range.to),
  );
}

/** Of a text that is a day, a time, or neither: SQLite would take "now" and any number for a time. */
function dated(sql: string, ofDay: string, ofTime: string): string {
  return `case when ${sql} not glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' then null
    when length(${sql}) = 10 then ${ofDay} else ${ofTime} end`;
}

/** The same for the moment of an event; nothing where it has no window. */
export function happened(frame: Frame, at: string, window: Range | null): string[] {
  return window === null ? [] : [bounded(frame, at, window.from, window.to)];
}

function bounded(frame: Frame, sql: string, from: number | string | null, to: number | string | null): string {
  const { parameters } = frame;
  if (from !== null && to !== null) return `${sql} between ${parameters.one(from)} and ${parameters.one(to)}`;
  if (from !== null) return `${sql} >= ${parameters.one(from)}`;
  return to === null ? `${sql} is not null` : `${sql} <= ${parameters.one(to)}`;
}

function writtenInstant(sql: string): string {
  return `cast(round(unixepoch(${sql}, 'subsec') * 1000) as integer)`;
}

/** The first years in which an instant of ours may lie, and one that a merchant wrote down; and how far ahead. */
const FIRST_YEAR = 1970;
const FIRST_WRITTEN_YEAR = 1900;
const YEARS_AHEAD = 5;
const WRITTEN_YEARS_AHEAD = 50;

/**
 * The day of the year, whatever the year; the 29th of February counts as the 28th where there is none. Instants are
 * first sifted by their day in UTC, which is at most one off, and then compared with the local days of every year.
 */
function anniversary(frame: Frame, { sql, written = false }: Value, of: Extract<Test, { kind: "anniversary" }>["of"]) {
  const { now, parameters, zone } = frame;
  const today = dayOf(now, zone);
  const days = anniversaryDays(of, now, zone);
  const named = daysOfYear(days);
  /** With so many days before and after them, since they follow each other. */
  const around = (by: number) =>
    daysOfYear(daysBetween(addDays(days[0] ?? today, -by), addDays(days.at(-1) ?? today, by)));
  const list = parameters.rows(named);
  const [inLeapYears, inOthers] = [stretches(named, true), stretches(named, false)];
  const ranges: number[][] = [];
  const lastYear = Number(today.slice(0, 4)) + (written ? WRITTEN_YEARS_AHEAD : YEARS_AHEAD);
  for (let year = written ? FIRST_WRITTEN_YEAR : FIRST_YEAR; year <= lastYear; year++) {
    for (const [first, last] of isLeap(year) ? inLeapYears : inOthers) {
      ranges.push([startOf(`${year}-${first}`, zone), endOf(`${year}-${last}`, zone)]);
    }
  }
  const instant = (at: string) => `strftime('%m-%d', ${at} / 1000, 'unixepoch') in (${parameters.rows(around(1))})
    and exists (select 1 from ${parameters.table(ranges)} y where ${at} between y.value ->> 0 and y.value ->> 1)`;
  if (!written) return instant(sql);
  // Written days are at most two off from those in UTC: one look spares nearly everybody the rest.
  const sifted = `instr(${parameters.one(`|${around(2).join("|")}|`)}, '|' || substr(${sql}, 6, 5) || '|') > 0`;
  return `(${sifted} and ${dated(sql, `substr(${sql}, 6) in (${list})`, instant(writtenInstant(sql)))})`;
}

/** The days of the calendar, around today, whose anniversary is meant. */
function anniversaryDays(of: Extract<Test, { kind: "anniversary" }>["of"], now: number, zone: string): string[] {
  const today = dayOf(now, zone);
  if ("month" in of) {
    const month = of.month === null ? today.slice(5, 7) : String(of.month).padStart(2, "0");
    // A leap year has all days there are.
    return daysBetween(`2000-${month}-01`, addDays(plus(`2000-${month}-01`, { n: 1, unit: "month" }), -1));
  }
  const { fromDay, toDay } = rangeOf({ kind: of.in, length: of.length }, now, zone);
  const year = { n: of.in === "next" ? 1 : -1, unit: "year" } as const;
  const most = plus(today, year);
  if (of.in === "next") return daysBetween(today, toDay !== null && toDay < most ? toDay : most);
  return daysBetween(fromDay !== null && fromDay > most ? fromDay : most, today);
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
