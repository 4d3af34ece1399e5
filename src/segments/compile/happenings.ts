import type { Condition, Test } from "../condition";
import type { Source } from "../event-catalogue";
import type { Happening, PropertyRef, Where } from "../tree";
import type { Bounds } from "./bounds";
import type { Frame, Relation } from "./frame";
import { type Lines, linePasses, lineValue } from "./lines";
import { compares, foldedText, passes, type Value, wordsOf } from "./predicate";

/** The occurrences of one source that a leaf is about: a row each, or a row a matching line where it asks about lines. */
export interface Occurrences {
  rows: Relation;
  at: string;
  /** SQL of the property asked for; null where this source does not have it. */
  value: string | null;
}

/**
 * The occurrences of an event by source, narrowed by the window and by every `where`. Conditions on lines must hold on
 * one and the same line; a negative one must hold on all lines.
 *
 * @param property asked for by a sum or a distinct count
 */
export function occurrences(
  frame: Frame,
  { event, where }: Happening,
  window: Bounds | null,
  property: PropertyRef | null,
): Occurrences[] {
  return event.sources.map((source) => {
    const rows = source.rows(frame, event.name, window);
    const lines = source.lines?.(frame);
    const byLine = property?.of === "line";
    // Of all orders there ever were, those with such a line are found by the lines.
    const lineTests = lineConditions(frame, lines, where, byLine, rows.all && window === null);
    const added = [
      ...where.filter(({ property: { of } }) => of !== "line").map((one) => ownCondition(frame, source, one)),
      ...lineTests,
    ];
    if (byLine && lines) {
      const value = lineValue(frame, lines, property.fact);
      return { rows: narrowed(rows, [...added, ...lines.where], lines.from), at: source.at, value };
    }
    const value = property === null ? null : (ownValue(frame, source, property, "any")?.sql ?? null);
    return { rows: narrowed(rows, added), at: source.at, value };
  });
}

function narrowed(rows: Relation, where: string[], joined?: string): Relation {
  const from = joined === undefined ? rows.from : `${rows.from} cross join ${joined}`;
  const { byBrowser } = rows;
  return {
    ...rows,
    from,
    where: [...rows.where, ...where],
    ...(byBrowser ? { byBrowser: narrowed(byBrowser, where, joined) } : {}),
  };
}

function ownCondition(frame: Frame, source: Source, { property, condition }: Where): string {
  const { test, negative } = condition;
  const array = property.of === "own" ? source.arrays?.[property.name] : undefined;
  if (array !== undefined) return settled(manyPasses(frame, array, test), negative);
  const value = ownValue(frame, source, property, typeFor(condition));
  return value ? settled(passes(frame, value, test), negative) : negative ? "true" : "false";
}

function settled(sql: string, negative: boolean): string {
  return negative ? `(${sql}) is not true` : `(${sql})`;
}

function manyPasses(frame: Frame, array: string, test: Test): string {
  const { parameters } = frame;
  const value: Value = { sql: "g.value" };
  if (test.kind === "size") {
    return compares(`(select count(distinct g.value) from ${array} g)`, test.test, (to) => parameters.one(to));
  }
  if (test.kind !== "all") return `exists (select 1 from ${array} g where ${passes(frame, value, test)})`;
  const words = wordsOf(value, test.words);
  const text = foldedText(frame, value, words);
  return `(select count(distinct ${text}) from ${array} g where ${text} in (${parameters.rows(words)})) = ${parameters.one(words.length)}`;
}

/** What data of any shape must be for a test; other values are missing. */
function typeFor({ test }: Condition): "text" | "number" | "bool" | "any" {
  if (test.kind === "number" || test.kind === "oneOf") return "number";
  if (test.kind === "bool") return "bool";
  return test.kind === "present" ? "any" : "text";
}

const JSON_TYPES = { text: "'text'", number: "'integer', 'real'", bool: "'true', 'false'" } as const;

function ownValue(
  frame: Frame,
  source: Source,
  property: PropertyRef,
  type: "text" | "number" | "bool" | "any",
): Value | undefined {
  if (property.of === "own") return source.values(frame)[property.name];
  if (property.of === "line" || source.document === undefined) return undefined;
  const quoted = property.path.split(".").map((part) => `."${part}"`);
  const path = frame.parameters.one(`$${quoted.join("")}`);
  const sql = `${source.document} ->> ${path}`;
  if (type === "any") return { sql: `(${sql})` };
  return {
    sql: `iif(json_type(${source.document}, ${path}) in (${JSON_TYPES[type]}), ${sql}, null)`,
    written: true,
  };
}

/**
 * @param joined the lines are in the rows already, each of which is one line
 * @param byLines the rows are found by their lines, where lines are stored by themselves
 */
function lineConditions(
  frame: Frame,
  lines: Lines | undefined,
  where: Where[],
  joined: boolean,
  byLines: boolean,
): string[] {
  const asked = where.flatMap(({ property, condition }) =>
    property.of === "line" ? [{ fact: property.fact, condition }] : [],
  );
  if (!lines) return asked.map(({ condition }) => (condition.negative ? "true" : "false"));
  const some = asked.filter(({ condition }) => !condition.negative);
  const one = some.map(({ fact, condition }) => `(${linePasses(frame, lines, fact, condition.test)})`);
  const exists = (tests: string[]) =>
    `exists (select 1 from ${lines.from} where ${[...lines.where, ...tests, "true"].join(" and ")})`;
  const together = byLines && lines.owner ? ownersWith(lines, lines.owner, one) : exists(one);
  return [
    ...(joined ? one : one.length > 0 ? [together] : []),
    ...asked
      .filter(({ condition }) => condition.negative)
      .map(({ fact, condition }) => `not ${exists([`(${linePasses(frame, lines, fact, condition.test)})`])}`),
  ];
}

function ownersWith({ from, where }: Lines, owner: NonNullable<Lines["owner"]>, tests: string[]): string {
  const own = [...where.filter((join) => join !== owner.join), ...tests];
  return `${owner.key} in (select ${owner.column} from ${from} where ${own.join(" and ")} group by ${owner.column})`;
}
