import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Lists that somebody fills by hand; triggers on `list_members` keep the size. */
export const lists = sqliteTable(
  "lists",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    size: integer("size").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Hidden since; its rows are being deleted. */
    deletedAt: integer("deleted_at"),
  },
  (t) => [index("lists_shop").on(t.shop)],
);

/** `without rowid`. */
export const listMembers = sqliteTable(
  "list_members",
  {
    list: integer("list").notNull(),
    kind: text("kind", { enum: ["contact", "visitor"] }).notNull(),
    subject: integer("subject").notNull(),
    addedAt: integer("added_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.list, t.kind, t.subject] })],
);
