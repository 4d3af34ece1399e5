import { sql } from "../db/client";
import { INTERNAL_EVENTS } from "../jobs";
import { newId } from "../lib/ids";

/** A domain event as the outbox holds it. */
export interface OutboxEvent {
  key: number;
  type: string;
  subject: string;
  natural_key: string;
  /** JSON object without personal data. */
  data: string;
  at: number;
}

/** An endpoint that wants events of these types; all where there are none. */
export interface Listener {
  key: number;
  types: string;
}

/** Public ids of what events are about, by internal key. */
interface Names {
  contact: Map<number, string>;
  visitor: Map<number, string>;
  cart: Map<number, string>;
  order: Map<number, string>;
}

/** Reads who listens in a shop. */
export function listenersOf(db: D1Database, shop: number): D1PreparedStatement {
  return sql(db, "select key, types from webhook_endpoints where shop = ? and state <> 'disabled'", shop);
}

/**
 * The statements that put one delivery for each event and endpoint that wants it, to go into the batch that deletes
 * the events' rows; a second run adds nothing. None where nobody listens. Each returns the keys of what it inserted.
 */
export async function planDeliveries(
  db: D1Database,
  shop: { key: number; id: string; domain: string },
  events: OutboxEvent[],
  listeners: Listener[],
  now: number,
): Promise<D1PreparedStatement[]> {
  const wanted = listeners.flatMap(({ key, types }) => {
    const only: string[] = JSON.parse(types);
    return events
      .filter(({ type }) => !INTERNAL_EVENTS.has(type) && (only.length === 0 || only.includes(type)))
      .map((event) => ({ endpoint: key, event }));
  });
  if (wanted.length === 0) return [];
  const names = await readNames(db, shop.key, [...new Set(wanted.map(({ event }) => event))]);
  const rows = wanted.map(({ endpoint, event }) => [
    newId("whd", now),
    endpoint,
    event.type,
    event.natural_key,
    deliveryBody(event, shop, names),
  ]);
  return [
    sql(
      db,
      `insert into endpoint_deliveries (id, shop, endpoint, type, natural_key, body, state, next_attempt_at, created_at)
       select value ->> 0, ?1, value ->> 1, value ->> 2, value ->> 3, value ->> 4, 'pending', ?2, ?2
       from json_each(?3) where true on conflict do nothing returning key`,
      shop.key,
      now,
      JSON.stringify(rows),
    ),
  ];
}

/** Internal keys that an event's subject and data hold, by kind. */
function mentioned({ subject, data }: OutboxEvent): [kind: string, key: number][] {
  const [kind = "", key = ""] = subject.split(":");
  const { cartKey }: { cartKey?: number } = JSON.parse(data);
  return [[kind, Number(key)], ...(cartKey === undefined ? [] : [["cart", cartKey] as [string, number]])];
}

async function readNames(db: D1Database, shop: number, events: OutboxEvent[]): Promise<Names> {
  const all = events.flatMap(mentioned);
  const read = (kind: keyof Names, column: string) =>
    sql(
      db,
      `select key, ${column} as id from ${kind}s where key in (select value from json_each(?)) and +shop = ?`,
      JSON.stringify(all.filter(([of]) => of === kind).map(([, key]) => key)),
      shop,
    );
  const results = await db.batch<{ key: number; id: string }>([
    read("contact", "id"),
    read("visitor", "tracker"),
    read("cart", "id"),
    read("order", "id"),
  ]);
  const [contact, visitor, cart, order] = results.map((r) => new Map(r.results.map(({ key, id }) => [key, id])));
  const none = new Map<number, string>();
  return { contact: contact ?? none, visitor: visitor ?? none, cart: cart ?? none, order: order ?? none };
}

/**
 * The body as it is signed and sent: `{ type, timestamp, data }` by Standard Webhooks. Public ids, and the figures that
 * the event carries; nobody's name or address.
 */
export function deliveryBody(event: OutboxEvent, shop: { id: string; domain: string }, names: Names): string {
  const { cartKey, value, currency, ...told }: Record<string, unknown> = JSON.parse(event.data);
  const [kind = "", key = ""] = event.subject.split(":");
  const about = (of: keyof Names) => (kind === of ? { [`${of}Id`]: names[of].get(Number(key)) ?? null } : {});
  const cart = typeof cartKey === "number" ? { cartId: names.cart.get(cartKey) ?? null } : {};
  const money = typeof value === "number" && typeof currency === "string" ? { value: { amount: value, currency } } : {};
  return JSON.stringify({
    type: event.type,
    timestamp: new Date(event.at).toISOString(),
    data: {
      shopId: shop.id,
      shop: shop.domain,
      ...about("contact"),
      ...about("visitor"),
      ...about("cart"),
      ...about("order"),
      ...cart,
      ...told,
      ...money,
    },
  });
}
