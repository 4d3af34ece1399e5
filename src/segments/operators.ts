import type { ValueType } from "./condition";
import { PERIODS, type Period } from "./window";

/** What an operator wants as its value. */
export type Wants =
  | "nothing"
  | "text"
  | "texts"
  | "pattern"
  | "number"
  | "numbers"
  | "number_pair"
  | "bool"
  | "point"
  | "point_pair"
  | "length"
  | "length_pair"
  | "held"
  | "month"
  | "count"
  | "area";

const PRESENCE = { is_set: "nothing", not_set: "nothing" } as const satisfies Record<string, Wants>;

const TEXT = {
  eq: "text",
  ne: "text",
  in: "texts",
  not_in: "texts",
  contains: "text",
  not_contains: "text",
  starts_with: "text",
  not_starts_with: "text",
  ends_with: "text",
  not_ends_with: "text",
  matches: "pattern",
  not_matches: "pattern",
  has_any: "texts",
  has_none: "texts",
  ...PRESENCE,
} as const satisfies Record<string, Wants>;

const NUMBER = {
  eq: "number",
  ne: "number",
  gt: "number",
  gte: "number",
  lt: "number",
  lte: "number",
  between: "number_pair",
  in: "numbers",
  not_in: "numbers",
  ...PRESENCE,
} as const satisfies Record<string, Wants>;

const DATE = {
  on: "point",
  not_on: "point",
  before: "point",
  after: "point",
  on_or_before: "point",
  on_or_after: "point",
  between: "point_pair",
  in_last: "length",
  not_in_last: "length",
  between_ago: "length_pair",
  in_next: "length",
  ...(Object.fromEntries(PERIODS.map((period) => [period, "nothing"])) as Record<Period, "nothing">),
  anniversary_today: "nothing",
  anniversary_in_last: "length",
  anniversary_in_next: "length",
  anniversary_month: "month",
  ...PRESENCE,
} as const satisfies Record<string, Wants>;

/** Of fields with many values, beside those of the values themselves, which ask for any of them. */
const MANY = { has_all: "texts", count: "count", is_empty: "nothing", not_empty: "nothing" } as const satisfies Record<
  string,
  Wants
>;

const HELD = { has_been: "held", has_not_been: "held" } as const satisfies Record<string, Wants>;

const PLACE = { within: "area", not_within: "area", ...PRESENCE } as const satisfies Record<string, Wants>;

const BY_TYPE: Record<ValueType, Record<string, Wants>> = {
  text: TEXT,
  number: NUMBER,
  money: NUMBER,
  bool: { is: "bool", ...PRESENCE },
  date: DATE,
  place: PLACE,
};

/** What decides on the operators of a field. */
export interface Askable {
  type: ValueType;
  many?: boolean;
  /** It is known since when the value has been what it is. */
  held?: boolean;
  /** The only operators that make sense for it. */
  only?: readonly string[];
}

/** The operators of a field by name, and what each wants as its value. */
export function operatorsOf({ type, many = false, held = false, only }: Askable): Record<string, Wants> {
  const all = { ...BY_TYPE[type], ...(many ? MANY : {}), ...(held ? HELD : {}) };
  return only ? Object.fromEntries(Object.entries(all).filter(([name]) => only.includes(name))) : all;
}
