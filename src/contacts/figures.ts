import { sql } from "../db/client";
import type { ContactSource } from "./decide";

/**
 * When an order or a refund last changed the figures of each of the contacts that hold one of these identities: rows of
 * `key` and `at`.
 *
 * @param identities JSON array of `{ kind, value }`
 */
export function lastOrdered(db: D1Database, shop: number, identities: string): D1PreparedStatement {
  return sql(
    db,
    `select c.key, (
       select max(max(o.placed_at, coalesce(o.cancelled_at, 0), coalesce((
         select max(r.at) from refunds r indexed by refunds_order
         where r.shop = ?1 and r.order_external_id = o.external_id), 0)))
       from orders o where o.contact = c.key and +o.shop = ?1 and o.origin = 'shopify' and o.test = 0) as at
     from contacts c where +c.shop = ?1 and c.key in (
       select i.contact from json_each(?2) j
       cross join identities i on i.shop = ?1 and i.kind = j.value ->> 'kind' and i.value = j.value ->> 'value')`,
    shop,
    identities,
  );
}

/** Whether a source tells figures that may say nothing new. */
export function readsFigures({ values, version }: Pick<ContactSource, "values" | "version">): boolean {
  return version.isReading === true && (values.ordersCount !== undefined || values.totalSpent !== undefined);
}
