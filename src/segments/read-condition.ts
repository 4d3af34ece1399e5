import { z } from "zod";

import { cellsWithin } from "../lib/grid";
import { COMPARISONS, type Condition, type NumberTest, type Test } from "./condition";
import { toGlob } from "./glob";
import { type Askable, operatorsOf, type Wants } from "./operators";
import { CALENDAR_UNITS, INSTANT_UNITS, type Length, PERIODS, type Point, type Span } from "./window";

/** Most values of one list: Shopify's own limit for products. */
const MOST_VALUES = 500;
/** Most values of `has_all`, each of which is looked for by itself. */
const MOST_ALL = 20;
const MOST_TEXT = 1_000;

const text = z
  .string("is not text")
  .min(1, "is empty")
  .max(MOST_TEXT, `is longer than ${MOST_TEXT} characters`)
  .refine((value) => !value.includes("\u0000") && value.isWellFormed(), "holds characters that are not text");
const list = <S extends z.ZodType>(of: S) =>
  z.array(of, "is not a list").min(1, "is an empty list").max(MOST_VALUES, `has more than ${MOST_VALUES} values`);
const number = z.number("is not a number");

const LengthSchema: z.ZodType<Length> = z
  .strictObject({
    n: z.int("is not a whole number").min(1, "is less than 1").max(100_000, "is more than 100000"),
    unit: z.enum([...INSTANT_UNITS, ...CALENDAR_UNITS]),
  })
  .refine(({ n, unit }) => unit !== "year" || n <= 200, "is more than 200 years");

const Day = z.iso.date().refine((day) => day >= "0001-01-01", "is before the calendar");
const PointSchema = z.string("is not a date").transform((value, ctx): Point => {
  if (Day.safeParse(value).success) return { day: value };
  if (z.iso.datetime({ offset: true }).safeParse(value).success) return { at: Date.parse(value) };
  ctx.addIssue("is not a date (2026-11-30) nor a time with its offset (2026-11-30T08:00:00Z)");
  return z.NEVER;
});

const NumberTestSchema = z
  .strictObject({
    ...Object.fromEntries(["eq", "ne", "gt", "gte", "lt", "lte"].map((name) => [name, number.optional()])),
    between: z.tuple([number, number]).optional(),
  })
  .transform((value, ctx): NumberTest => {
    const given = Object.entries(value).filter(([, to]) => to !== undefined);
    const [first] = given;
    if (given.length !== 1 || !first) {
      ctx.addIssue(`needs exactly one of ${COMPARISONS.join(", ")}`);
      return z.NEVER;
    }
    return toNumberTest(first[0], first[1]);
  });

function toNumberTest(name: string, to: unknown): NumberTest {
  if (Array.isArray(to)) return { compare: "between", from: Number(to[0]), to: Number(to[1]) };
  const compare = COMPARISONS.find((known) => known === name);
  if (compare === undefined || compare === "between") throw new Error(`no comparison: ${name}`);
  return { compare, to: Number(to) };
}

const Held = z.strictObject({ is: z.union([text.transform((one) => [one]), list(text)]), for: LengthSchema });

const KM_PER_MILE = 1.609344;
/** Longest distance: what is further apart is asked by country. Each condition carries the cells of its circle. */
const MOST_KM = 500;

/** A circle around a point, as the cells within it. */
const AreaSchema = z
  .strictObject({
    latitude: number.min(-90, "is no latitude").max(90, "is no latitude"),
    longitude: number.min(-180, "is no longitude").max(180, "is no longitude"),
    km: number.optional(),
    mi: number.optional(),
  })
  .transform(({ latitude, longitude, km, mi }, ctx) => {
    const distance = km ?? (mi ?? 0) * KM_PER_MILE;
    if ((km === undefined) === (mi === undefined)) ctx.addIssue("needs either km or mi");
    else if (!(distance > 0 && distance <= MOST_KM)) ctx.addIssue(`is not a distance up to ${MOST_KM} km`);
    else return cellsWithin({ latitude, longitude }, distance);
    return z.NEVER;
  });

