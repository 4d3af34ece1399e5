import type { ValueType } from "../condition";
import { minorOf } from "../text";
import type { Length } from "../window";
import type { Filter } from "./filter";

export type Json = Record<string, unknown>;

/** Thrown for a part of Klaviyo's definition that has nothing that is the same here. */
export class Refusal extends Error {
  /** Below the leaf. */
  readonly path: (string | number)[];

  constructor(path: (string | number)[], detail: string) {
    super(detail);
    this.name = "Refusal";
    this.path = path;
  }
}

const NUMBERS = {
  equals: "eq",
  "not-equals": "ne",
  "greater-than": "gt",
  "greater-than-or-equal": "gte",
  "less-than": "lt",
  "less-than-or-equal": "lte",
} as const;

const TEXTS = {
  equals: "eq",
  "not-equals": "ne",
  contains: "contains",
  "not-contains": "not_contains",
  "starts-with": "starts_with",
  "not-starts-with": "not_starts_with",
  "ends-with": "ends_with",
  "not-ends-with": "not_ends_with",
} as const;

export interface Subject {
  /** What it is called here. */
  field: string;
  type: ValueType;
  many: boolean;
}

export type Note = (detail: string) => void;

const CASE = "texts are compared without regard to case here";

/**
 * The conditions, all of which hold where Klaviyo's filter does. A contact without a value passes no filter of
 * Klaviyo's but `not-set` (help.klaviyo.com 14837232353691), where ours lets it pass every negative one: those ask for
 * a value as well.
 */
export function conditions(subject: Subject, filter: Filter, currency: string, note: Note): Json[] {
  const { field, type, many } = subject;
  const says = (op: string, value?: unknown): Json => ({ field, op, ...(value === undefined ? {} : { value }) });
  const set = (op: string, value: unknown): Json[] => [says("is_set"), says(op, value)];
  if (filter.type === "existence") return [says(filter.operator === "is-set" ? "is_set" : "not_set")];
  if (filter.type === "date") return dates(filter, says);
  if (filter.type === "boolean") {
    fits(type === "bool");
    return [says("is", filter.value)];
  }
  if (filter.type === "numeric") {
    fits((type === "number" || type === "money") && !many);
    const number = (value: number) => (type === "money" ? minor(value, currency) : value);
    if (filter.operator === "between") return [says("between", [number(filter.start), number(filter.end)])];
    const op = NUMBERS[filter.operator];
    return op === "ne" ? set("ne", number(filter.value)) : [says(op, number(filter.value))];
  }
  fits(type === "text");
  note(CASE);
  if (filter.type === "list") return lists(filter, many, says, set);
  fits(!many);
  switch (filter.operator) {
    case "in":
      return [says("in", filter.value)];
    case "not-in":
      return set("not_in", filter.value);
    case "phone-country-code-in":
    case "phone-country-code-not-in":
      return phone(field, filter.value, filter.operator === "phone-country-code-not-in");
    case "regex":
    case "nregex": {
      const pattern = filter.value ?? "";
      if (!/^\^.*\$$/s.test(pattern)) {
        throw new Refusal(["value"], "a pattern is taken over only where it says both its ends: ^...$");
      }
      return filter.operator === "regex" ? [says("matches", pattern)] : set("not_matches", pattern);
    }
    default: {
      if (filter.value === null) throw new Refusal(["value"], "is no text");
      const op = TEXTS[filter.operator];
      return op.startsWith("n") ? set(op, filter.value) : [says(op, filter.value)];
    }
  }
}

function fits(holds: boolean): void {
  if (!holds) throw new Refusal([], "is a filter for another type of value than the one that is stored here");
}

function phone(field: string, codes: string[], negative: boolean): Json[] {
  if (field !== "phone") throw new Refusal(["operator"], "only a phone number has a country code");
  const other = codes.findIndex((code) => !/^[A-Z]{2}$/.test(code));
  if (other !== -1) throw new Refusal(["value", other], "is no code of a country: two capital letters");
  const is = { field: "phone_country", op: negative ? "not_in" : "in", value: codes };
  return negative ? [{ field: "phone", op: "is_set" }, is] : [is];
}

/** Minor units; more decimals than the currency has are kept, and refused by whoever needs whole ones. */
export function minor(value: number, currency: string): number {
  const found = minorOf(String(value), currency);
  if (found === null) throw new Refusal(["value"], "is no amount");
  return found;
}

type Says = (op: string, value?: unknown) => Json;

