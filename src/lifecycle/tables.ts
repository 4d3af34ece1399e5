import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The ladder from lead to customer, as the merchant arranged it. `without rowid`. */
export const lifecycleStages = sqliteTable(
  "lifecycle_stages",
  {
    shop: integer("shop").notNull(),
    /** What contacts carry, snake_case; never changes. */
    name: text("name").notNull(),
    label: text("label").notNull(),
    position: integer("position").notNull(),
    /** `lead` and, once a store is connected, `customer`: they cannot be deleted. */
    system: integer("system", { mode: "boolean" }).notNull().default(false),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.name] })],
);
