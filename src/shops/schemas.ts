import { z } from "@hono/zod-openapi";

import { MaybeTime, Text, TimeSchema } from "../api/schemas";
import { iso } from "../lib/time";
import { Settings, SettingsPatch } from "./settings";
import type { Shop } from "./shop";

/** A host name, with an optional port for shops on a developer's machine. Lower case after parsing. */
const Domain = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(
    /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::\d{1,5})?$/,
    "is not a host name",
  );

const Timezone = z.string().max(64).refine(isTimezone, "is not an IANA time zone");

function isTimezone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "" && !/^[+-]/.test(zone);
  } catch {
    return false;
  }
}

/** `https://shop.example`, as browsers send it in `Origin`. */
const Origin = z
  .string()
  .max(300)
  .refine((value) => URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value), {
    error: "is not an origin such as https://shop.example",
  });

const changeable = {
  name: Text(200).min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, "is not an ISO 4217 code"),
  timezone: Timezone,
  origins: z.array(Origin).max(100),
  settings: SettingsPatch,
};

export const NewShop = z
  .strictObject({ domain: Domain, ...changeable })
  .partial()
  .required({ domain: true });

export type NewShop = z.infer<typeof NewShop>;

export const ShopPatch = z.strictObject(changeable).partial();

export type ShopPatch = z.infer<typeof ShopPatch>;

export const ShopSchema = z
  .strictObject({
    id: z.string(),
    domain: z.string(),
    name: z.string(),
    currency: z.string(),
    timezone: z.string(),
    origins: z.array(z.string()),
    settings: z.strictObject(Settings.shape),
    pixelKey: z.string(),
    status: z.enum(["active", "uninstalled"]),
    installedAt: TimeSchema,
    uninstalledAt: MaybeTime,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Shop");

/** A shop as the API shows it. */
export function showShop(shop: Shop): z.infer<typeof ShopSchema> {
  return {
    id: shop.id,
    domain: shop.domain,
    name: shop.name,
    currency: shop.currency,
    timezone: shop.timezone,
    origins: shop.origins,
    settings: shop.settings,
    pixelKey: shop.pixelKey,
    status: shop.status,
    installedAt: iso(shop.installedAt),
    uninstalledAt: iso(shop.uninstalledAt),
    createdAt: iso(shop.createdAt),
    updatedAt: iso(shop.updatedAt),
  };
}
