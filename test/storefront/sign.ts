import { exports } from "cloudflare:workers";

import { hex, hmac } from "../../src/lib/crypto";

/** The signature that Shopify puts on a proxied request, over parameters in any order. */
export async function proxySignature(secret: string, params: [string, string][]): Promise<string> {
  const groups = Map.groupBy(params, ([name]) => name);
  const text = [...groups].map(([name, pairs]) => `${name}=${pairs.map(([, value]) => value).join(",")}`).sort();
  return hex(await hmac(secret, text.join("")));
}

export interface Proxied {
  shop: string;
  customer?: string;
  /** Epoch ms that Shopify's clock shows. */
  at?: number;
  secret?: string;
  /** Parameters added before signing. */
  more?: [string, string][];
}

/** Shopify's call for `/apps/footfall/customer`, as search parameters. */
export async function proxied({
  shop,
  customer = "",
  at = Date.now(),
  secret = "test-api-secret",
  more = [],
}: Proxied) {
  const params: [string, string][] = [
    ["shop", shop],
    ["logged_in_customer_id", customer],
    ["path_prefix", "/apps/footfall"],
    ["timestamp", String(Math.floor(at / 1000))],
    ...more,
  ];
  return new URLSearchParams([...params, ["signature", await proxySignature(secret, params)]]);
}

export async function askProxy(params: URLSearchParams): Promise<Response> {
  return exports.default.fetch(`https://footfall.test/proxy/customer?${params.toString()}`);
}

/** The token that a customer who is signed in gets. */
export async function tokenFor(asked: Proxied): Promise<string> {
  const answer = await askProxy(await proxied(asked));
  const { token } = await answer.json<{ token: string | null }>();
  if (token === null) throw new Error("no token");
  return token;
}