const MINOR = "is not a whole number: money is in minor units of the shop's currency (5000 is 50.00)";
const minor = z.int(MINOR);

export interface Problem {
  /** Path below the value. */
  path: (string | number)[];
  detail: string;
}

type Outcome = { condition: Condition } | { problems: Problem[] };

/** Reads an operator and its value as one condition on a field of this kind. `value` is undefined where none is given. */
export function readCondition(field: Askable, op: string, value: unknown): Outcome {
  const wants = operatorsOf(field)[op];
  if (wants === undefined) return { problems: [{ path: ["op"], detail: `is not one of ${opNames(field)}` }] };
  if (wants === "nothing" && value !== undefined) {
    return { problems: [{ path: ["value"], detail: `is of no use to ${op}` }] };
  }
  const numeric = field.type === "money" ? minor : number;
  const test = readTest(op, wants, value, numeric);
  if (test.success) return { condition: { test: test.data, negative: isNegative(op) } };
  return {
    problems: test.error.issues.map(({ path, message }) => ({
      path: ["value", ...path.map((part) => (typeof part === "symbol" ? String(part) : part))],
      detail: message,
    })),
  };
}

/** Comparisons of counts and sums: `{ "gte": 2 }`. */
export function readNumberTest(value: unknown) {
  return NumberTestSchema.safeParse(value);
}

export function readLength(value: unknown) {
  return LengthSchema.safeParse(value);
}

const WINDOWS: Record<string, string> = {
  inLast: "in_last",
  notInLast: "not_in_last",
  betweenAgo: "between_ago",
  between: "between",
  on: "on",
  before: "before",
  after: "after",
  onOrBefore: "on_or_before",
  onOrAfter: "on_or_after",
};

/** Reads a `window`: an object with one key, named as the operators of dates in camelCase, or `{ "during": "last_month" }`. */
export function readWindow(value: unknown): { span: Span } | { problems: Problem[] } {
  const shape = z.record(z.string(), z.unknown()).safeParse(value);
  const [entry, more] = shape.success ? Object.entries(shape.data) : [];
  if (!entry || more) {
    return {
      problems: [{ path: [], detail: `needs exactly one of ${[...Object.keys(WINDOWS), "during"].join(", ")}` }],
    };
  }
  const [name, given] = entry;
  if (name === "during") {
    const period = z.enum(PERIODS).safeParse(given);
    return period.success
      ? { span: { kind: "period", period: period.data } }
      : { problems: [{ path: [name], detail: `is not one of ${PERIODS.join(", ")}` }] };
  }
  const op = Object.hasOwn(WINDOWS, name) ? WINDOWS[name] : undefined;
  if (op === undefined) return { problems: [{ path: [name], detail: "is no window" }] };
  const outcome = readCondition({ type: "date" }, op, given);
  if ("problems" in outcome) {
    return { problems: outcome.problems.map(({ path, detail }) => ({ path: [name, ...path.slice(1)], detail })) };
  }
  const { test } = outcome.condition;
  if (test.kind !== "time") throw new Error(`no window: ${op}`);
  // Long ago, as a window, is the time before it; as a condition on a date it is the opposite of a window.
  return {
    span: outcome.condition.negative && test.span.kind === "last" ? { ...test.span, kind: "before" } : test.span,
  };
}

function opNames(field: Askable): string {
  return Object.keys(operatorsOf(field)).join(", ");
}

function isNegative(op: string): boolean {
  return /^(ne|is_empty|has_none|has_not_been|not_(?!empty).*)$/.test(op);
}

function readTest(op: string, wants: Wants, value: unknown, numeric: z.ZodType<number>): z.ZodSafeParseResult<Test> {
  return testSchema(op, wants, numeric).safeParse(value);
}

