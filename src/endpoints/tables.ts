import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Addresses of the merchant that are told of events (outgoing webhooks, Standard Webhooks signatures). */
export const webhookEndpoints = sqliteTable(
  "webhook_endpoints",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    url: text("url").notNull(),
    description: text("description"),
    /** JSON array of event types; empty means all. */
    types: text("types").notNull().default("[]"),
    /** Signing secret, encrypted. */
    secret: text("secret").notNull(),
    /** The secret before the last rotation, encrypted; it signs beside the new one until `previousUntil`. */
    previousSecret: text("previous_secret"),
    previousUntil: integer("previous_until"),
    state: text("state", { enum: ["enabled", "disabled", "failing"] }).notNull(),
    /** Of the failures in a row, the first; null after a success. */
    failingSince: integer("failing_since"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [index("webhook_endpoints_shop").on(t.shop)],
);

/** One event for one endpoint; kept for a limited time as a log. */
export const endpointDeliveries = sqliteTable(
  "endpoint_deliveries",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    endpoint: integer("endpoint").notNull(),
    type: text("type").notNull(),
    /** The event: the same for everybody who sees it. */
    naturalKey: text("natural_key").notNull(),
    /** JSON as it is sent. */
    body: text("body").notNull(),
    state: text("state", { enum: ["pending", "delivered", "failed"] }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: integer("next_attempt_at").notNull(),
    status: integer("status"),
    error: text("error"),
    createdAt: integer("created_at").notNull(),
    doneAt: integer("done_at"),
  },
  (t) => [
    uniqueIndex("endpoint_deliveries_event").on(t.endpoint, t.type, t.naturalKey),
    index("endpoint_deliveries_log").on(t.endpoint),
    index("endpoint_deliveries_pending")
      .on(t.shop, t.nextAttemptAt)
      .where(sql`state = 'pending'`),
  ],
);
