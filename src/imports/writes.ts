import { fieldsPatch, type ImportedConsent } from "../contacts/rest";
import type { ContactPatch } from "../contacts/schemas";
import { sql } from "../db/client";
import type { ToldRow } from "./row";
import type { Known } from "./standing";

export type Row = Map<string, string | number | null>;

export type Fields = NonNullable<ContactPatch["fields"]>;

/** Rows of each kind, so that each kind is one statement. */
export class Writes {
  readonly held: { key: number; revision: number }[] = [];
  readonly contacts: Row[] = [];
  readonly identities: Row[] = [];
  readonly history: Row[] = [];
  readonly updates: { key: number; columns: Row; fields: string }[] = [];
  readonly confirmed: [string, string][] = [];
  readonly consents: ImportedConsent[] = [];
  readonly tags: { contact: number; labels: string[] }[] = [];
  readonly touched: number[] = [];
  readonly suppressions: {
    channel: "email" | "sms" | "whatsapp";
    address: string;
    reason: ToldRow["suppressions"][number]["reason"];
    class?: "all" | "marketing" | undefined;
    at: number | null;
  }[] = [];
}

/** Somebody is known by this from now on. */
export function identityRow(shop: number, kind: string, value: string, contact: number, now: number): Row {
  return new Map<string, string | number | null>([
    ["shop", shop],
    ["kind", kind],
    ["value", value],
    ["contact", contact],
    ["evidence", "verified"],
    ["created_at", now],
  ]);
}

const STORED: Record<string, keyof Known> = {
  email: "email",
  phone: "phone",
  first_name: "firstName",
  last_name: "lastName",
  company: "company",
  line1: "line1",
  line2: "line2",
  city: "city",
  province: "province",
  country: "country",
  zip: "zip",
  external_id: "externalId",
  shopify_customer_id: "customerId",
};

/** What a row changes of a contact; ids that tell people apart are only ever added. */
export function changesOf(known: Known, columns: Row, fields: Fields, onlyGaps: boolean) {
  const changed: Row = new Map();
  for (const [column, value] of columns) {
    const name = STORED[column];
    if (!name) continue;
    const stored = known[name];
    const isId = column === "external_id" || column === "shopify_customer_id";
    if (stored !== value && (stored === null || !(onlyGaps || isId))) changed.set(column, value);
  }
  if (changed.has("phone")) changed.set("phone_source", "api");
  const stored: Record<string, unknown> = JSON.parse(known.fields);
  const news = Object.entries(fields).filter(([name, value]) => {
    const before = stored[name];
    return before === undefined || (!onlyGaps && JSON.stringify(before) !== JSON.stringify(value));
  });
  return { columns: changed, fields: fieldsPatch(Object.fromEntries(news)) };
}

/** Writes what `changesOf` found. */
export function updateStatement(db: D1Database, shop: number, key: number, columns: Row, fields: string, now: number) {
  const sets = [...columns.keys(), "updated_at"].map((column) => `${column} = ?`);
  return sql(
    db,
    `update contacts set ${sets.join(", ")}, fields = json_patch(fields, ?), revision = revision + 1
     where key = ? and shop = ?`,
    ...columns.values(),
    now,
    fields,
    key,
    shop,
  );
}

/** Puts contacts on a list that is still there. */
export function listStatement(
  db: D1Database,
  list: number,
  contacts: readonly number[],
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `insert into list_members (list, kind, subject, added_at)
     select ?1, 'contact', cast(value as integer), ?3 from json_each(?2)
     where exists (select 1 from lists where key = ?1 and deleted_at is null) on conflict do nothing`,
    list,
    JSON.stringify(contacts),
    now,
  );
}
