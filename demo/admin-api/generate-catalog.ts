import { chanceFrom } from "../simulator/chance.ts";
import type { World } from "./world.ts";
import { exponentOf } from "./money.ts";
import type { CollectionRecord, LocationRecord, ProductRecord, StaffRecord } from "./records.ts";

export type Catalog = {
  products: ProductRecord[];
  collections: CollectionRecord[];
  locations: LocationRecord[];
  staff: StaffRecord[];
};

/** Units of a currency for one euro, fixed so that every store is the same whenever it is made. */
const RATES: Record<string, number> = { EUR: 1, USD: 1.08, GBP: 0.85, JPY: 165, KWD: 0.333 };

export const rateOf = (currency: string): number => RATES[currency] ?? 1;

/** An amount of euros as minor units of the currency. */
export const minorOf = (euros: number, currency: string): number =>
  Math.round(euros * rateOf(currency) * 10 ** exponentOf(currency));

const KINDS = ["Mug", "Throw", "Candle", "Board", "Cushion", "Soap", "Carafe", "Lamp", "Basket", "Tray"] as const;
const MATERIALS = ["Oak", "Linen", "Wool", "Stoneware", "Glass", "Brass", "Beeswax", "Cork"] as const;
const VENDORS = ["Alder & Oat", "Lys Weavers", "Holzwerk Ahrens", "Savonnerie Marin", "Kiso Works"] as const;
const TAGS = ["bestseller", "gift", "autumn", "kitchen", "bath", "sale", "limited, numbered", "Été"] as const;

/** What a generated store sells: few enough to be kept. */
export function generateCatalog(world: World): Catalog {
  const products = Array.from({ length: world.products }, (_, n): ProductRecord => {
    const chance = chanceFrom(world.seed * 31 + n * 977 + 5);
    const id = 8_200_000_000_000 + n * 32_768;
    const [kind, material] = [chance.pick(KINDS), chance.pick(MATERIALS)];
    const euros = chance.whole(5, 180) + chance.pick([0, 0.5, 0.9, 0.99]);
    const sizes = chance.pick([["Default Title"], ["Small", "Large"], ["Oat", "Moss", "Ink"]]);
    return {
      id,
      createdAt: world.from,
      updatedAt: world.from + Math.floor(chance.next() * (world.until - world.from)),
      title: `${material} ${kind} No. ${n + 1}`,
      handle: `${material}-${kind}-${n + 1}`.toLowerCase(),
      description: `A ${kind.toLowerCase()} of ${material.toLowerCase()}.`,
      vendor: chance.pick(VENDORS),
      productType: kind,
      tags: TAGS.filter(() => chance.yes(0.25)),
      status: chance.yes(0.93) ? "ACTIVE" : chance.pick(["ARCHIVED", "DRAFT"]),
      category: chance.yes(0.8)
        ? { id: "gid://shopify/TaxonomyCategory/hg-11", name: "Home", fullName: `Home & Garden > ${kind}` }
        : null,
      images: Array.from({ length: chance.whole(0, 3) }, (__, at) => ({
        id: id + 100 + at,
        url: `https://cdn.stand-in.example/${world.domain}/${n}-${at}.jpg`,
        alt: at === 0 ? `${material} ${kind}` : null,
      })),
      optionName: sizes.length === 1 ? "Title" : "Size",
      variants: sizes.map((title, at) => ({
        id: 44_800_000_000_000 + n * 262_144 + at * 32_768,
        title,
        sku: chance.yes(0.9) ? `SKU-${n + 1}-${at + 1}` : null,
        price: minorOf(euros * (1 + at / 2), world.currency),
        compareAt: chance.yes(0.2) ? minorOf(euros * 2, world.currency) : null,
        barcode: null,
        inventory: chance.whole(0, 400),
      })),
    };
  });
  const collections = TAGS.map((tag, n): CollectionRecord => ({
    id: 460_000_000_000 + n * 32_768,
    createdAt: world.from,
    updatedAt: world.from + n,
    title: tag.charAt(0).toUpperCase() + tag.slice(1),
    handle: tag.replaceAll(/[^a-z]+/gi, "-").toLowerCase(),
    description: "",
    image: null,
    productIds: products.filter((product) => product.tags.includes(tag)).map(({ id }) => id),
  }));
  const stamps = { createdAt: world.from, updatedAt: world.from };
  return {
    products,
    collections,
    locations: ["Workshop", "Market hall"].map((name, n) => ({ id: 73_000_000_000 + n * 32_768, name, ...stamps })),
    staff: [
      ["Ada", "Alder"],
      ["Jun", "Mori"],
      ["Lea", "Winter"],
    ].map(([firstName = "", lastName = ""], n) => ({
      id: 88_000_000_000 + n * 32_768,
      firstName,
      lastName,
      email: `${firstName}@stand-in.example`.toLowerCase(),
      ...stamps,
    })),
  };
}
