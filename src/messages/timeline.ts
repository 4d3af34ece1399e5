import { sql } from "../db/client";

/** An entry of a contact's timeline about a message. */
export interface MessageItem {
  id: string;
  type: string;
  at: number;
  tie: string;
  visitor: null;
  /** JSON object. */
  data: string;
}

/**
 * What became of the messages of a contact, newest first: read off their own rows, so that a report that comes late
 * stands at its own time. What machines opened is not among it.
 *
 * @param before time and tie of the last entry that was shown
 */
export async function messageItems(
  db: D1Database,
  shop: number,
  contact: number,
  before: { at: number; tie: string } | null,
  need: number,
): Promise<MessageItem[]> {
  const { results } = await sql(
    db,
    `select id, type, at, 'z' || id as tie, null as visitor, data from (
       select d.id || ':' || k.value as id, 'message_' || k.value as type,
         case k.value when 'sent' then d.sent_at when 'delivered' then d.delivered_at when 'opened' then d.opened_at
           when 'clicked' then d.clicked_at when 'replied' then d.replied_at when 'bounced' then d.bounced_at
           when 'complained' then d.complained_at else d.unsubscribed_at end as at,
         json_object('deliveryId', d.id, 'channel', d.channel, 'class', d.class, 'kind', d.kind) as data
       from deliveries d indexed by deliveries_contact
       join json_each('["sent","delivered","opened","clicked","replied","bounced","complained","unsubscribed"]') k
       where d.contact = ?2 and d.shop = ?1
     ) where at is not null and (at < ?3 or (at = ?3 and 'z' || id < ?4))
     order by at desc, tie desc limit ?5`,
    shop,
    contact,
    before?.at ?? Number.MAX_SAFE_INTEGER,
    before?.tie ?? "",
    need,
  ).all<MessageItem>();
  return results;
}
