import { z } from "zod";

const unit = z.enum(["hour", "day", "week"]);
const word = z.string().nullable();
const one = <T extends string, O extends string>(type: T, ...operators: [O, ...O[]]) => ({
  type: z.literal(type),
  operator: z.enum(operators),
});

/** Filters on a value, as Klaviyo's API describes them (`SegmentDefinition`, revision 2026-07-15). */
export const Filter = z.union([
  z.strictObject({
    ...one(
      "string",
      ...(["equals", "not-equals", "contains", "not-contains", "starts-with", "not-starts-with"] as const),
      ...(["ends-with", "not-ends-with", "regex", "nregex"] as const),
    ),
    value: word,
  }),
  z.strictObject({
    ...one("string", "in", "not-in", "phone-country-code-in", "phone-country-code-not-in"),
    value: z.array(z.string()),
  }),
  z.strictObject({
    ...one(
      "numeric",
      ...([
        "equals",
        "not-equals",
        "greater-than",
        "greater-than-or-equal",
        "less-than",
        "less-than-or-equal",
      ] as const),
    ),
    value: z.number(),
  }),
  z.strictObject({ ...one("numeric", "between"), start: z.number(), end: z.number() }),
  z.strictObject({ ...one("boolean", "equals"), value: z.boolean() }),
  z.strictObject({ ...one("existence", "is-set", "not-set") }),
  z.strictObject({
    ...one("list", "contains-all", "contains-any", "not-contains-all", "not-contains-any"),
    value: z.array(z.string()),
  }),
  z.strictObject({
    ...one(
      "list",
      ...(["length-equals", "length-greater-than", "length-greater-than-or-equal"] as const),
      ...(["length-less-than", "length-less-than-or-equal"] as const),
    ),
    value: z.number(),
  }),
  z.strictObject({
    ...one(
      "list",
      ...(["contains", "not-contains", "contains-substring", "not-contains-substring"] as const),
      ...([
        "contains-starts-with",
        "not-contains-starts-with",
        "contains-ends-with",
        "not-contains-ends-with",
      ] as const),
    ),
    value: z.union([z.string(), z.number(), z.boolean()]).nullable(),
  }),
  z.strictObject({ ...one("date", "before", "after"), date: z.string() }),
  z.strictObject({ ...one("date", "between-static"), start: z.string(), end: z.string() }),
  z.strictObject({ ...one("date", "in-the-last", "at-least", "in-the-next"), unit, quantity: z.int().min(0) }),
  z.strictObject({ ...one("date", "between"), unit, start: z.int().min(0), end: z.int().min(0) }),
  z.strictObject({ ...one("date", "anniversary-last", "anniversary-next"), unit, quantity: z.int().min(0) }),
  z.strictObject({ ...one("date", "anniversary", "anniversary-month", "alltime") }),
  z.strictObject({ ...one("date", "calendar-month"), value: z.int() }),
]);

export type Filter = z.infer<typeof Filter>;
