import { addTagsOfMany, columnsOf, fieldsPatch, importConsents, phoneDecisions } from "../contacts/rest";
import type { ContactRef } from "../contacts";
import { insertRows, sql } from "../db/client";
import { keyAfter, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import type { Shop } from "../shops";
import { suppressStatements } from "../suppressions";
import { KINDS, type KnownPeople, lookUp } from "./look-up";
import type { ImportOptions } from "./options";
import type { Problem, ToldRow } from "./row";
import { consentsToWrite, findPerson, type IdentityKind, type Known, suppressionsToWrite } from "./standing";
import { changesOf, type Fields, identityRow, listStatement, type Row, updateStatement, Writes } from "./writes";

export type Outcome = "created" | "updated" | "unchanged" | "skipped" | "failed";

/** What rows come to: the statements of one batch, and what is told of them. */
export interface RowsPlan {
  outcomes: Outcome[];
  /** Beside those found in reading. */
  problems: (Problem & { row: number; fatal: boolean })[];
  suppressed: number;
  statements: D1PreparedStatement[];
  /** Contacts to merge before these rows can be planned. */
  merges: { winner: ContactRef & { revision: number }; loser: ContactRef & { revision: number } }[];
}

interface Importing {
  env: Env;
  shop: Shop;
  options: ImportOptions;
  /** When the import was asked for. */
  importedAt: number;
  list: number | null;
}

/**
 * Plans rows of a file of which no two name the same address or id. The statements are guarded: another writer of the
 * same contacts, or of the same addresses, makes the batch fail as a conflict.
 */
export async function planRows(work: Importing, rows: readonly ToldRow[], now: number): Promise<RowsPlan> {
  const { env, shop, options, importedAt } = work;
  const db = env.DB;
  const people = await lookUp(env, shop.key, rows);
  const plan: RowsPlan = { outcomes: [], problems: [], suppressed: 0, statements: [], merges: [] };
  const writes = new Writes();
  let next = keyAfter(people.lastKey);
  for (const [n, row] of rows.entries()) {
    const outcome = planRow(work, row, { people, n, plan, writes, newKey: () => next++ }, now);
    plan.outcomes.push(outcome);
  }
  if (plan.merges.length > 0) return plan;
  const entries = writes.suppressions.map((entry) => ({ ...entry, source: "import", at: entry.at ?? importedAt }));
  plan.suppressed = entries.length;
  plan.statements.push(
    mustHold(
      db,
      `not exists (select 1 from json_each(?2) j left join contacts c
         on c.key = j.value ->> 'key' and c.shop = ?1 and c.revision = j.value ->> 'revision' where c.key is null)`,
      shop.key,
      JSON.stringify(writes.held),
    ),
    ...insertRows(db, "contacts", writes.contacts),
    ...insertRows(db, "identities", writes.identities),
    ...insertRows(db, "lifecycle_history", writes.history),
    ...writes.updates.map(({ key, columns, fields }) => updateStatement(db, shop.key, key, columns, fields, now)),
    sql(
      db,
      `update identities set evidence = 'verified' where shop = ?1 and evidence = 'claimed'
         and (kind, value) in (select value ->> 0, value ->> 1 from json_each(?2))`,
      shop.key,
      JSON.stringify(writes.confirmed),
    ),
    ...importConsents(db, shop.key, writes.consents, now),
    ...addTagsOfMany(db, shop.key, writes.tags, now),
    ...(work.list === null || options.listId === undefined ? [] : [listStatement(db, work.list, writes.touched, now)]),
    ...(await suppressStatements(env, shop.key, entries)),
  );
  return plan;
}

interface Planning {
  people: KnownPeople;
  n: number;
  plan: RowsPlan;
  writes: Writes;
  newKey: () => number;
}

function planRow(work: Importing, row: ToldRow, planning: Planning, now: number): Outcome {
  const { options, importedAt, shop } = work;
  const { people, n, plan, writes } = planning;
  const say = (column: string, detail: string, fatal = false) =>
    plan.problems.push({ row: row.row, column, detail, fatal });
  if (people.erasedAt(n) >= importedAt) {
    say("", "was erased after this import was begun", true);
    return "failed";
  }
  if (row.contact === null) {
    const before = people.holders(n).get("email") ?? people.holders(n).get("phone") ?? null;
    suppress(row, before, writes);
    return "skipped";
  }
  const { contact } = row;
  const holders = people.holders(n);
  const told = {
    email: row.email,
    customerId: contact.shopifyCustomerId ?? null,
    externalId: contact.externalId ?? null,
  };
  const found = findPerson(told, holders, options.conflicts === "merge");
  if (found.kind === "merge") {
    plan.merges.push(found);
    return "updated";
  }
  if (found.kind === "conflict") {
    say(found.column, "belongs to another customer", true);
    return "failed";
  }
  const known = found.kind === "known" ? found.contact : null;
  suppress(row, known, writes);
  const consents = consentsToWrite(row, known, people.suppressed(n), importedAt);
  if (known === null && options.missing === "skip") {
    // Nobody is added, but who has left stays away should they ever come.
    for (const { channel, state, decidedAt } of consents) {
      const address = channel === "email" ? row.email : row.phone;
      if (state === "unsubscribed" && address !== null) {
        writes.suppressions.push({ channel, address, reason: "UNSUBSCRIBE", at: decidedAt });
      }
    }
    return "skipped";
  }
  const mine = (kind: IdentityKind, value: string | null | undefined) => {
    if (!value) return false;
    const holder = holders.get(kind);
    if (!holder || holder.key === known?.key) return true;
    const column = kind === "external" ? "externalId" : kind === "shopify_customer" ? "shopifyCustomerId" : kind;
    say(column, "belongs to another contact; left out");
    return false;
  };
  const values = {
    external: mine("external", contact.externalId) ? (contact.externalId ?? null) : null,
    shopify_customer: mine("shopify_customer", contact.shopifyCustomerId) ? (contact.shopifyCustomerId ?? null) : null,
    email: mine("email", row.email) ? row.email : null,
    phone: mine("phone", row.phone) ? row.phone : null,
  };
  if (known === null && Object.values(values).every((value) => value === null)) {
    say("", "has nothing of its own that tells who it is", true);
    return "failed";
  }
  const key = known?.key ?? planning.newKey();
  if (known?.deletedAt) {
    say("", "is in the trash; only consents and suppressions were taken");
    for (const consent of consents) writes.consents.push({ ...consent, contact: key });
    return "skipped";
  }

  const columns = columnsOf({ ...contact, email: values.email ?? undefined }, values.phone ?? undefined);
  columns.delete("external_id");
  columns.delete("shopify_customer_id");
  if (values.external !== null) columns.set("external_id", values.external);
  if (values.shopify_customer !== null) columns.set("shopify_customer_id", values.shopify_customer);
  const fields = contact.fields ?? {};
  const isSkipped = known !== null && options.existing === "skip";
  if (!isSkipped) {
    for (const kind of KINDS) {
      const value = values[kind];
      if (value === null) continue;
      if (holders.has(kind)) writes.confirmed.push([kind, value]);
      else writes.identities.push(identityRow(shop.key, kind, value, key, now));
    }
  }
  for (const consent of consents) writes.consents.push({ ...consent, contact: key });
  if (isSkipped) return "skipped";
  const labels = [...(contact.tags ?? []), ...options.tags];
  if (labels.length > 0) writes.tags.push({ contact: key, labels });
  writes.touched.push(key);
  if (values.phone !== null && (known === null || known.phone === null)) {
    for (const assumed of phoneDecisions(shop)) writes.consents.push({ ...assumed, contact: key });
  }
  if (known === null) {
    addContact(work, { key, columns, fields, isCustomer: values.shopify_customer !== null }, writes, now);
    return "created";
  }
  writes.held.push({ key, revision: known.revision });
  const changes = changesOf(known, columns, fields, options.existing === "fill");
  const isNewlyHeld = KINDS.some((kind) => values[kind] !== null && !holders.has(kind));
  if (known.verified === 0) changes.columns.set("verified", 1);
  if (changes.columns.size > 0 || changes.fields !== "{}") writes.updates.push({ key, ...changes });
  const isChanged = changes.columns.size > 0 || changes.fields !== "{}" || isNewlyHeld || saysNew(known, consents);
  return isChanged ? "updated" : "unchanged";
}

function suppress(row: ToldRow, known: Known | null, writes: Writes): void {
  for (const entry of suppressionsToWrite(row, known)) {
    const address = entry.channel === "email" ? row.email : row.phone;
    if (address !== null) writes.suppressions.push({ ...entry, address });
  }
}

function saysNew(known: Known, consents: readonly { channel: string; state: string; decidedAt: number | null }[]) {
  return consents.some((told) => {
    const stored = known.consents.find(({ channel }) => channel === told.channel);
    return !stored || (stored.state !== told.state && (told.decidedAt ?? 0) >= (stored.decidedAt ?? 0));
  });
}

function addContact(
  { shop }: Importing,
  { key, columns, fields, isCustomer }: { key: number; columns: Row; fields: Fields; isCustomer: boolean },
  writes: Writes,
  now: number,
): void {
  const stage = isCustomer ? "customer" : "lead";
  const status = isCustomer ? "disabled" : null;
  writes.contacts.push(
    new Map<string, string | number | null>([
      ["key", key],
      ["id", newId("con", now)],
      ["shop", shop.key],
      ["source", "Import"],
      ["verified", 1],
      ["stage", stage],
      ["status", status],
      ["created_at", now],
      ["updated_at", now],
      ["fields", fieldsPatch(fields)],
      ...columns,
    ]),
  );
  writes.history.push(
    new Map<string, string | number | null>([
      ["shop", shop.key],
      ["contact", key],
      ["stage", stage],
      ["status", status],
      ["at", now],
    ]),
  );
}
