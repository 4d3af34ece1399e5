import { sql } from "../db/client";
import type { Shop } from "../shops";

/**
 * Credits an order to the message that was touched last before it, within the window of its channel and kind of touch
 * (`settings.attributionHours`): by the click, where that implied an opening. Machines' openings and clicks do not
 * count, nor do transactional messages. One row for an order, whichever message it is; what it is worth is read off the
 * order, so a refund takes it back by itself.
 * Repeatable, and an order without a contact yet may be tried again when it has one.
 *
 * For the batch that reacts to `order_placed`.
 *
 * @param orders public ids
 */
export function creditOrders(db: D1Database, shop: Shop, orders: string[], now: number): D1PreparedStatement[] {
  if (orders.length === 0) return [];
  const windows = shop.settings.attributionHours;
  const touches = [
    ["email", "opened", windows.emailOpened],
    ["email", "clicked", windows.emailClicked],
    ["sms", "delivered", windows.smsDelivered],
    ["sms", "clicked", windows.smsClicked],
    ["whatsapp", "opened", windows.whatsappOpened],
    ["whatsapp", "clicked", windows.whatsappClicked],
  ].map(([channel, touch, hours]) => [channel, touch, Number(hours) * 3_600_000]);
  return [
    sql(
      db,
      `insert into order_credits (shop, "order", delivery, touch, touched_at, at)
       select ?1, o.key, t.delivery, t.touch, t.touched, ?4
       from json_each(?2) j cross join orders o on o.id = j.value
       join (
         select o.key as orderKey, d.key as delivery, w.value ->> 1 as touch, e.at as touched,
           row_number() over (partition by o.key order by e.at desc, e.type = 'clicked' desc, d.key desc) as place
         from json_each(?2) j cross join orders o on o.id = j.value
         cross join deliveries d indexed by deliveries_contact on d.contact = o.contact and +d.shop = ?1
         cross join json_each(?3) w on w.value ->> 0 = d.channel and w.value ->> 2 > 0
         cross join delivery_events e on e.delivery = d.key and e.type = w.value ->> 1 and e.machine = 0
         where o.shop = ?1 and o.contact is not null and o.test = 0 and d.class = 'marketing' and d.kind = 'message'
           and e.at <= o.placed_at and e.at > o.placed_at - (w.value ->> 2)
       ) t on t.orderKey = o.key and t.place = 1
       where o.shop = ?1
       on conflict do nothing`,
      shop.key,
      JSON.stringify(orders),
      JSON.stringify(touches),
      now,
    ),
  ];
}
