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

/** How a store is connected. Its tokens are in its `Connection` object, encrypted; nothing here is secret. */
export const shopifyConnections = sqliteTable("shopify_connections", {
  shop: integer("shop").primaryKey(),
  method: text("method", { enum: ["client_credentials", "oauth", "token", "token_exchange"] }).notNull(),
  /** The app that was connected with; null for a pasted token of an app that nobody named. */
  clientId: text("client_id"),
  /** JSON array of granted scope handles. */
  scopes: text("scopes").notNull().default("[]"),
  /** Origin that Shopify reaches this installation at. */
  address: text("address").notNull(),
  checkedAt: integer("checked_at"),
  /** Why something does not work at the moment: `token_refused`, `scopes_missing`, `shop_frozen`, `unreachable`; null when all is well. */
  problem: text("problem"),
  /** Id of the key that the object's tokens are sealed with; null until a sweep has looked. */
  sealedWith: text("sealed_with"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** Webhook subscriptions as Shopify last listed them. `without rowid`. */
export const shopifySubscriptions = sqliteTable(
  "shopify_subscriptions",
  {
    shop: integer("shop").notNull(),
    topic: text("topic").notNull(),
    /** Shopify's id; null while there is none. */
    externalId: text("external_id"),
    state: text("state", { enum: ["active", "missing", "foreign_address", "refused"] }).notNull(),
    problem: text("problem"),
    /** When it was last found missing or changed and made again. */
    repairedAt: integer("repaired_at"),
    checkedAt: integer("checked_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.topic] })],
);

/** What is read from a store: one row per resource and stretch of time. `without rowid`. */
export const syncStreams = sqliteTable(
  "sync_streams",
  {
    shop: integer("shop").notNull(),
    resource: text("resource", { enum: ["products", "collections", "customers", "orders", "checkouts"] }).notNull(),
    /** `recent` first, then `rest`; `changes` is what reconciliation reads by `updated_at`. */
    stretch: text("stretch", { enum: ["recent", "rest", "changes"] }).notNull(),
    /** The job (`jobs`) that it belongs to; null for reconciliation. */
    job: integer("job"),
    state: text("state", { enum: ["waiting", "asked", "reading", "done", "failed"] }).notNull(),
    /** Shopify's bulk operation, and the result file's address, encrypted: whoever has it can read the file. */
    operation: text("operation"),
    fileUrl: text("file_url"),
    /** Bytes of the file that are stored in full, and the objects in them. */
    offset: integer("offset").notNull().default(0),
    done: integer("done").notNull().default(0),
    total: integer("total"),
    /** Objects that did not fit the mapping; the first of them by id in `error`. */
    skipped: integer("skipped").notNull().default(0),
    /** Everything that changed before is known, epoch ms. */
    watermark: integer("watermark"),
    error: text("error"),
    attempts: integer("attempts").notNull().default(0),
    startedAt: integer("started_at"),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.resource, t.stretch] })],
);

/** Requests of the privacy law that Shopify passed on, each with its receipt. Holds no personal data itself. */
export const privacyRequests = sqliteTable(
  "privacy_requests",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    kind: text("kind", { enum: ["data_request", "customer_redact", "shop_redact"] }).notNull(),
    /** Shopify's webhook id: the same request is carried out once. */
    webhookId: text("webhook_id").notNull(),
    /** Shopify's id of the event: two subscriptions tell of it under two webhook ids. */
    eventId: text("event_id"),
    /** Keyed hash of what was asked for, by which the same request is recognised. */
    digest: text("digest"),
    /** `held`: somebody has to look at it first (`privacy/held.ts`), until `heldUntil`. */
    state: text("state", { enum: ["running", "done", "failed", "held", "dismissed"] }).notNull(),
    heldUntil: integer("held_until"),
    /** JSON: how many rows went from which table, bodies of the inbox and objects included. */
    receipt: text("receipt").notNull().default("{}"),
    receivedAt: integer("received_at").notNull(),
    /** The law's thirty days. */
    dueAt: integer("due_at").notNull(),
    doneAt: integer("done_at"),
  },
  (t) => [
    uniqueIndex("privacy_requests_webhook").on(t.shop, t.webhookId),
    index("privacy_requests_shop").on(t.shop),
    index("privacy_requests_held")
      .on(t.heldUntil)
      .where(sql`held_until is not null`),
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
