import { getShopOrThrow } from "../../shops";

/**
 * Does what follows a connect now, and leaves the rest to the `Connection` object's alarm when the store does not
 * answer. The object has its alarm set since the token was stored, so that a kill at any point is made up for.
 */
export async function finishConnect(env: Env, shop: number, now: number): Promise<void> {
  // Loaded late: the object's own alarm uses this too, and the Worker's entry must not pay for the import.
  const { onConnected } = await import("./connected");
  const retryAfterMs = await onConnected(env, await getShopOrThrow(env.DB, shop), now);
  await env.CONNECTION.getByName(String(shop)).finished(retryAfterMs);
}
