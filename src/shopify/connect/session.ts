import { findShop, type Shop } from "../../shops";
import { appOf, type ShopApp } from "./app-secret";
import { claimedStore, verifySessionToken } from "./session-token";

export interface Session {
  domain: string;
  /** Shopify's id of the staff member. */
  user: string;
  /** Null for a store that is not known yet. */
  shop: Shop | null;
  app: ShopApp;
}

/** Who holds this session token of App Bridge: a staff member of one store, or nobody. */
export async function sessionOf(env: Env, token: string, now: number): Promise<Session | null> {
  const domain = claimedStore(token);
  if (domain === null) return null;
  const shop = await findShop(env.DB, domain);
  const app = await appOf(env, shop, now);
  const verified = await verifySessionToken(token, app, now);
  return verified?.domain === domain ? { domain, user: verified.user, shop, app } : null;
}
