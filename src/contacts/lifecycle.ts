import { sql } from "../db/client";

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
  or exists (select 1 from orders o where o.contact = c.key and o.shop = c.shop and o.test = 0))`;

/** `?1` shop, `?2` contact, `?3` cases, `?4` now. Only customers move: other stages are the merchant's to set. */
const TARGET = `
  select c.key, c.shop, c.stage as was_stage, c.status as was_status,
    case when customer then 'customer' else c.stage end as stage,
    case when customer then cases.value else c.status end as status
  from (select c.*, (c.shopify_customer_id is not null or ${ORDERED}) as customer, ${ORDERED} as ordered
        from contacts c where c.key = ?2 and c.shop = ?1) c
  join json_each(?3) cases on cases.key = coalesce(c.account_state, '') || ':' || c.ordered`;

/**
 * Brings a contact's order count, stage and status in line with its orders and account: absolute values, so that it may
 * run any number of times. Counted are orders that are neither tests nor cancelled. Goes last in the batch of whatever
 * changed the orders or the account.
 */
export function recount(db: D1Database, shop: number, contact: number, now: number): D1PreparedStatement[] {
  return [
    sql(
      db,
      `update contacts set orders_count = n.count, updated_at = ?3
       from (select count(*) as count from orders where contact = ?2 and +shop = ?1 and test = 0 and cancelled_at is null) n
       where key = ?2 and shop = ?1 and orders_count <> n.count`,
      shop,
      contact,
      now,
    ),
    sql(
      db,
      `insert into lifecycle_history (shop, contact, stage, status, at)
       select shop, key, stage, status, ?4 from (${TARGET})
       where (stage, status) is not (select h.stage, h.status from lifecycle_history h
         where h.contact = ?2 and h.shop = ?1 order by h.at desc, h.key desc limit 1)`,
      shop,
      contact,
      STATUS_BY_CASE,
      now,
    ),
    sql(
      db,
      `update contacts set stage = target.stage, status = target.status, updated_at = ?4 from (${TARGET}) target
       where contacts.key = target.key and (target.stage is not was_stage or target.status is not was_status)`,
      shop,
      contact,
      STATUS_BY_CASE,
      now,
    ),
  ];
}
