import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Domain events that still have reactions to come; a row is deleted in the batch of its effects. */
export const outbox = sqliteTable(
  "outbox",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    type: text("type").notNull(),
    /** Rows of one subject are handled by key: `contact:<key>`, `visitor:<key>`, `cart:<key>`, `order:<key>`. */
    subject: text("subject").notNull(),
    /** One domain event, whoever saw it. */
    naturalKey: text("natural_key").notNull(),
    /** JSON object without personal data. */
    data: text("data").notNull().default("{}"),
    at: integer("at").notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: integer("next_attempt_at").notNull(),
  },
  (t) => [
    uniqueIndex("outbox_natural").on(t.shop, t.type, t.naturalKey),
    index("outbox_subject").on(t.shop, t.subject),
  ],
);

/** Outbox rows that failed for good; `POST /v1/dead-letters/{id}/replay` puts them back. */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    type: text("type").notNull(),
    subject: text("subject").notNull(),
    naturalKey: text("natural_key").notNull(),
    data: text("data").notNull(),
    at: integer("at").notNull(),
    error: text("error").notNull(),
    diedAt: integer("died_at").notNull(),
  },
  (t) => [index("dead_letters_shop").on(t.shop)],
);

/** Long work that a caller can watch. */
export const jobs = sqliteTable(
  "jobs",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    kind: text("kind").notNull(),
    state: text("state", { enum: ["queued", "running", "done", "failed"] }).notNull(),
    progress: integer("progress").notNull().default(0),
    total: integer("total"),
    /** JSON, what the job was asked to do and where it stands. */
    input: text("input").notNull().default("{}"),
    cursor: text("cursor"),
    result: text("result"),
    error: text("error"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    index("jobs_shop").on(t.shop),
    index("jobs_running")
      .on(t.updatedAt)
      .where(sql`state = 'running'`),
  ],
);