function lists(
  { operator, value }: Filter & { type: "list" },
  many: boolean,
  says: Says,
  set: (op: string, value: unknown) => Json[],
): Json[] {
  fits(many);
  if (Array.isArray(value)) {
    switch (operator) {
      case "contains-any":
        return [says("has_any", value)];
      case "contains-all":
        return [says("has_all", value)];
      case "not-contains-any":
        return set("has_none", value);
      default:
        return [says("is_set"), { none: [says("has_all", value)] }];
    }
  }
  if (operator.startsWith("length-") && typeof value === "number") {
    const op = Object.entries(NUMBERS).find(([name]) => operator === `length-${name}`)?.[1] ?? "eq";
    return [says("is_set"), says("count", { [op]: value })];
  }
  if (typeof value !== "string") throw new Refusal(["value"], "is no text");
  switch (operator) {
    case "contains":
      return [says("has_any", [value])];
    case "not-contains":
      return set("has_none", [value]);
    case "contains-substring":
      return [says("contains", value)];
    case "not-contains-substring":
      return set("not_contains", value);
    case "contains-starts-with":
      return [says("starts_with", value)];
    case "not-contains-starts-with":
      return set("not_starts_with", value);
    case "contains-ends-with":
      return [says("ends_with", value)];
    default:
      return set("not_ends_with", value);
  }
}

const HOURS = { hour: 1, day: 24, week: 168 } as const;

/** Klaviyo counts back from the moment itself, in days of 24 hours (help.klaviyo.com 4403222359451). */
export function hours(n: number, unit: keyof typeof HOURS): Length {
  if (n === 0) throw new Refusal([], "is a time of no length");
  return { n: n * HOURS[unit], unit: "hour" };
}

function dates(filter: Filter & { type: "date" }, says: Says): Json[] {
  switch (filter.operator) {
    case "before":
    case "after":
      return [says(filter.operator, filter.date)];
    case "between-static":
      return [says("between", [filter.start, filter.end])];
    case "in-the-last":
      return [says("in_last", hours(filter.quantity, filter.unit))];
    case "in-the-next":
      return [says("in_next", hours(filter.quantity, filter.unit))];
    case "at-least": {
      const young = [says("in_last", hours(filter.quantity, filter.unit)), says("in_next", { n: 200, unit: "year" })];
      return [says("is_set"), { none: young }];
    }
    case "between": {
      const { start, end, unit } = filter;
      const [newer, older] = [Math.min(start, end), Math.max(start, end)];
      if (newer === 0) return [says("in_last", hours(older, unit))];
      return [says("between_ago", { from: hours(older, unit), to: hours(newer, unit) })];
    }
    case "anniversary":
      return [says("anniversary_today")];
    case "anniversary-month":
      return [says("anniversary_month")];
    case "calendar-month":
      return [says("anniversary_month", filter.value)];
    case "anniversary-last":
    case "anniversary-next":
      if (filter.unit === "hour") throw new Refusal(["unit"], "an anniversary is a day, which has no hours");
      return [says(`anniversary_in_${filter.operator.slice(12)}`, { n: filter.quantity, unit: filter.unit })];
    case "alltime":
      throw new Refusal(["operator"], "says nothing about a date");
    default:
      return filter satisfies never;
  }
}

/** The window of an event; null for all time. */
export function window(filter: Filter | null | undefined): Json | null {
  if (!filter) return null;
  if (filter.type !== "date") throw new Refusal([], "is no time");
  switch (filter.operator) {
    case "alltime":
      return null;
    case "before":
    case "after":
      return { [filter.operator]: filter.date };
    case "between-static":
      return { between: [filter.start, filter.end] };
    case "in-the-last":
      return { inLast: hours(filter.quantity, filter.unit) };
    case "at-least":
      return { notInLast: hours(filter.quantity, filter.unit) };
    case "between": {
      const { start, end, unit } = filter;
      const [newer, older] = [Math.min(start, end), Math.max(start, end)];
      if (newer === 0) return { inLast: hours(older, unit) };
      return { betweenAgo: { from: hours(older, unit), to: hours(newer, unit) } };
    }
    default:
      throw new Refusal(["operator"], "is no time in which something can have happened");
  }
}

/** A comparison of a count or a sum. */
export function numberTest(filter: Filter, read: (value: number) => number): Json {
  if (filter.type !== "numeric") throw new Refusal([], "is no comparison of numbers");
  if (filter.operator === "between") return { between: [read(filter.start), read(filter.end)] };
  return { [NUMBERS[filter.operator]]: read(filter.value) };
}
