import { sql } from "../db/client";
import type { Channel } from "./queue";
import { newId } from "../lib/ids";

/**
 * Asks somebody to confirm their address. How often that may happen is decided when it is sent; here one in
 * an hour is enough, so the natural key is the contact and the hour.
 */
export function optInStatement(
  db: D1Database,
  shop: number,
  contact: number,
  channel: Channel,
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `insert into deliveries (id, shop, natural_key, kind, channel, class, contact, state, due_at, created_at)
     values (?1, ?2, 'optin:' || ?3 || ':' || ?4 || ':' || ?5, 'opt_in', ?4, 'transactional', ?6, 'queued', ?7, ?7)
     on conflict do nothing returning key`,
    newId("dlv", now),
    shop,
    String(contact),
    channel,
    String(Math.floor(now / 3_600_000)),
    contact,
    now,
  );
}

/**
 * The requests to confirm that people who have just become contacts are owed: those whom only a browser has named, and
 * who ticked the box. For the batch that reacts to `contact_created`.
 *
 * @param contacts keys
 */
export async function owedOptIns(
  db: D1Database,
  shop: number,
  contacts: number[],
  now: number,
): Promise<D1PreparedStatement[]> {
  if (contacts.length === 0) return [];
  const { results } = await sql(
    db,
    `select c.key as contact, n.channel from json_each(?2) j cross join contacts c on c.key = j.value
     join consents n on n.contact = c.key and n.state = 'pending'
     join identities i on i.shop = ?1 and i.kind = iif(n.channel = 'email', 'email', 'phone') and i.evidence = 'claimed'
       and i.value = iif(n.channel = 'email', c.email, c.phone)
     where c.shop = ?1 and c.deleted_at is null`,
    shop,
    JSON.stringify(contacts),
  ).all<{ contact: number; channel: Channel }>();
  return results.map(({ contact, channel }) => optInStatement(db, shop, contact, channel, now));
}
