import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** A store that uses this installation. Every other table leads with its integer `key`. */
export const shops = sqliteTable("shops", {
  key: integer("key").primaryKey({ autoIncrement: true }),
  id: text("id").notNull().unique(),
  /** The `*.myshopify.com` domain, or any host name for shops that are not on Shopify. Lower case. */
  domain: text("domain").notNull().unique(),
  name: text("name").notNull(),
  currency: text("currency").notNull(),
  timezone: text("timezone").notNull(),
  /** JSON array of exact origins that may send beacons; empty means any. */
  origins: text("origins").notNull().default("[]"),
  /** JSON of the settings that differ from the defaults (`settings.ts`). */
  settings: text("settings").notNull().default("{}"),
  /** Lets the Shopify custom pixel, whose Origin is `null`, send when `origins` is set. */
  pixelKey: text("pixel_key").notNull(),
  status: text("status", { enum: ["active", "uninstalled"] })
    .notNull()
    .default("active"),
  /** While a token of the store is held (in its `Connection` object); null otherwise. */
  connectedAt: integer("connected_at"),
  /** The secret of the store's own Shopify app, encrypted; null where it uses the installation's. */
  appSecret: text("app_secret"),
  installedAt: integer("installed_at").notNull(),
  uninstalledAt: integer("uninstalled_at"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});
