import { sql } from "../db/client";
import { type DomainEventType, emit } from "../jobs";

export type DeliveryEventType =
  | "delivered"
  | "opened"
  | "clicked"
  | "bounced"
  | "soft_bounced"
  | "complained"
  | "unsubscribed"
  | "failed"
  | "replied";

/** A delivery as far as what happens to it is concerned. */
export interface Subject {
  key: number;
  id: string;
  contact: number | null;
  channel: "email" | "sms" | "whatsapp";
}

export interface Happened {
  type: DeliveryEventType;
  /** The same for everybody who tells of this one occurrence. */
  naturalKey: string;
  at: number;
  machine?: boolean;
  /** Index and address of the link of a click. */
  link?: { index: number | null; url: string | null };
}

/** The column of the delivery that has the first time; of openings by machines another. */
const COLUMNS: Partial<Record<DeliveryEventType, string>> = {
  delivered: "delivered_at",
  opened: "opened_at",
  clicked: "clicked_at",
  bounced: "bounced_at",
  complained: "complained_at",
  unsubscribed: "unsubscribed_at",
  replied: "replied_at",
};

const DOMAIN_EVENT: Partial<Record<DeliveryEventType, DomainEventType>> = {
  opened: "message_opened",
  clicked: "message_clicked",
  bounced: "message_bounced",
  complained: "message_complained",
  unsubscribed: "message_unsubscribed",
  replied: "message_replied",
};

/**
 * The statements that write down what happened to a delivery: once for each natural key, with the first time of its
 * kind in the delivery's own row. What machines do is written down as theirs and is told to nobody.
 */
export function happened(db: D1Database, shop: number, d: Subject, what: Happened, now: number): D1PreparedStatement[] {
  const machine = what.machine ?? false;
  const statements = [
    sql(
      db,
      `insert into delivery_events (delivery, type, natural_key, shop, at, machine, link) values (?, ?, ?, ?, ?, ?, ?)
       on conflict do nothing`,
      d.key,
      what.type,
      what.naturalKey.slice(0, 200),
      shop,
      what.at,
      machine,
      what.link?.index ?? null,
    ),
  ];
  const column = machine ? (what.type === "opened" ? "machine_opened_at" : undefined) : COLUMNS[what.type];
  if (column) {
    statements.push(
      sql(
        db,
        `update deliveries set ${column} = min(coalesce(${column}, ?3), ?3) where key = ?1 and shop = ?2
           and (${column} is null or ${column} > ?3)`,
        d.key,
        shop,
        what.at,
      ),
    );
  }
  const type = machine ? undefined : DOMAIN_EVENT[what.type];
  if (type && d.contact !== null) {
    const index = what.link?.index ?? null;
    statements.push(
      emit(
        db,
        {
          shop,
          type,
          subject: `contact:${d.contact}`,
          // The first of its kind; of clicks the first of each link.
          naturalKey: index === null ? d.id : `${d.id}:${index}`,
          data: { deliveryId: d.id, channel: d.channel, ...(what.link ? { url: withoutQuery(what.link.url) } : {}) },
          at: what.at,
        },
        now,
      ),
    );
  }
  return statements;
}

/** What stands behind the question mark may be a key to somebody's cart. */
function withoutQuery(address: string | null): string | null {
  const url = URL.parse(address ?? "");
  return url && url.origin + url.pathname;
}

/**
 * Tells the queue of the domain events about these deliveries that were just committed, so that what waits for a click
 * goes on at once. A failure is nothing: the shop's clock finds them.
 *
 * @param deliveries public ids
 */
export async function nudgeReactions(env: Env, shop: number, deliveries: string[]): Promise<void> {
  const { results } = await sql(
    env.DB,
    `select o.key from json_each(?2) d cross join json_each(?3) t cross join outbox o
       on o.shop = ?1 and o.type = t.value and o.natural_key >= d.value and o.natural_key < d.value || ';'`,
    shop,
    JSON.stringify(deliveries),
    JSON.stringify(["message_sent", ...Object.values(DOMAIN_EVENT)]),
  ).all<{ key: number }>();
  if (results.length === 0) return;
  await env.REACTIONS.send({ shop, outbox: results.map(({ key }) => key) }).catch(() => undefined);
}
