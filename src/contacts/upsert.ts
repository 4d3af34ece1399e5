import { sql } from "../db/client";
import { keyAfter, lastKey, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import type { Shop } from "../shops";
import type { Identity } from "../identity";
import { emit } from "../jobs";
import { type ContactRow, type ContactSource, type Decision, decideContact } from "./decide";

import { lastOrdered, readsFigures } from "./figures";
import { mergeContactsStatements } from "./merge";
import type { Registers, SourceField } from "./registers";
import { applyConsents, phoneDefault } from "./source-consents";
import { setSourceTags } from "./source-tags";

/** What to do, as statements for one batch, and whom it is about. */
export interface ContactPlan {
  key: number;
  id: string;
  isNew: boolean;
  /** False when everything told was known or older than what is known. */
  changed: boolean;
  /** Whether order count, stage or status may follow from it: then `recount` goes last in the batch. */
  counts: boolean;
  registers: Registers;
  statements: D1PreparedStatement[];
}

export interface Hit extends ContactRow {
  kind: Identity["kind"];
  evidence: "verified" | "claimed";
}

/** What of a contact `c` a source can change. */
export const COLUMNS = `c.key, c.id, c.email, c.phone, c.phone_source as "phoneSource", c.first_name as "firstName",
  c.last_name as "lastName", c.company, c.line1, c.line2, c.city, c.province, c.country, c.zip,
  c.account_state as "accountState", c.tax_exempt as "taxExempt", c.shopify_customer_id as "customerId",
  c.shopify_created_at as "createdAt", c.shopify_updated_at as "updatedAt", c.shopify_values as "registers",
  c.revision, c.verified, c.deleted_at as "deletedAt"`;

/** What names the person of a source; empty for nobody. */
export function identitiesOf({ customerId, values }: ContactSource): Identity[] {
  const identities: Identity[] = [];
  if (customerId !== null) identities.push({ kind: "shopify_customer", value: customerId });
  if (typeof values.email === "string") identities.push({ kind: "email", value: values.email });
  if (typeof values.phone === "string") identities.push({ kind: "phone", value: values.phone });
  return identities;
}

/**
 * Finds the contact that a body of the source speaks of (by customer id, else e-mail, else phone) and plans its change
 * or its creation. Null when the body names nobody.
 *
 * The plan is guarded: when another writer changes the same contact first, its batch fails with a conflict.
 *
 * @param quietBefore what happened before is history: no domain event tells of it
 */
export async function planContact(
  db: D1Database,
  shop: Shop,
  source: ContactSource,
  now: number,
  quietBefore = 0,
): Promise<ContactPlan | null> {
  const identities = identitiesOf(source);
  if (identities.length === 0) return null;

  const asked = JSON.stringify(identities);
  const [found, last, ordered] = await db.batch<Hit & { seq: number; at: number }>([
    sql(
      db,
      `select i.kind, i.evidence, ${COLUMNS} from json_each(?2) j
       cross join identities i on i.shop = ?1 and i.kind = j.value ->> 'kind' and i.value = j.value ->> 'value'
       join contacts c on c.key = i.contact and +c.shop = ?1`,
      shop.key,
      asked,
    ),
    lastKey(db, "contacts"),
    ...(readsFigures(source) ? [lastOrdered(db, shop.key, asked)] : []),
  ]);
  const orderedAt = new Map(ordered?.results.map(({ key, at }) => [key, at]));
  const hits = found?.results.map((hit) => ({ ...hit, orderedAt: orderedAt.get(hit.key) ?? 0 })) ?? [];
  const holder = (kind: Identity["kind"]) => hits.find((hit) => hit.kind === kind) ?? null;
  const decision = decideContact(source, {
    customer: holder("shopify_customer"),
    email: holder("email"),
    phone: holder("phone"),
  });

  const { target } = decision;
  const key = target?.key ?? keyAfter(last?.results[0]?.seq ?? null);
  const id = target?.id ?? newId("con", now);
  const announced = isNews(source, quietBefore);
  return {
    key,
    id,
    ...toPlan(decision, source),
    statements: contactStatements(db, shop, source, decision, { key, id, announced }, now),
  };
}

/** Whether the person appeared after that moment: for whom the source knows longer, a new row here is no news. */
export function isNews({ values, version }: ContactSource, quietBefore: number): boolean {
  return (typeof values.createdAt === "number" ? values.createdAt : version.updatedAt) >= quietBefore;
}

/** What a decision says about a contact, beside its statements. */
export function toPlan({ target, columns, changed, merge, registers }: Decision, source: ContactSource) {
  const isNew = target === null;
  const isOther = isNew || merge.length > 0;
  return {
    isNew,
    changed: isOther || changed.length > 0 || source.consents.length > 0,
    counts: isOther || columns.has("shopify_customer_id") || changed.some((field) => COUNTED.has(field)),
    registers,
  };
}

/** What a source tells that `recount` reads. */
const COUNTED = new Set<SourceField>(["accountState", "ordersCount", "totalSpent"]);

/** The guarded statements that carry a decision out. */
export function contactStatements(
  db: D1Database,
  shop: Shop,
  source: ContactSource,
  decision: Decision,
  { key, id, announced }: { key: number; id: string; announced: boolean },
  now: number,
): D1PreparedStatement[] {
  const { target, merge, loses } = decision;
  const statements: D1PreparedStatement[] = [];
  for (const touched of [target, ...merge, ...loses.map((loss) => loss.from)]) {
    if (touched) {
      statements.push(
        mustHold(
          db,
          "exists (select 1 from contacts where key = ? and shop = ? and revision = ?)",
          touched.key,
          shop.key,
          touched.revision,
        ),
      );
    }
  }
  for (const loser of merge) statements.push(...mergeContactsStatements(db, shop.key, { key, id }, loser, now));
  for (const { from, column, kind, value } of loses) {
    statements.push(
      sql(
        db,
        "delete from identities where shop = ? and kind = ? and value = ? and contact = ?",
        shop.key,
        kind,
        value,
        from.key,
      ),
      sql(
        db,
        `update contacts set ${column} = null, revision = revision + 1, updated_at = ?
         where key = ? and shop = ? and ${column} = ?`,
        now,
        from.key,
        shop.key,
        value,
      ),
    );
  }
  if (target) statements.push(...updateContact(db, shop.key, target.key, decision, now));
  else {
    statements.push(insertContact(db, contactRow(shop.key, { key, id }, decision, now)));
    if (announced) statements.push(announceContact(db, shop.key, { key, id }, now));
  }

  for (const { kind, value } of decision.drops) {
    statements.push(
      sql(
        db,
        "delete from identities where shop = ? and kind = ? and value = ? and contact = ?",
        shop.key,
        kind,
        value,
        key,
      ),
    );
  }
  for (const { kind, value, free } of decision.holds) {
    // A value that was free goes in without a conflict clause: if someone took it meanwhile, the batch must fail.
    statements.push(
      free
        ? sql(
            db,
            "insert into identities (shop, kind, value, contact, evidence, created_at) values (?, ?, ?, ?, 'verified', ?)",
            shop.key,
            kind,
            value,
            key,
            now,
          )
        : sql(
            db,
            "update identities set evidence = 'verified' where shop = ? and kind = ? and value = ? and contact = ?",
            shop.key,
            kind,
            value,
            key,
          ),
    );
  }
  statements.push(...applyConsents(db, shop.key, key, source.consents, now));
  if (decision.hasPhone !== null) statements.push(...phoneDefault(db, shop, key, decision.hasPhone, now));
  if (source.tags !== null && decision.changed.includes("tags")) {
    statements.push(...setSourceTags(db, shop.key, key, source.tags, source.version.updatedAt));
  }
  return statements;
}

/** A new contact's row by column name. */
export function contactRow(
  shop: number,
  ref: { key: number; id: string },
  { columns, registers }: Decision,
  now: number,
): Map<string, string | number | null> {
  return new Map<string, string | number | null>([
    ["key", ref.key],
    ["id", ref.id],
    ["shop", shop],
    ["source", "Shopify"],
    ["verified", 1],
    ["stage", "lead"],
    ["created_at", now],
    ["updated_at", now],
    ["shopify_values", JSON.stringify(registers)],
    ...columns,
  ]);
}

function insertContact(db: D1Database, row: Map<string, string | number | null>): D1PreparedStatement {
  const names = [...row.keys()];
  return sql(
    db,
    `insert into contacts (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`,
    ...row.values(),
  );
}

/** Tells that a contact was made. */
export function announceContact(db: D1Database, shop: number, ref: { key: number; id: string }, now: number) {
  return emit(
    db,
    {
      shop,
      type: "contact_created",
      subject: `contact:${ref.key}`,
      naturalKey: ref.id,
      data: { source: "Shopify" },
      at: now,
    },
    now,
  );
}

/** Writes what a decision changed of a known contact. */
export function updateContact(
  db: D1Database,
  shop: number,
  key: number,
  { columns, registers, changed, merge }: Decision,
  now: number,
): D1PreparedStatement[] {
  if (columns.size === 0 && changed.length === 0 && merge.length === 0) return [];
  const row = new Map<string, string | number | null>([...columns, ["shopify_values", JSON.stringify(registers)]]);
  if (columns.size > 0) row.set("updated_at", now);
  return [
    sql(
      db,
      `update contacts set ${[...row.keys()].map((name) => `${name} = ?`).join(", ")}, revision = revision + 1
       where key = ? and shop = ?`,
      ...row.values(),
      key,
      shop,
    ),
  ];
}
