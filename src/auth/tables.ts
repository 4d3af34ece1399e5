import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** A bearer key of one shop; only the SHA-256 of the secret is kept. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    /** The first characters of the key, so that a person can tell keys apart. */
    hint: text("hint").notNull(),
    hash: text("hash").notNull().unique(),
    /** JSON array of `read` and `write`. */
    scopes: text("scopes").notNull(),
    createdAt: integer("created_at").notNull(),
    revokedAt: integer("revoked_at"),
  },
  (t) => [index("api_keys_shop").on(t.shop)],
);
