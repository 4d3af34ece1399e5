import { insertRows, sql } from "../db/client";
import { areSameItems, mergeItems } from "./lines";
import type { OrderItem, OrderSource, RefundSource } from "./source";
import type { OrderState } from "./state";
import { cartKeysOf } from "../carts/tables";

/** What is stored of an order before a body is applied. */
export interface StoredOrder {
  key: number;
  id: string;
  contact: number | null;
  updatedAt: number | null;
  triggeredAt: number | null;
  cartToken: string | null;
  checkoutToken: string | null;
  paidAt: number | null;
  fulfilledAt: number | null;
  deliveredAt: number | null;
  cancelledAt: number | null;
  state: OrderState;
  total: number;
  subtotal: number | null;
  presentmentTotal: number | null;
  placedAt: number;
  test: number;
  /** All of it, by column name. */
  row: Row;
}

export type Row = Map<string, string | number | null>;

/** What a reading may change without saying anything new. */
const MOMENTS = new Set(["source_triggered_at", "updated_at"]);

/** True when all of a row but its moments is stored. An order is a recovered one by its cart, which no source tells. */
export function saysNothingNew(row: Row, stored: Row): boolean {
  return [...row].every(([name, value]) => {
    const known = stored.get(name);
    return MOMENTS.has(name) || value === known || (name === "state" && value === "completed" && known === "recovered");
  });
}

/** Puts a refund on record; the order's totals come with the order's own body. */
export function insertRefund(db: D1Database, shop: number, refund: RefundSource): D1PreparedStatement {
  const row = refundRow(shop, refund);
  return sql(db, `insert into refunds (${[...row.keys()].join(", ")}) values (?, ?, ?, ?, ?, ?, ?)`, ...row.values());
}

export function refundRow(shop: number, refund: RefundSource): Row {
  return new Map<string, string | number>([
    ["shop", shop],
    ["external_id", refund.externalId],
    ["order_external_id", refund.orderExternalId],
    ["amount", refund.amount],
    ["currency", refund.currency],
    ["at", refund.at],
    ["items", JSON.stringify(refund.items)],
  ]);
}

/** What decides on an order's row beside its source. */
interface Around {
  contact: number | null;
  isPaid: boolean;
  tokens: { cartToken: string | null; checkoutToken: string | null };
}

/** The order's row and lines; members that were not told stay. */
export function writeOrder(
  db: D1Database,
  shop: number,
  ref: { key: number; id: string },
  order: OrderSource,
  stored: (StoredOrder & { items: OrderItem[] }) | undefined,
  around: Around,
  now: number,
): D1PreparedStatement[] {
  const { tokens } = around;
  const row = orderRow(shop, ref, order, stored, around, now);
  const names = [...row.keys()];
  const items = order.items && mergeItems(order.items, stored?.items ?? []);
  const hasItems = items === undefined || areSameItems(items, stored?.items ?? []);
  if (stored && order.version.isReading && hasItems && saysNothingNew(row, stored.row)) return [];
  const write = stored
    ? sql(
        db,
        `update orders set ${names.map((name) => `${name} = ?`).join(", ")} where key = ? and shop = ?`,
        ...row.values(),
        ref.key,
        shop,
      )
    : sql(db, `insert into orders (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`, ...row.values());
  const visitor = sql(
    db,
    `update orders set visitor = coalesce(
       (select c.visitor from carts c where c.visitor is not null and c.key in (${cartKeysOf("?3", "?4")}) limit 1),
       (select v.key from visitors v where v.shop = ?1 and v.tracker = ?5 and v.channel = 'browser'
         order by v.person desc limit 1))
     where key = ?2 and shop = ?1 and visitor is null`,
    shop,
    ref.key,
    tokens.cartToken,
    tokens.checkoutToken,
    order.tracker,
  );
  return [write, visitor, ...(items && !hasItems ? writeItems(db, ref.key, items) : [])];
}

/** An order's row by column name: of a new one whole, of a stored one what was told. */
export function orderRow(
  shop: number,
  ref: { key: number; id: string },
  order: OrderSource,
  stored: StoredOrder | undefined,
  { contact, isPaid, tokens }: Around,
  now: number,
): Row {
  const row: Row = new Map<string, string | number | null>([
    ["contact", contact],
    ["currency", order.currency],
    ["total", order.total],
    ["original_total", order.originalTotal],
    ["cart_token", tokens.cartToken],
    ["checkout_token", tokens.checkoutToken],
    ["test", Number(order.test)],
    ["placed_at", order.placedAt],
    ["source_updated_at", order.version.updatedAt],
    ["source_triggered_at", order.version.triggeredAt],
    ["updated_at", now],
  ]);
  const told: [string, string | number | null | undefined][] = [
    ["state", order.state],
    ["name", order.name],
    ["financial_status", order.financialStatus],
    ["fulfillment_status", order.fulfillmentStatus],
    ["subtotal", order.subtotal],
    ["discount", order.discount],
    ["shipping", order.shipping],
    ["tax", order.tax],
    ["presentment_currency", order.presentmentCurrency],
    ["presentment_total", order.presentmentTotal],
    ["discount_codes", order.discountCodes && JSON.stringify(order.discountCodes)],
    ["tags", order.tags && JSON.stringify(order.tags)],
    ["shipping_method", order.shippingMethod],
    ["source_name", order.sourceName],
    ["location_id", order.locationId],
    ["location_name", order.locationName],
    ["staff_id", order.staffId],
    ["landing_site", order.landingSite],
    ["referring_site", order.referringSite],
    ["cancelled_at", order.cancelledAt],
    ["fulfilled_at", fulfilledAt(order, stored)],
    ["delivered_at", stored?.deliveredAt ? undefined : order.deliveredAt],
    ["paid_at", isPaid && !stored?.paidAt ? order.version.updatedAt : undefined],
  ];
  for (const [column, value] of told) if (value !== undefined) row.set(column, value);
  if (!stored) {
    for (const [column, value] of [
      ["key", ref.key],
      ["id", ref.id],
      ["shop", shop],
      ["origin", order.origin],
      ["external_id", order.externalId],
      ["created_at", now],
      ["state", order.state ?? "completed"],
    ] as const) {
      row.set(column, value);
    }
  }
  return row;
}

/** When the order was fulfilled: an order that says so without a time, and without one that is known, was by now. */
export function fulfilledAt(order: OrderSource, stored: StoredOrder | undefined): number | null | undefined {
  if (order.fulfilledAt !== undefined) return order.fulfilledAt;
  return order.fulfillmentStatus === "fulfilled" && !stored?.fulfilledAt ? order.version.updatedAt : undefined;
}

/** A line's row by column name. */
export function itemRow(order: number, line: number, item: OrderItem): Row {
  return new Map<string, string | number | null>([
    ["order", order],
    ["line", line],
    ["external_id", item.externalId],
    ["product_id", item.productId],
    ["variant_id", item.variantId],
    ["sku", item.sku],
    ["title", item.title],
    ["variant_title", item.variantTitle],
    ["vendor", item.vendor],
    ["category", item.category],
    ["image", item.image],
    ["quantity", item.quantity],
    ["current_quantity", item.currentQuantity],
    ["price", item.price],
    ["discounted_price", item.discountedPrice],
  ]);
}

function writeItems(db: D1Database, order: number, items: OrderItem[]): D1PreparedStatement[] {
  return [
    sql(db, `delete from order_items where "order" = ?`, order),
    ...insertRows(
      db,
      "order_items",
      items.map((item, line) => itemRow(order, line, item)),
    ),
  ];
}
