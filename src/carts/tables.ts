import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** A cart and, once begun, its checkout. */
export const carts = sqliteTable(
  "carts",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    id: text("id").notNull().unique(),
    /** The cart's token; `checkout:<token>` for a checkout that has none, `url:...` on sites without tokens. */
    token: text("token").notNull(),
    checkoutToken: text("checkout_token"),
    /** Persona that the token is bound to: the first one that showed it. */
    visitor: integer("visitor"),
    contact: integer("contact"),
    state: text("state", { enum: ["open", "abandoned", "recovered", "purchased"] }).notNull(),
    /** Currency of `value` and of the lines: what the shopper saw. */
    currency: text("currency"),
    value: integer("value"),
    /** JSON array of lines (`carts/schemas.ts`). */
    items: text("items").notNull().default("[]"),
    checkoutUrl: text("checkout_url"),
    /** True once the cart page or the checkout was reached with something in the cart. */
    reached: integer("reached", { mode: "boolean" }).notNull(),
    /** Last change by the shopper; the threshold counts from here. */
    activityAt: integer("activity_at").notNull(),
    /** The same person bought elsewhere then: no abandonment unless this cart changes again. */
    settledAt: integer("settled_at"),
    abandonedAt: integer("abandoned_at"),
    recoveredAt: integer("recovered_at"),
    purchasedAt: integer("purchased_at"),
    /** Who said so: `browser` can be overruled by `order`. */
    purchasedBy: text("purchased_by", { enum: ["browser", "order"] }),
    /** `updated_at` of the newest cart and checkout bodies applied, and when those were triggered. */
    cartUpdatedAt: integer("cart_updated_at"),
    cartTriggeredAt: integer("cart_triggered_at"),
    checkoutUpdatedAt: integer("checkout_updated_at"),
    checkoutTriggeredAt: integer("checkout_triggered_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    uniqueIndex("carts_token").on(t.shop, t.token),
    uniqueIndex("carts_checkout_token")
      .on(t.shop, t.checkoutToken)
      .where(sql`checkout_token is not null`),
    index("carts_shop").on(t.shop),
    index("carts_state").on(t.shop, t.state),
    index("carts_visitor")
      .on(t.visitor)
      .where(sql`visitor is not null`),
    index("carts_contact")
      .on(t.contact)
      .where(sql`contact is not null`),
    index("carts_bought")
      .on(t.shop, t.purchasedAt, t.contact)
      .where(sql`purchased_by = 'browser'`),
    index("carts_open")
      .on(t.shop, t.activityAt)
      .where(sql`state = 'open'`),
  ],
);

/**
 * Keys of the carts of the shop `?1` that a cart's or a checkout's token names, as a subquery for `key in (...)`: each
 * part is one look into an index, where `or` would read the whole shop. A checkout whose cart nobody told has a token
 * made of its own.
 *
 * @param cart an SQL expression, as is `checkout`
 */
export const cartKeysOf = (cart: string, checkout: string) => `
  select key from carts where shop = ?1 and token in (${cart}, 'checkout:' || ${checkout})
  union all select key from carts where shop = ?1 and checkout_token = ${checkout}`;