function testSchema(op: string, wants: Wants, numeric: z.ZodType<number>): z.ZodType<Test> {
  switch (wants) {
    case "nothing":
      return z.undefined().transform(() => plainTest(op));
    case "text":
      return text.transform((word): Test => ({ kind: "text", match: matchOf(op), words: [word] }));
    case "texts":
      if (op === "has_all") {
        return list(text)
          .max(MOST_ALL, `has more than ${MOST_ALL} values`)
          .transform((words): Test => ({ kind: "all", words }));
      }
      return list(text).transform((words): Test => ({ kind: "text", match: "is", words }));
    case "pattern":
      return text.transform((pattern, ctx): Test => {
        const made = toGlob(pattern);
        if ("glob" in made) return { kind: "text", match: "glob", words: [made.glob] };
        ctx.addIssue(made.problem);
        return z.NEVER;
      });
    case "number":
      return numeric.transform((to): Test =>
        op === "ne" ? { kind: "number", test: { compare: "eq", to } } : { kind: "number", test: toNumberTest(op, to) },
      );
    case "numbers":
      return list(numeric).transform((numbers): Test => ({ kind: "oneOf", numbers }));
    case "number_pair":
      return z
        .tuple([numeric, numeric], "is not a pair of numbers")
        .transform(([from, to]): Test => ({ kind: "number", test: { compare: "between", from, to } }));
    case "bool":
      return z.boolean("is not true or false").transform((is): Test => ({ kind: "bool", is }));
    case "point":
      return PointSchema.transform((point): Test => ({ kind: "time", span: pointSpan(op, point) }));
    case "point_pair":
      return z
        .tuple([PointSchema, PointSchema], "is not a pair of dates")
        .transform(([from, to]): Test => ({ kind: "time", span: { kind: "fixed", from, to, open: false } }));
    case "length":
      return LengthSchema.transform((length): Test => {
        if (op === "anniversary_in_last") return { kind: "anniversary", of: { in: "last", length } };
        if (op === "anniversary_in_next") return { kind: "anniversary", of: { in: "next", length } };
        return { kind: "time", span: { kind: op === "in_next" ? "next" : "last", length } };
      });
    case "length_pair":
      return z
        .strictObject({ from: LengthSchema, to: LengthSchema })
        .transform(({ from, to }): Test => ({ kind: "time", span: { kind: "ago", lengths: [from, to] } }));
    case "held":
      return Held.transform((held): Test => ({ kind: "held", words: held.is, length: held.for }));
    case "month":
      return z
        .int("is not a month")
        .min(1, "is not a month")
        .max(12, "is not a month")
        .optional()
        .transform((month): Test => ({ kind: "anniversary", of: { month: month ?? null } }));
    case "count":
      return NumberTestSchema.transform((test): Test => ({ kind: "size", test }));
    case "area":
      return AreaSchema.transform((cells): Test => ({ kind: "oneOf", numbers: cells }));
    default:
      return wants satisfies never;
  }
}

function plainTest(op: string): Test {
  const period = PERIODS.find((known) => known === op);
  if (period !== undefined) return { kind: "time", span: { kind: "period", period } };
  if (op === "anniversary_today") {
    return { kind: "anniversary", of: { in: "next", length: { n: 0, unit: "day" } } };
  }
  return { kind: "present" };
}

function matchOf(op: string): "is" | "contains" | "starts" | "ends" {
  if (op.endsWith("contains")) return "contains";
  if (op.endsWith("starts_with")) return "starts";
  return op.endsWith("ends_with") ? "ends" : "is";
}

function pointSpan(op: string, point: Point): Span {
  switch (op) {
    case "before":
      return { kind: "fixed", from: null, to: point, open: true };
    case "on_or_before":
      return { kind: "fixed", from: null, to: point, open: false };
    case "after":
      return { kind: "fixed", from: point, to: null, open: true };
    case "on_or_after":
      return { kind: "fixed", from: point, to: null, open: false };
    default:
      return { kind: "fixed", from: point, to: point, open: false };
  }
}
