import { sql } from "../../db/client";
import type { Shop } from "../../shops";

/**
 * `bulk_operations/finish`: the operation is looked at now. Shopify itself is asked how it ended, so a delivery that is
 * late, about another app's operation or made up does nothing but that. False when no stream waits for it.
 */
export async function operationEnded(env: Env, shop: Pick<Shop, "key">, operation: string): Promise<boolean> {
  const waiting = await sql(
    env.DB,
    "select 1 from sync_streams where shop = ? and operation = ? and state = 'asked'",
    shop.key,
    operation,
  ).first();
  if (!waiting) return false;
  await env.SYNC.getByName(String(shop.key)).ended(operation);
  return true;
}
