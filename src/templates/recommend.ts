import { sql } from "../db/client";
import { SOLD_OUT } from "../products/tables";

/** How far back others' orders tell what goes together, ms. */
const WINDOW_MS = 365 * 86_400_000;

/** Orders of others that are looked at: enough to tell, few enough for one message. */
const MOST_ORDERS = 1_000;

/**
 * Ids of products for somebody, the best first: what others bought together with the products that the message is
 * about (or with the contact's last ones), then what sells best in the categories the contact bought from, then what
 * sells best. Never what the contact bought, what the message is about, or what is not on sale or sold out.
 *
 * @param contact key; null for nobody in particular
 * @param about ids of products
 */
export async function recommend(
  db: D1Database,
  shop: number,
  { contact, about, limit }: { contact: number | null; about: string[]; limit: number },
  now: number,
): Promise<string[]> {
  const { results } = await sql(
    db,
    `with bought as materialized (
       select distinct i.product_id as id, o.placed_at as at from orders o join order_items i on i."order" = o.key
       where o.contact = ?2 and +o.shop = ?1 and i.product_id is not null),
     seeds as materialized (
       select value as id from json_each(?3)
       union select id from (select id from bought order by at desc limit 5) where json_array_length(?3) = 0),
     recent as materialized (
       select o.key, o.contact from orders o
       where o.shop = ?1 and o.placed_at > ?5 and o.test = 0 and o.cancelled_at is null
       order by o.key desc limit ${MOST_ORDERS}),
     sold as materialized (
       select i."order", i.product_id as id, i.current_quantity as pieces
       from recent r cross join order_items i on i."order" = r.key where i.product_id is not null),
     together as (
       select b.id, count(distinct b."order") as times from sold a join sold b on b."order" = a."order"
       where a.id in (select id from seeds) group by b.id),
     selling as (select id, sum(pieces) as pieces from sold group by id),
     liked as (
       select distinct p.category from bought b join products p on p.shop = ?1 and p.external_id = b.id
       where p.category is not null)
     select p.external_id as id from products p
     left join together t on t.id = p.external_id left join selling s on s.id = p.external_id
     where p.shop = ?1 and coalesce(p.status, 'active') = 'active' and not coalesce(${SOLD_OUT}, 0) and p.handle is not null
       and (t.id is not null or s.id is not null)
       and p.external_id not in (select id from bought) and p.external_id not in (select value from json_each(?3))
     order by coalesce(t.times, 0) desc, p.category in (select category from liked) desc, coalesce(s.pieces, 0) desc,
       p.external_id limit ?4`,
    shop,
    contact,
    JSON.stringify(about),
    limit,
    now - WINDOW_MS,
  ).all<{ id: string }>();
  return results.map(({ id }) => id);
}
