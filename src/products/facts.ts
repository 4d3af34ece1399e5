import { sql } from "../db/client";

/** What lines of orders and carts do not carry themselves. */
export interface ProductFacts {
  title: string;
  handle: string | null;
  description: string | null;
  /** Minor units of the shop's currency. */
  price: number | null;
  category: string | null;
  vendor: string | null;
  image: string | null;
  tags: string[];
}

/** Facts of these products of the shop, by external id; unknown ones are left out. */
export async function productFacts(
  db: D1Database,
  shop: number,
  ids: (string | null)[],
): Promise<Map<string, ProductFacts>> {
  const known = [...new Set(ids.filter((id) => id !== null))];
  if (known.length === 0) return new Map();
  const { results } = await sql(
    db,
    `select p.external_id as id, p.title, p.handle, p.description, p.price, p.category, p.vendor, p.image, p.tags from json_each(?2) j
     join products p on p.shop = ?1 and p.external_id = j.value`,
    shop,
    JSON.stringify(known),
  ).all<Omit<ProductFacts, "tags"> & { id: string; tags: string }>();
  return new Map(results.map(({ id, tags, ...facts }) => [id, { ...facts, tags: JSON.parse(tags) }]));
}
