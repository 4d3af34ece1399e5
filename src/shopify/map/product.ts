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
    .array(z.object({ price: Decimal.nullable().optional() }))
    .nullable()
    .optional(),
  /** Titles; only the Admin API tells them. */
  collections: z.array(text(255)).optional(),
  updated_at: Moment.nullable().optional(),
});

/** Characters of a description that are kept. */
const DESCRIPTION = 5_000;

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
  if (p.product_type !== undefined || p.category !== undefined)
    product.category = p.product_type ?? p.category?.name ?? null;
  if (p.vendor !== undefined) product.vendor = p.vendor;
  if (p.handle !== undefined) product.handle = p.handle;
  if (p.tags !== undefined) product.tags = tagsOf(p.tags);
  if (p.image !== undefined || p.images !== undefined) product.image = p.image?.src ?? p.images?.[0]?.src ?? null;
  if (p.images) product.images = known(p.images.map((image) => image.src ?? null)).slice(0, PICTURES);
  if (p.body_html !== undefined)
    product.description = p.body_html === null ? null : plainText(p.body_html, DESCRIPTION) || null;
  if (p.status !== undefined) product.status = p.status?.toLowerCase() ?? null;
  if (p.variants) {
    const prices = known(p.variants.map(({ price }) => price ?? null)).map((price) => minor(price, context.currency));
    if (prices.length > 0) product.price = Math.min(...prices);
    else if (p.variants.length === 0) product.price = null;
  }
  if (p.collections !== undefined) product.collections = known(p.collections);
  return product;
}

function known<T>(values: (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}
