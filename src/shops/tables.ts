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
  /** Shopify's Admin API token, encrypted; null until the store is connected. */
  accessToken: text("access_token"),
  installedAt: integer("installed_at").notNull(),
  uninstalledAt: integer("uninstalled_at"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});
