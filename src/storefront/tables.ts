import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What of a shop's storefront was heard of, and when last; to within ten minutes. `without rowid`. */
export const storefrontSeen = sqliteTable(
  "storefront_seen",
  {
    shop: integer("shop").notNull(),
    /**
     * `embed`, `script`: the tracker was fetched by the app embed, or by a tag in the theme. `tracker`, `pixel`: a beacon
     * was kept. `proxy`: the shop's app proxy asked for a customer. `customer`: an identification that the shop signed.
     */
    part: text("part", { enum: ["embed", "script", "tracker", "pixel", "proxy", "customer"] }).notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.part] })],
);

export type SeenPart = (typeof storefrontSeen.$inferSelect)["part"];
