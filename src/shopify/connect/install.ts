import { parse as parseCookie, serialize } from "hono/utils/cookie";

import { config } from "../../config";
import { AppError } from "../../errors";
import { sameSecret } from "../../lib/crypto";
import { DEFAULT_SETTINGS, findShop, type Shop } from "../../shops";
import { wantedScopes } from "../scopes";
import { appOf, type ShopApp } from "./app-secret";
import { grantedOrThrow, keepConnection } from "./connect";
import { installedPage } from "./installed-page";
import { newInstallState, readState, signState } from "./install-state";
import { readConnection } from "./read";
import { systemCtx } from "./system-ctx";
import { isSignedQuery } from "./signed-query";
import { isStoreDomain } from "./store-domain";
import { requestToken } from "./token-endpoint";

export interface Visit {
  now: number;
  requestId: string;
  later: (work: Promise<unknown>) => void;
}

/**
 * `GET /shopify/install?shop=`: sends the browser to Shopify's page for granting the scopes. Begun by Shopify (a signed
 * query) it may be about a store that is not known yet; begun by anybody else, only about a shop that exists. Throws 400
 * for a name that is no store's, 401 for a wrong signature, 404 for an unknown shop.
 */
export async function startInstall(request: Request, env: Env, { now }: Visit): Promise<Response> {
  const { origin, searchParams: query } = new URL(request.url);
  const domain = storeIn(query);
  const shop = await findShop(env.DB, domain);
  const app = await appOf(env, shop, now);
  const isSigned = query.has("hmac");
  if (isSigned) await requireSignature(query, app, now);
  else if (!shop) throw new AppError("shop_not_found");
  if (isSigned && shop && (await isHealthy(env, shop))) return redirect("/", []);
  const state = newInstallState(domain, now);
  const target = new URL(`${config(env).shopifyOrigin(domain)}/admin/oauth/authorize`);
  target.search = new URLSearchParams({
    client_id: app.clientId,
    scope: wantedScopes(shop?.settings ?? DEFAULT_SETTINGS).join(","),
    redirect_uri: `${origin}/shopify/callback`,
    state: state.nonce,
  }).toString();
  return redirect(target.href, [cookie(origin, await signState(config(env).encryptionKey, state), 600)]);
}

/**
 * `GET /shopify/callback`: the browser comes back with a code, which becomes the store's token. Throws 400, 401 or 403
 * unless store, state, signature and time are right, and then 422 or 503 when Shopify does not give the token.
 */
export async function finishInstall(request: Request, env: Env, visit: Visit): Promise<Response> {
  const { now } = visit;
  const { origin, searchParams: query } = new URL(request.url);
  const domain = storeIn(query);
  const given = parseCookie(request.headers.get("cookie") ?? "", cookieName(origin))[cookieName(origin)] ?? "";
  const state = await readState(config(env).sealingKeys, given, now);
  const isState = state !== null && (await sameSecret(state.nonce, query.get("state") ?? ""));
  if (!isState || state.domain !== domain) {
    throw new AppError("forbidden", "This install was not begun in this browser, or too long ago: begin again");
  }
  const known = await findShop(env.DB, domain);
  const app = await appOf(env, known, now);
  await requireSignature(query, app, now);
  const code = query.get("code") ?? "";
  if (!/^[\w-]{1,255}$/.test(code)) throw new AppError("bad_request", "There is no code");
  const [clientSecret] = app.secrets;
  const { clientId } = app;
  const grant = await requestToken(
    env,
    domain,
    { client_id: clientId, client_secret: clientSecret, code, expiring: "1" },
    now,
  );
  const { token, tokenExpiresAt, refreshToken, scopes } = grantedOrThrow(grant);
  const ctx = await systemCtx(env, domain, visit);
  const own = app.isOwn ? { clientId, clientSecret } : null;
  await keepConnection(
    ctx,
    { method: "oauth", app: own, clientId, token, tokenExpiresAt, refreshToken, scopes },
    origin,
  );
  return installedPage(domain, [cookie(origin, "", 0)]);
}

function storeIn(query: URLSearchParams): string {
  const named = query.getAll("shop");
  const domain = named[0]?.toLowerCase() ?? "";
  if (named.length !== 1 || !isStoreDomain(domain)) {
    throw new AppError("bad_request", "`shop` must be a store's domain that ends in .myshopify.com");
  }
  return domain;
}

async function requireSignature(query: URLSearchParams, app: ShopApp, now: number): Promise<void> {
  if (!(await isSignedQuery(query, app.secrets, now))) {
    throw new AppError("unauthorized", "The signature does not match, or is older than 90 seconds");
  }
}

/** Opening the app in Shopify's admin is no reason to connect anew. */
async function isHealthy(env: Env, shop: Shop): Promise<boolean> {
  if (!shop.connected) return false;
  return (await readConnection(env.DB, shop.key))?.problem === null;
}

/** Bound to this host where the browser allows it, so that no neighbouring host can set it. */
function cookieName(origin: string): string {
  return origin.startsWith("https:") ? "__Host-ff_install" : "ff_install";
}

function cookie(origin: string, value: string, maxAge: number): string {
  const secure = origin.startsWith("https:");
  return serialize(cookieName(origin), value, { path: "/", httpOnly: true, sameSite: "Lax", secure, maxAge });
}

function redirect(location: string, cookies: string[]): Response {
  const headers = new Headers({ location, "cache-control": "no-store" });
  for (const value of cookies) headers.append("set-cookie", value);
  return new Response(null, { status: 302, headers });
}
