import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import type { Money } from "../lib/money";
import { iso } from "../lib/time";
import { productFacts } from "../products";
import type { Shop } from "../shops";
import type { Order } from "./schemas";

interface OrderRow {
  key: number;
  id: string;
  origin: "shopify" | "api";
  externalId: string;
  name: string | null;
  state: Order["state"];
  financialStatus: string | null;
  fulfillmentStatus: string | null;
  contactId: string | null;
  visitorId: string | null;
  cartToken: string | null;
  checkoutToken: string | null;
  currency: string;
  total: number;
  originalTotal: number;
  subtotal: number | null;
  discount: number | null;
  shipping: number | null;
  tax: number | null;
  presentmentCurrency: string | null;
  presentmentTotal: number | null;
  discountCodes: string;
  tags: string;
  shippingMethod: string | null;
  sourceName: string | null;
  test: number;
  placedAt: number;
  cancelledAt: number | null;
  fulfilledAt: number | null;
  deliveredAt: number | null;
  createdAt: number;
  updatedAt: number;
}

const SELECT = `select o.key, o.id, o.origin, o.external_id as "externalId", o.name, o.state,
  o.financial_status as "financialStatus", o.fulfillment_status as "fulfillmentStatus", x.id as "contactId",
  case when v.channel = 'browser' then v.tracker end as "visitorId", o.cart_token as "cartToken",
  o.checkout_token as "checkoutToken", o.currency, o.total, o.original_total as "originalTotal", o.subtotal, o.discount,
  o.shipping, o.tax, o.presentment_currency as "presentmentCurrency", o.presentment_total as "presentmentTotal",
  o.discount_codes as "discountCodes", o.tags, o.shipping_method as "shippingMethod", o.source_name as "sourceName", o.test,
  o.placed_at as "placedAt", o.cancelled_at as "cancelledAt", o.fulfilled_at as "fulfilledAt", o.delivered_at as "deliveredAt",
  o.created_at as "createdAt", o.updated_at as "updatedAt"`;
const JOINS = `left join contacts x on x.key = o.contact left join visitors v on v.key = o.visitor`;
/** From one contact to its orders, so that the contact is read once. */
const OF_CONTACT = `contacts x join orders o on o.contact = x.key left join visitors v on v.key = o.visitor`;

export interface OrderFilter {
  contactId?: string | undefined;
  state?: Order["state"] | undefined;
  test?: boolean | undefined;
}

const Position = z.union([z.tuple([z.int().min(0)]), z.tuple([z.int().min(0), z.int()])]);

/**
 * Orders of the shop, the newest record first; those of one contact by the time they were placed, latest first. Test
 * orders are among them unless asked otherwise. An unknown contact has none.
 */
