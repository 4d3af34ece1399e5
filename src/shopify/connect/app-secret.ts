import { z } from "zod";

import { config } from "../../config";
import { open, seal } from "../../lib/crypto";
import type { Shop } from "../../shops";

/** After a new secret was made Shopify signs with the old one for up to an hour; this is generous, ms. */
const PREVIOUS_MS = 24 * 60 * 60_000;

/** The secrets of a store's own app, as `shops.app_secret` holds them sealed. */
export const AppSecret = z.object({
  clientId: z.string(),
  current: z.string(),
  previous: z.string().nullable(),
  /** Until when `previous` still counts, epoch ms. */
  previousUntil: z.number(),
});

export type AppSecret = z.infer<typeof AppSecret>;

/** The secret that follows on `before`: of the same app the one before goes on counting for a day. */
export function nextSecret(before: AppSecret | null, clientId: string, secret: string, now: number): AppSecret {
  const isRotated = before !== null && before.clientId === clientId && before.current !== secret;
  if (before?.clientId === clientId && !isRotated) return before;
  return {
    clientId,
    current: secret,
    previous: isRotated ? before.current : null,
    previousUntil: isRotated ? now + PREVIOUS_MS : 0,
  };
}

/** The secret of the store's own app; null where it uses the installation's. Throws when it cannot be opened. */
export async function ownSecret(env: Env, shop: Pick<Shop, "appSecret">): Promise<AppSecret | null> {
  if (shop.appSecret === null) return null;
  return AppSecret.parse(JSON.parse(await open(config(env).sealingKeys, shop.appSecret)));
}

export function sealSecret(env: Env, secret: AppSecret): Promise<string> {
  return seal(config(env).sealingKeys, JSON.stringify(secret));
}

/** The app that a store is connected with, and every secret that it may sign with at the moment. */
export interface ShopApp {
  clientId: string;
  secrets: [string, ...string[]];
  /** False for the installation's app. */
  isOwn: boolean;
}

/**
 * The app of a store; the installation's for a shop that is not known. What a store's own app signs is never taken
 * from the installation's or another store's.
 */
export async function appOf(env: Env, shop: Pick<Shop, "appSecret"> | null, now: number): Promise<ShopApp> {
  const { shopifyApiKey, shopifySecrets } = config(env);
  const own = shop === null ? null : await ownSecret(env, shop);
  if (!own) return { clientId: shopifyApiKey, secrets: shopifySecrets, isOwn: false };
  const secrets: [string, ...string[]] = [own.current];
  if (own.previous !== null && now < own.previousUntil) secrets.push(own.previous);
  return { clientId: own.clientId, secrets, isOwn: true };
}
