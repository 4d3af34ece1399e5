import { COLLECTIONS, PRODUCTS, type Product, type Variant } from "../catalog.ts";
import { LOOKS, ARTICLES } from "../storefront/stories.ts";
import type { Chance } from "./chance.ts";
import { CITIES, type City, DEVICES, FIRST_NAMES, LAST_NAMES, type Source, SOURCES } from "./people.ts";

export type PageStep = {
  path: string;
  title: string;
  product?: { product: Product; variant: Variant };
  waitMs: number;
};

/** How far somebody goes. Everyone but the last three stays anonymous. */
export type Outcome = "browse" | "cart" | "signup" | "checkout" | "order";

export type Plan = {
  visitor: string;
  city: City;
  userAgent: string;
  source: Source;
  pages: [PageStep, ...PageStep[]];
  outcome: Outcome;
  basket: { product: Product; variant: Variant; quantity: number }[];
  person: { firstName: string; lastName: string; email: string; acceptsMarketing: boolean };
  discountCode: string;
  shipping: string;
};

/** Pages a visit has: 45% see one, the others 5.9 on average, so that the mean is 3.7. */
export function pagesOfVisit(chance: Chance): number {
  if (chance.yes(0.45)) return 1;
  let pages = 2;
  while (chance.yes(0.7964) && pages < 30) pages += 1;
  return pages;
}

/** A visit of somebody new, or of the person of an earlier visit. Whoever sees one page does not buy. */
export function planShopper(chance: Chance, before?: Plan): Plan {
  const source = chance.weighted(SOURCES);
  const count = pagesOfVisit(chance);
  const first = landing(chance, source);
  const rest = Array.from({ length: count - 1 }, () => wander(chance));
  const outcome: Outcome =
    count < 3
      ? chance.weighted([
          [94, "browse"],
          [6, "signup"],
        ])
      : chance.weighted([
          [50, "browse"],
          [19, "cart"],
          [8, "signup"],
          [9, "checkout"],
          [14, "order"],
        ]);
  const seen = [first, ...rest].flatMap((page) => (page.product === undefined ? [] : [page.product]));
  const wanted = seen.length > 0 ? seen : [anything(chance)];
  const firstName = chance.pick(FIRST_NAMES);
  const lastName = chance.pick(LAST_NAMES);
  return {
    visitor: before?.visitor ?? chance.uuid(),
    city: before?.city ?? chance.weighted(CITIES),
    userAgent: before?.userAgent ?? chance.weighted(DEVICES),
    source,
    pages: [first, ...rest],
    outcome,
    basket: wanted.slice(0, chance.whole(1, 3)).map((one) => ({ ...one, quantity: chance.yes(0.25) ? 2 : 1 })),
    person: before?.person ?? {
      firstName,
      lastName,
      email: `${firstName}.${lastName}@example.com`.toLowerCase(),
      acceptsMarketing: chance.yes(0.35),
    },
    discountCode: chance.yes(0.2) ? "WELCOME10" : "",
    shipping: chance.weighted([
      [70, "standard"],
      [20, "express"],
      [10, "pickup"],
    ]),
  };
}

function anything(chance: Chance): { product: Product; variant: Variant } {
  const product = PRODUCTS[chance.whole(0, PRODUCTS.length - 1)] ?? firstProduct();
  return { product, variant: chance.pick(product.variants) };
}

function firstProduct(): Product {
  const [product] = PRODUCTS;
  if (product === undefined) throw new Error("The catalogue is empty");
  return product;
}

const dwell = (chance: Chance): number => chance.whole(4, 45) * 1_000;

function landing(chance: Chance, source: Source): PageStep {
  const handle = /^\/products\/([a-z-]+)/.exec(source.path)?.[1];
  const product = PRODUCTS.find((one) => one.handle === handle);
  return {
    path: source.path,
    title: product?.title ?? "Alder & Oat",
    waitMs: dwell(chance),
    ...(product === undefined ? {} : { product: { product, variant: product.variants[0] } }),
  };
}

function wander(chance: Chance): PageStep {
  const waitMs = dwell(chance);
  const kind = chance.weighted([
    [56, "product"],
    [26, "collection"],
    [6, "look"],
    [7, "article"],
    [5, "search"],
  ]);
  if (kind === "collection") {
    const collection = COLLECTIONS[chance.whole(0, COLLECTIONS.length - 1)];
    return { path: `/collections/${collection?.handle ?? "all"}`, title: collection?.title ?? "Everything", waitMs };
  }
  if (kind === "look") {
    const look = LOOKS[chance.whole(0, LOOKS.length - 1)];
    return { path: `/pages/lookbook/${look?.slug ?? ""}`, title: look?.title ?? "Lookbook", waitMs };
  }
  if (kind === "article") {
    const article = ARTICLES[chance.whole(0, ARTICLES.length - 1)];
    return { path: `/blogs/journal/${article?.slug ?? ""}`, title: article?.title ?? "Journal", waitMs };
  }
  if (kind === "search")
    return { path: `/search?q=${chance.pick(["linen", "gift", "mug", "oak", "kitchen"])}`, title: "Search", waitMs };
  const product = anything(chance);
  return {
    path: `/products/${product.product.handle}?variant=${product.variant.id}`,
    title: product.product.title,
    product,
    waitMs,
  };
}
