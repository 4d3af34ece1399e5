import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { type ProductFacts, productFacts } from "../products";
import { type CartLine, parseLines } from "./lines";
import type { Cart } from "./schemas";

interface CartRow {
  key: number;
  id: string;
  token: string;
  checkoutToken: string | null;
  state: Cart["state"];
  currency: string | null;
  value: number | null;
  items: string;
  visitorId: string | null;
  contactId: string | null;
  checkoutUrl: string | null;
  activityAt: number;
  abandonedAt: number | null;
  recoveredAt: number | null;
  purchasedAt: number | null;
  createdAt: number;
}

const SELECT = `select c.key, c.id, c.token, c.checkout_token as "checkoutToken", c.state, c.currency, c.value, c.items,
  case when v.channel = 'browser' then v.tracker end as "visitorId", x.id as "contactId", c.checkout_url as "checkoutUrl",
  c.activity_at as "activityAt", c.abandoned_at as "abandonedAt", c.recovered_at as "recoveredAt",
  c.purchased_at as "purchasedAt", c.created_at as "createdAt"`;
const JOINS = `left join visitors v on v.key = c.visitor left join contacts x on x.key = c.contact`;
/** From one contact to its carts, so that the contact is read once. */
const OF_CONTACT = `contacts x join carts c on c.contact = x.key left join visitors v on v.key = c.visitor`;

export interface CartFilter {
  state?: Cart["state"] | undefined;
  /** The tracker's id: carts of every person of that browser. */
  visitorId?: string | undefined;
  contactId?: string | undefined;
}

const Position = z.tuple([z.int().min(0)]);

/** Carts of the shop, the newest first. An unknown visitor or contact has none. */
export async function listCarts(
  ctx: Ctx,
  filter: CartFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Cart>> {
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor("carts", cursor, Position)[0];
  const conditions = ["c.shop = ?1", "c.key < ?2"];
  const values: (string | number)[] = [];
  const add = (condition: (parameter: string) => string, value: string | undefined) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`?${values.length + 3}`));
  };
  add((p) => `c.state = ${p}`, filter.state);
  add((p) => `c.visitor in (select key from visitors where shop = ?1 and tracker = ${p})`, filter.visitorId);
  add((p) => `x.id = ${p} and x.shop = ?1`, filter.contactId);
  const { results } = await sql(
    ctx.db,
    `${SELECT} from ${filter.contactId === undefined ? `carts c ${JOINS}` : OF_CONTACT} where ${conditions.join(" and ")} order by c.key desc limit ?3`,
    ctx.shop.key,
    before,
    limit + 1,
    ...values,
  ).all<CartRow>();
  const shown = await showCarts(ctx, results);
  return pageOf(
    "carts",
    shown,
    limit,
    ({ key }) => [key],
    ({ cart }) => cart,
  );
}

/** The cart of this id, or null. */
export async function findCart(ctx: Ctx, id: string): Promise<Cart | null> {
  const row = await sql(
    ctx.db,
    `${SELECT} from carts c ${JOINS} where c.id = ?2 and c.shop = ?1`,
    ctx.shop.key,
    id,
  ).first<CartRow>();
  return row ? ((await showCarts(ctx, [row]))[0]?.cart ?? null) : null;
}

/** These carts of the shop as the API shows them, by key. */
export async function cartsByKey(ctx: Ctx, keys: number[]): Promise<Map<number, Cart>> {
  if (keys.length === 0) return new Map();
  const { results } = await sql(
    ctx.db,
    `${SELECT} from json_each(?2) j join carts c on c.key = j.value and c.shop = ?1 ${JOINS}`,
    ctx.shop.key,
    JSON.stringify(keys),
  ).all<CartRow>();
  return new Map((await showCarts(ctx, results)).map(({ key, cart }) => [key, cart]));
}

/** The cart that each of these personas holds: the open one, else the one that changed last. */
export async function cartsOfPersonas(ctx: Ctx, personas: number[]): Promise<Map<number, Cart>> {
  if (personas.length === 0) return new Map();
  const { results } = await sql(
    ctx.db,
    `select j.value as persona, (select key from carts where visitor = j.value and +shop = ?1
       order by (state = 'open') desc, activity_at desc, key desc limit 1) as cart from json_each(?2) j`,
    ctx.shop.key,
    JSON.stringify(personas),
  ).all<{ persona: number; cart: number | null }>();
  const carts = await cartsByKey(
    ctx,
    results.flatMap(({ cart }) => (cart === null ? [] : [cart])),
  );
  return new Map(
    results.flatMap(({ persona, cart }) => {
      const shown = cart === null ? undefined : carts.get(cart);
      return shown ? [[persona, shown] as const] : [];
    }),
  );
}

async function showCarts(ctx: Ctx, rows: CartRow[]): Promise<{ key: number; cart: Cart }[]> {
  const read = rows.map((row) => ({ row, lines: parseLines(row.items) }));
  const products = await productFacts(
    ctx.db,
    ctx.shop.key,
    read.flatMap(({ lines }) => lines.map((line) => line.productId)),
  );
  return read.map(({ row, lines }) => ({ key: row.key, cart: show(row, lines, products) }));
}

function show(row: CartRow, lines: CartLine[], products: Map<string, ProductFacts>): Cart {
  return {
    id: row.id,
    token: row.token,
    checkoutToken: row.checkoutToken,
    state: row.state,
    value: row.value !== null && row.currency !== null ? { amount: row.value, currency: row.currency } : null,
    items: lines.map((line) => {
      const product = line.productId === null ? undefined : products.get(line.productId);
      return {
        productId: line.productId,
        variantId: line.variantId,
        sku: line.sku,
        title: line.title,
        category: product?.category ?? null,
        vendor: line.vendor ?? product?.vendor ?? null,
        image: line.image ?? product?.image ?? null,
        url: line.url,
        quantity: line.quantity,
        price: line.price,
      };
    }),
    visitorId: row.visitorId,
    contactId: row.contactId,
    checkoutUrl: row.checkoutUrl,
    updatedAt: iso(row.activityAt),
    abandonedAt: iso(row.abandonedAt),
    recoveredAt: iso(row.recoveredAt),
    purchasedAt: iso(row.purchasedAt),
    createdAt: iso(row.createdAt),
  };
}
