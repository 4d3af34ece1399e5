import { z } from "zod";

import type { Test } from "../condition";
import { type Bounds, boundsOf, type Frame, fromNow, occurrences, type Relation, type SubjectKind } from "../compile";
import type { Place } from "../field";
import { type Definition, type EventLeaf, type Leaf, leavesOf, type MembershipLeaf, type SequenceLeaf } from "../tree";
import { addDays, dayOf, endOf, type Span, startOf } from "../window";
import { anniversaryFlips, daysSinceFlips, heldFlips, spanFlips } from "./flips";

/**
 * When time alone may change what one condition says about a subject: SQL about `who.value` that gives a JSON list of
 * instants (epoch ms) and days (`YYYY-MM-DD`), and what follows from them. It may be too early, never too late.
 */
export interface Moments {
  column: (frame: Frame) => string;
  flips: (values: (number | string)[], now: number, zone: string) => number[];
}

const MINUTE_MS = 60_000;

const Values = z.array(z.union([z.number(), z.string(), z.null()]));

/** Everything of a definition that time moves, for one kind of subject. Each is a column of the question. */
export function momentsOf({ root }: Definition, kind: SubjectKind): Moments[] {
  return leavesOf(root).flatMap((leaf) => leafMoments(leaf, kind));
}

/** The earliest time after `now` at which one of them may change; null for none. */
export function recheckAt(moments: Moments[], columns: unknown[], now: number, zone: string): number | null {
  const times = moments.flatMap(({ flips }, i) => {
    const column = columns[i];
    if (typeof column !== "string") return [];
    const values = Values.parse(JSON.parse(column)).filter((value) => value !== null);
    return values.length === 0 ? [] : flips(values, now, zone).filter((at) => at > now);
  });
  return times.length === 0 ? null : Math.min(...times);
}

function leafMoments(leaf: Leaf, kind: SubjectKind): Moments[] {
  switch (leaf.kind) {
    case "attribute": {
      const place = leaf.field.places[kind];
      return place ? attributeMoments(place, leaf.field.name, leaf.condition.test, kind) : [];
    }
    case "event":
      return eventMoments(leaf);
    case "sequence":
      return sequenceMoments(leaf);
    case "membership":
      return membershipMoments(leaf, kind);
    case "sample":
      return [];
    default:
      return leaf satisfies never;
  }
}

function moves(span: Span | null): span is Span {
  return span !== null && span.kind !== "fixed";
}

/** What a test of a moment itself makes of time. */
function testFlips(test: Test): Moments["flips"] | null {
  if (test.kind === "time") {
    const { span } = test;
    if (!moves(span)) return null;
    return (values, now, zone) =>
      values.flatMap((value) => instants(value, zone).flatMap((at) => spanFlips(span, at, now, zone)));
  }
  if (test.kind === "anniversary") {
    const { of } = test;
    return (values, now, zone) =>
      values.flatMap((value) => instants(value, zone).flatMap((at) => anniversaryFlips(of, at, now, zone)));
  }
  if (test.kind === "held") {
    const { length } = test;
    return (values, now, zone) =>
      values.flatMap((value) => instants(value, zone).flatMap((at) => heldFlips(length, at, now, zone)));
  }
  return null;
}

/** A day without a time may count as its first or its last instant. */
function instants(value: number | string, zone: string): number[] {
  if (typeof value === "number") return [value];
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return [startOf(value, zone), endOf(value, zone)];
  const at = Date.parse(value);
  return Number.isNaN(at) ? [] : [at];
}

const select = ({ from, where }: Relation, what: string) => `select ${what} from ${from} where ${where.join(" and ")}`;
const listed = (sql: string) => `json_group_array(${sql})`;

/** The numbers at which the answer may change; null for what is no test of a number. */
function numbersOf(test: Test): number[] | null {
  if (test.kind === "oneOf") return test.numbers;
  if (test.kind !== "number") return null;
  return test.test.compare === "between" ? [test.test.from, test.test.to] : [test.test.to];
}

function attributeMoments(place: Place, name: string, test: Test, kind: SubjectKind): Moments[] {
  const bounds = name === "days_since_last_order" ? numbersOf(test) : null;
  if (bounds !== null && place.kind === "aggregate") {
    return [
      {
        column: (frame) => select(place.rows(frame), "json_array(max(o.placed_at))"),
        flips: (values, now) => values.flatMap((at) => (typeof at === "number" ? daysSinceFlips(bounds, at, now) : [])),
      },
    ];
  }
  const flips = testFlips(test);
  if (!flips) return [];
  switch (place.kind) {
    case "column":
      return [
        {
          column: (frame) => `select json_array(${place.value(frame).sql}) from ${kind}s s where s.key = ${frame.one}`,
          flips,
        },
      ];
    case "aggregate":
      return [{ column: (frame) => select(place.rows(frame), `json_array(${place.value(frame).sql})`), flips }];
    case "rows":
      return [{ column: (frame) => select(place.rows(frame), listed(place.value(frame).sql)), flips }];
    case "state": {
      const what = test.kind === "held" ? place.since : place.value;
      return [{ column: (frame) => select(place.rows(frame), listed(what)), flips }];
    }
    case "history":
      return [
        {
          column: (frame) => `select ${listed("h.at")} from lifecycle_history h where h.contact = ${frame.one}`,
          flips,
        },
      ];
    case "array":
    case "lines":
      return [];
    default:
      return place satisfies never;
  }
}

