import { z } from "zod";

import { sql } from "../db/client";
import type { SubjectKind } from "../segments";
import type { CartFacts, Happening, Purchase } from "./match";

/** A row of the outbox, as far as it matters here. */
export interface EventRow {
  key: number;
  type: string;
  subject: string;
  natural_key: string;
  data: string;
  at: number;
  /** When it was written down, until its first failure. */
  next_attempt_at: number;
}

/** An event, and who it is about now: a contact, once the visitor has become one. */
export interface Told {
  row: EventRow;
  who: { kind: SubjectKind; key: number } | null;
  event: Happening;
}

/** Browser events come under this type, their own name in the data (`visitor/flush.ts`). */
const BROWSER_EVENT = "browser_event";

const Data = z.record(z.string(), z.unknown());
const BrowserData = z.object({ type: z.string(), url: z.string().nullish(), data: Data.nullish() });

/** What an automation's watches call an event. */
export function watchedAs(row: Pick<EventRow, "type" | "data">): string {
  return row.type === BROWSER_EVENT ? `event:${BrowserData.parse(JSON.parse(row.data)).type}` : row.type;
}

/** Reads events with the orders, carts and messages that they are about, and whom they concern, in one batch. */
export async function readEvents(db: D1Database, shop: number, rows: EventRow[]): Promise<Told[]> {
  const parsed = rows.map((row) => ({ row, data: Data.parse(JSON.parse(row.data)) }));
  const named = (name: string) =>
    JSON.stringify(parsed.flatMap(({ data }) => (typeof data[name] === "string" ? [data[name]] : [])));
  const [subjects, orders, lines, carts, messages] = await db.batch([
    sql(
      db,
      `select j.value as subject, case substr(j.value, 1, instr(j.value, ':') - 1)
           when 'contact' then (select 'contact:' || p.key from contacts p
             where p.key = cast(substr(j.value, 9) as integer) and +p.shop = ?1 and p.deleted_at is null)
           when 'visitor' then (select coalesce('contact:' || v.contact, 'visitor:' || v.key) from visitors v
             where v.key = cast(substr(j.value, 9) as integer) and +v.shop = ?1)
           when 'cart' then (select coalesce('contact:' || c.contact, 'visitor:' || c.visitor) from carts c
             where c.key = cast(substr(j.value, 6) as integer) and +c.shop = ?1)
           when 'order' then (select coalesce('contact:' || o.contact, 'visitor:' || o.visitor) from orders o
             where o.key = cast(substr(j.value, 7) as integer) and +o.shop = ?1) end as who
       from json_each(?2) j`,
      shop,
      JSON.stringify([...new Set(rows.map(({ subject }) => subject))]),
    ),
    sql(
      db,
      `select o.id, o.total as value, o.cart_token as cartToken,
         iif(o.contact is null, null, (select count(*) from orders p where p.contact = o.contact and p.test = 0
           and (p.placed_at, p.key) <= (o.placed_at, o.key))) as nth
       from json_each(?2) j cross join orders o on o.id = j.value where o.shop = ?1`,
      shop,
      named("orderId"),
    ),
    sql(
      db,
      `select o.id, i.product_id as product, coalesce(i.category, p.category) as category
       from json_each(?2) j cross join orders o on o.id = j.value
       join order_items i on i."order" = o.key left join products p on p.shop = ?1 and p.external_id = i.product_id
       where o.shop = ?1`,
      shop,
      named("orderId"),
    ),
    sql(
      db,
      `select c.id, c.token, c.value, c.checkout_token is not null as reachedCheckout,
         (select json_group_array(distinct i.value ->> 'productId') from json_each(c.items) i
          where i.value ->> 'productId' is not null) as products,
         (select json_group_array(distinct p.category) from json_each(c.items) i
          join products p on p.shop = ?1 and p.external_id = i.value ->> 'productId' where p.category is not null) as categories
       from json_each(?2) j cross join carts c on c.id = j.value where c.shop = ?1`,
      shop,
      named("cartId"),
    ),
    sql(
      db,
      `select d.id, (select id from templates where key = d.template) as template,
         (select id from campaigns where key = d.campaign) as campaign,
         (select id from automations where key = d.automation) as automation
       from json_each(?2) j cross join deliveries d on d.id = j.value where d.shop = ?1`,
      shop,
      named("deliveryId"),
    ),
  ]);
  const who = new Map(
    ((subjects?.results ?? []) as { subject: string; who: string | null }[]).map((row) => [row.subject, row.who]),
  );
  const goods = Map.groupBy(
    (lines?.results ?? []) as { id: string; product: string | null; category: string | null }[],
    ({ id }) => id,
  );
  const purchases = new Map(
    ((orders?.results ?? []) as Omit<Purchase, "products" | "categories">[]).map((order) => {
      const items = goods.get(order.id) ?? [];
      const all = { products: present(items.map((i) => i.product)), categories: present(items.map((i) => i.category)) };
      return [order.id, { ...order, ...all }];
    }),
  );
  const cartsById = new Map(
    (carts?.results ?? []).map((row): [string, CartFacts] => {
      const cart = StoredCart.parse(row);
      return [cart.id, { ...cart, reachedCheckout: cart.reachedCheckout === 1 }];
    }),
  );
  const origins = new Map(
    ((messages?.results ?? []) as Record<"id" | "template" | "campaign" | "automation", string | null>[]).map(
      ({ id, ...origin }) => [id, origin],
    ),
  );
  return parsed.map(({ row, data: stored }) => {
    const origin = typeof stored["deliveryId"] === "string" ? origins.get(stored["deliveryId"]) : undefined;
    const data = origin ? { ...stored, ...origin } : stored;
    const [kind, key] = (who.get(row.subject) ?? "").split(":");
    const cart = cartsById.get(String(data["cartId"])) ?? null;
    const order = purchases.get(String(data["orderId"])) ?? (row.type === "order_placed" ? asPurchase(cart) : null);
    return {
      row,
      who: (kind === "contact" || kind === "visitor") && key ? { kind, key: Number(key) } : null,
      event: happening(row, data, order, cart),
    };
  });
}

const Texts = z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text)));

const StoredCart = z.object({
  id: z.string(),
  token: z.string(),
  value: z.number().nullable(),
  reachedCheckout: z.number(),
  products: Texts,
  categories: Texts,
});

function happening(
  row: EventRow,
  data: Record<string, unknown>,
  order: Purchase | null,
  cart: CartFacts | null,
): Happening {
  const { at, type } = row;
  if (type !== BROWSER_EVENT) return { type, isBrowser: false, at, data, url: null, order, cart };
  const browser = BrowserData.parse(data);
  return { type: browser.type, isBrowser: true, at, data: browser.data ?? {}, url: browser.url ?? null, order, cart };
}

/** A purchase that only a browser has seen is what was in its cart. */
function asPurchase(cart: CartFacts | null): Purchase | null {
  return cart && { ...cart, cartToken: cart.token, nth: null };
}

function present(values: (string | null)[]): string[] {
  return [...new Set(values.filter((value) => value !== null))];
}
