/** What the demo shop sells. Prices are EUR cents, tax included; ids look like Shopify's. */

export type Variant = {
  id: number;
  title: string;
  sku: string;
  price: number;
  compareAt: number | null;
  grams: number;
  /** Main colour of the picture. */
  tint: string;
};

export type Product = {
  id: number;
  handle: string;
  title: string;
  vendor: string;
  type: string;
  tags: string[];
  optionName: string;
  blurb: string;
  details: string[];
  variants: [Variant, ...Variant[]];
};

type Draft = Omit<Product, "id" | "variants"> & {
  variants: [Omit<Variant, "id">, ...Omit<Variant, "id">[]];
};

const drafts: Draft[] = [
  {
    handle: "stoneware-mug",
    title: "Everyday Stoneware Mug",
    vendor: "Alder & Oat",
    type: "Tableware",
    tags: ["ceramic", "kitchen", "bestseller"],
    optionName: "Glaze",
    blurb: "A mug with a thumb rest and a rim that is kind to lips. Thrown in Höhr-Grenzhausen, glazed by hand.",
    details: ["320 ml", "Dishwasher safe", "Each one a little different"],
    variants: [
      { title: "Oat", sku: "MUG-OAT", price: 2400, compareAt: null, grams: 380, tint: "#d9c9ae" },
      { title: "Moss", sku: "MUG-MOS", price: 2400, compareAt: null, grams: 380, tint: "#7d8a66" },
      { title: "Ink", sku: "MUG-INK", price: 2600, compareAt: null, grams: 380, tint: "#4a5568" },
    ],
  },
  {
    handle: "linen-throw",
    title: "Washed Linen Throw",
    vendor: "Lys Weavers",
    type: "Textiles",
    tags: ["linen", "living room", "autumn"],
    optionName: "Colour",
    blurb: "European flax, woven loosely and washed until it falls like something you have owned for years.",
    details: ["130 × 180 cm", "100% linen, 280 g/m²", "Machine wash at 40 °C"],
    variants: [
      { title: "Clay", sku: "THR-CLY", price: 8900, compareAt: 10900, grams: 900, tint: "#c08a6b" },
      { title: "Fog", sku: "THR-FOG", price: 8900, compareAt: null, grams: 900, tint: "#b7bcb6" },
    ],
  },
  {
    handle: "beeswax-candle",
    title: "Beeswax Pillar Candle",
    vendor: "Imkerei Winter",
    type: "Candles",
    tags: ["beeswax", "gift", "autumn", "bestseller"],
    optionName: "Size",
    blurb: "Pure wax from forty hives in the Spessart. Burns clean, and smells of honey only if you lean in.",
    details: ["Cotton wick", "About 40 hours (small), 75 hours (tall)", "No added scent"],
    variants: [
      { title: "Small", sku: "CDL-S", price: 1650, compareAt: null, grams: 300, tint: "#e0b355" },
      { title: "Tall", sku: "CDL-T", price: 2650, compareAt: null, grams: 620, tint: "#d9a441" },
    ],
  },
  {
    handle: "pour-over-dripper",
    title: "Pour-over Dripper",
    vendor: "Alder & Oat",
    type: "Coffee",
    tags: ["ceramic", "coffee", "kitchen"],
    optionName: "Glaze",
    blurb: "A heavy little cone that keeps its heat. Spiral ribs let the coffee breathe while it draws down.",
    details: ["For 1 to 2 cups", "Takes size 2 filters", "Sits on any mug"],
    variants: [
      { title: "Chalk", sku: "DRP-CHK", price: 3400, compareAt: null, grams: 450, tint: "#ece7dc" },
      { title: "Moss", sku: "DRP-MOS", price: 3400, compareAt: null, grams: 450, tint: "#76855f" },
    ],
  },
  {
    handle: "oak-board",
    title: "Oak Serving Board",
    vendor: "Holzwerk Ahrens",
    type: "Kitchen",
    tags: ["oak", "kitchen", "gift"],
    optionName: "Size",
    blurb: "One plank, one maker. Oiled with linseed, with a handle that fits the hand and a hole to hang it by.",
    details: ["Local oak, 20 mm", "Small 32 cm, large 46 cm", "Wipe clean, oil twice a year"],
    variants: [
      { title: "Small", sku: "BRD-S", price: 3900, compareAt: null, grams: 700, tint: "#c39a68" },
      { title: "Large", sku: "BRD-L", price: 5900, compareAt: null, grams: 1300, tint: "#b98b57" },
    ],
  },
  {
    handle: "wool-cushion",
    title: "Wool Cushion",
    vendor: "Lys Weavers",
    type: "Textiles",
    tags: ["wool", "living room", "autumn"],
    optionName: "Pattern",
    blurb: "Herringbone from Swabian sheep, backed in linen, filled with more wool. Firm enough to read against.",
    details: ["45 × 45 cm", "Cover removable", "Mulesing-free wool"],
    variants: [
      { title: "Herringbone", sku: "CSH-HER", price: 6400, compareAt: null, grams: 850, tint: "#8f8577" },
      { title: "Rust", sku: "CSH-RST", price: 6400, compareAt: 7200, grams: 850, tint: "#a85c3b" },
    ],
  },
  {
    handle: "olive-soap",
    title: "Olive & Oat Soap",
    vendor: "Savonnerie Marin",
    type: "Bath",
    tags: ["soap", "gift", "vegan"],
    optionName: "Pack",
    blurb: "Cold-pressed olive oil and ground oats, cured for six weeks. The bar by our own kitchen sink.",
    details: ["120 g a bar", "Vegan, no palm oil", "Wrapped in paper"],
    variants: [
      { title: "Single", sku: "SOP-1", price: 850, compareAt: null, grams: 130, tint: "#cfc9a1" },
      { title: "Set of three", sku: "SOP-3", price: 2200, compareAt: 2550, grams: 390, tint: "#c2bd8f" },
    ],
  },
  {
    handle: "glass-carafe",
    title: "Blown Glass Carafe",
    vendor: "Glashütte Freudenberg",
    type: "Tableware",
    tags: ["glass", "kitchen", "table"],
    optionName: "Colour",
    blurb: "Mouth-blown, with the faint waves that prove it. Pours without dripping, which took eleven tries.",
    details: ["900 ml", "Recycled glass", "Wash by hand"],
    variants: [
      { title: "Clear", sku: "CRF-CLR", price: 4600, compareAt: null, grams: 600, tint: "#cfe0e0" },
      { title: "Smoke", sku: "CRF-SMK", price: 4900, compareAt: null, grams: 600, tint: "#8c8f94" },
    ],
  },
];

