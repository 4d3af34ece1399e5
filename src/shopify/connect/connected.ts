import { sql } from "../../db/client";
import { addSystemFields } from "../../fields";
import { addCustomerStage } from "../../lifecycle";
import { forgetCachedShop, getShopOrThrow, type Shop } from "../../shops";
import { AdminError, adminQuery } from "../admin";
import { startSync } from "../sync";
import { checkConnection } from "./check";
import { type StoreFacts, ReadStore } from "./store.queries";

/**
 * Everything that follows once a store's token is held: its name, currency and time zone, the fields and the stage that
 * a connection brings, the import, the subscriptions. Repeating it adds nothing twice.
 *
 * Returns when it has to be tried again, ms from now, because the store did not answer; null when it is through.
 */
export async function onConnected(env: Env, shop: Shop, now: number): Promise<number | null> {
  let facts: StoreFacts["shop"];
  try {
    facts = (await adminQuery(env, shop, ReadStore)).shop;
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    return error.retryAfterMs;
  }
  await env.DB.batch([
    // The currency is what orders are kept in: once there are any, it stays.
    sql(
      env.DB,
      `update shops set name = ?2, timezone = ?3, updated_at = ?5,
         currency = case when exists (select 1 from orders where orders.shop = ?1) then currency else ?4 end
       where key = ?1`,
      shop.key,
      facts.name,
      facts.ianaTimezone,
      facts.currencyCode,
      now,
    ),
    ...addSystemFields(env.DB, shop.key, now),
    ...addCustomerStage(env.DB, shop.key, now),
  ]);
  forgetCachedShop(shop.domain);
  const connected = await getShopOrThrow(env.DB, shop.key);
  await startSync(env, connected, now);
  const { retryAfterMs } = await checkConnection(env, connected, now);
  return retryAfterMs;
}
