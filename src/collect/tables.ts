import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** How many beacons and events were not kept, and why. `without rowid`. */
export const drops = sqliteTable(
  "drops",
  {
    shop: integer("shop").notNull(),
    /** UTC, YYYY-MM-DD. */
    day: text("day").notNull(),
    reason: text("reason").notNull(),
    count: integer("count").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.day, t.reason] })],
);
