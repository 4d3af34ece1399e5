import { sql } from "../db/client";
import type { Version } from "../contacts";

/** A product as its source describes it. An absent member was not told. */
export interface ProductSource {
  externalId: string;
  title: string;
  category?: string | null;
  vendor?: string | null;
  tags?: string[];
  image?: string | null;
  handle?: string | null;
  /** Plain text, at most 5,000 characters. */
  description?: string | null;
  /** The lowest price of its variants, minor units of the shop's currency. */
  price?: number | null;
  status?: string | null;
  /** Pieces of all variants together. */
  stock?: number | null;
  /** False: sold however many there are. */
  tracksStock?: boolean;
  /** Some variant is sold beyond its stock. */
  oversells?: boolean;
  /** Addresses of all pictures, the first one first. */
  images?: string[];
  /** Titles of the collections it is in. */
  collections?: string[];
  version: Version;
}

/** Writes a product unless a newer body was applied, it was deleted, or a reading says what is known. */
export function upsertProduct(db: D1Database, shop: number, product: ProductSource, now: number): D1PreparedStatement {
  const told: [string, string | number | null | undefined][] = [
    ["category", product.category],
    ["vendor", product.vendor],
    ["tags", product.tags && JSON.stringify(product.tags)],
    ["image", product.image],
    ["handle", product.handle],
    ["description", product.description],
    ["price", product.price],
    ["status", product.status],
    ["stock", product.stock],
    ["tracks_stock", product.tracksStock === undefined ? undefined : Number(product.tracksStock)],
    ["oversells", product.oversells === undefined ? undefined : Number(product.oversells)],
    ["images", product.images && JSON.stringify(product.images)],
    ["collections", product.collections && JSON.stringify(product.collections)],
  ];
  const row = new Map<string, string | number | null>([
    ["shop", shop],
    ["external_id", product.externalId],
    ["title", product.title],
    ["source_updated_at", product.version.updatedAt],
    ["source_triggered_at", product.version.triggeredAt],
    ["updated_at", now],
  ]);
  for (const [column, value] of told) if (value !== undefined) row.set(column, value);
  const names = [...row.keys()];
  const sets = names.slice(2).map((name) => `${name} = excluded.${name}`);
  const facts = names.slice(2).filter((name) => name !== "source_triggered_at" && name !== "updated_at");
  const isNews = `(${facts.map((name) => `products.${name}`).join(", ")})
       is not (${facts.map((name) => `excluded.${name}`).join(", ")})`;
  return sql(
    db,
    `insert into products (${names.join(", ")})
     select ${names.map((_, i) => `?${i + 1}`).join(", ")}
     where not exists (select 1 from tombstones where shop = ?1 and kind = 'product' and external_id = ?2)
     on conflict do update set ${sets.join(", ")}
     where (excluded.source_updated_at, excluded.source_triggered_at)
       >= (coalesce(products.source_updated_at, 0), coalesce(products.source_triggered_at, 0))
       ${product.version.isReading ? `and ${isNews}` : ""}`,
    ...row.values(),
  );
}

/** Removes a product for good: a late body does not bring it back. */
export function deleteProduct(db: D1Database, shop: number, externalId: string, at: number): D1PreparedStatement[] {
  return [
    sql(
      db,
      "insert into tombstones (shop, kind, external_id, at) values (?, 'product', ?, ?) on conflict do nothing",
      shop,
      externalId,
      at,
    ),
    sql(db, "delete from products where shop = ? and external_id = ?", shop, externalId),
  ];
}
