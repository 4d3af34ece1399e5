import { sql } from "../db/client";
import { keyAfter, lastKey, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import type { Shop } from "../shops";
import type { Identity } from "../identity";
import { emit } from "../jobs";
import { type ContactRow, type ContactSource, type Decision, decideContact } from "./decide";

import { mergeContactsStatements } from "./merge";
import type { Registers } from "./registers";
import { applyConsents, phoneDefault } from "./source-consents";
import { setSourceTags } from "./source-tags";

/** What to do, as statements for one batch, and whom it is about. */
export interface ContactPlan {
  key: number;
  id: string;
  isNew: boolean;
  /** False when everything told was known or older than what is known. */
  changed: boolean;
  registers: Registers;
  statements: D1PreparedStatement[];
}

interface Hit extends ContactRow {
  kind: Identity["kind"];
  evidence: "verified" | "claimed";
}

const COLUMNS = `c.key, c.id, c.email, c.phone, c.phone_source as "phoneSource", c.first_name as "firstName",
  c.last_name as "lastName", c.company, c.line1, c.line2, c.city, c.province, c.country, c.zip,
  c.account_state as "accountState", c.tax_exempt as "taxExempt", c.shopify_customer_id as "customerId",
  c.shopify_created_at as "createdAt", c.shopify_updated_at as "updatedAt", c.shopify_values as "registers",
  c.revision, c.verified, c.deleted_at as "deletedAt"`;

/**
 * Finds the contact that a body of the source speaks of (by customer id, else e-mail, else phone) and plans its change
 * or its creation. Null when the body names nobody.
 *
 * The plan is guarded: when another writer changes the same contact first, its batch fails with a conflict.
 */
export async function planContact(
  db: D1Database,
  shop: Shop,
  source: ContactSource,
  now: number,
): Promise<ContactPlan | null> {
  const { customerId, values } = source;
  const identities: Identity[] = [];
  if (customerId !== null) identities.push({ kind: "shopify_customer", value: customerId });
  if (typeof values.email === "string") identities.push({ kind: "email", value: values.email });
  if (typeof values.phone === "string") identities.push({ kind: "phone", value: values.phone });
  if (identities.length === 0) return null;

  const [hits, last] = await db.batch<Hit & { seq: number }>([
    sql(
      db,
      `select i.kind, i.evidence, ${COLUMNS} from json_each(?2) j
       join identities i on i.shop = ?1 and i.kind = j.value ->> 'kind' and i.value = j.value ->> 'value'
       join contacts c on c.key = i.contact and c.shop = ?1`,
      shop.key,
      JSON.stringify(identities),
    ),
    lastKey(db, "contacts"),
  ]);
  const holder = (kind: Identity["kind"]) => hits?.results.find((hit) => hit.kind === kind) ?? null;
  const decision = decideContact(source, {
    customer: holder("shopify_customer"),
    email: holder("email"),
    phone: holder("phone"),
  });

  const { target, merge, loses, registers } = decision;
  const key = target?.key ?? keyAfter(last?.results[0]?.seq ?? null);
  const id = target?.id ?? newId("con", now);
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
  else statements.push(...insertContact(db, shop.key, { key, id }, decision, now));

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
  return {
    key,
    id,
    isNew: target === null,
    changed: target === null || decision.changed.length > 0 || merge.length > 0 || source.consents.length > 0,
    registers,
    statements,
  };
}

function insertContact(
  db: D1Database,
  shop: number,
  ref: { key: number; id: string },
  { columns, registers }: Decision,
  now: number,
): D1PreparedStatement[] {
  const row = new Map<string, string | number | null>([
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
  const names = [...row.keys()];
  return [
    sql(db, `insert into contacts (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`, ...row.values()),
    emit(
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
    ),
  ];
}

function updateContact(
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
