import { sql } from "../db/client";
import { newId } from "../lib/ids";
import { toDecimal } from "../lib/money";

/** A field that connecting a store adds; its values come from the store. */
interface SystemField {
  name: string;
  label: string;
  type: "text" | "number" | "radio";
  options: string[];
}

/**
 * The four fields of a connected store. The lifetime value is text, because a decimal is no float; segments compare
 * `contacts.orders_total`. The store's name is text too: a name is no number.
 */
const SYSTEM_FIELDS: SystemField[] = [
  { name: "lifetime_value", label: "Lifetime value", type: "text", options: [] },
  { name: "tax_exempt", label: "Customer tax-exempt", type: "radio", options: ["yes", "no"] },
  { name: "store_name", label: "E-commerce store name", type: "text", options: [] },
  { name: "total_order_count", label: "Total order count", type: "number", options: [] },
];

/** Names that no field of a merchant's own may have, and whose values nobody sets. */
export const SYSTEM_NAMES = SYSTEM_FIELDS.map(({ name }) => name);

/**
 * The statements that add the four fields to a shop, for the batch of its connection. Connecting again changes nothing;
 * a field of the merchant's that had such a name from before becomes the store's.
 */
export function addSystemFields(db: D1Database, shop: number, now: number): D1PreparedStatement[] {
  return SYSTEM_FIELDS.map(({ name, label, type, options }) =>
    sql(
      db,
      `insert into fields (shop, name, id, label, type, options, system, created_at, updated_at)
       values (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)
       on conflict (shop, name) do update set label = excluded.label, type = excluded.type, options = excluded.options,
         system = 1, updated_at = excluded.updated_at
       where fields.system = 0`,
      shop,
      name,
      newId("fld", now),
      label,
      type,
      JSON.stringify(options),
      now,
    ),
  );
}

/** What a contact's system fields are made of. */
export interface SystemFacts {
  ordersCount: number;
  /** Minor units of the shop's currency. */
  ordersTotal: number;
  taxExempt: number | null;
  /** Whether the store knows this person. */
  isCustomer: boolean;
}

/** The values of the four fields; null where the store has said nothing. */
export function systemValues(shop: { name: string; currency: string }, facts: SystemFacts): Record<string, unknown> {
  return {
    lifetime_value: toDecimal(facts.ordersTotal, shop.currency),
    tax_exempt: facts.taxExempt === null ? null : facts.taxExempt === 1 ? "yes" : "no",
    store_name: facts.isCustomer ? shop.name : null,
    total_order_count: facts.ordersCount,
  };
}
