import { DEFAULT_SETTINGS, Settings } from "./settings";
import type { shops } from "./tables";

/** A shop as the rest of the product sees it: parsed, with every setting filled. */
export interface Shop {
  key: number;
  id: string;
  domain: string;
  name: string;
  currency: string;
  timezone: string;
  origins: string[];
  settings: Settings;
  pixelKey: string;
  status: "active" | "uninstalled";
  /** True while a token of the store is held: then only webhooks decide on purchases. */
  connected: boolean;
  connectedAt: number | null;
  /** The secret of the store's own Shopify app, encrypted; null where it uses the installation's. */
  appSecret: string | null;
  installedAt: number;
  uninstalledAt: number | null;
  createdAt: number;
  updatedAt: number;
}

type ShopRow = typeof shops.$inferSelect;

export function toShop(row: ShopRow): Shop {
  return {
    key: row.key,
    id: row.id,
    domain: row.domain,
    name: row.name,
    currency: row.currency,
    timezone: row.timezone,
    origins: JSON.parse(row.origins),
    settings: Settings.parse({ ...DEFAULT_SETTINGS, ...JSON.parse(row.settings) }),
    pixelKey: row.pixelKey,
    status: row.status,
    connected: row.connectedAt !== null,
    connectedAt: row.connectedAt,
    appSecret: row.appSecret,
    installedAt: row.installedAt,
    uninstalledAt: row.uninstalledAt,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
