import { sql } from "../db/client";
import { PURCHASES } from "./purchases";

export const ACCOUNT_STATES = ["disabled", "invited", "enabled", "declined"] as const;

export type AccountState = (typeof ACCOUNT_STATES)[number];
export type LifecycleStatus = "invited" | "enabled" | "paying" | "disabled" | "declined";

/**
 * The one status of a customer: paying as soon as an order was placed, whatever the account's state, and for good: a
 * cancelled or refunded order was placed too. Before that it follows the account; no account counts as disabled.
 */
export function customerStatus(account: AccountState | null, hasOrdered: boolean): LifecycleStatus {
  return hasOrdered ? "paying" : (account ?? "disabled");
}

/** The whole domain of `customerStatus`, so that the database applies the same rule inside a batch. */
const STATUS_BY_CASE = JSON.stringify(
  Object.fromEntries(
    [null, ...ACCOUNT_STATES].flatMap((account) =>
      [false, true].map((ordered) => [`${account ?? ""}:${Number(ordered)}`, customerStatus(account, ordered)]),
    ),
  ),
);

const ORDERED = `(coalesce(c.shopify_values ->> '$.ordersCount[0]', 0) > 0
  or exists (select 1 from orders o where o.contact = c.key and +o.shop = c.shop and o.test = 0))`;

/** `?1` shop, `?2` contacts (JSON array of keys), `?3` cases, `?4` now. Only customers move: other stages are the merchant's to set. */
const TARGET = `
  select c.key, c.shop, c.stage as was_stage, c.status as was_status,
    case when customer then 'customer' else c.stage end as stage,
    case when customer then cases.value else c.status end as status
  from (select c.*, (c.shopify_customer_id is not null or ${ORDERED}) as customer, ${ORDERED} as ordered
        from contacts c where c.key in (select value from json_each(?2)) and +c.shop = ?1) c
  join json_each(?3) cases on cases.key = coalesce(c.account_state, '') || ':' || c.ordered`;

/**
 * Brings a contact's order count, lifetime value (`PURCHASES`), stage and status in line with its orders, its account
 * and what Shopify says of it: absolute values, so that it may run any number of times. Goes last in the batch of
 * whatever changed any of them.
 */
export function recount(db: D1Database, shop: number, contact: number, now: number): D1PreparedStatement[] {
  return recountMany(db, shop, [contact], now);
}

/** The same for several contacts, in as many statements as for one. */
export function recountMany(db: D1Database, shop: number, contacts: number[], now: number): D1PreparedStatement[] {
  const keys = JSON.stringify(contacts);
  return [
    sql(
      db,
      `update contacts set orders_count = n.count, orders_total = n.total, updated_at = ?3 from (${PURCHASES}) n
       where contacts.key in (select value from json_each(?2)) and contacts.key = n.key and +contacts.shop = ?1
         and (orders_count, orders_total) is not (n.count, n.total)`,
      shop,
      keys,
      now,
    ),
    sql(
      db,
      `insert into lifecycle_history (shop, contact, stage, status, at)
       select t.shop, t.key, t.stage, t.status, ?4 from (${TARGET}) t
       where (t.stage, t.status) is not (select h.stage, h.status from lifecycle_history h
         where h.contact = t.key and +h.shop = ?1 order by h.at desc, h.key desc limit 1)`,
      shop,
      keys,
      STATUS_BY_CASE,
      now,
    ),
    sql(
      db,
      `update contacts set stage = target.stage, status = target.status, updated_at = ?4 from (${TARGET}) target
       where contacts.key in (select value from json_each(?2)) and contacts.key = target.key and (target.stage is not was_stage or target.status is not was_status)`,
      shop,
      keys,
      STATUS_BY_CASE,
      now,
    ),
  ];
}