export async function listOrders(
  ctx: Ctx,
  filter: OrderFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Order>> {
  const [key, placedAt] =
    cursor === undefined ? [Number.MAX_SAFE_INTEGER, undefined] : decodeCursor("orders", cursor, Position);
  const byContact = filter.contactId !== undefined;
  const conditions = ["o.shop = ?1"];
  const values: (string | number)[] = [];
  const parameter = (value: string | number) => `?${values.push(value) + 2}`;
  if (filter.contactId !== undefined) {
    const at = parameter(placedAt ?? Number.MAX_SAFE_INTEGER);
    conditions.push(
      `x.id = ${parameter(filter.contactId)} and x.shop = ?1`,
      `o.placed_at <= ${at} and (o.placed_at < ${at} or o.key < ${parameter(key)})`,
    );
  } else {
    conditions.push(`o.key < ${parameter(key)}`);
  }
  if (filter.state !== undefined) conditions.push(`o.state = ${parameter(filter.state)}`);
  // Written out, because the index of test orders is a partial one.
  if (filter.test !== undefined) conditions.push(filter.test ? "o.test = 1" : "o.test = 0");
  const { results } = await sql(
    ctx.db,
    `${SELECT} from ${byContact ? OF_CONTACT : `orders o ${JOINS}`} where ${conditions.join(" and ")}
     order by ${byContact ? "o.placed_at desc, o.key desc" : "o.key desc"} limit ?2`,
    ctx.shop.key,
    limit + 1,
    ...values,
  ).all<OrderRow>();
  const shown = await showOrders(ctx.db, ctx.shop, results.slice(0, limit));
  return pageOf(
    "orders",
    results,
    limit,
    (row) => (byContact ? [row.key, row.placedAt] : [row.key]),
    (row) => shown.get(row.key) ?? missing(row.key),
  );
}

/** The order of this id, or null. */
export async function findOrder(ctx: Ctx, id: string): Promise<Order | null> {
  const row = await sql(
    ctx.db,
    `${SELECT} from orders o ${JOINS} where o.id = ?2 and o.shop = ?1`,
    ctx.shop.key,
    id,
  ).first<OrderRow>();
  return row ? ((await showOrders(ctx.db, ctx.shop, [row])).get(row.key) ?? null) : null;
}

/** These orders of one shop as the API shows them, by key. */
export async function ordersByKey(db: D1Database, shop: Shop, keys: number[]): Promise<Map<number, Order>> {
  if (keys.length === 0) return new Map();
  const { results } = await sql(
    db,
    `${SELECT} from json_each(?2) j join orders o on o.key = j.value and o.shop = ?1 ${JOINS}`,
    shop.key,
    JSON.stringify(keys),
  ).all<OrderRow>();
  return showOrders(db, shop, results);
}

interface ItemRow {
  order: number;
  productId: string | null;
  variantId: string | null;
  sku: string | null;
  title: string;
  variantTitle: string | null;
  vendor: string | null;
  category: string | null;
  image: string | null;
  quantity: number;
  currentQuantity: number;
  price: number;
  discountedPrice: number;
}

async function showOrders(db: D1Database, shop: Shop, rows: OrderRow[]): Promise<Map<number, Order>> {
  if (rows.length === 0) return new Map();
  const { results: items } = await sql(
    db,
    `select i."order", i.product_id as "productId", i.variant_id as "variantId", i.sku, i.title,
       i.variant_title as "variantTitle", i.vendor, i.category, i.image, i.quantity,
       i.current_quantity as "currentQuantity", i.price, i.discounted_price as "discountedPrice"
     from json_each(?1) j join order_items i on i."order" = j.value order by i."order", i.line`,
    JSON.stringify(rows.map((row) => row.key)),
  ).all<ItemRow>();
  const products = await productFacts(
    db,
    shop.key,
    items.map((item) => item.productId),
  );
  const lines = Map.groupBy(items, (item) => item.order);
  return new Map(
    rows.map((row) => [
      row.key,
      {
        ...show(row, shop),
        items: (lines.get(row.key) ?? []).map((item) => {
          const product = item.productId === null ? undefined : products.get(item.productId);
          return {
            productId: item.productId,
            variantId: item.variantId,
            sku: item.sku,
            title: item.title,
            variantTitle: item.variantTitle,
            category: item.category ?? product?.category ?? null,
            vendor: item.vendor ?? product?.vendor ?? null,
            image: item.image ?? product?.image ?? null,
            quantity: item.quantity,
            currentQuantity: item.currentQuantity,
            price: { amount: item.price, currency: row.currency },
            discountedPrice: { amount: item.discountedPrice, currency: row.currency },
          };
        }),
      },
    ]),
  );
}

const Codes = z.array(z.string());

function show(row: OrderRow, shop: Shop): Omit<Order, "items"> {
  const money = (amount: number | null): Money | null => (amount === null ? null : { amount, currency: row.currency });
  return {
    id: row.id,
    shopifyId: row.origin === "shopify" ? row.externalId : null,
    externalId: row.origin === "api" ? row.externalId : null,
    name: row.name,
    state: row.state,
    financialStatus: row.financialStatus,
    fulfillmentStatus: row.fulfillmentStatus,
    placedAt: iso(row.placedAt),
    cancelledAt: iso(row.cancelledAt),
    fulfilledAt: iso(row.fulfilledAt),
    deliveredAt: iso(row.deliveredAt),
    total: { amount: row.total, currency: row.currency },
    originalTotal: { amount: row.originalTotal, currency: row.currency },
    presentmentTotal:
      row.presentmentTotal !== null && row.presentmentCurrency !== null
        ? { amount: row.presentmentTotal, currency: row.presentmentCurrency }
        : null,
    subtotal: money(row.subtotal),
    discount: money(row.discount),
    shipping: money(row.shipping),
    tax: money(row.tax),
    discountCodes: Codes.parse(JSON.parse(row.discountCodes)),
    tags: Codes.parse(JSON.parse(row.tags)),
    shippingMethod: row.shippingMethod,
    sourceName: row.sourceName,
    adminUrl: row.origin === "shopify" ? adminUrl(shop.domain, row.externalId) : null,
    cartToken: row.cartToken,
    checkoutToken: row.checkoutToken,
    contactId: row.contactId,
    visitorId: row.visitorId,
    test: row.test === 1,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** The order in Shopify's admin, whose address has the store's handle: its `*.myshopify.com` name. */
function adminUrl(domain: string, orderId: string): string | null {
  const handle = /^([a-z0-9][a-z0-9-]*)\.myshopify\.com$/.exec(domain)?.[1];
  return handle === undefined
    ? null
    : `https://admin.shopify.com/store/${handle}/orders/${encodeURIComponent(orderId)}`;
}

function missing(key: number): never {
  throw new Error(`order ${key} was read but not shown`);
}
