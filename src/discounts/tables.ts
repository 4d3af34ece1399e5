import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Pools of unique codes, each of one code discount of the store; triggers on `discount_codes` keep the counts. */
export const discountPools = sqliteTable(
  "discount_pools",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    /** Shopify's id of the discount; null until the one to make is made. */
    discount: text("discount"),
    /** JSON, the discount to make; null for one that was there before. */
    terms: text("terms"),
    /** Codes begin with it. */
    prefix: text("prefix").notNull(),
    /** Free codes that a filling ends with. */
    size: integer("size").notNull(),
    /** A filling begins once no more than so many are free; 0 for never. */
    lowWater: integer("low_water").notNull(),
    /** What a message shows when no code is left. */
    fallbackCode: text("fallback_code"),
    /** When the discount ends, as last read. */
    endsAt: integer("ends_at"),
    free: integer("free").notNull().default(0),
    taken: integer("taken").notNull().default(0),
    refused: integer("refused").notNull().default(0),
    /** Why the last filling could not go on, and in Shopify's words; null when all is well. */
    problem: text("problem"),
    detail: text("detail"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** No more codes since. */
    stoppedAt: integer("stopped_at"),
  },
  (t) => [index("discount_pools_shop").on(t.shop)],
);

export const discountCodes = sqliteTable(
  "discount_codes",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    pool: integer("pool").notNull(),
    code: text("code").notNull(),
    /** `new`: made up here. `sending`: on its way. `sent`: Shopify works on it. `free`, `refused`: its answer. */
    state: text("state", { enum: ["new", "sending", "sent", "free", "taken", "refused"] })
      .notNull()
      .default("new"),
    /** Shopify's id of the bulk creation. */
    creation: text("creation"),
    sentAt: integer("sent_at"),
    /** Shopify's reason for a refusal. */
    reason: text("reason"),
    /** What it was handed out for; nobody else ever gets it. */
    naturalKey: text("natural_key"),
    contact: integer("contact"),
    takenAt: integer("taken_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    uniqueIndex("discount_codes_code").on(t.shop, t.code),
    uniqueIndex("discount_codes_natural")
      .on(t.pool, t.naturalKey)
      .where(sql`natural_key is not null`),
    index("discount_codes_state").on(t.pool, t.state),
    index("discount_codes_contact")
      .on(t.contact)
      .where(sql`contact is not null`),
  ],
);
