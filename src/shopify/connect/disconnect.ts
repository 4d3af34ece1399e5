import { audit } from "../../api/audit";
import type { Ctx } from "../../context";
import { sql } from "../../db/client";
import { forgetCachedShop } from "../../shops";
import { AdminError } from "../admin";
import { removeSubscriptions } from "../subscriptions";
import { forgetConnection, readConnection } from "./read";

/**
 * Ends a connection: our subscriptions go from the store as far as it answers, then the token. What was imported stays.
 * The secret of the store's own app stays too, encrypted: Shopify signs its last requests about personal data with it.
 */
export async function disconnect(ctx: Ctx): Promise<void> {
  const { env, db, shop, now } = ctx;
  const connection = await readConnection(db, shop.key);
  if (connection) {
    await removeSubscriptions(env, shop, connection.address).catch((error: unknown) => {
      if (!(error instanceof AdminError)) throw error;
    });
  }
  await env.CONNECTION.getByName(String(shop.key)).forget();
  await db.batch([
    ...forgetConnection(db, shop, now),
    sql(db, "update shops set connected_at = null, updated_at = ? where key = ?", now, shop.key),
    audit(ctx, "shopify.disconnected", shop.id),
  ]);
  forgetCachedShop(shop.domain);
}
