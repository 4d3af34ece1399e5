import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const automations = sqliteTable(
  "automations",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    /** `paused`: nobody moves; `draining`: nobody enters. */
    state: text("state", { enum: ["draft", "active", "paused", "draining"] }).notNull(),
    /** The version that people enter by. */
    version: integer("version").notNull().default(1),
    /** Events written down before it start nothing. */
    activatedAt: integer("activated_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    deletedAt: integer("deleted_at"),
  },
  (t) => [index("automations_shop").on(t.shop)],
);

/** `without rowid`. */
export const automationVersions = sqliteTable(
  "automation_versions",
  {
    automation: integer("automation").notNull(),
    version: integer("version").notNull(),
    /** JSON, as the merchant wrote it. */
    definition: text("definition").notNull(),
    /** JSON: key and version of each template, by id, as they were when it was activated. */
    pins: text("pins").notNull().default("{}"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.automation, t.version] })],
);

/** Domain events (`event:<type>` for those of browsers) that an automation acts on. `without rowid`. */
export const automationWatches = sqliteTable(
  "automation_watches",
  {
    shop: integer("shop").notNull(),
    what: text("what").notNull(),
    automation: integer("automation").notNull(),
    /** Part of the page's address without which none of its patterns can match, lower case; empty for any. */
    needle: text("needle").notNull().default(""),
  },
  (t) => [
    primaryKey({ columns: [t.shop, t.what, t.automation, t.needle] }),
    index("automation_watches_automation").on(t.automation),
  ],
);

/** When the clock next lets people in, for triggers of dates and schedules. `without rowid`. */
export const automationTimers = sqliteTable(
  "automation_timers",
  {
    automation: integer("automation").notNull(),
    /** Place of the trigger in the definition. */
    trigger: integer("trigger").notNull(),
    shop: integer("shop").notNull(),
    dueAt: integer("due_at").notNull(),
    /** While people are let in: the last one looked at. */
    cursor: text("cursor"),
  },
  (t) => [primaryKey({ columns: [t.automation, t.trigger] }), index("automation_timers_due").on(t.shop, t.dueAt)],
);

/** One way of one person through an automation. */
export const runs = sqliteTable(
  "runs",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    automation: integer("automation").notNull(),
    version: integer("version").notNull(),
    kind: text("kind", { enum: ["contact", "visitor"] }).notNull(),
    subject: integer("subject").notNull(),
    /** What let the person in: the same for every copy of it. */
    entryKey: text("entry_key").notNull(),
    /** The cart or order by which several runs of a person are kept apart; empty where they are not. */
    parallel: text("parallel").notNull().default(""),
    /** `pending`: it is still to show whether the person enters. */
    state: text("state", { enum: ["pending", "active", "done", "exited", "failed"] }).notNull(),
    /** Where the person is; null at the end. */
    step: text("step"),
    /** Counts the steps taken; the present one's number. */
    visit: integer("visit").notNull().default(1),
    /** When it goes on; null while only an event can make it, and at the end. */
    dueAt: integer("due_at"),
    /** Until then it is one consumer's. */
    leaseUntil: integer("lease_until"),
    /** It came due while its automation was paused. */
    heldAt: integer("held_at"),
    /** Since when it waits at this step; null before it does. */
    arrivedAt: integer("arrived_at"),
    /** Failures of the present step. */
    attempts: integer("attempts").notNull().default(0),
    error: text("error"),
    /** Why it ended. */
    reason: text("reason"),
    /** JSON without personal data: what it is about (`run.ts`). */
    data: text("data").notNull().default("{}"),
    /** JSON: when the event that a step waits for last happened, by step. */
    signals: text("signals").notNull().default("{}"),
    enteredAt: integer("entered_at").notNull(),
    endedAt: integer("ended_at"),
  },
  (t) => [
    uniqueIndex("runs_entry").on(t.automation, t.kind, t.subject, t.entryKey),
    index("runs_due")
      .on(t.shop, t.dueAt)
      .where(sql`due_at is not null`),
    index("runs_subject")
      .on(t.subject, t.kind)
      .where(sql`ended_at is null`),
    index("runs_automation").on(t.automation),
  ],
);

/** Why a person got what they got: one row for each step taken. `without rowid`. */
export const runSteps = sqliteTable(
  "run_steps",
  {
    run: integer("run").notNull(),
    visit: integer("visit").notNull(),
    step: text("step").notNull(),
    outcome: text("outcome").notNull(),
    /** JSON without personal data. */
    detail: text("detail"),
    /** When it was to happen, and when it did. */
    scheduledAt: integer("scheduled_at").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.run, t.visit] })],
);

/** Every change of a contact's score by an automation. `without rowid`. */
export const scoreHistory = sqliteTable(
  "score_history",
  {
    contact: integer("contact").notNull(),
    at: integer("at").notNull(),
    /** `run:<run key>:<visit>`. */
    naturalKey: text("natural_key").notNull(),
    shop: integer("shop").notNull(),
    points: integer("points").notNull(),
  },
  (t) => [primaryKey({ columns: [t.contact, t.at, t.naturalKey] }), index("score_history_shop").on(t.shop)],
);
