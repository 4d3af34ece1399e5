import type { Parameters } from "./parameters";

export type SubjectKind = "contact" | "visitor";

/** What all SQL of one query shares. In it `s` is the row of the contact or visitor that is asked about. */
export interface Frame {
  parameters: Parameters;
  kind: SubjectKind;
  /** SQL of the one subject's key; null asks about everyone of the shop. */
  one: string | null;
  /** SQL of the shop's key. */
  shop: string;
  /** SQL of the shop's currency. */
  currency: string;
  now: number;
  zone: string;
}

/** Rows that belong to subjects: all of the shop's, or those of the one subject, who is then found by key. */
export interface Relation {
  from: string;
  where: string[];
  /** SQL of the subject's key; never null in these rows. */
  key: string;
}

/** A select of keys, as rows without null. */
export function keysOf({ from, where, key }: Relation, more: string[] = [], tail = ""): string {
  return `select ${key} from ${from} where ${[...where, ...more].join(" and ")}${tail}`;
}
