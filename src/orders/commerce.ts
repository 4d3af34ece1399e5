import { z } from "zod";

import { decodeCursor, encodeCursor, type Page } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import type { Money } from "../lib/money";
import { findShop, type Shop } from "../shops";
import { cartsByKey } from "../carts/rest";
import type { Cart } from "../carts";
import { ordersByKey } from "./read";
import type { Order } from "./schemas";

/** States whose orders are purchases: they make up the metrics. A partial refund leaves an order completed. */
const PURCHASES = ["completed", "recovered"];

export type Activity = "completed" | "abandoned";
/** `placedAt` is an order's own name for `at`. */
export const SORTS = ["-at", "at", "-placedAt", "placedAt", "-total", "total", "-activity", "activity"] as const;
export type Sort = (typeof SORTS)[number];

export interface CommerceQuery {
  activity?: Activity | undefined;
  sort: Sort;
  /** `all`, or the id of one shop; the contact's own by default. */
  store?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** One currency's figures. Currencies are never added up. */
export interface Totals {
  currency: string;
  totalRevenue: Money;
  totalOrders: number;
  productsPurchased: number;
}

interface Store {
  id: string;
  name: string;
  domain: string;
}

export type CommerceItem = (Order & { kind: "order"; store: Store }) | (Cart & { kind: "cart"; store: Store });

export interface Commerce extends Page<CommerceItem> {
  metrics: { totalRevenue: Money | null; totalOrders: number; productsPurchased: number; totals: Totals[] };
}

/**
 * What a person bought and left behind: orders and abandoned carts in one list, with metrics over the purchases.
 * Across stores it is the same person by verified e-mail address, in the shops that the caller may read. Throws 404
 * for a store that the caller may not read.
 */
export async function contactCommerce(ctx: Ctx, contact: number, query: CommerceQuery): Promise<Commerce> {
  const people = await sameIn(ctx, contact, query.store);
  const scope = JSON.stringify(people.map(({ shop, contact }) => [shop.key, contact]));
  const [totals, page] = await Promise.all([readTotals(ctx.db, scope), readItems(ctx, scope, people, query)]);
  const [only] = totals;
  return {
    metrics: {
      totalRevenue:
        totals.length > 1
          ? null
          : (only?.totalRevenue ?? { amount: 0, currency: people[0]?.shop.currency ?? ctx.shop.currency }),
      totalOrders: totals.reduce((sum, total) => sum + total.totalOrders, 0),
      productsPurchased: totals.reduce((sum, total) => sum + total.productsPurchased, 0),
      totals,
    },
    ...page,
  };
}

interface PersonIn {
  shop: Shop;
  contact: number;
}

/** The contact, and who has the same verified address in other shops that the caller may read. */
async function sameIn(ctx: Ctx, contact: number, store: string | undefined): Promise<PersonIn[]> {
  const own = { shop: ctx.shop, contact };
  if (store === undefined || store === ctx.shop.id) return [own];
  const mayReadAll = ctx.actor.kind !== "key";
  if (store !== "all" && !(mayReadAll && (await findShop(ctx.db, store)))) throw new AppError("shop_not_found");
  if (!mayReadAll) return [own];
  const { results } = await sql(
    ctx.db,
    `select o.shop, o.contact from identities i join shops s on s.key <> i.shop and (?2 is null or s.id = ?2)
     join identities o on o.shop = s.key and o.kind = 'email' and o.value = i.value and o.evidence = 'verified'
     where i.contact = ?1 and i.kind = 'email' and i.evidence = 'verified'`,
    contact,
    store === "all" ? null : store,
  ).all<{ shop: number; contact: number }>();
  const others = await Promise.all(
    results.map(async (row) => ({ shop: await findShop(ctx.db, row.shop), contact: row.contact })),
  );
  const found = others.filter((other): other is PersonIn => other.shop !== null);
  return store === "all" ? [own, ...found] : found;
}

async function readTotals(db: D1Database, scope: string): Promise<Totals[]> {
  const { results } = await sql(
    db,
    `select o.currency, sum(o.total) as revenue, count(*) as orders,
       sum((select coalesce(sum(i.current_quantity), 0) from order_items i where i."order" = o.key)) as products
     from json_each(?1) j join orders o on o.contact = j.value ->> 1 and o.shop = j.value ->> 0
     where o.test = 0 and o.state in (select value from json_each(?2)) group by o.currency order by o.currency`,
    scope,
    JSON.stringify(PURCHASES),
  ).all<{ currency: string; revenue: number; orders: number; products: number }>();
  return results.map(({ currency, revenue, orders, products }) => ({
    currency,
    totalRevenue: { amount: revenue, currency },
    totalOrders: orders,
    productsPurchased: products,
  }));
}

const Position = z.tuple([z.enum(SORTS), z.union([z.int(), z.string().max(40)]), z.string().max(100)]);

/** Abandoned carts, and carts bought in a browser that no order is known for; every other cart is told by its order. */
const ITEMS = `
  select 'order' as kind, o.shop, o.key, o.id, o.placed_at as at, o.total,
    case when o.state in (select value from json_each(?2)) then 'completed'
      when o.state = 'abandoned' then 'abandoned' else 'other' end as activity
  from json_each(?1) j join orders o on o.contact = j.value ->> 1 and o.shop = j.value ->> 0
  union all
  select 'cart', c.shop, c.key, c.id, coalesce(c.purchased_at, c.abandoned_at), coalesce(c.value, 0),
    iif(c.state = 'abandoned', 'abandoned', 'completed')
  from json_each(?1) j join carts c on c.contact = j.value ->> 1 and c.shop = j.value ->> 0
  where c.state = 'abandoned' or (c.purchased_by = 'browser' and c.purchased_at is not null
    and not exists (select 1 from orders x where x.shop = c.shop and x.cart_token = c.token)
    and not exists (select 1 from orders x where x.shop = c.shop and x.checkout_token = c.checkout_token))`;

async function readItems(
  ctx: Ctx,
  scope: string,
  people: PersonIn[],
  { activity, sort, limit, cursor }: CommerceQuery,
): Promise<Page<CommerceItem>> {
  const column = sort.replace("-", "").replace("placedAt", "at");
  const down = sort.startsWith("-");
  const position = cursor === undefined ? null : decodeCursor("commerce", cursor, Position);
  if (position && position[0] !== sort) throw new AppError("bad_cursor");
  const { results } = await sql(
    ctx.db,
    `select kind, shop, key, id, ${column} as sorted from (${ITEMS})
     where (?3 is null or activity = ?3) ${position ? `and (${column}, id) ${down ? "<" : ">"} (?5, ?6)` : ""}
     order by ${column} ${down ? "desc" : "asc"}, id ${down ? "desc" : "asc"} limit ?4`,
    scope,
    JSON.stringify(PURCHASES),
    activity ?? null,
    limit + 1,
    ...(position ? [position[1], position[2]] : []),
  ).all<{ kind: "order" | "cart"; shop: number; key: number; id: string; sorted: number | string }>();
  const shown = results.slice(0, limit);
  const last = shown.at(-1);
  const byKey = new Map<string, CommerceItem>();
  for (const { shop } of people) {
    const store = { id: shop.id, name: shop.name, domain: shop.domain };
    const keys = (kind: string) => shown.filter((r) => r.kind === kind && r.shop === shop.key).map((r) => r.key);
    const [orders, carts] = await Promise.all([
      ordersByKey(ctx.db, shop, keys("order")),
      cartsByKey({ ...ctx, shop }, keys("cart")),
    ]);
    for (const [key, order] of orders) byKey.set(`order${key}`, { kind: "order", ...order, store });
    for (const [key, cart] of carts) byKey.set(`cart${key}`, { kind: "cart", ...cart, store });
  }
  return {
    items: shown.flatMap((row) => byKey.get(row.kind + row.key) ?? []),
    nextCursor: results.length > limit && last ? encodeCursor("commerce", [sort, last.sorted, last.id]) : null,
  };
}
