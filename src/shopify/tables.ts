import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Webhook deliveries as received. Bodies are cleared after the retention time and by redaction. */
export const webhookInbox = sqliteTable(
  "webhook_inbox",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    topic: text("topic").notNull(),
    webhookId: text("webhook_id").notNull(),
    eventId: text("event_id"),
    apiVersion: text("api_version"),
    /** Epoch ms of X-Shopify-Triggered-At; the time of receipt where it is absent. */
    triggeredAt: integer("triggered_at").notNull(),
    receivedAt: integer("received_at").notNull(),
    bodyHash: text("body_hash").notNull(),
    body: text("body"),
    /** `unhandled`: kept, but no rule for the topic. `stale`: a newer body was applied before. */
    state: text("state", { enum: ["pending", "handled", "unhandled", "stale", "dead"] }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: integer("next_attempt_at").notNull(),
    error: text("error"),
    handledAt: integer("handled_at"),
  },
  (t) => [
    uniqueIndex("webhook_inbox_webhook").on(t.shop, t.webhookId),
    uniqueIndex("webhook_inbox_body").on(t.shop, t.topic, t.bodyHash, t.triggeredAt),
    index("webhook_inbox_shop").on(t.shop),
    index("webhook_inbox_odd")
      .on(t.shop, t.state)
      .where(sql`state in ('dead', 'unhandled', 'stale')`),
    index("webhook_inbox_pending")
      .on(t.shop, t.nextAttemptAt)
      .where(sql`state = 'pending'`),
  ],
);

/** Things that Shopify deleted: a late update must not bring them back. `without rowid`. */
export const tombstones = sqliteTable(
  "tombstones",
  {
    shop: integer("shop").notNull(),
    kind: text("kind", { enum: ["customer", "order", "product", "checkout"] }).notNull(),
    externalId: text("external_id").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.kind, t.externalId] })],
);
