import { parseLines, returnUrl } from "../carts";
import { sql } from "../db/client";
import { productFacts } from "../products";
import type { Shop } from "../shops";
import { textsIn } from "./languages";
import { MoneyDrop } from "./liquid";
import { recommend } from "./recommend";

/** What a message is about, in ids. */
export interface About {
  cart?: string | undefined;
  order?: string | undefined;
  products?: string[] | undefined;
}

/** Who sends it. */
export interface ShownSender {
  from: { name: string | null; address: string };
  postalAddress: string | null;
}

export interface ScopeRequest {
  /** Key; null for nobody in particular. */
  contact: number | null;
  about: About;
  sender: ShownSender | null;
  urls: { unsubscribeUrl: string; preferencesUrl: string; viewUrl: string } | null;
  /** BCP 47. */
  language: string;
}

/** Recommended products in a message. */
const RECOMMENDED = 4;

type Values = Record<string, unknown>;

/** Without what is not known: to Liquid a value is there or it is missing. */
function known(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
}

/**
 * The values of a message, as they are now; only those whose first names are in `roots` are read. A cart or an order
 * that is not there, or is another's, is left out.
 */
export async function scopeOf(
  env: Env,
  shop: Shop,
  request: ScopeRequest,
  roots: Set<string>,
  now: number,
): Promise<Values> {
  const { DB } = env;
  const { contact, about, sender, urls, language } = request;
  const money = (cents: number | null, currency: string) =>
    cents === null ? null : new MoneyDrop(cents, currency, language);
  const wants = (root: string) => roots.has(root);
  const [person, cart, order] = await Promise.all([
    wants("contact") && contact !== null ? contactOf(DB, shop, contact, money) : null,
    wants("cart") || wants("recommendations") ? cartOf(DB, shop, contact, about.cart, money) : null,
    wants("order") || wants("recommendations") ? orderOf(DB, shop, contact, about.order, money) : null,
  ]);
  const aboutProducts = about.products ?? [];
  const seeds = [...aboutProducts, ...(cart?.productIds ?? []), ...(order?.productIds ?? [])];
  const recommended = wants("recommendations")
    ? await recommend(DB, shop.key, { contact, about: seeds, limit: RECOMMENDED }, now)
    : [];
  const shown = await productsOf(DB, shop, [...(wants("products") ? aboutProducts : []), ...recommended], money);
  const listed = (ids: string[]) => ids.map((id) => shown.get(id)).filter((product) => product !== undefined);
  return known({
    contact: person ?? {},
    cart: cart?.shown,
    order: order?.shown,
    products: listed(aboutProducts),
    recommendations: listed(recommended),
    shop: { name: shop.name, domain: shop.domain, url: `https://${shop.domain}`, currency: shop.currency },
    sender: sender
      ? known({
          name: sender.from.name,
          email: sender.from.address,
          address: sender.postalAddress?.split(/\r?\n/).filter(Boolean),
        })
      : {},
    unsubscribe_url: urls?.unsubscribeUrl,
    preferences_url: urls?.preferencesUrl,
    view_url: urls?.viewUrl,
    text: textsIn(language),
  });
}

type InMoney = (cents: number | null, currency: string) => MoneyDrop | null;

async function contactOf(db: D1Database, shop: Shop, key: number, money: InMoney): Promise<Values | null> {
  const row = await sql(
    db,
    `select first_name as first_name, last_name as last_name, email, phone, company, city, province, country, zip, score,
       stage, fields, orders_count, orders_total,
       (select json_group_array(label) from contact_tags t where t.contact = c.key and not t.removed) as tags,
       (select coalesce(i.category, p.category) as category from orders o join order_items i on i."order" = o.key
        left join products p on p.shop = ?2 and p.external_id = i.product_id
        where o.contact = c.key and +o.shop = ?2 and coalesce(i.category, p.category) <> ''
        group by 1 order by sum(i.current_quantity) desc, 1 limit 1) as favourite_category
     from contacts c where c.key = ?1 and c.shop = ?2`,
    key,
    shop.key,
  ).first<Record<string, string | number | null> & { fields: string; tags: string; orders_total: number }>();
  if (!row) return null;
  const { orders_total: total, fields, tags, ...plain } = row;
  return known({
    ...plain,
    full_name: [row["first_name"], row["last_name"]].filter(Boolean).join(" "),
    fields: known(JSON.parse(fields)),
    tags: JSON.parse(tags),
    total_spent: money(total, shop.currency),
  });
}

interface Told {
  shown: Values;
  productIds: string[];
}

