import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
    sourceUpdatedAt: integer("source_updated_at"),
    sourceTriggeredAt: integer("source_triggered_at"),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.externalId] })],
);
