import type { Applied, ApplyContext } from "./apply";
import { checkConnection } from "./connect";

/**
 * `app/scopes_update`: the store is asked what it grants now, since deliveries come in any order, and the subscriptions
 * follow. Throws when the store does not answer, so that it is asked again.
 */
export async function applyScopesChanged({ env, shop, now }: ApplyContext): Promise<Applied> {
  const { problem } = await checkConnection(env, shop, now);
  if (problem === "unreachable") throw new Error("the store does not answer");
  return { outcome: "handled", statements: [] };
}
