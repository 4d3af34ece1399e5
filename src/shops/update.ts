import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { forgetCachedShop, getShopOrThrow } from "./load";
import type { ShopPatch } from "./schemas";
import { DEFAULT_SETTINGS, Settings } from "./settings";
import type { Shop } from "./shop";

/** Changes a shop; absent keys stay. Throws 409 when the currency would change under existing orders. */
export async function updateShop(ctx: Ctx, patch: ShopPatch): Promise<Shop> {
  const { db, shop, now } = ctx;
  const settings = Settings.parse({ ...shop.settings, ...patch.settings });
  const [changed] = await db.batch([
    sql(
      db,
      `update shops set name = ?2, currency = ?3, timezone = ?4, origins = ?5, settings = ?6, updated_at = ?7
       where key = ?1 and (currency = ?3 or not exists (select 1 from orders where orders.shop = ?1))`,
      shop.key,
      patch.name ?? shop.name,
      patch.currency ?? shop.currency,
      patch.timezone ?? shop.timezone,
      JSON.stringify(patch.origins ?? shop.origins),
      JSON.stringify(differing(settings)),
      now,
    ),
    audit(ctx, "shop.updated", shop.id, [
      ...Object.keys(patch).filter((key) => key !== "settings"),
      ...Object.keys(patch.settings ?? {}).map((key) => `settings.${key}`),
    ]),
  ]);
  if (changed?.meta.changes === 0) {
    throw new AppError("conflict", "The currency cannot change: orders are kept in it");
  }
  forgetCachedShop(shop.domain);
  return getShopOrThrow(db, shop.key);
}

/** Only what differs is stored, so that a better default reaches every shop that never chose. */
function differing(settings: Settings): Partial<Settings> {
  const kept = Object.entries(settings).filter(([name, value]) => {
    const fallback: unknown = Object.entries(DEFAULT_SETTINGS).find(([key]) => key === name)?.[1];
    return JSON.stringify(value) !== JSON.stringify(fallback);
  });
  return Object.fromEntries(kept);
}
