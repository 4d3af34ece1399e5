import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * Addresses that get nothing, or no marketing, whoever holds them: known by keyed hash, so that the rule outlives the
 * contact, imports, merges and another sync.
 */
export const suppressions = sqliteTable(
  "suppressions",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    hash: text("hash").notNull(),
    /** `all` stops transactional messages too. */
    class: text("class", { enum: ["all", "marketing"] }).notNull(),
    reason: text("reason", {
      enum: ["HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED", "PROVIDER", "ERASED"],
    }).notNull(),
    /** Sealed, for people to read; null once its person was erased. */
    address: text("address"),
    /** What told: `link`, `one_click`, `inbound_message`, `feedback`, `api`, `import`, ... */
    source: text("source").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [
    uniqueIndex("suppressions_address").on(t.shop, t.channel, t.hash, t.reason),
    index("suppressions_shop").on(t.shop),
  ],
);