export const PRODUCTS: Product[] = drafts.map((draft, index) => {
  const id = 8_214_330_671_104 + index * 32_768;
  const number = (variant: Omit<Variant, "id">, at: number): Variant => ({
    ...variant,
    id: 44_871_203_946_752 + index * 262_144 + at * 32_768,
  });
  const [first, ...rest] = draft.variants;
  return { ...draft, id, variants: [number(first, 0), ...rest.map((variant, at) => number(variant, at + 1))] };
});

export type Collection = { handle: string; title: string; text: string; products: Product[] };

const having = (tag: string): Product[] => PRODUCTS.filter((product) => product.tags.includes(tag));

export const COLLECTIONS: Collection[] = [
  { handle: "all", title: "Everything", text: "Eight things, made well. That is the whole shop.", products: PRODUCTS },
  {
    handle: "autumn",
    title: "Longer evenings",
    text: "Light, warmth, and something heavy across the knees.",
    products: having("autumn"),
  },
  {
    handle: "kitchen",
    title: "For the kitchen",
    text: "Tools and tableware for every day.",
    products: having("kitchen"),
  },
  { handle: "gifts", title: "Small gifts", text: "Easy to wrap, easy to like.", products: having("gift") },
];

const byVariant = new Map(
  PRODUCTS.flatMap((product) => product.variants.map((variant) => [variant.id, { product, variant }] as const)),
);

/** The variant with its product, or undefined when the shop does not sell it. */
export function findVariant(id: number): { product: Product; variant: Variant } | undefined {
  return byVariant.get(id);
}

/** The variant of a line that the shop itself stored. */
export function variantOf(id: number): { product: Product; variant: Variant } {
  const found = byVariant.get(id);
  if (found === undefined) throw new Error(`No variant ${id} in the catalogue`);
  return found;
}

export function findProduct(handle: string): Product | undefined {
  return PRODUCTS.find((product) => product.handle === handle);
}

/** Products whose title, type, vendor or tags hold every word of the query. */
export function searchProducts(query: string): Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return PRODUCTS.filter((product) => {
    const text = [product.title, product.type, product.vendor, ...product.tags].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
