import { findProduct } from "../catalog.ts";
import { html, escape, type Request, route, type Route } from "../http.ts";
import { display, inMarket } from "../money.ts";
import { BRAND, type Market } from "../shop.ts";
import { pictureUrl } from "./ajax-shapes.ts";
import { type Page, type Site, themePage } from "./layout.ts";
import { notFoundPage } from "./shop-pages.ts";
import { ARTICLES, type Look, LOOKS } from "./stories.ts";

/* The lookbook (one page that changes its address without loading), the journal, the landing page, and sample ads. */

function lookProducts(look: Look, market: Market): string {
  return look.products
    .map(([handle, at]) => {
      const product = findProduct(handle);
      const variant = product?.variants[at];
      if (product === undefined || variant === undefined) return "";
      return `<a class="look-item" href="/products/${handle}?variant=${variant.id}"><img src="${pictureUrl(product, variant.id)}" alt="" width="400" height="400"><span>${escape(product.title)}, ${variant.title}</span><span class="price">${display(inMarket(variant.price, market).presentment, market.currency)}</span></a>`;
    })
    .join("");
}

/** Every look is in the page; assets/theme.js shows one and moves the address with the History API. */
function lookbook(slug: string | undefined, market: Market): Page | undefined {
  const current = slug === undefined ? LOOKS[0] : LOOKS.find((look) => look.slug === slug);
  if (current === undefined) return undefined;
  const looks = LOOKS.map(
    (look) =>
      `<article class="look" data-look="${look.slug}" data-title="${look.title} – Lookbook – ${escape(BRAND)}"${look === current ? "" : " hidden"}><div><p class="by">Look ${LOOKS.indexOf(look) + 1} of ${LOOKS.length}</p><h1>${look.title}</h1><p class="lead">${look.text}</p></div><div class="look-items">${lookProducts(look, market)}</div></article>`,
  ).join("");
  const tabs = LOOKS.map(
    (look) =>
      `<a class="chip" data-look-link href="/pages/lookbook/${look.slug}"${look === current ? ' aria-current="page"' : ""}>${look.title}</a>`,
  ).join("");
  return {
    title: `${current.title} – Lookbook`,
    template: "lookbook",
    main: `<section class="wrap top" data-lookbook><p class="chips">${tabs}</p>${looks}</section>`,
  };
}

function journal(): Page {
  const items = ARTICLES.map(
    (article) =>
      `<li><a class="story" href="/blogs/journal/${article.slug}"><img src="/cdn/shop/files/${article.picture}.svg" alt="" width="400" height="400" loading="lazy"><span class="by">${article.date}</span><span class="story-title">${article.title}</span><span>${article.lead}</span></a></li>`,
  ).join("");
  return {
    title: "Journal",
    template: "blog",
    main: `<section class="wrap top"><h1>Journal</h1><p class="lead">How things are made, and how to keep them.</p><ul class="stories">${items}</ul></section>`,
  };
}

function article(slug: string): Page | undefined {
  const found = ARTICLES.find((one) => one.slug === slug);
  if (found === undefined) return undefined;
  return {
    title: found.title,
    template: "article",
    main: `<article class="wrap top text"><p class="by">${found.date}</p><h1>${found.title}</h1><p class="lead">${found.lead}</p><img src="/cdn/shop/files/${found.picture}.svg" alt="" width="1000" height="1000">${found.paragraphs.map((text) => `<p>${text}</p>`).join("")}<p><a class="button quiet" href="/products/${found.picture}">See the piece</a></p></article>`,
  };
}

