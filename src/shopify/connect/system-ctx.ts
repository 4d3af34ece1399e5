import type { Ctx } from "../../context";
import { createShop, findShop } from "../../shops";

/**
 * The context of something that Shopify itself vouches for, about a store that may be new: then its shop is made.
 * Two requests at once make one shop.
 */
export async function systemCtx(
  env: Env,
  domain: string,
  { now, requestId, later }: Pick<Ctx, "now" | "requestId" | "later">,
): Promise<Ctx> {
  const actor = { kind: "system", name: "shopify" } as const;
  const known = await findShop(env.DB, domain);
  const shop =
    known ??
    (await createShop(env.DB, { domain }, { actor, requestId, now }).catch(async (error: unknown) => {
      const other = await findShop(env.DB, domain);
      if (!other) throw error;
      return other;
    }));
  return { env, db: env.DB, now, shop, actor, requestId, later };
}
