import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * People. The full-text index `contacts_search` and the triggers that keep it are written by hand in the migration:
 * it knows e-mail, phone, names and company, and forgets a deleted row's words at once (FTS5 `secure-delete`).
 */
export const contacts = sqliteTable(
  "contacts",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    id: text("id").notNull().unique(),
    email: text("email"),
    /** E.164. */
    phone: text("phone"),
    /** Where `phone` came from: a fallback from an address gives way to the customer's own. */
    phoneSource: text("phone_source", { enum: ["customer", "address", "api", "claim"] }),
    firstName: text("first_name"),
    lastName: text("last_name"),
    company: text("company"),
    line1: text("line1"),
    line2: text("line2"),
    city: text("city"),
    province: text("province"),
    country: text("country"),
    zip: text("zip"),
    shopifyCustomerId: text("shopify_customer_id"),
    externalId: text("external_id"),
    source: text("source", { enum: ["Shopify", "Website", "API", "Import"] }).notNull(),
    /** False while every fact about this person came from claims of browsers. */
    verified: integer("verified", { mode: "boolean" }).notNull(),
    /** Shopify's account state: disabled, invited, enabled, declined. */
    accountState: text("account_state"),
    taxExempt: integer("tax_exempt", { mode: "boolean" }),
    stage: text("stage").notNull(),
    status: text("status", { enum: ["invited", "enabled", "paying", "disabled", "declined"] }),
    score: integer("score").notNull().default(0),
    /** JSON object of custom field values by field name. */
    fields: text("fields").notNull().default("{}"),
    /** Absolute, recomputed by `purchases.ts` in the batch that changes orders or what Shopify says of them. */
    ordersCount: integer("orders_count").notNull().default(0),
    /** Likewise the lifetime value, minor units of the shop's currency. */
    ordersTotal: integer("orders_total").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    shopifyCreatedAt: integer("shopify_created_at"),
    /** `updated_at` of the newest Shopify body applied: an older body loses. */
    shopifyUpdatedAt: integer("shopify_updated_at"),
    /** What Shopify last said, JSON object of `[value, updatedAt, triggeredAt, rank]` by field (`contacts/registers.ts`). */
    shopifyValues: text("shopify_values").notNull().default("{}"),
    /** Counts the changes made from Shopify's bodies: two of them never overwrite each other unseen. */
    revision: integer("revision").notNull().default(0),
    /** In the trash since; null otherwise. */
    deletedAt: integer("deleted_at"),
  },
  (t) => [
    index("contacts_shop")
      .on(t.shop)
      .where(sql`deleted_at is null`),
    // `deleted_at` is in both although it is always null there: with it they answer counts by themselves.
    index("contacts_stage")
      .on(t.shop, t.stage, t.deletedAt)
      .where(sql`deleted_at is null`),
    index("contacts_status")
      .on(t.shop, t.status, t.deletedAt)
      .where(sql`deleted_at is null and status is not null`),
    index("contacts_trash")
      .on(t.shop, t.deletedAt)
      .where(sql`deleted_at is not null`),
  ],
);

/** What tells a contact apart: one row per value, so that a value belongs to one contact of a shop. `without rowid`. */
export const identities = sqliteTable(
  "identities",
  {
    shop: integer("shop").notNull(),
    kind: text("kind", { enum: ["email", "phone", "shopify_customer", "external"] }).notNull(),
    value: text("value").notNull(),
    contact: integer("contact").notNull(),
    /** A verified value takes a claimed one over. */
    evidence: text("evidence", { enum: ["verified", "claimed"] }).notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.kind, t.value] }), index("identities_contact").on(t.contact)],
);

/** Ids of contacts that were merged away. */
export const contactAliases = sqliteTable(
  "contact_aliases",
  {
    id: text("id").primaryKey(),
    shop: integer("shop").notNull(),
    contact: integer("contact").notNull(),
    mergedAt: integer("merged_at").notNull(),
  },
  (t) => [index("contact_aliases_contact").on(t.contact)],
);

/** `without rowid`. */
export const contactTags = sqliteTable(
  "contact_tags",
  {
    shop: integer("shop").notNull(),
    /** Folded for comparison. */
    tag: text("tag").notNull(),
    contact: integer("contact").notNull(),
    /** As written. */
    label: text("label").notNull(),
    /** Who set it: Shopify's removal takes only what Shopify set. */
    origin: text("origin", { enum: ["shopify", "crm"] }).notNull(),
    at: integer("at").notNull(),
    /** Removed at `at` by Shopify; kept so that an older addition does not bring it back. */
    removed: integer("removed", { mode: "boolean" }).notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.shop, t.tag, t.contact] }),
    index("contact_tags_contact").on(t.contact, t.removed, t.label),
  ],
);

/** Message consent per channel. `without rowid`. */
export const consents = sqliteTable(
  "consents",
  {
    contact: integer("contact").notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    shop: integer("shop").notNull(),
    state: text("state", {
      enum: ["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"],
    }).notNull(),
    level: text("level", { enum: ["single_opt_in", "confirmed_opt_in", "unknown"] }),
    /** Why: shopify, phone_default, api, form, merge, ... */
    basis: text("basis").notNull(),
    /** Where the decision was collected: `SHOPIFY`, `OTHER`, a form's name, ...; null where nobody said. */
    source: text("source"),
    /** When the person decided; the newer decision wins. Null for a default, which never wins. */
    decidedAt: integer("decided_at"),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.contact, t.channel] })],
);

/** Every stage and status a contact has had. */
export const lifecycleHistory = sqliteTable(
  "lifecycle_history",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    contact: integer("contact").notNull(),
    stage: text("stage").notNull(),
    status: text("status"),
    at: integer("at").notNull(),
  },
  (t) => [
    index("lifecycle_history_contact").on(t.contact, t.at, t.stage, t.status),
    index("lifecycle_history_shop").on(t.shop, t.at),
  ],
);

/** Claimed links, recorded so that they can be undone. */
export const claims = sqliteTable(
  "claims",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    contact: integer("contact").notNull(),
    visitor: integer("visitor").notNull(),
    kind: text("kind").notNull(),
    at: integer("at").notNull(),
    undoneAt: integer("undone_at"),
  },
  (t) => [uniqueIndex("claims_visitor").on(t.visitor, t.contact, t.kind), index("claims_contact").on(t.contact)],
);

/** Browsers that a signed link token has linked: at most five each. `without rowid`. */
export const linkUses = sqliteTable(
  "link_uses",
  {
    shop: integer("shop").notNull(),
    token: text("token").notNull(),
    visitor: integer("visitor").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.token, t.visitor] })],
);
