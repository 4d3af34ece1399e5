import { z } from "zod";

import type { ProductSource } from "../../products";
import { tagsOf } from "./customer";
import { idOf, type MapContext, Moment, text, versionAt, WithId } from "./fields";

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
  updated_at: Moment.nullable().optional(),
});

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
  return product;
}
