import { integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Dictionary of event type names; shared by all shops, as names carry nothing personal. */
export const eventTypes = sqliteTable("event_types", {
  key: integer("key").primaryKey(),
  name: text("name").notNull().unique(),
});

/** Dictionary of page addresses of a shop, as stored: without secrets and unknown parameters. */
export const pages = sqliteTable(
  "pages",
  {
    key: integer("key").primaryKey(),
    shop: integer("shop").notNull(),
    url: text("url").notNull(),
    title: text("title"),
  },
  (t) => [uniqueIndex("pages_url").on(t.shop, t.url)],
);

/** Everything that browsers and servers reported. Created `without rowid`, and without another index. */
export const events = sqliteTable(
  "events",
  {
    shop: integer("shop").notNull(),
    type: integer("type").notNull(),
    at: integer("at").notNull(),
    visitor: integer("visitor").notNull(),
    seq: integer("seq").notNull(),
    page: integer("page"),
    /** JSON object, or null when empty. */
    data: text("data"),
  },
  (t) => [primaryKey({ columns: [t.shop, t.type, t.at, t.visitor, t.seq] })],
);
