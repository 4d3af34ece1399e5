import { holds, type NumberTest } from "../condition";
import type { EventLeaf, Measure } from "../tree";
import { belongs } from "./attribute";
import { boundsOf } from "./bounds";
import { type Frame, keysOf, ledToContacts } from "./frame";
import { type Occurrences, occurrences } from "./happenings";
import { compares, passes } from "./predicate";

/** SQL of an event leaf: true or false. Who has no occurrence has a count, a sum and a distinct count of 0. */
export function eventCondition(frame: Frame, leaf: EventLeaf): string {
  const { measure } = leaf;
  const window = leaf.window && boundsOf(leaf.window, frame.zone);
  const property = "of" in measure ? measure.of : null;
  const sources = occurrences(frame, leaf, window, property);
  if ("negative" in measure) {
    const each = `select g.subject, g.result from (${results(frame, sources, measure)}) g`;
    return belongs(
      `select t.subject from (${each}) t where ${passes(frame, { sql: "t.result" }, measure.test)}`,
      measure.negative,
    );
  }
  const inverse = holds(measure.test, 0);
  if (measure.kind === "count" && isAlways(measure.test, inverse)) {
    return belongs(anyOf(frame, sources), inverse);
  }
  const test = compares("g.result", measure.test, (to) => frame.parameters.one(to));
  const those = `select g.subject from (${results(frame, sources, measure)}) g where ${inverse ? `not (${test})` : test}`;
  return belongs(those, inverse);
}

/** Whether everyone with an occurrence is among those to select, whatever the count. */
function isAlways(test: NumberTest, inverse: boolean): boolean {
  switch (test.compare) {
    case "gte":
      return !inverse && test.to <= 1;
    case "gt":
      return !inverse && test.to < 1;
    case "eq":
      return inverse;
    case "lt":
      return inverse && test.to <= 1;
    case "lte":
      return inverse && test.to < 1;
    default:
      return false;
  }
}

/** How a measure is taken of each part of somebody's occurrences, and of these results together; null where it cannot be. */
function inParts({ kind }: Measure, { at, value }: Occurrences): { part: string; whole: string } | null {
  switch (kind) {
    case "count":
      return { part: "count(*)", whole: "sum(p.part)" };
    case "sum":
      return { part: `sum(${value ?? "null"})`, whole: "coalesce(sum(p.part), 0)" };
    case "firstAt":
      return { part: `min(${at})`, whole: "min(p.part)" };
    case "lastAt":
      return { part: `max(${at})`, whole: "max(p.part)" };
    case "distinct":
      return null;
    default:
      return kind satisfies never;
  }
}

function anyOf(frame: Frame, sources: Occurrences[]): string {
  return sources
    .map(({ rows }) => {
      if (!rows.byBrowser) return keysOf(rows);
      const browsers = `select ${rows.byBrowser.key} as visitor from ${rows.byBrowser.from}
        where ${rows.byBrowser.where.join(" and ")} group by ${rows.byBrowser.key}`;
      return `select v.contact from ${ledToContacts(frame, browsers)} group by v.contact`;
    })
    .join(" union all ");
}

/** Rows `subject`, `result` of those with any occurrence: the measure over all sources together. */
function results(frame: Frame, sources: Occurrences[], measure: Measure): string {
  const parts = sources.flatMap((source) => {
    const taken = inParts(measure, source);
    return taken === null ? [] : [{ ...taken, sql: partsOf(frame, source, taken.part) }];
  });
  const [first] = parts;
  if (first && parts.length === 1 && !sources[0]?.rows.byBrowser) {
    return `select p.subject, ${measure.kind === "sum" ? "coalesce(p.part, 0)" : "p.part"} as result from (${first.sql}) p`;
  }
  if (first && parts.length === sources.length) {
    const all = parts.map(({ sql }) => sql).join(" union all ");
    return `select p.subject, ${first.whole} as result from (${all}) p group by p.subject`;
  }
  const values = sources.map(
    ({ rows, value }) =>
      `select ${rows.key} as subject, ${value ?? "null"} as value from ${rows.from} where ${rows.where.join(" and ")}`,
  );
  return `select u.subject, count(distinct u.value) as result from (${values.join(" union all ")}) u group by u.subject`;
}

/** Rows `subject`, `part`, several of one subject where it has several browsers. */
function partsOf(frame: Frame, { rows }: Occurrences, part: string): string {
  if (rows.byBrowser) {
    const { from, where, key } = rows.byBrowser;
    const browsers = `select ${key} as visitor, ${part} as part from ${from} where ${where.join(" and ")} group by ${key}`;
    return `select v.contact as subject, b.part from ${ledToContacts(frame, browsers)}`;
  }
  return `select ${rows.key} as subject, ${part} as part from ${rows.from} where ${rows.where.join(" and ")} group by ${rows.key}`;
}
