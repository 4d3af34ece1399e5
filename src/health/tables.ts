import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** How much came in per hour: what an alert compares silence with. `without rowid`. */
export const intakeHours = sqliteTable(
  "intake_hours",
  {
    shop: integer("shop").notNull(),
    kind: text("kind", { enum: ["beacons", "webhooks", "sends"] }).notNull(),
    /** Beginning of the hour, epoch ms. */
    hour: integer("hour").notNull(),
    count: integer("count").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.kind, t.hour] })],
);

/** Something that a person should look at; closed by itself when it is over. */
export const alerts = sqliteTable(
  "alerts",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    kind: text("kind", {
      enum: [
        "beacons_silent",
        "webhooks_silent",
        "sends_silent",
        "connection_broken",
        "subscriptions_lost",
        "endpoint_failing",
        "automation_failing",
        "automation_alert",
        "privacy_request_held",
      ],
    }).notNull(),
    /** Which one, where a shop can have several of the kind; empty otherwise. */
    subject: text("subject").notNull().default(""),
    /** JSON of figures, without personal data. */
    data: text("data").notNull().default("{}"),
    openedAt: integer("opened_at").notNull(),
    closedAt: integer("closed_at"),
  },
  (t) => [
    index("alerts_shop").on(t.shop),
    uniqueIndex("alerts_open")
      .on(t.shop, t.kind, t.subject)
      .where(sql`closed_at is null`),
  ],
);
