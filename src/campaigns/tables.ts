import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Messages to many at once. Whom it goes to stands in `deliveries` from the moment it is sent. */
export const campaigns = sqliteTable(
  "campaigns",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    state: text("state", {
      enum: ["draft", "scheduled", "preparing", "sending", "cancelled", "failed"],
    }).notNull(),
    /** JSON (`definition.ts`). */
    definition: text("definition").notNull(),
    /** JSON: key and version of each variant's template, and the sender's key, as of `/send`. */
    pins: text("pins"),
    /** When the clock has something to do: begin, or choose the winner. */
    dueAt: integer("due_at"),
    /** Nothing goes out while it is set. */
    pausedAt: integer("paused_at"),
    startedAt: integer("started_at"),
    /** The variant that won the test, since when. */
    winner: text("winner"),
    winnerAt: integer("winner_at"),
    /** The job that is at it, or was last. */
    job: text("job"),
    /** Why it failed. */
    error: text("error"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    deletedAt: integer("deleted_at"),
  },
  (t) => [
    index("campaigns_shop").on(t.shop),
    index("campaigns_due")
      .on(t.shop, t.dueAt)
      .where(sql`due_at is not null`),
  ],
);
