import type { Length } from "../window";
import type { Operation, Sign } from "./operation";
import { TextError } from "./problem";
import { type Day, dayOf, type ShopSense } from "./values";

/** A condition of a definition, or a group of them. */
export type Json = Record<string, unknown>;

export type Says = (op: string, value?: unknown) => Json;

const ABSOLUTE: Record<Sign, string> = {
  "=": "on",
  "!=": "not_on",
  "<": "before",
  "<=": "on_or_before",
  ">": "after",
  ">=": "on_or_after",
};

/** Longer than any date ahead that means something. */
const AHEAD = { n: 200, unit: "year" } as const;

/**
 * A condition on a date.
 *
 * @param says makes the condition with one operator of dates
 * @param future the date may lie in the future; those of what has happened cannot
 */
export function dateCondition(operation: Operation, at: number, sense: ShopSense, says: Says, future: boolean): Json {
  const relative = new Relative(says, future);
  switch (operation.op) {
    case "compare": {
      const day = dayOf(operation.value, sense);
      if (day.kind === "absolute") return says(ABSOLUTE[operation.sign], day.value);
      return relative.compare(operation.sign, day, operation.value.at);
    }
    case "between":
      return relative.between(dayOf(operation.from, sense), dayOf(operation.to, sense), at);
    case "within":
      return within(operation, at, says);
    default:
      throw new TextError(at, "a date is asked with =, !=, <, <=, >, >=, BETWEEN, IN LAST, IN NEXT or IS NULL");
  }
}

function within({ which, negative, length }: Operation & { op: "within" }, at: number, says: Says): Json {
  if (which === "last") return says(negative ? "not_in_last" : "in_last", length);
  if (negative) throw new TextError(at, "NOT IN NEXT is not known: say NOT (... IN NEXT ...)");
  return says("in_next", length);
}

/** Conditions that compare with a day so far from today. Shopify compares whole days. */
class Relative {
  readonly #says: Says;
  readonly #future: boolean;

  constructor(says: Says, future: boolean) {
    this.#says = says;
    this.#future = future;
  }

  compare(sign: Sign, day: Exclude<Day, { kind: "absolute" }>, at: number): Json {
    if (day.kind === "back") return this.#back(sign, day.length, at);
    if (day.kind === "period" && (sign === "=" || sign === "!=")) {
      return sign === "=" ? this.#says(day.period) : { none: [this.#says(day.period)] };
    }
    throw new TextError(at, "nothing can be compared with this; say IN NEXT 30d, or = last_month");
  }

  between(from: Day, to: Day, at: number): Json {
    if (from.kind === "absolute" && to.kind === "absolute") return this.#says("between", [from.value, to.value]);
    if (from.kind === "back" && to.kind === "back" && from.length && to.length) {
      return this.#says("between_ago", { from: from.length, to: to.length });
    }
    if (from.kind === "back" && from.length && to.kind === "back") return this.#says("in_last", from.length);
    if (from.kind === "back" && !from.length && to.kind === "ahead") return this.#says("in_next", to.length);
    const ends = [this.#end(">=", from, at), this.#end("<=", to, at)];
    return { all: ends };
  }

  #end(sign: ">=" | "<=", day: Day, at: number): Json {
    if (day.kind === "absolute") return this.#says(ABSOLUTE[sign], day.value);
    if (day.kind === "back") return this.#back(sign, day.length, at);
    throw new TextError(at, "BETWEEN takes two dates or offsets, or today and an offset ahead");
  }

