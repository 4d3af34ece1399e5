import { sql } from "../db/client";

/**
 * What an erasure removes of messages, for its last batch: what they said, whom they went to, and what still waits.
 * The rows stay as figures without the person, as orders do.
 *
 * @param contacts keys
 */
export function eraseMessages(db: D1Database, shop: number, contacts: number[]): D1PreparedStatement[] {
  const each = JSON.stringify(contacts);
  const theirs = "contact in (select value from json_each(?2)) and +shop = ?1";
  return [
    sql(
      db,
      `delete from delivery_bodies where delivery in (select key from deliveries indexed by deliveries_contact where ${theirs})`,
      shop,
      each,
    ),
    sql(
      db,
      `update deliveries set contact = null, data = '{}', recipient = null, address_hash = null, provider_id = null,
         lease_until = null, reason = iif(state in ('queued', 'sending'), 'no_contact', reason),
         state = iif(state in ('queued', 'sending'), 'skipped', state)
       where ${theirs}`,
      shop,
      each,
    ),
  ];
}
