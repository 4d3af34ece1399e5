import { type Condition, holds, type Test } from "../condition";
import type { Place } from "../field";
import { dayOf, endOf, isCalendar, plus, rangeOf } from "../window";
import { type Frame, keysOf, type Relation } from "./frame";
import { linePasses, linePassesByWay, lineValue, orderLines } from "./lines";
import type { Later } from "./parameters";
import { compares, foldedText, passes, type Value, wordsOf } from "./predicate";

/** SQL of a condition on a field of the subject `s`: true or false, and with `plain` null where it is false. */
export function attribute(
  frame: Frame,
  place: Place | undefined,
  { test, negative }: Condition,
  plain: boolean,
): string {
  // Nobody of this kind has a value.
  if (!place) return missing({ test, negative }) ? "true" : "false";
  switch (place.kind) {
    case "column": {
      const sql = passes(frame, place.value(frame), test);
      return negative ? `(${sql}) is not true` : plain ? `(${sql})` : `(${sql}) is true`;
    }
    case "array":
      return negated(negative, inArray(frame, place.array(frame), test));
    case "aggregate": {
      const keys = keysWhere(place.rows(frame), place.value(frame).sql, place.zero === true);
      // Who has no rows has 0: ask for those who fail.
      const inverse = place.zero === true && zeroPasses(test);
      const sql = passes(frame, { sql: "a.value" }, test);
      return belongs(keys(inverse ? `(${sql}) is not true` : sql), negative !== inverse);
    }
    case "rows": {
      const rows = place.rows(frame);
      return inRows(frame, rows, place.value(frame), { test, negative });
    }
    case "lines":
      return inLines(frame, place, { test, negative });
    case "state": {
      const rows = place.rows(frame);
      if (test.kind !== "held") return inRows(frame, rows, { sql: place.value }, { test, negative });
      const is = passes(frame, { sql: place.value }, { kind: "text", match: "is", words: test.words });
      const since = `${place.since} <= ${frame.parameters.one(heldFrom(frame, test))}`;
      return belongs(keysOf(rows, [is, since]), negative);
    }
    case "history":
      return inHistory(frame, place.column, { test, negative }, plain);
    default:
      return place satisfies never;
  }
}

function zeroPasses(test: Test): boolean {
  if (test.kind === "number") return holds(test.test, 0);
  return test.kind === "present" || (test.kind === "oneOf" && test.numbers.includes(0));
}

/** Whether a subject without any value meets the condition. */
function missing({ test, negative }: Condition): boolean {
  return negative !== (test.kind === "size" && holds(test.test, 0));
}

function negated(negative: boolean, sql: string): string {
  return negative ? `not ${sql}` : sql;
}

/** The subject's key is, or is not, among these keys, none of which is null. */
export function belongs(keys: string, negative: boolean): string {
  return `s.key ${negative ? "not in" : "in"} (${keys})`;
}

/** Keys by a condition on the aggregate `a.value`, which may then stand anywhere in it. */
function keysWhere({ key, from, where }: Relation, value: string, zero: boolean) {
  const column = zero ? `coalesce(${value}, 0)` : value;
  const groups = `select ${key} as subject, ${column} as value from ${from} where ${where.join(" and ")} group by ${key}`;
  return (condition: string) => `select a.subject from (${groups}) a where ${condition}`;
}

function inRows(frame: Frame, rows: Relation, value: Value, { test, negative }: Condition): string {
  const { parameters } = frame;
  if (test.kind === "all") {
    const words = wordsOf(value, test.words);
    const text = foldedText(frame, value, words);
    const tail = ` group by ${rows.key} having count(distinct ${text}) = ${parameters.one(words.length)}`;
    return belongs(keysOf(rows, [`${text} in (${parameters.rows(words)})`], tail), negative);
  }
  if (test.kind === "size") {
    const inverse = holds(test.test, 0);
    const having = compares(`count(distinct ${value.sql})`, test.test, (to) => parameters.one(to));
    const tail = ` group by ${rows.key} having ${inverse ? `not (${having})` : having}`;
    return belongs(keysOf(rows, [], tail), negative !== inverse);
  }
  return belongs(keysOf(rows, [passes(frame, value, test)]), negative);
}

