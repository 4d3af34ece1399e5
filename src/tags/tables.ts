import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Tags in use and how many contacts carry each; triggers on `contact_tags` and `contacts` keep the count. `without rowid`. */
export const tags = sqliteTable(
  "tags",
  {
    shop: integer("shop").notNull(),
    /** Folded for comparison. */
    tag: text("tag").notNull(),
    id: text("id").notNull().unique(),
    /** As shown. */
    label: text("label").notNull(),
    contacts: integer("contacts").notNull().default(0),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.tag] })],
);

/** What the merchant made of a tag that the store goes on sending: another one, or nothing. `without rowid`. */
export const tagRules = sqliteTable(
  "tag_rules",
  {
    shop: integer("shop").notNull(),
    /** Folded, as the store sends it. */
    tag: text("tag").notNull(),
    /** The tag it becomes, folded and as shown; both null where it was deleted. */
    becomes: text("becomes"),
    label: text("label"),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.tag] }), index("tag_rules_becomes").on(t.shop, t.becomes)],
);
