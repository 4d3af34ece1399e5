import {
  type Collection,
  COLLECTIONS,
  findProduct,
  type Product,
  PRODUCTS,
  searchProducts,
  variantOf,
} from "../catalog.ts";
import { escape, type Request, route, type Route } from "../http.ts";
import { display, inMarket } from "../money.ts";
import { BRAND, type Market } from "../shop.ts";
import { cartTotals, pictureUrl, productMeta } from "./ajax-shapes.ts";
import { cartData, variantData } from "./event-data.ts";
import { type Page, type Site, themePage } from "./layout.ts";
import { cartOf } from "./session.ts";

/* Home, collections, products, search and the cart page. */

const priceText = (cents: number, market: Market): string =>
  display(inMarket(cents, market).presentment, market.currency);

function card(product: Product, market: Market): string {
  const [first] = product.variants;
  const was = first.compareAt === null ? "" : `<s>${priceText(first.compareAt, market)}</s> `;
  const from = product.variants.some((variant) => variant.price !== first.price) ? "From " : "";
  return `<li class="card"><a href="/products/${product.handle}"><span class="pic"><img src="${pictureUrl(product, first.id)}" alt="" width="500" height="500" loading="lazy">${first.compareAt === null ? "" : '<em class="badge">Sale</em>'}</span><span class="name">${escape(product.title)}</span><span class="by">${escape(product.vendor)}</span><span class="price">${was}${from}${priceText(first.price, market)}</span></a></li>`;
}

const grid = (products: Product[], market: Market): string =>
  `<ul class="grid">${products.map((product) => card(product, market)).join("")}</ul>`;

function home(market: Market): Page {
  return {
    title: `${BRAND} – things for slow mornings`,
    template: "index",
    main: `<section class="hero"><img src="/cdn/shop/files/hero.svg" alt="" width="1800" height="1000"><div class="hero-text"><h1>Things for<br>slow mornings</h1><p>Stoneware, linen, oak and wax. Made by nine workshops we know by name.</p><a class="button" href="/collections/all">See everything</a></div></section>
<section class="wrap block"><div class="headline"><h2>Loved this month</h2><a href="/collections/all">All eight</a></div>${grid(
      PRODUCTS.filter(
        (product) =>
          product.tags.includes("bestseller") || product.handle === "oak-board" || product.handle === "glass-carafe",
      ),
      market,
    )}</section>
<section class="split"><div class="split-pic"><img src="/cdn/shop/files/linen-throw.svg" alt="" width="1000" height="1000" loading="lazy"></div><div class="split-text"><h2>Longer evenings</h2><p>When it is dark by five, a house wants light, warmth, and something heavy across the knees. Our short list for the season.</p><a class="button quiet" href="/collections/autumn">The autumn list</a></div></section>
<section class="wrap block three"><div><h3>Small runs</h3><p>Most pieces are made in batches under two hundred. When they are gone, we wait with you.</p></div><div><h3>Fair and named</h3><p>Every maker is on the product page, with the price they set themselves.</p></div><div><h3>Sixty days</h3><p>Live with it. If it does not belong, send it back and we pay the way.</p></div></section>`,
  };
}

const collectionId = (collection: Collection): number => COLLECTIONS.indexOf(collection) + 460_118_229_001;

function collectionPage(handle: string, market: Market): Page | undefined {
  const collection = COLLECTIONS.find((one) => one.handle === handle);
  if (collection === undefined) return undefined;
  const { title, text, products } = collection;
  const chips = COLLECTIONS.map(
    (one) =>
      `<a class="chip" href="/collections/${one.handle}"${one.handle === handle ? ' aria-current="page"' : ""}>${one.title}</a>`,
  ).join("");
  return {
    title,
    template: "collection",
    meta: { pageType: "collection", resourceType: "collection", resourceId: collectionId(collection) },
    main: `<section class="wrap top"><h1>${title}</h1><p class="lead">${text}</p><p class="chips">${chips}</p>${grid(products, market)}</section>`,
    events: [
      {
        name: "collection_viewed",
        data: {
          collection: {
            id: String(collectionId(collection)),
            title,
            productVariants: products.map((product) => variantData(product, product.variants[0], market)),
          },
        },
      },
    ],
  };
}

