import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * Every decision to send something to somebody, and what became of it. The row is written in the batch of the step that
 * decides, once by its natural key, and is all that is needed to go on after a kill.
 */
export const deliveries = sqliteTable(
  "deliveries",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    /** `run:<run>:<step>:<visit>`, `campaign:<campaign>:<contact>`, `optin:...`, `reply:...`, `test:<id>`. */
    naturalKey: text("natural_key").notNull(),
    /** `opt_in` asks for a confirmation, `reply` answers a STOP word, `test` goes to staff; their texts or rules differ. */
    kind: text("kind", { enum: ["message", "opt_in", "reply", "test"] }).notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    class: text("class", { enum: ["marketing", "transactional"] }).notNull(),
    /** Null once the contact was erased, and for a reply to a number that is nobody's. */
    contact: integer("contact"),
    run: integer("run"),
    automation: integer("automation"),
    step: text("step"),
    campaign: integer("campaign"),
    variant: text("variant"),
    /** Null for texts of our own. */
    template: integer("template"),
    templateVersion: integer("template_version"),
    /** JSON object: what it is about, in ids (`{ cart, order, ... }`); without personal data. */
    data: text("data").notNull().default("{}"),
    /** Where it goes when that is not the contact's own address; sealed, and gone once it was sent. */
    recipient: text("recipient"),
    state: text("state", { enum: ["queued", "sending", "sent", "skipped", "failed", "unknown"] }).notNull(),
    /** Why it was skipped, failed or put off (`reasons.ts`); null otherwise. */
    reason: text("reason"),
    dueAt: integer("due_at").notNull(),
    leaseUntil: integer("lease_until"),
    attempts: integer("attempts").notNull().default(0),
    /** When the provider was first asked with what is rendered; null while nothing can have been sent. */
    calledAt: integer("called_at"),
    sender: integer("sender"),
    provider: text("provider"),
    providerId: text("provider_id"),
    /** Keyed hash of the address it went to: an opt-out by its link is kept under it, whatever becomes of the contact. */
    addressHash: text("address_hash"),
    /** Parts that a text message was billed as; null for e-mail. */
    segments: integer("segments"),
    createdAt: integer("created_at").notNull(),
    sentAt: integer("sent_at"),
    deliveredAt: integer("delivered_at"),
    /** First opening by a person, and first by a machine. */
    openedAt: integer("opened_at"),
    machineOpenedAt: integer("machine_opened_at"),
    clickedAt: integer("clicked_at"),
    repliedAt: integer("replied_at"),
    bouncedAt: integer("bounced_at"),
    complainedAt: integer("complained_at"),
    unsubscribedAt: integer("unsubscribed_at"),
  },
  (t) => [
    uniqueIndex("deliveries_natural").on(t.shop, t.naturalKey),
    index("deliveries_shop").on(t.shop),
    index("deliveries_failed")
      .on(t.shop, t.state)
      .where(sql`state in ('failed', 'unknown')`),
    index("deliveries_due")
      .on(t.shop, t.dueAt)
      .where(sql`state in ('queued', 'sending')`),
    index("deliveries_contact")
      .on(t.contact)
      .where(sql`contact is not null`),
    index("deliveries_automation")
      .on(t.automation)
      .where(sql`automation is not null`),
    index("deliveries_campaign")
      .on(t.campaign, t.state)
      .where(sql`campaign is not null`),
    index("deliveries_address")
      .on(t.shop, t.addressHash)
      .where(sql`channel <> 'email'`),
    index("deliveries_provider")
      .on(t.shop, t.providerId)
      .where(sql`provider_id is not null`),
  ],
);

/** What was rendered for a delivery, once, before its provider was first called; retention empties it. */
export const deliveryBodies = sqliteTable(
  "delivery_bodies",
  {
    delivery: integer("delivery").primaryKey(),
    shop: integer("shop").notNull(),
    /** Null for channels without one. */
    subject: text("subject"),
    /** As it was sent; long ones compressed (`body.ts`). */
    html: text("html"),
    text: text("text").notNull(),
    /** JSON array of the addresses that tracked links lead to, by their index. */
    links: text("links").notNull().default("[]"),
    /** JSON object of further headers of an e-mail. */
    headers: text("headers").notNull().default("{}"),
    /** JSON: the approved template of a WhatsApp message and its values. */
    template: text("template"),
    at: integer("at").notNull(),
  },
  (t) => [
    index("delivery_bodies_kept")
      .on(t.shop, t.at)
      .where(sql`text <> ''`),
  ],
);

/** What happened to a delivery, each occurrence once. `without rowid`. */
export const deliveryEvents = sqliteTable(
  "delivery_events",
  {
    delivery: integer("delivery").notNull(),
    type: text("type", {
      enum: [
        "delivered",
        "opened",
        "clicked",
        "bounced",
        "soft_bounced",
        "complained",
        "unsubscribed",
        "failed",
        "replied",
      ],
    }).notNull(),
    /** The same for everybody who tells of this one occurrence. */
    naturalKey: text("natural_key").notNull(),
    shop: integer("shop").notNull(),
    at: integer("at").notNull(),
    machine: integer("machine", { mode: "boolean" }).notNull(),
    /** Index of the link of a click. */
    link: integer("link"),
  },
  (t) => [primaryKey({ columns: [t.delivery, t.type, t.naturalKey] })],
);

/** Requests to confirm an address, by its keyed hash: one in 24 hours, three ever. `without rowid`. */
export const optIns = sqliteTable(
  "opt_ins",
  {
    shop: integer("shop").notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    hash: text("hash").notNull(),
    sent: integer("sent").notNull(),
    lastAt: integer("last_at").notNull(),
    /** The last one: its own retries do not count. */
    delivery: integer("delivery").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.channel, t.hash] })],
);

/** The delivery that an order is credited to: at most one, decided when the order is placed. `without rowid`. */
export const orderCredits = sqliteTable(
  "order_credits",
  {
    shop: integer("shop").notNull(),
    order: integer("order").notNull(),
    delivery: integer("delivery").notNull(),
    touch: text("touch", { enum: ["opened", "clicked", "delivered"] }).notNull(),
    touchedAt: integer("touched_at").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.order] }), index("order_credits_delivery").on(t.delivery)],
);

/** How many messages a sender has begun in a minute, for senders with a limit. `without rowid`. */
export const senderMinutes = sqliteTable(
  "sender_minutes",
  {
    shop: integer("shop").notNull(),
    sender: integer("sender").notNull(),
    minute: integer("minute").notNull(),
    count: integer("count").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.sender, t.minute] })],
);
