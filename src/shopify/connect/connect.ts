import { audit } from "../../api/audit";
import { config } from "../../config";
import type { Ctx } from "../../context";
import { sql } from "../../db/client";
import { AppError } from "../../errors";
import { sealingKeyId } from "../../lib/crypto";
import { newId } from "../../lib/ids";
import { forgetCachedShop, type Shop } from "../../shops";
import { AdminError, adminQueryWith } from "../admin";
import { removeSubscriptions } from "../subscriptions";
import { type AppSecret, nextSecret, ownSecret, sealSecret } from "./app-secret";
import type { AppCredentials, Credentials } from "./credentials";
import { finishConnect } from "./finish";
import { readConnection } from "./read";
import { isStoreDomain } from "./store-domain";
import { ReadStore } from "./store.queries";
import { requestToken, type TokenGrant } from "./token-endpoint";

/** What a connect brought, whichever way it went. */
export interface NewConnection {
  method: Credentials["method"];
  /** The store's own app; null for the installation's. */
  app: AppCredentials | null;
  /** Null where the app of a pasted token is not known. */
  clientId: string | null;
  token: string;
  tokenExpiresAt: number | null;
  refreshToken: string | null;
  scopes: string[];
}

/**
 * Connects with the client credentials of an app (the store's own, or the installation's when they are the same).
 * Throws 422 when Shopify does not accept them, 503 when it does not answer.
 *
 * @param address origin that Shopify reaches this installation at
 */
export async function connectWithCredentials(ctx: Ctx, given: AppCredentials, address: string): Promise<void> {
  requireStore(ctx.shop);
  const grant = await requestToken(
    ctx.env,
    ctx.shop.domain,
    { grant_type: "client_credentials", client_id: given.clientId, client_secret: given.clientSecret },
    ctx.now,
  );
  const { token, tokenExpiresAt, scopes } = grantedOrThrow(grant);
  const app = ownApp(ctx.env, given);
  const { clientId } = given;
  await keepConnection(
    ctx,
    { method: "client_credentials", app, clientId, token, tokenExpiresAt, refreshToken: null, scopes },
    address,
  );
}

/**
 * Connects with a pasted permanent token, after asking the store with it. `app` is the app that made it: its secret
 * signs the webhooks. Throws 422 when the token is refused, 503 when the store does not answer.
 */
export async function connectWithToken(
  ctx: Ctx,
  { token, app }: { token: string; app: AppCredentials | null },
  address: string,
): Promise<void> {
  requireStore(ctx.shop);
  const facts = await adminQueryWith(ctx.env, ctx.shop, token, ReadStore).catch((error: unknown) => {
    if (!(error instanceof AdminError)) throw error;
    if (error.kind === "refused") throw new AppError("unprocessable", "The store does not accept this token");
    if (error.kind === "invalid") throw new AppError("unprocessable", error.message);
    throw new AppError("unavailable", "The store does not answer; try again");
  });
  const scopes = facts.currentAppInstallation.accessScopes.map(({ handle }) => handle);
  const own = app && ownApp(ctx.env, app);
  await keepConnection(
    ctx,
    {
      method: "token",
      app: own,
      clientId: app?.clientId ?? null,
      token,
      tokenExpiresAt: null,
      refreshToken: null,
      scopes,
    },
    address,
  );
}

/**
 * Names the app that a store is going to be installed with (`/shopify/install`), where that is not the installation's.
 * Throws 409 while the store is connected: its webhooks are signed by the app that it has.
 */
export async function prepareInstall(ctx: Ctx, given: AppCredentials): Promise<void> {
  const { env, db, shop, now } = ctx;
  requireStore(shop);
  if (shop.connected) throw new AppError("conflict", "The store is connected: disconnect it first");
  const own = ownApp(env, given);
  const secret = own && nextSecret(null, own.clientId, own.clientSecret, now);
  await db.batch([
    sql(
      db,
      "update shops set app_secret = ?, updated_at = ? where key = ? and connected_at is null",
      secret && (await sealSecret(env, secret)),
      now,
      shop.key,
    ),
    audit(ctx, "shopify.app_named", shop.id, ["clientId"]),
  ]);
  forgetCachedShop(shop.domain);
}