function productPage(product: Product, variantId: number, market: Market): Page {
  const chosen = product.variants.find((variant) => variant.id === variantId) ?? product.variants[0];
  const options = product.variants
    .map(
      (variant) =>
        `<label class="swatch"><input type="radio" name="id" value="${variant.id}" data-price="${priceText(variant.price, market)}" data-was="${variant.compareAt === null ? "" : priceText(variant.compareAt, market)}" data-picture="${pictureUrl(product, variant.id)}"${variant === chosen ? " checked" : ""}><span><i style="background:${variant.tint}"></i>${variant.title}</span></label>`,
    )
    .join("");
  const others = PRODUCTS.filter((one) => one !== product && one.tags.some((tag) => product.tags.includes(tag)));
  return {
    title: product.title,
    template: "product",
    meta: {
      pageType: "product",
      resourceType: "product",
      resourceId: product.id,
      product: productMeta(product, market),
    },
    main: `<section class="wrap product"><div class="product-pic"><img id="product-picture" src="${pictureUrl(product, chosen.id)}" alt="${escape(product.title)}" width="1000" height="1000"></div>
<div class="product-text"><p class="by">${escape(product.vendor)}</p><h1>${escape(product.title)}</h1>
<p class="price big"><s id="was">${chosen.compareAt === null ? "" : priceText(chosen.compareAt, market)}</s> <span id="price">${priceText(chosen.price, market)}</span> <small>${market.taxRate === 0 ? "" : "tax included"}</small></p>
<p>${product.blurb}</p>
<form method="post" action="/cart/add" data-add><fieldset><legend>${product.optionName}</legend><div class="swatches">${options}</div></fieldset>
<div class="buy"><label class="qty"><span class="seen-only">Quantity</span><input type="number" name="quantity" value="1" min="1" max="20" inputmode="numeric"></label><button class="button wide">Add to cart</button></div><p class="problem" role="alert" hidden></p></form>
<ul class="facts">${product.details.map((detail) => `<li>${detail}</li>`).join("")}</ul></div></section>
<section class="wrap block"><div class="headline"><h2>Goes well with</h2></div>${grid(others.slice(0, 4), market)}</section>`,
    events: [{ name: "product_viewed", data: { productVariant: variantData(product, chosen, market) } }],
  };
}

function searchPage(query: string, market: Market): Page {
  const found = searchProducts(query);
  const result =
    query === ""
      ? ""
      : found.length === 0
        ? `<p class="lead">Nothing for “${escape(query)}”. Try “linen” or “kitchen”.</p>`
        : `<p class="lead">${found.length} for “${escape(query)}”</p>${grid(found, market)}`;
  return {
    title: "Search",
    template: "search",
    meta: { pageType: "searchresults" },
    main: `<section class="wrap top"><h1>Search</h1><form action="/search" class="search" role="search"><label class="seen">What are you looking for?<input type="search" name="q" value="${escape(query)}" autofocus></label><button class="button">Search</button></form>${result}</section>`,
    events:
      query === ""
        ? []
        : [
            {
              name: "search_submitted",
              data: {
                searchResult: {
                  query,
                  productVariants: found.map((product) => variantData(product, product.variants[0], market)),
                },
              },
            },
          ],
  };
}

function cartPage(site: Site, request: Request): Page {
  const { market } = request;
  const cart = cartOf(site.store, request);
  const rows = cart.lines
    .map((line) => {
      const { product, variant } = variantOf(line.variantId);
      return `<li class="line" data-key="${line.key}"><img src="${pictureUrl(product, variant.id)}" alt="" width="120" height="120"><div><a href="/products/${product.handle}?variant=${variant.id}">${escape(product.title)}</a><p class="by">${variant.title}</p><label class="qty"><span class="seen-only">Quantity</span><input type="number" min="0" max="20" value="${line.quantity}" data-line="${line.key}"></label> <button type="button" class="plain" data-remove="${line.key}">Remove</button></div><p class="price">${priceText(variant.price * line.quantity, market)}</p></li>`;
    })
    .join("");
  const body =
    cart.lines.length === 0
      ? `<p class="lead">Your cart is empty.</p><a class="button" href="/collections/all">Look around</a>`
      : `<ul class="lines">${rows}</ul><form method="post" action="/checkout" class="sum"><label class="seen">A note for us<textarea name="note" rows="2">${escape(cart.note ?? "")}</textarea></label><p class="total"><span>Subtotal</span><strong>${display(cartTotals(cart, market).presentment, market.currency)}</strong></p><p class="small">Shipping and discounts come at checkout.</p><button class="button wide">Check out</button></form>`;
  return {
    title: "Cart",
    template: "cart",
    meta: { pageType: "cart" },
    main: `<section class="wrap top narrow" data-cart-page><h1>Cart</h1>${body}</section>`,
    events: [{ name: "cart_viewed", data: { cart: cart.lines.length === 0 ? null : cartData(cart, market) } }],
  };
}

export function notFoundPage(site: Site, request: Request) {
  return themePage(site, request, {
    title: "Not here",
    template: "404",
    status: 404,
    main: `<section class="wrap top narrow"><h1>Not here</h1><p class="lead">This page does not exist, or not any more.</p><a class="button" href="/collections/all">See everything</a></section>`,
  });
}

export function shopRoutes(site: Site): Route[] {
  const page = (make: (request: Request) => Page | undefined) => (request: Request) => {
    const made = make(request);
    return made === undefined ? notFoundPage(site, request) : themePage(site, request, made);
  };
  const product = page((request) => {
    const found = findProduct(request.params["handle"] ?? "");
    return found && productPage(found, Number(request.url.searchParams.get("variant")), request.market);
  });
  return [
    route(
      "GET",
      "/",
      page((request) => home(request.market)),
    ),
    route(
      "GET",
      "/collections/:handle",
      page((request) => collectionPage(request.params["handle"] ?? "", request.market)),
    ),
    route("GET", "/collections/:collection/products/:handle", product),
    route("GET", "/products/:handle", product),
    route(
      "GET",
      "/search",
      page((request) => searchPage(request.url.searchParams.get("q")?.trim() ?? "", request.market)),
    ),
    route(
      "GET",
      "/cart",
      page((request) => cartPage(site, request)),
    ),
  ];
}
