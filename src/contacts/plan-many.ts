import { insertRows, sql } from "../db/client";
import { keyAfter, lastKey, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import type { Identity } from "../identity";
import type { Shop } from "../shops";
import { type ContactSource, decideContact } from "./decide";
import { lastOrdered, readsFigures } from "./figures";
import { applyConsentsOfMany, type ConsentDecision, phoneDecisions } from "./source-consents";
import { addSourceTagsOfMany, setSourceTags } from "./source-tags";
import {
  announceContact,
  COLUMNS,
  type ContactPlan,
  contactRow,
  contactStatements,
  type Hit,
  identitiesOf,
  isNews,
  toPlan,
  updateContact,
} from "./upsert";

/** Plans of several sources; `statements` belong to all of them together. */
export interface ManyContacts {
  /**
   * One per source, in their order. Null for one that names nobody; `one_by_one` for one that merges contacts, takes an
   * address away from another or touches whom an earlier source touches: those are for `planContact`, after these.
   */
  plans: (Omit<ContactPlan, "statements"> | null | "one_by_one")[];
  statements: D1PreparedStatement[];
}

/**
 * `planContact` for many sources at once, in a few statements: the same decision (`decideContact`) and the same rows.
 * No two of the sources may name the same person by any identity.
 */
export async function planContacts(
  db: D1Database,
  shop: Shop,
  sources: (ContactSource | null)[],
  now: number,
  quietBefore: number,
): Promise<ManyContacts> {
  const identities = sources.map((source) => (source ? identitiesOf(source) : []));
  const asked = JSON.stringify(identities.flatMap((list, n) => list.map((identity) => ({ n, ...identity }))));
  const join = `json_each(?2) j cross join identities i
    on i.shop = ?1 and i.kind = j.value ->> 'kind' and i.value = j.value ->> 'value'`;
  const [held, rows, last, ordered] = await db.batch<Hit & { n: number; contact: number; seq: number; at: number }>([
    sql(db, `select j.value ->> 'n' as n, i.kind, i.evidence, i.contact from ${join}`, shop.key, asked),
    sql(
      db,
      `select ${COLUMNS} from contacts c where +c.shop = ?1 and c.key in (select i.contact from ${join})`,
      shop.key,
      asked,
    ),
    lastKey(db, "contacts"),
    ...(sources.some((source) => source && readsFigures(source)) ? [lastOrdered(db, shop.key, asked)] : []),
  ]);
  const orderedAt = new Map((ordered?.results ?? []).map(({ key, at }) => [key, at]));
  const contacts = new Map(
    (rows?.results ?? []).map((row) => [row.key, { ...row, orderedAt: orderedAt.get(row.key) ?? 0 }]),
  );
  const hits = new Map<string, Hit>();
  for (const { n, kind, evidence, contact } of held?.results ?? []) {
    const row = contacts.get(contact);
    if (row) hits.set(`${n}:${kind}`, { ...row, kind, evidence });
  }

  const many = new Writes(db, shop, now);
  const touched = new Set<number>();
  let next = keyAfter(last?.results[0]?.seq ?? null);
  const plans = sources.map((source, n): ManyContacts["plans"][number] => {
    if (!source || identities[n]?.length === 0) return null;
    const holder = (kind: Identity["kind"]) => hits.get(`${n}:${kind}`) ?? null;
    const holders = { customer: holder("shopify_customer"), email: holder("email"), phone: holder("phone") };
    const found = Object.values(holders).flatMap((hit) => hit?.key ?? []);
    const isShared = found.some((key) => touched.has(key));
    for (const key of found) touched.add(key);
    if (isShared) return "one_by_one";
    const decision = decideContact(source, holders);
    const { target } = decision;
    if (decision.merge.length > 0 || decision.loses.length > 0) return "one_by_one";
    const ref = { key: target?.key ?? next++, id: target?.id ?? newId("con", now) };
    const announced = isNews(source, quietBefore);
    if (target) many.known(source, decision, { ...ref, announced });
    else many.made(source, decision, { ...ref, announced });
    return { ...ref, ...toPlan(decision, source) };
  });
  return { plans, statements: many.statements() };
}

type Decision = ReturnType<typeof decideContact>;

interface Ref {
  key: number;
  id: string;
  announced: boolean;
}

/** Collects rows of one kind, so that each kind is one statement. */
class Writes {
  readonly #db: D1Database;
  readonly #shop: Shop;
  readonly #now: number;
  readonly #held: { key: number; revision: number }[] = [];
  readonly #contacts: Map<string, string | number | null>[] = [];
  readonly #identities: (Identity & { contact: number })[] = [];
  readonly #consents: (ConsentDecision & { contact: number })[] = [];
  readonly #tags: { contact: number; labels: string[]; at: number }[] = [];
  readonly #single: D1PreparedStatement[] = [];

  constructor(db: D1Database, shop: Shop, now: number) {
    this.#db = db;
    this.#shop = shop;
    this.#now = now;
  }

  made(source: ContactSource, decision: Decision, ref: Ref): void {
    this.#contacts.push(contactRow(this.#shop.key, ref, decision, this.#now));
    if (ref.announced) this.#single.push(announceContact(this.#db, this.#shop.key, ref, this.#now));
    this.#shared(source, decision, ref.key);
    if (source.tags && decision.changed.includes("tags")) {
      this.#tags.push({ contact: ref.key, labels: source.tags, at: source.version.updatedAt });
    }
  }

  known(source: ContactSource, decision: Decision, ref: Ref): void {
    const { target } = decision;
    if (!target) return;
    const isSimple =
      decision.drops.length === 0 && decision.hasPhone !== false && decision.holds.every(({ free }) => free);
    if (!isSimple) {
      this.#single.push(...contactStatements(this.#db, this.#shop, source, decision, ref, this.#now));
      return;
    }
    this.#held.push({ key: target.key, revision: target.revision });
    this.#single.push(...updateContact(this.#db, this.#shop.key, target.key, decision, this.#now));
    this.#shared(source, decision, target.key);
    if (source.tags && decision.changed.includes("tags")) {
      const at = source.version.updatedAt;
      this.#single.push(...setSourceTags(this.#db, this.#shop.key, target.key, source.tags, at));
    }
  }

  #shared(source: ContactSource, decision: Decision, contact: number): void {
    for (const { kind, value } of decision.holds) this.#identities.push({ kind, value, contact });
    for (const consent of source.consents) this.#consents.push({ ...consent, contact });
    if (decision.hasPhone) {
      for (const consent of phoneDecisions(this.#shop)) this.#consents.push({ ...consent, contact });
    }
  }

  statements(): D1PreparedStatement[] {
    const db = this.#db;
    const shop = this.#shop.key;
    const identities = this.#identities.map(
      ({ kind, value, contact }) =>
        new Map<string, string | number>([
          ["shop", shop],
          ["kind", kind],
          ["value", value],
          ["contact", contact],
          ["evidence", "verified"],
          ["created_at", this.#now],
        ]),
    );
    return [
      mustHold(
        db,
        `not exists (select 1 from json_each(?2) j left join contacts c
           on c.key = j.value ->> 'key' and c.shop = ?1 and c.revision = j.value ->> 'revision' where c.key is null)`,
        shop,
        JSON.stringify(this.#held),
      ),
      ...insertRows(db, "contacts", this.#contacts),
      ...insertRows(db, "identities", identities),
      ...this.#single,
      ...applyConsentsOfMany(db, shop, this.#consents, this.#now),
      ...addSourceTagsOfMany(db, shop, this.#tags),
    ];
  }
}
