import { sql } from "../db/client";
import type { Place } from "./paths";

/** An entry of a timeline that no browser reported: it is read off orders, refunds, carts and the contact itself. */
export interface DerivedRow {
  id: string;
  type: string;
  at: number;
  tie: string;
  visitor: number | null;
  /** JSON object. */
  data: string;
}

/**
 * Whose commerce it is: of the contact, and of its personas where the row names no contact; or of personas alone
 * (`contact` null).
 */
export interface CommerceScope {
  shop: number;
  contact: number | null;
  personas: number[];
}

/**
 * `?1` shop, `?2` contact or null, `?3` JSON array of personas. Each half goes by an index of its own: the plus keeps
 * SQLite, which has no statistics here, from taking the narrower one of the whole shop.
 */
const scoped = (table: "orders" | "carts") => `
  select * from ${table} where +shop = ?1 and contact = ?2
  union all
  select * from ${table} where +shop = ?1 and visitor in (select value from json_each(?3)) and (contact is null or ?2 is null)`;

const ORDER = `'orderId', o.id, 'name', o.name, 'state', o.state, 'test', json(iif(o.test, 'true', 'false'))`;
const MONEY = (amount: string, currency: string) => `json_object('amount', ${amount}, 'currency', ${currency})`;
const CART = `'cartId', c.id, 'state', c.state, 'items', json_array_length(c.items), 'value',
  case when c.value is not null then ${MONEY("c.value", "c.currency")} end`;

/**
 * One purchase is one `order_placed`: that of its order, and of the cart only while no order is known for it. Reads
 * all orders and carts of the scope, which one person's history bounds, and nothing else. Moments of one row are
 * unfolded by a join, since D1 takes five terms in a compound select.
 */
const DERIVED = `
with o as (${scoped("orders")}), c as (${scoped("carts")})
select id, type, at, 'z' || id as tie, visitor, data from (
  select o.id || ':' || k.value as id, 'order_' || k.value as type, o.visitor as visitor,
    case k.value when 'placed' then o.placed_at when 'paid' then o.paid_at when 'fulfilled' then o.fulfilled_at
      when 'delivered' then o.delivered_at else o.cancelled_at end as at,
    case k.value when 'placed' then json_object(${ORDER}, 'total', ${MONEY("o.original_total", "o.currency")})
      else json_object(${ORDER}) end as data
  from o join json_each('["placed","paid","fulfilled","delivered","cancelled"]') k
  union all
  select o.id || ':refunded:' || r.external_id, 'order_refunded', o.visitor, r.at,
    json_object(${ORDER}, 'amount', ${MONEY("r.amount", "r.currency")})
  from o join refunds r indexed by refunds_order on r.shop = ?1 and r.order_external_id = o.external_id
  union all
  select c.id || ':' || k.value, iif(k.value = 'purchased', 'order_placed', 'cart_' || k.value), c.visitor,
    case k.value when 'abandoned' then c.abandoned_at when 'recovered' then c.recovered_at else iif(
      c.purchased_by = 'browser'
        and not exists (select 1 from orders x where x.shop = ?1 and x.cart_token = c.token)
        and not exists (select 1 from orders x where x.shop = ?1 and x.checkout_token = c.checkout_token)
        and not exists (select 1 from orders x where x.shop = ?1 and instr(c.token, 'checkout:') = 1
          and x.checkout_token = substr(c.token, 10)), c.purchased_at, null) end,
    json_object(${CART})
  from c join json_each('["abandoned","recovered","purchased"]') k
  union all
  select id || ':created', 'contact_created', null, created_at, json_object('source', source)
  from contacts where key = ?2 and shop = ?1
  union all
  select 'lif_' || printf('%016d', key), 'lifecycle_changed', null, at, json_object('stage', stage, 'status', status)
  from lifecycle_history where contact = ?2 and shop = ?1
) where at is not null and (at < ?4 or (at = ?4 and 'z' || id < ?5))
order by at desc, tie desc limit ?6`;

/** The `need` newest derived entries older than `before`, newest first. */
export async function readDerived(
  db: D1Database,
  scope: CommerceScope,
  before: Place | null,
  need: number,
): Promise<DerivedRow[]> {
  const { results } = await sql(
    db,
    DERIVED,
    scope.shop,
    scope.contact,
    JSON.stringify(scope.personas),
    before?.at ?? Number.MAX_SAFE_INTEGER,
    before?.tie ?? "",
    need,
  ).all<DerivedRow>();
  return results;
}
