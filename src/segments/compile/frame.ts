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
  /** IANA. What time it is comes with the values (`bounds.ts`), never into the SQL. */
  zone: string;
}

/** Rows that belong to subjects: all of the shop's, or those of the one subject, who is then found by key. */
export interface Relation {
  from: string;
  where: string[];
  /** SQL of the subject's key; never null in these rows. */
  key: string;
  /** Of everybody: keys are grouped, which sorts them, since SQLite fills a set in order several times as fast. */
  all: boolean;
  /** The same rows by their browser, where they are found by that and then led to a contact (`ledToContacts`). */
  byBrowser?: Relation;
}

/**
 * Leads what was worked out for each browser (columns `visitor`, `part`) to the contacts whose browsers they are: rows
 * `v.contact`, `b.part`. Asking so late spares a look for every single event.
 */
export function ledToContacts({ shop }: Frame, perBrowser: string): string {
  return `(${perBrowser}) b cross join visitors v indexed by visitors_linked
    where v.shop = ${shop} and v.key = b.visitor and v.contact is not null`;
}

/** A select of keys, as rows without null. */
export function keysOf({ from, where, key, all }: Relation, more: string[] = [], tail = ""): string {
  const end = tail === "" && all ? ` group by ${key}` : tail;
  return `select ${key} from ${from} where ${[...where, ...more].join(" and ")}${end}`;
}
