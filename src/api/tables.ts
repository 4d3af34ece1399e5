import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Who changed what over REST; written in the batch of the change. Values of personal fields are not kept, only names. */
export const auditLog = sqliteTable(
  "audit_log",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    /** `operator`, or the id of an API key. */
    actor: text("actor").notNull(),
    /** `contact.updated`, ... */
    action: text("action").notNull(),
    subject: text("subject").notNull(),
    /** JSON array of changed field names. */
    fields: text("fields").notNull().default("[]"),
    requestId: text("request_id").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [index("audit_log_shop").on(t.shop), index("audit_log_subject").on(t.shop, t.subject)],
);

/** Answers to POSTs with an Idempotency-Key, for 24 h. `without rowid`. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    actor: text("actor").notNull(),
    key: text("key").notNull(),
    /** SHA-256 over method, path and body. */
    requestHash: text("request_hash").notNull(),
    /** Null while the first request is being handled. */
    status: integer("status"),
    /** The answer, sealed: it may hold personal data or a secret. */
    body: text("body"),
    /** Public id of what the answer is about, so that erasure finds it. */
    subject: text("subject"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.actor, t.key] }),
    index("idempotency_keys_age").on(t.createdAt),
    index("idempotency_keys_subject")
      .on(t.subject)
      .where(sql`subject is not null`),
  ],
);
