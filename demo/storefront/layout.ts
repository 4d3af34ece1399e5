import { escape, html, inScript, type Reply, type Request, withCookie } from "../http.ts";
import { BRAND, MARKETS, SHOP_ID } from "../shop.ts";
import type { Store } from "../store/store.ts";
import { appEmbed, type EmbedSettings } from "./embed.ts";
import { cartOf, customerOf, withLanding } from "./session.ts";

export type Site = {
  store: Store;
  footfallUrl: string;
  /** Of the app that is installed in this store: signs what its proxy passes on. */
  apiSecret: string;
  /** What the merchant has entered in the app embed, beside its defaults. */
  embed?: Partial<EmbedSettings> | undefined;
};

/** A pixel event that the page itself causes, by Shopify's names. */
export type PageEvent = { name: string; data: object };

/** Shopify's word for a page's type, the id of what it shows, and on product pages the product in brief. */
export type PageMeta = { pageType: string; resourceType?: string; resourceId?: number; product?: object };

export type Page = {
  title: string;
  main: string;
  /** A word for the body's class, and the name of the theme template. */
  template: string;
  /** What `ShopifyAnalytics.meta` says of the page besides its type. */
  meta?: PageMeta;
  events?: PageEvent[];
  status?: number;
};

const icon = {
  bag: '<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M5 8h14l1 12H4L5 8Z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/><path d="M9 10V6.5a3 3 0 0 1 6 0V10" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/></svg>',
  search:
    '<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><circle cx="11" cy="11" r="6.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="m16 16 4.5 4.5" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/></svg>',
  person:
    '<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><circle cx="12" cy="8" r="4" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M4.5 20.5c1-4.2 4-6 7.5-6s6.5 1.8 7.5 6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/></svg>',
};

const LOGO = `<svg class="mark" viewBox="0 0 32 32" width="30" height="30" aria-hidden="true"><path d="M16 29V10" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/><path d="M16 14c-6 0-8-4-8-9 5 0 8 3 8 9Zm0 8c6 0 8-4 8-9-5 0-8 3-8 9Z" fill="currentColor"/></svg>`;

export const NAVIGATION: [href: string, label: string][] = [
  ["/collections/all", "Shop"],
  ["/collections/autumn", "Autumn"],
  ["/pages/lookbook", "Lookbook"],
  ["/blogs/journal", "Journal"],
];

