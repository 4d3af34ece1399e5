import { redirect, type Reply, type Request, withCookie } from "../http.ts";
import { findCart, openCart } from "../store/carts.ts";
import { findCustomer } from "../store/customers.ts";
import type { Cart, Customer } from "../store/state.ts";
import type { Store } from "../store/store.ts";

/* What the store knows of this browser: its cart, its customer, and how it first came. All cookies are the store's own. */

const LANDING = "demo_landing";

/** The browser's cart, or a new one that is not kept until something is put in. */
export function cartOf(store: Store, request: Request): Cart {
  const token = request.cookies.get("cart")?.split("?")[0];
  const cart = findCart(store, token);
  if (cart !== undefined) {
    cart.country = request.market.country;
    return cart;
  }
  const [landingSite = null, referringSite = null] = landing(request);
  return openCart(store, { country: request.market.country, landingSite, referringSite, at: request.at });
}

export function withCart(answer: Reply, cart: Cart): Reply {
  return withCookie(answer, "cart", `${cart.token}?key=${cart.key}`, 1_209_600);
}

export function customerOf(store: Store, request: Request): Customer | undefined {
  return findCustomer(store, Number(request.cookies.get("demo_customer")));
}

function landing(request: Request): [string?, string?] {
  const [site, referrer] = (request.cookies.get(LANDING) ?? "").split("\n");
  return [site === "" ? undefined : site, referrer];
}

/** Notes the first page of a visit and where it came from, as Shopify does for `landing_site` and `referring_site`. */
export function withLanding(answer: Reply, request: Request): Reply {
  if (request.cookies.has(LANDING)) return answer;
  const from = request.headers.referer ?? "";
  const referrer = from !== "" && new URL(from).host !== request.url.host ? from : "";
  return withCookie(answer, LANDING, `${request.url.pathname}${request.url.search}\n${referrer}`, 1_800);
}

/** Changes country, and with it currency, prices and privacy law; back to where the shopper was. */
export function localize(country: string, back: string): Reply {
  const path = back.startsWith("/") && !back.startsWith("//") ? back : "/";
  return withCookie(redirect(path), "localization", country);
}