/**
 * Of many instants two decide about a span whose ends only ever move forward: the first that is in it, since it leaves
 * first, and the first that is after it, since it enters first.
 */
function spanned(range: Bounds, at: string, { parameters }: Frame): string {
  const isAfter = range.to === null ? "false" : `${at} > ${parameters.one(range.to)}`;
  const isBefore = range.from === null ? "false" : `${at} < ${parameters.one(range.from)}`;
  return `min(iif(${isAfter} or ${isBefore}, null, ${at})), min(iif(${isAfter}, ${at}, null))`;
}

const bySpan =
  (span: Span): Moments["flips"] =>
  (values, now, zone) =>
    values.flatMap((at) => (typeof at === "number" ? spanFlips(span, at, now, zone) : []));

/** What has left a moving window never comes back, so older occurrences need not be read. */
const sinceStart = (range: Bounds): Bounds => ({ ...range, to: null, toDay: null });

function eventMoments(leaf: EventLeaf): Moments[] {
  const { measure, window, where, event } = leaf;
  const found: Moments[] = [];
  event.sources.forEach((_, source) => {
    if (moves(window)) {
      found.push({
        column: (frame) => {
          const range = boundsOf(window, frame.zone);
          const here = occurrences(frame, leaf, sinceStart(range), null)[source];
          return here ? select(here.rows, `json_array(${spanned(range, here.at, frame)})`) : "null";
        },
        flips: bySpan(window),
      });
    }
    const flips = "negative" in measure ? testFlips(measure.test) : null;
    if (flips) {
      found.push({
        column: (frame) => {
          const range = window && boundsOf(window, frame.zone);
          const here = occurrences(frame, leaf, range, null)[source];
          return here ? select(here.rows, `json_array(min(${here.at}), max(${here.at}))`) : "null";
        },
        flips,
      });
    }
    const clocked = where.flatMap(({ condition: { test } }) =>
      test.kind === "anniversary" || (test.kind === "time" && moves(test.span)) ? [test] : [],
    );
    if (clocked.length > 0) {
      found.push({
        column: (frame) => {
          const here = occurrences(frame, { event, where: [] }, null, null)[source];
          return here ? select(here.rows, `json_array(max(${here.at}))`) : "null";
        },
        flips: (_, now, zone) => soon(clocked, now, zone),
      });
    }
  });
  return found;
}

/** For dates inside of events, which are not read one by one: the next midnight, or minute where minutes count. */
function soon(tests: Test[], now: number, zone: string): number[] {
  const exact = tests.some(
    (test) => test.kind === "time" && lengthsOf(test.span).some(({ unit }) => /minute|hour/.test(unit)),
  );
  return [startOf(addDays(dayOf(now, zone), 1), zone), ...(exact ? [now + MINUTE_MS] : [])];
}

function lengthsOf(span: Span) {
  return "lengths" in span ? span.lengths : "length" in span ? [span.length] : [];
}

function sequenceMoments({ first, happens, withinMs, window }: SequenceLeaf): Moments[] {
  if (happens && !moves(window)) return [];
  const found: Moments[] = [];
  first.event.sources.forEach((_, source) => {
    if (moves(window)) {
      found.push({
        column: (frame) => {
          const range = boundsOf(window, frame.zone);
          const here = occurrences(frame, first, sinceStart(range), null)[source];
          return here ? select(here.rows, `json_array(${spanned(range, here.at, frame)})`) : "null";
        },
        flips: bySpan(window),
      });
    }
    if (!happens) {
      found.push({
        column: (frame) => {
          const from = fromNow(-withinMs);
          const here = occurrences(frame, first, { from, to: null, fromDay: null, toDay: null }, null)[source];
          return here ? select(here.rows, `json_array(min(${here.at}))`) : "null";
        },
        flips: (values) => values.flatMap((at) => (typeof at === "number" ? [at + withinMs + 1] : [])),
      });
    }
  });
  return found;
}

function membershipMoments({ of, id, window }: MembershipLeaf, kind: SubjectKind): Moments[] {
  if (!moves(window)) return [];
  const since = of === "segment" ? "m.entered_at" : "m.added_at";
  return [
    {
      column: ({ one, parameters, shop }) =>
        `select ${listed(since)} from ${of}_members m where m.${of} = (select t.key from ${of}s t
           where t.shop = ${shop} and t.id = ${parameters.one(id)}) and m.kind = '${kind}' and m.subject = ${one}`,
      flips: bySpan(window),
    },
  ];
}
