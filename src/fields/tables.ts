import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Custom fields of contacts; the values are in `contacts.fields` by name. `without rowid`. */
export const fields = sqliteTable(
  "fields",
  {
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    id: text("id").notNull().unique(),
    label: text("label").notNull(),
    type: text("type", { enum: ["text", "number", "date", "boolean", "radio", "multiselect"] }).notNull(),
    /** JSON array of the values that a radio or multiselect field takes. */
    options: text("options").notNull().default("[]"),
    /** A field that connecting a store adds: its values come from there, and it cannot be deleted. */
    system: integer("system", { mode: "boolean" }).notNull().default(false),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.name] })],
);