async function cartOf(
  db: D1Database,
  shop: Shop,
  contact: number | null,
  token: string | undefined,
  money: InMoney,
): Promise<Told | null> {
  if (token === undefined) return null;
  const row = await sql(
    db,
    `select token, items, value, currency, checkout_url as checkoutUrl from carts
     where shop = ?1 and token = ?2 and (contact is null or contact = ?3)`,
    shop.key,
    token,
    contact,
  ).first<{
    token: string;
    items: string;
    value: number | null;
    currency: string | null;
    checkoutUrl: string | null;
  }>();
  if (!row) return null;
  const lines = parseLines(row.items);
  const productIds = lines.map(({ productId }) => productId).filter((id) => id !== null);
  const products = await productsOf(db, shop, productIds, money);
  const items = lines.map((line) => {
    const product = line.productId === null ? undefined : products.get(line.productId);
    return known({
      ...product,
      title: line.title ?? product?.["title"],
      quantity: line.quantity,
      price: line.price && money(line.price.amount, line.price.currency),
      line_total: line.price && money(line.price.amount * line.quantity, line.price.currency),
      image: line.image ?? product?.["image"],
      url: absolute(line.url, shop) ?? product?.["url"],
      sku: line.sku,
      vendor: line.vendor ?? product?.["vendor"],
    });
  });
  return {
    productIds,
    shown: known({
      items,
      value: row.currency === null ? null : money(row.value, row.currency),
      count: lines.reduce((sum, { quantity }) => sum + quantity, 0),
      url: returnUrl({ checkoutUrl: row.checkoutUrl, lines }, shop.domain),
    }),
  };
}

async function orderOf(
  db: D1Database,
  shop: Shop,
  contact: number | null,
  id: string | undefined,
  money: InMoney,
): Promise<Told | null> {
  if (id === undefined) return null;
  const [orders, lines] = await db.batch<Record<string, string | number | null>>([
    sql(
      db,
      `select name, state, placed_at, currency, subtotal, discount, shipping, tax, total, shipping_method, discount_codes
       from orders where id = ?2 and shop = ?1 and contact is ?3`,
      shop.key,
      id,
      contact,
    ),
    sql(
      db,
      `select i.product_id, i.title, i.variant_title, i.sku, i.vendor, i.category, i.image, i.current_quantity as quantity,
         i.price, i.discounted_price from orders o join order_items i on i."order" = o.key
       where o.id = ?2 and o.shop = ?1 and o.contact is ?3 and i.current_quantity > 0 order by i.line`,
      shop.key,
      id,
      contact,
    ),
  ]);
  const row = orders?.results[0];
  if (!row) return null;
  const currency = String(row["currency"]);
  const amount = (value: unknown) => (typeof value === "number" ? money(value, currency) : null);
  const productIds = (lines?.results ?? []).flatMap((line) =>
    line["product_id"] === null ? [] : [String(line["product_id"])],
  );
  const products = await productsOf(db, shop, productIds, money);
  const items = (lines?.results ?? []).map((line) => {
    const product = products.get(String(line["product_id"]));
    const quantity = Number(line["quantity"]);
    const price = Number(line["discounted_price"]);
    return known({
      ...product,
      title: line["title"],
      variant_title: line["variant_title"],
      sku: line["sku"],
      vendor: line["vendor"] ?? product?.["vendor"],
      category: line["category"] ?? product?.["category"],
      image: line["image"] ?? product?.["image"],
      quantity,
      price: amount(price),
      line_total: amount(price * quantity),
      original_line_total: Number(line["price"]) > price ? amount(Number(line["price"]) * quantity) : null,
    });
  });
  return {
    productIds,
    shown: known({
      items,
      name: row["name"],
      state: row["state"],
      placed_at: new Date(Number(row["placed_at"])).toISOString(),
      subtotal: amount(row["subtotal"]),
      discount: row["discount"] === 0 ? null : amount(row["discount"]),
      shipping: amount(row["shipping"]),
      tax: amount(row["tax"]),
      total: amount(row["total"]),
      shipping_method: row["shipping_method"],
      discount_codes: JSON.parse(String(row["discount_codes"])),
    }),
  };
}

/** Products by their ids, as templates show them. */
async function productsOf(db: D1Database, shop: Shop, ids: string[], money: InMoney): Promise<Map<string, Values>> {
  const facts = await productFacts(db, shop.key, ids);
  return new Map(
    [...facts].map(([id, product]) => [
      id,
      known({
        title: product.title,
        description: product.description,
        category: product.category,
        vendor: product.vendor,
        image: product.image,
        price: money(product.price, shop.currency),
        url: product.handle === null ? null : `https://${shop.domain}/products/${encodeURIComponent(product.handle)}`,
      }),
    ]),
  );
}

/** The address of a line; Shopify's cart names paths alone. */
function absolute(url: string | null, shop: Shop): string | null {
  if (url === null) return null;
  const parsed = URL.parse(url, `https://${shop.domain}`);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : null;
}
