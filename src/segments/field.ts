import type { Frame, Relation, SubjectKind } from "./compile/frame";
import type { LineFact } from "./compile/lines";
import type { Value } from "./compile/predicate";
import { edgeBrowser } from "./compile/relations";
import type { ValueType } from "./condition";
import type { Askable } from "./operators";

/** Where the values of a field are, for one kind of subject. `s` is the row of the contact or visitor. */
export type Place =
  /** A value of the subject's own row. */
  | { kind: "column"; value: (frame: Frame) => Value }
  /** An aggregate over the subject's rows; `zero` where no rows are a value of 0. */
  | { kind: "aggregate"; rows: (frame: Frame) => Relation; value: (frame: Frame) => Value; zero?: boolean }
  /** A value in each of the subject's rows: any of them passes. */
  | { kind: "rows"; rows: (frame: Frame) => Relation; value: (frame: Frame) => Value }
  /** The members of a JSON array of the subject's own row. */
  | { kind: "array"; array: (frame: Frame) => string }
  /** A fact of the lines of the subject's orders `o`. */
  | { kind: "lines"; orders: (frame: Frame) => Relation; fact: LineFact }
  /** The row's value, and since when it has been that. */
  | { kind: "state"; rows: (frame: Frame) => Relation; value: string; since: string }
  /** A value of the row, and the history of all it has been. */
  | { kind: "history"; column: string };

export const GROUPS = {
  identity: "Identity",
  address: "Address and place",
  lifecycle: "Lifecycle",
  consent: "Consent",
  tags: "Tags and score",
  fields: "Custom fields",
  totals: "Lifetime totals",
  last_order: "Last order",
  any_order: "Any order",
  carts: "Carts",
  visits: "Visits",
} as const;

export type Group = keyof typeof GROUPS;

/** Groups that mean nothing without a store's orders. */
export const ECOMMERCE: Group[] = ["totals", "last_order", "any_order", "carts"];

export interface Field extends Askable {
  name: string;
  label: string;
  group: Group;
  /** Values that it takes, where they are few. */
  options?: readonly string[];
  /** Other ways in which the words of a condition may be stored. */
  words?: (word: string) => string[];
  /** How values begin that a word of a condition stands for. */
  beginnings?: (word: string) => string[];
  places: Partial<Record<SubjectKind, Place>>;
}

export const column = (sql: string, more: Omit<Value, "sql"> = {}): Place => ({
  kind: "column",
  value: () => ({ sql, ...more }),
});

export const aggregate = (rows: (frame: Frame) => Relation, sql: string, zero = false): Place => ({
  kind: "aggregate",
  rows,
  value: () => ({ sql }),
  zero,
});

export const each = (rows: (frame: Frame) => Relation, sql: string, more: Omit<Value, "sql"> = {}): Place => ({
  kind: "rows",
  rows,
  value: () => ({ sql, ...more }),
});

export const both = (place: Place): Field["places"] => ({ contact: place, visitor: place });

/** A field of contacts alone. */
export function ofContacts(
  group: Group,
  name: string,
  label: string,
  type: ValueType,
  place: Place,
  more: Partial<Field> = {},
): Field {
  return { name, label, group, type, places: { contact: place }, ...more };
}

export const text = (group: Group, name: string, label: string, sql: string, more: Partial<Field> = {}) =>
  ofContacts(group, name, label, "text", column(sql), more);

export const date = (group: Group, name: string, label: string, sql: string) =>
  ofContacts(group, name, label, "date", column(sql));

const fromBrowser = (edge: "first" | "last", sql: (alias: string) => string): Field["places"] => ({
  contact: each((frame) => edgeBrowser(frame, edge), sql("v")),
  visitor: column(sql("s")),
});

/** A text of the browser that a contact used first or last, and of a visitor's own. */
export function browserText(
  group: Group,
  name: string,
  label: string,
  edge: "first" | "last",
  sql: (alias: string) => string,
  more: Partial<Field> = {},
): Field {
  return { name, label, group, type: "text", places: fromBrowser(edge, sql), ...more };
}
