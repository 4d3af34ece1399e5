import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const orders = sqliteTable(
  "orders",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    id: text("id").notNull().unique(),
    /** Who keeps the order's own id: `shopify`, or `api` for orders posted by external id. */
    origin: text("origin", { enum: ["shopify", "api"] }).notNull(),
    externalId: text("external_id").notNull(),
    name: text("name"),
    state: text("state", {
      enum: [
        "pending_payment",
        "completed",
        "abandoned",
        "recovered",
        "waiting",
        "cancelled",
        "refunded",
        "failed",
        "returned",
      ],
    }).notNull(),
    financialStatus: text("financial_status"),
    fulfillmentStatus: text("fulfillment_status"),
    contact: integer("contact"),
    /** Persona that bought, once a cart or the cart attribute joined it. */
    visitor: integer("visitor"),
    cartToken: text("cart_token"),
    checkoutToken: text("checkout_token"),
    /** Shop currency: the only one that adds up. All amounts in its minor units. */
    currency: text("currency").notNull(),
    /** The total now, after edits and refunds. */
    total: integer("total").notNull(),
    /** The total when it was placed. */
    originalTotal: integer("original_total").notNull(),
    subtotal: integer("subtotal"),
    discount: integer("discount"),
    shipping: integer("shipping"),
    tax: integer("tax"),
    presentmentCurrency: text("presentment_currency"),
    presentmentTotal: integer("presentment_total"),
    /** JSON array of codes. */
    discountCodes: text("discount_codes").notNull().default("[]"),
    /** JSON array of the order's own tags. */
    tags: text("tags").notNull().default("[]"),
    shippingMethod: text("shipping_method"),
    /** Sales channel as Shopify names it: web, pos, ... */
    sourceName: text("source_name"),
    /** Where and by whom it was sold at a point of sale. */
    locationId: text("location_id"),
    locationName: text("location_name"),
    staffId: text("staff_id"),
    landingSite: text("landing_site"),
    referringSite: text("referring_site"),
    test: integer("test", { mode: "boolean" }).notNull().default(false),
    placedAt: integer("placed_at").notNull(),
    cancelledAt: integer("cancelled_at"),
    fulfilledAt: integer("fulfilled_at"),
    /** When the last of its parcels was first said to have arrived. */
    deliveredAt: integer("delivered_at"),
    /** When it was first seen paid in full. */
    paidAt: integer("paid_at"),
    /** `updated_at` of the newest body applied, and when that one was triggered: ties within a second. */
    sourceUpdatedAt: integer("source_updated_at"),
    sourceTriggeredAt: integer("source_triggered_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    uniqueIndex("orders_external").on(t.shop, t.origin, t.externalId),
    index("orders_contact")
      .on(t.contact, t.placedAt)
      .where(sql`contact is not null`),
    index("orders_shop").on(t.shop),
    // For segments: what is added up of everybody's orders, contact by contact; and orders of a time. Their last two
    // columns never vary; with them a query need not look into the table to know that.
    index("orders_counted")
      .on(t.shop, t.contact, t.placedAt, t.originalTotal, t.total, t.currency, t.test, t.cancelledAt)
      .where(sql`contact is not null and test = 0 and cancelled_at is null`),
    index("orders_counted_placed")
      .on(t.shop, t.placedAt, t.contact, t.test, t.cancelledAt)
      .where(sql`test = 0 and cancelled_at is null`),
    index("orders_state").on(t.shop, t.state),
    index("orders_test")
      .on(t.shop)
      .where(sql`test = 1`),
    index("orders_visitor")
      .on(t.visitor)
      .where(sql`visitor is not null`),
    index("orders_cart_token")
      .on(t.shop, t.cartToken)
      .where(sql`cart_token is not null`),
    index("orders_checkout_token")
      .on(t.shop, t.checkoutToken)
      .where(sql`checkout_token is not null`),
  ],
);

/** Lines of an order as they stand now; written whole with each newer body. `without rowid`. */
export const orderItems = sqliteTable(
  "order_items",
  {
    order: integer("order").notNull(),
    line: integer("line").notNull(),
    externalId: text("external_id"),
    productId: text("product_id"),
    variantId: text("variant_id"),
    sku: text("sku"),
    title: text("title").notNull(),
    variantTitle: text("variant_title"),
    vendor: text("vendor"),
    /** Only where the source names them (REST); otherwise they are joined from `products`. */
    category: text("category"),
    image: text("image"),
    quantity: integer("quantity").notNull(),
    currentQuantity: integer("current_quantity").notNull(),
    /** One piece before and after discounts, minor units of the order's currency. */
    price: integer("price").notNull(),
    discountedPrice: integer("discounted_price").notNull(),
  },
  (t) => [primaryKey({ columns: [t.order, t.line] }), index("order_items_product").on(t.productId)],
);

/** `without rowid`. */
export const refunds = sqliteTable(
  "refunds",
  {
    shop: integer("shop").notNull(),
    externalId: text("external_id").notNull(),
    /** The order's external id: a refund may arrive before its order. */
    orderExternalId: text("order_external_id").notNull(),
    /** Settled amount in the shop's currency, minor units. */
    amount: integer("amount").notNull(),
    currency: text("currency").notNull(),
    at: integer("at").notNull(),
    /** JSON array of `{ lineId, quantity, amount }`. */
    items: text("items").notNull().default("[]"),
  },
  (t) => [primaryKey({ columns: [t.shop, t.externalId] }), index("refunds_order").on(t.shop, t.orderExternalId)],
);

/**
 * One column of the orders of the shop `?1` that carry one of these tokens, as a subquery: each part is one look into
 * an index, where `or` would read the whole shop.
 *
 * @param cart an SQL expression, as is `checkout`
 */
export const ordersOfTokens = (column: string, cart: string, checkout: string) => `
  select ${column} from orders where shop = ?1 and cart_token = ${cart}
  union all select ${column} from orders where shop = ?1 and checkout_token = ${checkout}`;