function landing(): Page {
  return {
    title: "Slow mornings",
    template: "page",
    main: `<section class="hero low"><img src="/cdn/shop/files/hero.svg" alt="" width="1800" height="1000"><div class="hero-text"><h1>Ten quiet minutes,<br>ten percent off</h1><p>Leave your e-mail and we send a code for your first order.</p>
<form data-footfall id="landing-signup" name="landing-signup" method="post" action="/contact#landing-signup" class="letter light"><input type="hidden" name="form_type" value="customer"><input type="hidden" name="contact[tags]" value="newsletter, slow-mornings"><label class="seen">E-mail<input type="email" name="contact[email]" autocomplete="email" required placeholder="you@example.com"></label><button>Send the code</button><label class="check"><input type="checkbox" name="contact[accepts_marketing]" value="true" required> Yes, write to me.</label></form></div></section>
<section class="wrap block three"><div><h3>Grind</h3><p>Medium, like sea salt. Eighteen grams.</p></div><div><h3>Pour</h3><p>Thirty seconds of bloom, then slow circles.</p></div><div><h3>Sit</h3><p>The mug keeps it warm for as long as the light changes.</p></div></section>
<section class="wrap block"><a class="button" href="/products/pour-over-dripper">The dripper</a> <a class="button quiet" href="/products/stoneware-mug">The mug</a></section>`,
  };
}

/** Links as they stand in other people's pages: not a page of the shop, no tracker, no pixel. */
function ads(): string {
  const links: [where: string, text: string, href: string][] = [
    [
      "Instagram",
      "Dark by five? Light one. 🕯",
      "/pages/slow-mornings?utm_source=instagram&utm_medium=paid_social&utm_campaign=autumn-evenings&utm_content=candle-reel&fbclid=IwAR0demo",
    ],
    [
      "Google Ads",
      "Stoneware mugs | Made by hand | Free returns",
      "/products/stoneware-mug?utm_source=google&utm_medium=cpc&utm_campaign=mugs&utm_term=stoneware+mug&gclid=Cj0KCQdemo",
    ],
    [
      "Newsletter",
      "The throw is back. About eighty of them.",
      "/products/linen-throw?utm_source=newsletter&utm_medium=email&utm_campaign=throw-is-back",
    ],
    [
      "Pinterest",
      "Kitchens that calm down",
      "/collections/kitchen?utm_source=pinterest&utm_medium=social&utm_campaign=kitchens",
    ],
    ["A blog", "Our favourite gifts under 30", "/collections/gifts?utm_source=quietblog&utm_medium=referral"],
  ];
  const cards = links
    .map(
      ([where, text, href]) =>
        `<li><p>${where} · Sponsored</p><h2>${text}</h2><a href="${escape(href)}">Open</a><code>${escape(href)}</code></li>`,
    )
    .join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Ads for ${escape(BRAND)}</title><style>body{font:16px/1.5 system-ui,sans-serif;background:#eef0f3;color:#1c2430;margin:0;padding:2rem 1rem}main{max-width:44rem;margin:auto}ul{list-style:none;padding:0;display:grid;gap:1rem}li{background:#fff;border-radius:12px;padding:1.1rem 1.3rem;box-shadow:0 1px 3px #0002}li p{margin:0;color:#5b6675;font-size:.85rem}h2{font-size:1.15rem;margin:.2rem 0 .6rem}a{display:inline-block;background:#1c4ed8;color:#fff;padding:.4rem 1rem;border-radius:8px;text-decoration:none}code{display:block;color:#5b6675;font-size:.75rem;overflow-wrap:anywhere;margin-top:.6rem}</style></head><body><main><h1>Ads, as a shopper meets them</h1><p>Each link enters the store with its campaign.</p><ul>${cards}</ul></main></body></html>`;
}

export function storyRoutes(site: Site): Route[] {
  const page = (make: (request: Request) => Page | undefined) => (request: Request) => {
    const made = make(request);
    return made === undefined ? notFoundPage(site, request) : themePage(site, request, made);
  };
  return [
    route(
      "GET",
      "/pages/lookbook",
      page((request) => lookbook(undefined, request.market)),
    ),
    route(
      "GET",
      "/pages/lookbook/:look",
      page((request) => lookbook(request.params["look"], request.market)),
    ),
    route("GET", "/pages/slow-mornings", page(landing)),
    route("GET", "/blogs/journal", page(journal)),
    route(
      "GET",
      "/blogs/journal/:article",
      page((request) => article(request.params["article"] ?? "")),
    ),
    route("GET", "/_ads", () => html(ads())),
  ];
}
