import { sql } from "../db/client";
import { open } from "../lib/crypto";
import { config } from "../config";
import { forgetCachedShop } from "../shops";
import type { Applied, ApplyContext } from "./apply";

const API_VERSION = "2026-10";

/**
 * `app/uninstalled`: the shop stops taking beacons and its token goes. The header that names the shop is not signed, so
 * a body that names another shop changes nothing, and while a token is held Shopify itself is asked: the token of an
 * uninstalled app is refused. Without a token there is nothing to ask with. A late delivery from before the present
 * installation is stale.
 */
export async function applyUninstalled(
  { env, db, shop, triggeredAt, now }: ApplyContext,
  domain: string | null,
): Promise<Applied> {
  const stale: Applied = { outcome: "stale", statements: [] };
  if (triggeredAt < shop.installedAt || (domain !== null && domain.toLowerCase() !== shop.domain)) return stale;
  const token = await sql(db, "select access_token as token from shops where key = ?", shop.key).first<{
    token: string | null;
  }>();
  if (token?.token && !(await isRefused(shop.domain, await open(config(env).encryptionKey, token.token)))) return stale;
  forgetCachedShop(shop.domain);
  return {
    outcome: "handled",
    statements: [
      sql(
        db,
        `update shops set status = 'uninstalled', uninstalled_at = ?, access_token = null, updated_at = ?
         where key = ? and status = 'active' and installed_at <= ? and access_token is ?`,
        triggeredAt,
        now,
        shop.key,
        triggeredAt,
        token?.token ?? null,
      ),
    ],
  };
}

/** Asks for the shop's id, the cheapest question. Throws when Shopify gives no clear answer, so that it is asked again. */
async function isRefused(domain: string, token: string): Promise<boolean> {
  const response = await fetch(`https://${domain}/admin/api/${API_VERSION}/graphql.json`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-shopify-access-token": token },
    body: JSON.stringify({ query: "{ shop { id } }" }),
    redirect: "manual",
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  if (response.status === 401 || response.status === 403) return true;
  if (response.ok) return false;
  throw new Error(`Shopify answered ${response.status}`);
}
