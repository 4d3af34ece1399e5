import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** SQL: the product `p` is known to have run out. */
export const SOLD_OUT = "(p.tracks_stock = 1 and p.stock <= 0 and p.oversells is not 1)";

/** What order and cart lines do not carry: category, picture, tags. `without rowid`. */
export const products = sqliteTable(
  "products",
  {
    shop: integer("shop").notNull(),
    externalId: text("external_id").notNull(),
    title: text("title").notNull(),
    category: text("category"),
    vendor: text("vendor"),
    /** JSON array. */
    tags: text("tags").notNull().default("[]"),
    image: text("image"),
    handle: text("handle"),
    /** Plain text, at most 5,000 characters. */
    description: text("description"),
    /** The lowest price of its variants, minor units of the shop's currency. */
    price: integer("price"),
    /** `active`, `draft` or `archived`. */
    status: text("status"),
    /** Pieces of all variants together; null where nobody told. */
    stock: integer("stock"),
    /** False: sold however many there are. Null where nobody told: webhooks do not. */
    tracksStock: integer("tracks_stock", { mode: "boolean" }),
    /** Some variant is sold beyond its stock. */
    oversells: integer("oversells", { mode: "boolean" }),
    /** JSON arrays: addresses of all pictures, titles of the collections it is in. */
    images: text("images").notNull().default("[]"),
    collections: text("collections").notNull().default("[]"),
    sourceUpdatedAt: integer("source_updated_at"),
    sourceTriggeredAt: integer("source_triggered_at"),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.externalId] })],
);
