import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Who a shop's messages come from, and through which provider. */
export const senders = sqliteTable(
  "senders",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    provider: text("provider").notNull(),
    /** For people. */
    name: text("name").notNull(),
    /** E-mail address, number in E.164, alphanumeric sender, or the id of a messaging service. */
    fromAddress: text("from_address").notNull(),
    fromName: text("from_name"),
    replyTo: text("reply_to"),
    /** Of the business; every marketing e-mail shows it. */
    postalAddress: text("postal_address"),
    /** JSON array of the classes it may carry. */
    classes: text("classes").notNull(),
    isDefault: integer("is_default", { mode: "boolean" }).notNull(),
    /** Another address than the provider's own. */
    baseUrl: text("base_url"),
    /** JSON array: where the domain's DKIM keys are looked for. */
    dkimSelectors: text("dkim_selectors").notNull().default("[]"),
    /** JSON object of what the provider asks for, sealed; null where it asks for nothing. */
    credentials: text("credentials"),
    /** JSON array: which credentials there are, by name. */
    credentialNames: text("credential_names").notNull().default("[]"),
    /** Messages begun in a minute at most; null for no limit of ours. */
    perMinute: integer("per_minute"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    index("senders_shop").on(t.shop),
    uniqueIndex("senders_default")
      .on(t.shop, t.channel)
      .where(sql`is_default = 1`),
  ],
);
