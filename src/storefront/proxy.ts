import { config } from "../config";
import { AppError } from "../errors";
import { makeCustomerToken } from "../identity";
import { hmacMatches } from "../lib/crypto";
import { appOf } from "../shopify";
import { cachedShop } from "../shops";
import { noteSeen } from "./seen";

/** How far Shopify's clock and ours may differ, ms; later the same address is a repetition. */
const SKEW_MS = 90_000;

const LONGEST = 4_000;

/** Parameters of Shopify's that may stand in the address once only: a second one would be signed, but not the one that is read. */
const ONCE = ["shop", "timestamp", "signature", "logged_in_customer_id", "path_prefix"];

/**
 * `GET /proxy/customer`, which Shopify calls for `/apps/footfall/customer` of a storefront, signed with the app's secret:
 * `{ "token": ... }` for the customer who is signed in there, null for nobody. The token is good for a quarter of an hour
 * and for this shop's beacons alone. Throws `unauthorized` for anything that this shop's app did not just sign, and
 * `shop_uninstalled`.
 */
export async function proxiedCustomer(
  request: Request,
  env: Env,
  { now, later }: { now: number; later: (work: Promise<unknown>) => void },
): Promise<Response> {
  const { search, searchParams } = new URL(request.url);
  const refused = new AppError("unauthorized", "The shop's app proxy did not sign this request");
  if (search.length > LONGEST || ONCE.some((name) => searchParams.getAll(name).length > 1)) throw refused;
  const sentAt = Number(searchParams.get("timestamp") ?? Number.NaN) * 1000;
  const signature = /^[0-9a-f]{64}$/.exec(searchParams.get("signature") ?? "")?.[0];
  if (signature === undefined || !(Math.abs(now - sentAt) <= SKEW_MS)) throw refused;
  const domain = searchParams.get("shop")?.toLowerCase() ?? "";
  const shop = domain === "" ? null : await cachedShop(env.DB, domain, now, later);
  // The shop is signed too, so its own app's secret may be looked up by it.
  if (!shop || !(await isSigned((await appOf(env, shop, now)).secrets, searchParams, signature))) throw refused;
  if (shop.status !== "active") throw new AppError("shop_uninstalled");
  noteSeen(env.DB, shop.key, "proxy", now, later);
  const customer = searchParams.get("logged_in_customer_id") ?? "";
  const token = /^\d{1,20}$/.test(customer)
    ? await makeCustomerToken(config(env).encryptionKey, shop.id, customer, now)
    : null;
  // The answer is one person's: no cache on the way may keep it for the next.
  return Response.json({ token }, { headers: { "cache-control": "private, no-store" } });
}

async function isSigned(secrets: string[], params: URLSearchParams, signature: string): Promise<boolean> {
  const message = signedText(params);
  const bytes = Uint8Array.from(signature.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  for (const secret of secrets) {
    if (await hmacMatches(secret, message, bytes)) return true;
  }
  return false;
}

/**
 * What Shopify signs of a proxied request: every decoded parameter but the signature as `name=value`, values of one name
 * joined by commas, sorted, and put together without anything between
 * (https://shopify.dev/docs/apps/build/online-store/app-proxies/authenticate-app-proxies).
 */
export function signedText(params: URLSearchParams): string {
  const names = new Set(params.keys());
  names.delete("signature");
  return [...names]
    .map((name) => `${name}=${params.getAll(name).join(",")}`)
    .sort()
    .join("");
}
