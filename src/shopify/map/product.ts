import { z } from "zod";

import type { ProductSource } from "../../products";
import { tagsOf } from "./customer";
import { Decimal, idOf, type MapContext, minor, Moment, text, versionAt, WithId } from "./fields";
import { plainText } from "./plain-text";

const Product = z.object({
  ...WithId,
  title: text(),
  handle: text(255).optional(),
  vendor: text(255).optional(),
  product_type: text(255).optional(),
  category: z
    .object({ name: text(255).optional() })
    .nullable()
    .optional(),
  tags: z
    .union([z.string(), z.array(z.string())])
    .nullable()
    .optional(),
  image: z
    .object({ src: text(2000).optional() })
    .nullable()
    .optional(),
  images: z
    .array(z.object({ src: text(2000).optional() }))
    .nullable()
    .optional(),
  body_html: z.string().nullable().optional(),
  status: text(50).optional(),
  variants: z
    .array(
      z.object({
        price: Decimal.nullable().optional(),
        inventory_quantity: z.int().nullable().optional(),
        inventory_policy: text(50).optional(),
      }),
    )
    .nullable()
    .optional(),
  /** Only the Admin API tells these: whether stock is counted at all, and titles. */
  tracks_inventory: z.boolean().optional(),
  collections: z.array(text(255)).optional(),
  updated_at: Moment.nullable().optional(),
});

/** Characters of a description that are kept. */
const DESCRIPTION = 5_000;

/** Variants that a webhook tells whole; further ones are only named. Source: Shopify's changelog of 2024-04. */
const WHOLE_VARIANTS = 100;

/** Pictures of a product that are kept. */
const PICTURES = 50;

/** A product's category is its type; where the merchant gave none, the name in Shopify's taxonomy. */
export function mapProduct(body: unknown, context: MapContext): ProductSource {
  const p = Product.parse(body);
  const product: ProductSource = {
    externalId: idOf(p),
    title: p.title ?? "",
    version: versionAt(p.updated_at ?? context.triggeredAt, context),
  };
  const category =
    p.product_type ??
    (p.product_type === null ? (p.category === undefined ? null : taxonomyOf(p.category)) : undefined);
  if (category !== undefined) product.category = category;
  if (p.vendor !== undefined) product.vendor = p.vendor;
  if (p.handle !== undefined) product.handle = p.handle;
  if (p.tags !== undefined) product.tags = tagsOf(p.tags);
  const pictures = whole(p.images?.map(({ src }) => src));
  // A picture without an address says nothing about the one that is known.
  const image = p.image
    ? p.image.src
    : (pictures?.[0] ?? (p.image === null || pictures?.length === 0 ? null : undefined));
  if (image !== undefined) product.image = image;
  if (pictures) product.images = known(pictures).slice(0, PICTURES);
  if (p.body_html !== undefined)
    product.description = p.body_html === null ? null : plainText(p.body_html, DESCRIPTION) || null;
  if (p.status !== undefined) product.status = p.status?.toLowerCase() ?? null;
  const prices = whole(p.variants?.map(({ price }) => price));
  if (prices) {
    const amounts = known(prices).map((price) => minor(price, context.currency));
    if (amounts.length > 0) product.price = Math.min(...amounts);
    else if (prices.length === 0) product.price = null;
  }
  if (p.tracks_inventory !== undefined) product.tracksStock = p.tracks_inventory;
  const pieces =
    (p.variants?.length ?? 0) < WHOLE_VARIANTS ? whole(p.variants?.map((v) => v.inventory_quantity)) : null;
  if (pieces && pieces.length > 0) product.stock = known(pieces).reduce((sum, each) => sum + Math.max(each, 0), 0);
  const policies = whole(p.variants?.map((v) => v.inventory_policy));
  if (policies && policies.length > 0)
    product.oversells = known(policies).some((each) => each.toLowerCase() === "continue");
  if (p.collections !== undefined) product.collections = known(p.collections);
  return product;
}

/** The name in Shopify's taxonomy; undefined where a category does not tell it. */
function taxonomyOf(category: { name?: string | null | undefined } | null): string | null | undefined {
  return category === null ? null : category.name;
}

/** A list of which every entry was told; undefined where one was not, since the rest alone would not be the list. */
function whole<T>(values: (T | undefined)[] | null | undefined): T[] | null | undefined {
  return values?.every((value) => value !== undefined) ? values : undefined;
}

function known<T>(values: (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}
