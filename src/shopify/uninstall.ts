import { sql } from "../db/client";
import { forgetCachedShop } from "../shops";
import { AdminError, adminQuery } from "./admin";
import type { Applied, ApplyContext } from "./apply";
import { forgetConnection, ReadShopId } from "./connect";

/**
 * `app/uninstalled`: the shop stops taking beacons and its token goes. The header that names the shop is not signed, so
 * a body that names another shop changes nothing, and while a token is held Shopify itself is asked: the token of an
 * uninstalled app is refused. Without a token there is nothing to ask with. A late delivery from before the present
 * installation is stale. Throws `AdminError` when Shopify gives no clear answer, so that it is asked again.
 */
export async function applyUninstalled(
  { env, db, shop, triggeredAt, now }: ApplyContext,
  domain: string | null,
): Promise<Applied> {
  const stale: Applied = { outcome: "stale", statements: [] };
  if (triggeredAt < shop.installedAt || (domain !== null && domain.toLowerCase() !== shop.domain)) return stale;
  if (shop.connected) {
    if (!(await isRefused(env, shop))) return stale;
    await env.CONNECTION.getByName(String(shop.key)).forgetStored(triggeredAt);
  }
  forgetCachedShop(shop.domain);
  return {
    outcome: "handled",
    statements: [
      ...forgetConnection(db, shop, now),
      sql(
        db,
        `update shops set status = 'uninstalled', uninstalled_at = ?, connected_at = null, updated_at = ?
         where key = ? and status = 'active' and installed_at = ?`,
        triggeredAt,
        now,
        shop.key,
        shop.installedAt,
      ),
    ],
  };
}

/** True when the store refuses the token that is held for it. Throws `AdminError` when it gives no clear answer. */
export async function isRefused(env: Env, shop: ApplyContext["shop"]): Promise<boolean> {
  try {
    await adminQuery(env, shop, ReadShopId);
    return false;
  } catch (error) {
    if (error instanceof AdminError && error.kind === "refused") return true;
    throw error;
  }
}