/** The installation's own app is not copied, so that replacing its secret in the settings is enough. */
export function ownApp(env: Env, app: AppCredentials): AppCredentials | null {
  return app.clientId === config(env).shopifyApiKey ? null : app;
}

/** The token that was granted. Throws 422 or 503 with Shopify's reason. */
export function grantedOrThrow(grant: TokenGrant): Extract<TokenGrant, { kind: "granted" }> {
  if (grant.kind === "granted") return grant;
  if (grant.kind === "refused") throw new AppError("unprocessable", `Shopify does not accept this: ${grant.reason}`);
  if (grant.kind === "shop_frozen") throw new AppError("unprocessable", "Shopify has frozen this store");
  throw new AppError("unavailable", "Shopify does not answer; try again");
}

/** Throws 422 unless the shop can be a store on Shopify: tokens and secrets are sent nowhere else. */
export function requireStore(shop: Pick<Shop, "domain">): void {
  if (!isStoreDomain(shop.domain)) {
    throw new AppError("unprocessable", "Only a shop whose domain ends in .myshopify.com can be connected");
  }
}

/**
 * Keeps a new connection and does what follows. The token goes into the store's `Connection` object first: while it is
 * not there, nothing may say that the store is connected. Subscriptions of another app, or at an address that this
 * installation no longer has, are taken back while their token is still there. The time of installation becomes now, so that a late
 * `app/uninstalled` from before is known as such.
 */
export async function keepConnection(ctx: Ctx, connection: NewConnection, address: string): Promise<void> {
  const { env, db, shop, now } = ctx;
  const before = await readConnection(db, shop.key);
  const isElsewhere = before !== null && (before.address !== address || before.clientId !== connection.clientId);
  if (isElsewhere) await removeSubscriptions(env, shop, before.address).catch(ignoreShopify);
  await env.CONNECTION.getByName(String(shop.key)).store({
    id: newId("cnn", now),
    storedAt: now,
    domain: shop.domain,
    method: connection.method,
    app: connection.app,
    token: connection.token,
    tokenExpiresAt: connection.tokenExpiresAt,
    refreshToken: connection.refreshToken,
    refusedAt: null,
  });
  const secret = await secretAfter(ctx, connection);
  await db.batch([
    sql(
      db,
      `insert into shopify_connections (shop, method, client_id, scopes, address, checked_at, problem, sealed_with,
         created_at, updated_at)
       values (?1, ?2, ?3, ?4, ?5, null, null, ?6, ?7, ?7)
       on conflict do update set method = excluded.method, client_id = excluded.client_id, scopes = excluded.scopes,
         address = excluded.address, checked_at = null, problem = null, sealed_with = excluded.sealed_with,
         updated_at = excluded.updated_at`,
      shop.key,
      connection.method,
      connection.clientId,
      JSON.stringify(connection.scopes),
      address,
      await sealingKeyId(config(env).sealingKeys),
      now,
    ),
    sql(
      db,
      `update shops set status = 'active', uninstalled_at = null, connected_at = ?2, installed_at = ?2, app_secret = ?3,
         updated_at = ?2 where key = ?1`,
      shop.key,
      now,
      secret && (await sealSecret(env, secret)),
    ),
    ...(isElsewhere ? [sql(db, "delete from shopify_subscriptions where shop = ?", shop.key)] : []),
    audit(ctx, "shopify.connected", shop.id, ["method"]),
  ]);
  forgetCachedShop(shop.domain);
  await finishConnect(env, shop.key, now);
}

/** A store that does not answer, or an app that it no longer has, must not keep anybody from connecting anew. */
function ignoreShopify(error: unknown): void {
  if (!(error instanceof AdminError)) throw error;
}

async function secretAfter({ env, shop, now }: Ctx, { app }: NewConnection): Promise<AppSecret | null> {
  if (!app) return null;
  const before = await ownSecret(env, shop).catch(() => null);
  return nextSecret(before, app.clientId, app.clientSecret, now);
}
