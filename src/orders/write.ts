import { sql } from "../db/client";
import type { OrderItemSource, OrderSource, RefundSource } from "./source";

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
  cancelledAt: number | null;
}

/** Puts a refund on record; the order's totals come with the order's own body. */
export function insertRefund(db: D1Database, shop: number, refund: RefundSource): D1PreparedStatement {
  return sql(
    db,
    `insert into refunds (shop, external_id, order_external_id, amount, currency, at, items) values (?, ?, ?, ?, ?, ?, ?)`,
    shop,
    refund.externalId,
    refund.orderExternalId,
    refund.amount,
    refund.currency,
    refund.at,
    JSON.stringify(refund.items),
  );
}

/** The order's row and lines; members that were not told stay. */
export function writeOrder(
  db: D1Database,
  shop: number,
  ref: { key: number; id: string },
  order: OrderSource,
  stored: StoredOrder | undefined,
  {
    contact,
    isPaid,
    tokens,
  }: {
    contact: number | null;
    isPaid: boolean;
    tokens: { cartToken: string | null; checkoutToken: string | null };
  },
  now: number,
): D1PreparedStatement[] {
  const row = new Map<string, string | number | null>([
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
    ["shipping_method", order.shippingMethod],
    ["source_name", order.sourceName],
    ["landing_site", order.landingSite],
    ["referring_site", order.referringSite],
    ["cancelled_at", order.cancelledAt],
    ["fulfilled_at", order.fulfilledAt],
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
  const names = [...row.keys()];
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
       (select c.visitor from carts c where c.shop = ?1 and c.visitor is not null
         and (c.token = ?3 or c.checkout_token = ?4 or c.token = 'checkout:' || ?4) limit 1),
       (select v.key from visitors v where v.shop = ?1 and v.tracker = ?5 and v.channel = 'browser'
         order by v.person desc limit 1))
     where key = ?2 and shop = ?1 and visitor is null`,
    shop,
    ref.key,
    tokens.cartToken,
    tokens.checkoutToken,
    order.tracker,
  );
  return [write, visitor, ...(order.items ? writeItems(db, ref.key, order.items) : [])];
}

function writeItems(db: D1Database, order: number, items: OrderItemSource[]): D1PreparedStatement[] {
  return [
    sql(db, `delete from order_items where "order" = ?`, order),
    sql(
      db,
      `insert into order_items ("order", line, external_id, product_id, variant_id, sku, title, variant_title, vendor,
         category, image, quantity, current_quantity, price, discounted_price)
       select ?1, key, value ->> 'externalId', value ->> 'productId', value ->> 'variantId', value ->> 'sku',
         value ->> 'title', value ->> 'variantTitle', value ->> 'vendor', value ->> 'category', value ->> 'image',
         value ->> 'quantity', value ->> 'currentQuantity', value ->> 'price', value ->> 'discountedPrice'
       from json_each(?2)`,
      order,
      JSON.stringify(items),
    ),
  ];
}
