import { config } from "../config";
import { AppError } from "../errors";
import { cachedShop, type Shop } from "../shops";
import { noteSeen } from "../storefront";
import type { PixelConfig, TrackerConfig } from "../tracker/config";
import { needsOptIn } from "./consent";
import { commonDomain } from "./cors";
import { geoOf } from "./geo";
import { addressPattern } from "./patterns";

/** The one identifier in a built script that stands for its configuration. */
const PLACEHOLDER = "__FF__";

/** Seconds a browser keeps the script: short, as it carries the shop's consent mode. */
const MAX_AGE = 900;

/** Built scripts, read once per isolate. */
const built = new Map<string, string>();

/** `GET /ff.js?shop=`: the tracker with this shop's and this visitor's facts baked in. */
export async function trackerScript(request: Request, env: Env, later: (work: Promise<unknown>) => void) {
  const { searchParams, origin } = new URL(request.url);
  const shop = await shopOf(request, env, later);
  const { country } = geoOf(request, config(env).trustGeoHeaders);
  const settings: TrackerConfig = {
    s: shop.domain,
    o: origin,
    c: needsOptIn(shop.settings.consentMode, country) ? 1 : 0,
  };
  if (sharesSite(request, shop)) settings.f = "include";
  const cart = addressPattern(shop.settings.cartUrls);
  const thanks = addressPattern(shop.settings.thankYouUrls);
  const forms = searchParams.get("forms");
  if (cart) settings.cart = cart;
  if (thanks) settings.thanks = thanks;
  if (forms && forms.length <= 200) settings.forms = forms;
  noteSeen(env.DB, shop.key, searchParams.get("via") === "embed" ? "embed" : "script", Date.now(), later);
  return script(await source(env, "core.js", request), settings);
}

/** `GET /pixel.js?shop=`: the code to paste as a Shopify custom pixel. */
export async function pixelScript(request: Request, env: Env, later: (work: Promise<unknown>) => void) {
  const { searchParams, origin } = new URL(request.url);
  const shop = await shopOf(request, env, later);
  const settings: PixelConfig = {
    s: shop.domain,
    o: origin,
    k: shop.pixelKey,
    t: searchParams.get("theme") === "0" ? 0 : 1,
  };
  return script(await source(env, "pixel.js", request), settings);
}

async function shopOf(request: Request, env: Env, later: (work: Promise<unknown>) => void): Promise<Shop> {
  const domain = new URL(request.url).searchParams.get("shop")?.toLowerCase() ?? "";
  const shop = domain === "" ? null : await cachedShop(env.DB, domain, Date.now(), later);
  if (!shop) throw new AppError("shop_not_found");
  return shop;
}

/** A script tag sends no Origin, but the page it stands on is the referrer. */
function sharesSite(request: Request, shop: Shop): boolean {
  const page = URL.parse(request.headers.get("referer") ?? "");
  if (!page || !shop.origins.includes(page.origin)) return false;
  return commonDomain(page.hostname, new URL(request.url).hostname) !== null;
}

async function source(env: Env, name: string, request: Request): Promise<string> {
  const known = built.get(name);
  if (known !== undefined) return known;
  const response = await env.ASSETS.fetch(new URL(`/tracker/${name}`, request.url));
  if (!response.ok) throw new Error(`the built ${name} is missing: ${response.status}`);
  const text = await response.text();
  built.set(name, text);
  return text;
}

function script(text: string, settings: TrackerConfig | PixelConfig): Response {
  const literal = JSON.stringify(settings).replaceAll("<", "\\u003c");
  return new Response(
    text.replace(PLACEHOLDER, () => literal),
    {
      headers: {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": `private, max-age=${MAX_AGE}`,
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
      },
    },
  );
}
