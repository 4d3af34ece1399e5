import { sql } from "../db/client";
import type { Shop } from "../shops";
import { cartKeysOf } from "../carts/tables";

/**
 * Asks the visitor's object to link its person to the contact that a body proves: by the tracker id that the cart
 * carried, or by the visitor to whom its cart is bound. Nothing is asked once that browser has a person who is this
 * contact. Goes after the statements that write the cart.
 */
export function visitorJoined(
  { db, shop, now }: { db: D1Database; shop: Shop; now: number },
  person: { key: number | null; id: string | null },
  from: { tracker: string | null; cartToken: string | null; checkoutToken: string | null; at: number },
): D1PreparedStatement[] {
  if (person.key === null || person.id === null) return [];
  if (from.tracker === null && from.cartToken === null && from.checkoutToken === null) return [];
  return [
    sql(
      db,
      `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
       select ?1, 'visitor_joined', ?9, t.tracker || ':' || ?4,
         json_object('tracker', t.tracker, 'cartToken', ?6, 'checkoutToken', ?7, 'contact', ?4), ?8, ?2
       from (
         select ?5 as tracker where ?5 is not null
         union select v.tracker from carts c join visitors v on v.key = c.visitor and v.channel = 'browser'
           where +c.shop = ?1 and c.key in (${cartKeysOf("?6", "?7")})
       ) t
       where not exists (select 1 from visitors v where v.shop = ?1 and v.tracker = t.tracker and v.contact = ?3)
       on conflict do nothing`,
      shop.key,
      now,
      person.key,
      person.id,
      from.tracker,
      from.cartToken,
      from.checkoutToken,
      from.at,
      `contact:${person.key}`,
    ),
  ];
}
