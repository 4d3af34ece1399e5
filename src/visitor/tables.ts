import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * One persona: a person as seen through one browser. A browser (tracker id) whose user changes has
 * several, numbered from 1. Never holds a name, an e-mail address or a raw IP address.
 */
export const visitors = sqliteTable(
  "visitors",
  {
    key: integer("key").primaryKey(),
    shop: integer("shop").notNull(),
    tracker: text("tracker").notNull(),
    person: integer("person").notNull(),
    /** Set once, by identification; a merge moves it. */
    contact: integer("contact"),
    evidence: text("evidence", { enum: ["verified", "claimed"] }),
    linkedAt: integer("linked_at"),
    /** `browser`, or `api` for the object that carries a contact's server-side events. */
    channel: text("channel", { enum: ["browser", "api"] }).notNull(),
    country: text("country"),
    region: text("region"),
    city: text("city"),
    /** The place to a tenth of a degree (`lib/grid.ts`). */
    cell: integer("cell"),
    /** IANA name of the time zone there. */
    timezone: text("timezone"),
    /** The language that the browser asks for first, without its region. */
    language: text("language"),
    visits: integer("visits").notNull(),
    /** How long all of them took together, from the first to the last event of each. */
    visitSeconds: integer("visit_seconds").notNull().default(0),
    pageViews: integer("page_views").notNull(),
    firstSeenAt: integer("first_seen_at").notNull(),
    lastSeenAt: integer("last_seen_at").notNull(),
    /** JSON Touch (`visitor/state.ts`). */
    firstTouch: text("first_touch"),
    lastTouch: text("last_touch"),
    /** JSON Device. */
    device: text("device"),
    /** The highest `seq` that has reached this row: a late batch with a lower one changes nothing. */
    flushedSeq: integer("flushed_seq").notNull(),
  },
  (t) => [
    uniqueIndex("visitors_tracker").on(t.shop, t.tracker, t.person),
    index("visitors_contact")
      .on(t.contact)
      .where(sql`contact is not null`),
    // Both columns after the shop are the same in nearly all rows: with them it tells by itself who is anonymous.
    index("visitors_anonymous")
      .on(t.shop, t.contact, t.channel)
      .where(sql`contact is null`),
    // Whose browser a visitor is, without a look into its row.
    index("visitors_linked")
      .on(t.shop, t.key, t.contact)
      .where(sql`contact is not null`),
  ],
);

/** A visit's path, at most 100 events a part. Created `without rowid`. */
export const visits = sqliteTable(
  "visits",
  {
    visitor: integer("visitor").notNull(),
    no: integer("no").notNull(),
    part: integer("part").notNull(),
    /** When the part's first event happened. */
    at: integer("at").notNull(),
    until: integer("until").notNull(),
    /** JSON Touch of the visit, in part 0. */
    touch: text("touch"),
    /** JSON array of `[seq, at, type key, event id, page key | null]`, by seq. */
    path: text("path").notNull(),
  },
  (t) => [primaryKey({ columns: [t.visitor, t.no, t.part] })],
);

/** Personas that were erased: `hash` is keyed over tracker id and person number, so that nothing late is stored. */
export const erased = sqliteTable(
  "erased",
  {
    shop: integer("shop").notNull(),
    hash: text("hash").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.hash] })],
);
