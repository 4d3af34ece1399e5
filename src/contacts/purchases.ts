/**
 * How often and for how much people have bought, as a row (`key`, `count`, `total`) of each of the contacts `?2` (JSON
 * array of keys) of the shop `?1`.
 *
 * Orders that are neither tests nor cancelled count, with their total as it is now. Where Shopify has told the figures
 * of its customer, those stand as of the moment when they were told, and what happened since comes on top:
 *
 * - count: plus orders placed since, less orders from before that were cancelled since;
 * - total: plus the totals of orders placed since, less refunds since of orders from before;
 * - orders of other origins are none of Shopify's and always come on top.
 *
 * Orders at hand are a lower bound: when they are more than all this, they stand (two customers who became one, whose
 * figures Shopify has yet to tell). Figures that Shopify tells later replace the sum of it all.
 */
export const PURCHASES = `
  select key, case when told then said_count + later_count - lost_count else own_count end as count,
    case when told and said_total is not null then max(0, said_total + later_total - refunded) else own_total end as total
  from (
    select said.*, coalesce(said_count + later_count - lost_count >= own_count, false) as told
    from (
      select s.key, s.said_count, s.said_total,
        count(o.key) filter (where o.cancelled_at is null) as own_count,
        coalesce(sum(o.total) filter (where o.cancelled_at is null), 0) as own_total,
        count(o.key) filter (where o.cancelled_at is null and (o.origin <> 'shopify' or o.placed_at > s.count_at))
          as later_count,
        count(o.key) filter (where o.cancelled_at > s.count_at and o.origin = 'shopify' and o.placed_at <= s.count_at)
          as lost_count,
        coalesce(sum(o.total) filter (
          where o.cancelled_at is null and (o.origin <> 'shopify' or o.placed_at > s.total_at)), 0) as later_total,
        coalesce(sum((select sum(r.amount) from refunds r indexed by refunds_order where r.shop = ?1 and r.order_external_id = o.external_id
          and r.at > s.total_at)) filter (where o.origin = 'shopify' and o.placed_at <= s.total_at), 0) as refunded
      from (
        select key, shopify_values ->> '$.ordersCount[0]' as said_count, shopify_values ->> '$.ordersCount[1]' as count_at,
          shopify_values ->> '$.totalSpent[0]' as said_total, shopify_values ->> '$.totalSpent[1]' as total_at
        from contacts where key in (select value from json_each(?2)) and +shop = ?1
      ) s left join orders o on o.contact = s.key and +o.shop = ?1 and o.test = 0
      group by s.key
    ) said
  )`;
