import { AppError } from "../../errors";
import type { NumberTest, Test } from "../condition";
import { fold, replacements } from "../fold";
import { anniversaryOf } from "./anniversary";
import { type Bounds, boundsOf } from "./bounds";
import type { Frame } from "./frame";
import type { Later } from "./parameters";

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
      return within(frame, value, boundsOf(test.span, frame.zone));
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
export function within(frame: Frame, { sql, written = false }: Value, range: Bounds): string {
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
export function happened(frame: Frame, at: string, window: Bounds | null): string[] {
  return window === null ? [] : [bounded(frame, at, window.from, window.to)];
}

function bounded(frame: Frame, sql: string, from: Later | null, to: Later | null): string {
  const { parameters } = frame;
  if (from !== null && to !== null) return `${sql} between ${parameters.one(from)} and ${parameters.one(to)}`;
  if (from !== null) return `${sql} >= ${parameters.one(from)}`;
  return to === null ? `${sql} is not null` : `${sql} <= ${parameters.one(to)}`;
}

function writtenInstant(sql: string): string {
  return `cast(round(unixepoch(${sql}, 'subsec') * 1000) as integer)`;
}

/**
 * The day of the year, whatever the year; the 29th of February counts as the 28th where there is none. Instants are
 * first sifted by their day in UTC, which is at most one off, and then compared with the local days of every year.
 */
function anniversary(frame: Frame, { sql, written = false }: Value, of: Extract<Test, { kind: "anniversary" }>["of"]) {
  const { parameters, zone } = frame;
  const { named, near, ranges, sieve } = anniversaryOf(of, zone, written);
  const instant = (at: string) => `strftime('%m-%d', ${at} / 1000, 'unixepoch') in (${parameters.rows(near)})
    and exists (select 1 from ${parameters.table(ranges)} y where ${at} between y.value ->> 0 and y.value ->> 1)`;
  if (!written) return instant(sql);
  // Written days are at most two off from those in UTC: one look spares nearly everybody the rest.
  const sifted = `instr(${parameters.one(sieve)}, '|' || substr(${sql}, 6, 5) || '|') > 0`;
  const ofDay = `substr(${sql}, 6) in (${parameters.rows(named)})`;
  return `(${sifted} and ${dated(sql, ofDay, instant(writtenInstant(sql)))})`;
}