/** A page of the theme: header, cart drawer, footer, consent banner, the app embed, and the pixels. */
export function themePage(site: Site, request: Request, page: Page): Reply {
  const { store } = site;
  const cart = cartOf(store, request);
  const count = cart.lines.reduce((sum, line) => sum + line.quantity, 0);
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(page.title)}${page.template === "index" ? "" : ` – ${BRAND}`}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/base.css"><link rel="stylesheet" href="/assets/theme.css"><link rel="stylesheet" href="/assets/pages.css">
<script>${shopifyGlobals(site, request, page)}</script>
<script src="/assets/privacy.js"></script>
${appEmbed(site, request)}
</head>
<body class="template-${page.template}">
<a class="skip" href="#main">Skip to content</a>
<p class="bar">Free returns for 60 days · Made slowly, in small runs</p>
<header class="head"><div class="wrap">
<a class="logo" href="/">${LOGO}<span>${BRAND.replace("&", "&amp;")}</span></a>
<nav aria-label="Main">${NAVIGATION.map(([href, label]) => `<a href="${href}"${href === request.url.pathname ? ' aria-current="page"' : ""}>${label}</a>`).join("")}</nav>
<div class="tools"><a href="/search" aria-label="Search">${icon.search}</a><a href="/account" aria-label="Account">${icon.person}</a><a href="/cart" class="bag" data-open-cart aria-label="Cart">${icon.bag}<span data-cart-count${count === 0 ? " hidden" : ""}>${count}</span></a></div>
</div></header>
<main id="main" tabindex="-1">${page.main}</main>
${footer(request)}
<dialog class="drawer" id="cart-drawer" aria-labelledby="drawer-title"></dialog>
<script src="/assets/theme.js" defer></script>
${pixelTags(site, request, page.events ?? [])}
</body></html>`;
  const answer = withLanding(html(body, page.status ?? 200), request);
  const region = request.url.searchParams.get("region");
  return region === null ? answer : withCookie(answer, "localization", request.market.country);
}

/** What every Shopify theme page defines before other scripts run. */
function shopifyGlobals(site: Site, request: Request, page: Page): string {
  const { market } = request;
  const shopify = {
    shop: site.store.domain,
    locale: "en",
    currency: { active: market.currency, rate: String(market.rate) },
    country: market.country,
    theme: { name: "Alder", id: 139_402_871_455, schema_name: "Alder", role: "main" },
    designMode: false,
    routes: { root: "/" },
    cdnHost: request.url.host,
  };
  const { product, ...about } = page.meta ?? { pageType: page.template === "index" ? "home" : "page" };
  const customerId = customerOf(site.store, request)?.id;
  const meta = { currency: market.currency, page: { ...about, customerId }, product };
  return `window.Shopify=Object.assign(window.Shopify||{},${inScript(shopify)});window.ShopifyAnalytics={meta:${inScript(meta)}};window.__region=${inScript({ country: market.country, consentRequired: market.consentRequired })};`;
}

/** The pixel manager with what this page publishes; the theme and the checkout both have it. */
export function pixelTags(site: Site, request: Request, events: PageEvent[]): string {
  const { store } = site;
  const cart = cartOf(store, request);
  const customer = customerOf(store, request);
  const init = {
    cart: cart.lines.length === 0 ? null : { id: cart.token, totalQuantity: cart.lines.length },
    customer:
      customer === undefined
        ? null
        : { id: String(customer.id), email: customer.email, phone: customer.phone, firstName: customer.firstName },
    shop: {
      name: BRAND,
      storefrontUrl: store.url,
      myshopifyDomain: store.domain,
      countryCode: "DE",
      id: String(SHOP_ID),
      paymentSettings: { currencyCode: "EUR" },
    },
    purchasingCompany: null,
  };
  const told = [{ name: "page_viewed", data: {} }, ...events];
  return `<script type="application/json" id="web-pixels">${inScript({ init, events: told })}</script><script src="/assets/pixels.js" defer></script>`;
}

function footer(request: Request): string {
  const options = MARKETS.map(
    (market) =>
      `<option value="${market.country}"${market.country === request.market.country ? " selected" : ""}>${market.name} (${market.currency})</option>`,
  ).join("");
  return `<footer class="foot"><div class="wrap">
<section><h2>Letters, four a year</h2><p>New pieces, and the people who make them. Nothing else.</p>
<form data-footfall id="newsletter" name="newsletter" method="post" action="/contact#newsletter" class="letter">
<input type="hidden" name="form_type" value="customer"><input type="hidden" name="contact[tags]" value="newsletter">
<label class="seen">E-mail<input type="email" name="contact[email]" autocomplete="email" required placeholder="you@example.com"></label>
<button>Sign up</button>
<label class="check"><input type="checkbox" name="contact[accepts_marketing]" value="true" required> Yes, write to me. I can leave at any time.</label>
</form></section>
<section><h2>Help</h2><ul><li><a href="/pages/slow-mornings">Slow mornings</a></li><li><a href="/account">Your orders</a></li><li><a href="/search">Search</a></li><li><button type="button" class="plain" data-privacy>Privacy choices</button></li></ul></section>
<section><h2>Country and currency</h2><form method="post" action="/localization" class="country"><input type="hidden" name="return_to" value="${escape(request.url.pathname)}"><label class="seen">Country<select name="country_code" data-submit>${options}</select></label><noscript><button>Change</button></noscript></form>
<p class="small">This is a demonstration shop. Nothing is for sale and no money moves.</p></section>
</div></footer>`;
}