  #back(sign: Sign, length: Length | null, at: number): Json {
    switch (sign) {
      case "=":
        return this.#on(length);
      case "!=":
        return { none: [this.#on(length)] };
      case ">=":
        return this.#since(length);
      case ">":
        return this.#after(length, at);
      case "<":
        if (length && !this.#future) return { all: [this.#says("is_set"), this.#says("not_in_last", length)] };
        return { all: [this.#says("is_set"), { none: [this.#since(length)] }] };
      case "<=":
        if (!length && !this.#future) return this.#says("is_set");
        return { all: [this.#says("is_set"), { none: [this.#after(length, at)] }] };
      default:
        return sign satisfies never;
    }
  }

  #on(length: Length | null): Json {
    if (!length) return this.#says("today");
    if (length.n === 1 && length.unit === "day") return this.#says("yesterday");
    return this.#says("between_ago", { from: length, to: length });
  }

  #since(length: Length | null): Json {
    const past = length ? this.#says("in_last", length) : this.#says("today");
    return this.#future ? { any: [past, this.#says("in_next", AHEAD)] } : past;
  }

  #after(length: Length | null, at: number): Json {
    const since = dayAfter(length);
    if (since !== undefined) return this.#since(since);
    if (!length) {
      if (!this.#future) throw new TextError(at, "what has happened is never later than today");
      return { all: [this.#says("in_next", AHEAD), { none: [this.#says("today")] }] };
    }
    if (isTime(length)) throw new TextError(at, "hours and minutes are compared with >= and < only");
    return { all: [this.#since(length), { none: [this.#on(length)] }] };
  }
}

function isTime({ unit }: Length): boolean {
  return unit === "hour" || unit === "minute";
}

/** How far back the day after one so far back is, where its unit can tell; null is today. */
export function dayAfter(length: Length | null): Length | null | undefined {
  if (length?.unit !== "day" && length?.unit !== "week") return undefined;
  const n = length.unit === "week" ? length.n * 7 - 1 : length.n - 1;
  return n === 0 ? null : { n, unit: "day" };
}

/** When an event happened: one window, or what takes two to say. */
export type Window =
  | { is: "one"; window: Json }
  /** Either of two windows: what happened in one of them. */
  | { is: "either"; windows: [Json, Json] }
  /** Later than the day so long ago. */
  | { is: "after"; length: Length };

/** The window of an event. What has happened is not in the future, so an end at today is none. */
export function windowOf(operation: Operation, at: number, sense: ShopSense): Window {
  const one = (window: Json): Window => ({ is: "one", window });
  if (operation.op === "within" && operation.which === "last") {
    return one({ [operation.negative ? "notInLast" : "inLast"]: operation.length });
  }
  if (operation.op === "between") {
    const [from, to] = [dayOf(operation.from, sense), dayOf(operation.to, sense)];
    if (from.kind === "absolute" && to.kind === "absolute") return one({ between: [from.value, to.value] });
    if (to.kind === "back" && !to.length && from.kind === "absolute") return one({ onOrAfter: from.value });
    if (from.kind === "back" && from.length && to.kind === "back") {
      return one(to.length ? { betweenAgo: { from: from.length, to: to.length } } : { inLast: from.length });
    }
    throw new TextError(at, "here BETWEEN takes two dates, two offsets back, or either of them and today");
  }
  if (operation.op !== "compare") throw new TextError(at, "date is asked with =, <, <=, >, >=, BETWEEN or IN LAST");
  const { sign, value } = operation;
  const day = dayOf(value, sense);
  if (day.kind === "back") return backWindow(sign, day.length, value.at);
  if (day.kind === "period" && sign === "=") return one({ during: day.period });
  const names = { "=": "on", "<": "before", "<=": "onOrBefore", ">": "after", ">=": "onOrAfter" };
  if (day.kind === "absolute" && sign !== "!=") return one({ [names[sign]]: day.value });
  throw new TextError(at, "an event's date is not asked with this; != and days ahead are not known here");
}

function backWindow(sign: Sign, length: Length | null, at: number): Window {
  const since = (length: Length | null): Json => (length ? { inLast: length } : { during: "today" });
  const on = (length: Length | null): Json =>
    length ? { betweenAgo: { from: length, to: length } } : { during: "today" };
  switch (sign) {
    case "=":
      if (length?.n === 1 && length.unit === "day") return { is: "one", window: { during: "yesterday" } };
      return { is: "one", window: on(length) };
    case ">=":
      return { is: "one", window: since(length) };
    case "<":
      if (length) return { is: "one", window: { notInLast: length } };
      return backWindow("<=", { n: 1, unit: "day" }, at);
    case ">": {
      const next = dayAfter(length);
      if (next !== undefined) return { is: "one", window: since(next) };
      if (length && !isTime(length)) return { is: "after", length };
      throw new TextError(at, "say >= here");
    }
    case "<=": {
      const next = dayAfter(length);
      if (next) return { is: "one", window: { notInLast: next } };
      if (length && !isTime(length)) return { is: "either", windows: [{ notInLast: length }, on(length)] };
      throw new TextError(at, "nothing happens later than today: leave this out");
    }
    case "!=":
      throw new TextError(at, "an event's date is not asked with !=");
    default:
      return sign satisfies never;
  }
}
