import { and, asc, eq, gt } from "drizzle-orm";
import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { iso } from "../lib/time";
import type { Product } from "./schemas";
import { products } from "./tables";

const Position = z.tuple([z.string().max(200)]);

/** Products of the shop, by id. */
export async function listProducts(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Product>> {
  const after = cursor === undefined ? "" : decodeCursor("products", cursor, Position)[0];
  const rows = await orm(ctx.db)
    .select()
    .from(products)
    .where(and(eq(products.shop, ctx.shop.key), gt(products.externalId, after)))
    .orderBy(asc(products.externalId))
    .limit(limit + 1);
  return pageOf(
    "products",
    rows,
    limit,
    (row) => [row.externalId],
    (row) => show(row, ctx.shop.currency),
  );
}

/** The product of this id in the store, or null. */
export async function findProduct(ctx: Ctx, id: string): Promise<Product | null> {
  const row = await orm(ctx.db)
    .select()
    .from(products)
    .where(and(eq(products.shop, ctx.shop.key), eq(products.externalId, id)))
    .get();
  return row ? show(row, ctx.shop.currency) : null;
}

const Texts = z.array(z.string());

function show(row: typeof products.$inferSelect, currency: string): Product {
  return {
    id: row.externalId,
    title: row.title,
    category: row.category,
    vendor: row.vendor,
    tags: Texts.parse(JSON.parse(row.tags)),
    image: row.image,
    handle: row.handle,
    description: row.description,
    price: row.price === null ? null : { amount: row.price, currency },
    status: row.status,
    stock: row.stock,
    soldOut: row.tracksStock === true && row.stock !== null && row.stock <= 0 && row.oversells !== true,
    images: Texts.parse(JSON.parse(row.images)),
    collections: Texts.parse(JSON.parse(row.collections)),
    updatedAt: iso(row.updatedAt),
  };
}
