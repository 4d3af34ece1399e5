import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Definitions and how their stored membership stands. */
export const segments = sqliteTable(
  "segments",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    audience: text("audience", { enum: ["contacts", "visitors", "both"] }).notNull(),
    /** JSON, as the merchant wrote it. */
    definition: text("definition").notNull(),
    /** Counts the changes of what is asked. */
    version: integer("version").notNull().default(1),
    /** `slow`: taken out by itself, because one evaluation cost too much; `paused`: by somebody. */
    state: text("state", { enum: ["filling", "live", "paused", "slow"] }).notNull(),
    /** Why it is not live, for people. */
    problem: text("problem"),
    size: integer("size").notNull().default(0),
    /** While it is being filled: everybody up to here has been looked at. */
    filledKind: text("filled_kind", { enum: ["contact", "visitor"] }),
    filledTo: integer("filled_to"),
    filledAt: integer("filled_at"),
    /** When everybody was last looked at again because of a change that concerns many. */
    refilledAt: integer("refilled_at"),
    /** Those whom the first fill finds count as having entered. */
    announces: integer("announces", { mode: "boolean" }).notNull().default(false),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Hidden since; its rows are being deleted. */
    deletedAt: integer("deleted_at"),
  },
  (t) => [index("segments_shop").on(t.shop)],
);

/** Changes after which somebody's membership of a segment must be looked at again (`membership/watches.ts`). `without rowid`. */
export const segmentWatches = sqliteTable(
  "segment_watches",
  {
    shop: integer("shop").notNull(),
    what: text("what").notNull(),
    segment: integer("segment").notNull(),
    /** Of an event: what the address of its page must contain to matter, lower case; empty where any page does. */
    needle: text("needle").notNull().default(""),
  },
  (t) => [primaryKey({ columns: [t.shop, t.what, t.segment] }), index("segment_watches_segment").on(t.segment)],
);

/** `without rowid`. */
export const segmentMembers = sqliteTable(
  "segment_members",
  {
    segment: integer("segment").notNull(),
    kind: text("kind", { enum: ["contact", "visitor"] }).notNull(),
    subject: integer("subject").notNull(),
    enteredAt: integer("entered_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.segment, t.kind, t.subject] })],
);

/**
 * When time alone may change whether somebody is a member: never later than it does. Subject 0 of contacts stands for
 * everybody: the whole segment is looked at again then. `without rowid`.
 */
export const segmentRechecks = sqliteTable(
  "segment_rechecks",
  {
    segment: integer("segment").notNull(),
    kind: text("kind", { enum: ["contact", "visitor"] }).notNull(),
    subject: integer("subject").notNull(),
    shop: integer("shop").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.segment, t.kind, t.subject] }), index("segment_rechecks_due").on(t.shop, t.at)],
);

/**
 * Who has changed and was not looked at since; written by triggers in the change's own batch. `stamp` is another with
 * every change, so that one that comes meanwhile is not lost. `shop` and `products` stand for everybody whom a change
 * of the shop or of its products may concern. `without rowid`.
 */
export const segmentDirty = sqliteTable(
  "segment_dirty",
  {
    shop: integer("shop").notNull(),
    kind: text("kind", { enum: ["contact", "visitor", "shop", "products"] }).notNull(),
    subject: integer("subject").notNull(),
    stamp: integer("stamp").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.kind, t.subject] })],
);

/** Who entered and left after the first fill. The key is the number of the transition. */
export const segmentHistory = sqliteTable(
  "segment_history",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    segment: integer("segment").notNull(),
    kind: text("kind", { enum: ["contact", "visitor"] }).notNull(),
    subject: integer("subject").notNull(),
    entered: integer("entered", { mode: "boolean" }).notNull(),
    at: integer("at").notNull(),
  },
  (t) => [
    index("segment_history_segment").on(t.segment, t.key),
    index("segment_history_subject").on(t.segment, t.kind, t.subject),
  ],
);

/** The size at the end of each of the shop's local days on which it changed. `without rowid`. */
export const segmentSizes = sqliteTable(
  "segment_sizes",
  {
    segment: integer("segment").notNull(),
    /** `YYYY-MM-DD`. */
    day: text("day").notNull(),
    size: integer("size").notNull(),
  },
  (t) => [primaryKey({ columns: [t.segment, t.day] })],
);

/**
 * What recency, frequency and spend of a shop's customers are compared with: the bounds between the fifths of them, as
 * they were at a time (`rfm.ts`). `without rowid`.
 */
export const rfmBounds = sqliteTable("rfm_bounds", {
  shop: integer("shop").primaryKey(),
  at: integer("at").notNull(),
  /** JSON arrays of four: instants of last orders, numbers of orders, amounts in minor units; empty without customers. */
  recency: text("recency").notNull(),
  frequency: text("frequency").notNull(),
  monetary: text("monetary").notNull(),
});

/** Counts the commits that changed a shop's memberships: of two that began with the same number one fails. */
export const segmentTurns = sqliteTable("segment_turns", {
  shop: integer("shop").primaryKey(),
  turn: integer("turn").notNull().default(0),
});

/**
 * Marks whoever the persona is, when a segment of the shop asks about one of these events: `?1` shop, `?2` tracker,
 * `?3` person, `?4` JSON list of types. Writes nothing where none does.
 */
export const MARK_BY_EVENTS = `insert into segment_dirty (shop, kind, subject, stamp)
  select ?1, iif(v.contact is null, 'visitor', 'contact'), coalesce(v.contact, v.key), random() >> 11
  from visitors v where v.shop = ?1 and v.tracker = ?2 and v.person = ?3
    and exists (select 1 from json_each(?4) t cross join segment_watches w
      on w.shop = ?1 and w.what = 'event:' || t.value)
  on conflict do update set stamp = excluded.stamp`;

/**
 * What of segments and lists belongs to another contact after a merge: `?1` shop, `?2` the winner, `?3` the loser. What
 * the winner has already stays with the loser, and goes with it.
 */
export const MEMBERSHIP_MOVES = [
  `update or ignore segment_members set subject = ?2 where kind = 'contact' and subject = ?3
     and segment in (select key from segments where shop = ?1)`,
  `update segment_history set subject = ?2 where kind = 'contact' and subject = ?3
     and segment in (select key from segments where shop = ?1)`,
  `update or ignore list_members set subject = ?2 where kind = 'contact' and subject = ?3
     and list in (select key from lists where shop = ?1)`,
  `insert into segment_dirty (shop, kind, subject, stamp) select ?1, 'contact', ?2, random() >> 11
   where ?3 <> ?2 and exists (select 1 from segment_watches where shop = ?1)
   on conflict do update set stamp = excluded.stamp`,
];