/** SQL that is true or false for a table-valued function `g` over the subject's own row. */
function inArray(frame: Frame, array: string, test: Test): string {
  const { parameters } = frame;
  const select = (what: string, where = "true") => `(select ${what} from ${array} g where ${where})`;
  if (test.kind === "all") {
    const words = wordsOf({ sql: "g.value" }, test.words);
    const text = foldedText(frame, { sql: "g.value" }, words);
    return `${select(`count(distinct ${text})`, `${text} in (${parameters.rows(words)})`)} = ${parameters.one(words.length)}`;
  }
  if (test.kind === "size") {
    return compares(select("count(distinct g.value)"), test.test, (to) => parameters.one(to));
  }
  return `exists ${select("1", passes(frame, { sql: "g.value" }, test))}`;
}

function inLines(frame: Frame, place: Extract<Place, { kind: "lines" }>, { test, negative }: Condition): string {
  const owner = place.orders(frame);
  const lines = orderLines(frame, false);
  const rows: Relation = {
    ...owner,
    from: `${owner.from} cross join ${lines.from}`,
    where: [...owner.where, ...lines.where],
  };
  const value = lineValue(frame, lines, place.fact);
  if (test.kind === "size" && value !== null) return inRows(frame, rows, { sql: value }, { test, negative });
  if (test.kind === "all") {
    // Each word on some line: the words are asked for one by one, since the lines may be different ones.
    const parts = test.words.map((word) =>
      belongs(
        keysOf(rows, [linePasses(frame, lines, place.fact, { kind: "text", match: "is", words: [word] })]),
        false,
      ),
    );
    return negated(negative, `(${parts.join(" and ")})`);
  }
  if (test.kind === "size") {
    const column = place.fact === "collection" ? "collections" : "tags";
    const from = `${rows.from} cross join products q on q.shop = ${frame.shop} and q.external_id = i.product_id
      cross join json_each(q.${column}) g`;
    return inRows(frame, { ...rows, from }, { sql: "g.value" }, { test, negative });
  }
  if (frame.one !== null) return belongs(keysOf(rows, [linePasses(frame, lines, place.fact, test)]), negative);
  // Few lines of many pass: from these to their orders, not the other way round.
  const byLines: Relation = { ...rows, from: `${lines.from} cross join orders o` };
  const ways = linePassesByWay(frame, lines, place.fact, test);
  return belongs(ways.map((way) => keysOf(byLines, [way])).join(" union all "), negative);
}

/** Stage and status: what they are is in the contact's row, since when in its history. */
function inHistory(frame: Frame, column: string, { test, negative }: Condition, plain: boolean): string {
  const current = { sql: `s.${column}` };
  if (test.kind !== "held") {
    const sql = passes(frame, current, test);
    return negative ? `(${sql}) is not true` : plain ? `(${sql})` : `(${sql}) is true`;
  }
  const is = passes(frame, current, { kind: "text", match: "is", words: test.words });
  const since = frame.parameters.one(heldFrom(frame, test));
  const other = `select 1 from lifecycle_history x where x.contact = s.key and (x.at, x.key) > (h.at, h.key)
    and x.${column} is not s.${column}`;
  const held = `exists (select 1 from lifecycle_history h where h.contact = s.key and h.at <= ${since}
    and h.${column} is s.${column} and not exists (${other}))`;
  return negative ? `(${is} and ${held}) is not true` : plain ? `(${is} and ${held})` : `((${is} and ${held}) is true)`;
}

/** The moment since which, at the latest, it must have been so. */
function heldFrom({ zone }: Frame, { length }: Extract<Test, { kind: "held" }>): Later {
  return {
    name: `held ${zone} ${JSON.stringify(length)}`,
    of: ({ now }) => {
      if (!isCalendar(length.unit)) return rangeOf({ kind: "last", length }, now, zone).from;
      // Whole days, wherever in the first of them it began.
      return endOf(plus(dayOf(now, zone), { ...length, n: -length.n }), zone);
    },
  };
}
