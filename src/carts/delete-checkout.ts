import { sql } from "../db/client";
import { cartKeysOf } from "./tables";

/** A checkout that was deleted goes, the cart stays. Late bodies of it are ignored. */
export function deleteCheckout(db: D1Database, shop: number, token: string, at: number, now: number) {
  return [
    sql(
      db,
      `insert into tombstones (shop, kind, external_id, at) values (?, 'checkout', ?, ?)
       on conflict do update set at = max(at, excluded.at)`,
      shop,
      token,
      at,
    ),
    sql(
      db,
      `delete from carts where +shop = ?1 and key in (${cartKeysOf("?2", "?2")}) and state = 'open' and cart_updated_at is null and visitor is null
         and coalesce(checkout_updated_at, 0) <= ?3`,
      shop,
      token,
      at,
    ),
    sql(
      db,
      `update carts set checkout_url = null, updated_at = ?4
       where +shop = ?1 and key in (${cartKeysOf("?2", "?2")}) and checkout_url is not null
         and coalesce(checkout_updated_at, 0) <= ?3`,
      shop,
      token,
      at,
      now,
    ),
  ];
}
