import { holds, type Test, type ValueType } from "../condition";
import type { Frame } from "./frame";
import { compares, foldedText, passes, wordsOf } from "./predicate";

/** What is known of a line of an order, a cart or a browser's event. */
export const LINE_FACTS = {
  product_id: { label: "Product ID", type: "text", many: false },
  variant_id: { label: "Variant ID", type: "text", many: false },
  sku: { label: "SKU", type: "text", many: false },
  title: { label: "Product name", type: "text", many: false },
  category: { label: "Product category", type: "text", many: false },
  vendor: { label: "Vendor", type: "text", many: false },
  tag: { label: "Product tag", type: "text", many: true },
  collection: { label: "Collection", type: "text", many: true },
  price: { label: "Price of one piece", type: "money", many: false },
  quantity: { label: "Quantity", type: "number", many: false },
  on_sale: { label: "Sold below its price", type: "bool", many: false },
  discount: { label: "Discount on one piece", type: "money", many: false },
} as const satisfies Record<string, { label: string; type: ValueType; many: boolean }>;

export type LineFact = keyof typeof LINE_FACTS;

/** Lines of one source: the rows `i`, the SQL of what they say themselves, and how they join their owner. */
export interface Lines {
  from: string;
  where: string[];
  own: Partial<Record<LineFact, string>>;
  /** Of lines in a table of their own: the column that names their owner, the owner's key, and the condition of both. */
  owner?: { column: string; key: string; join: string };
}

/** Lines of the order `o` as it stands now; with `gone`, also those that were removed or taken back. */
export function orderLines({ currency }: Frame, gone: boolean): Lines {
  const amount = (sql: string) => `iif(o.currency = ${currency}, ${sql}, null)`;
  return {
    from: "order_items i",
    owner: { column: `i."order"`, key: "o.key", join: `i."order" = o.key` },
    where: [`i."order" = o.key`, ...(gone ? [] : ["i.current_quantity > 0"])],
    own: {
      product_id: "i.product_id",
      variant_id: "i.variant_id",
      sku: "i.sku",
      title: "i.title",
      category: "i.category",
      vendor: "i.vendor",
      price: amount("i.price"),
      quantity: gone ? "i.quantity" : "i.current_quantity",
      on_sale: "(i.discounted_price < i.price)",
      discount: amount("i.price - i.discounted_price"),
    },
  };
}

/** Lines of JSON: those of the cart `k`, of an event that lists its lines, or the event that is about one. */
export function jsonLines(frame: Frame, from: string): Lines {
  const member = (name: string) => `(i.value ->> '$.${name}')`;
  return {
    from,
    where: [],
    own: {
      product_id: member("productId"),
      variant_id: member("variantId"),
      sku: member("sku"),
      title: member("title"),
      vendor: member("vendor"),
      price: moneyIn(frame, "i.value", "price"),
      quantity: `coalesce(i.value ->> '$.quantity', 1)`,
    },
  };
}

/** SQL of an amount in a JSON document; null where it is in another currency than the shop's. */
export function moneyIn(frame: Frame, document: string, name: string): string {
  return `iif(${document} ->> '$.${name}.currency' = ${frame.currency}, ${document} ->> '$.${name}.amount', null)`;
}

const FROM_PRODUCT: Partial<Record<LineFact, { column: string; many: boolean }>> = {
  category: { column: "category", many: false },
  vendor: { column: "vendor", many: false },
  tag: { column: "tags", many: true },
  collection: { column: "collections", many: true },
};

/** SQL of a fact of the line `i` that has one value at most; null for facts with many and facts these lines lack. */
export function lineValue(frame: Frame, lines: Lines, fact: LineFact): string | null {
  const own = lines.own[fact] ?? null;
  const product = FROM_PRODUCT[fact];
  if (!product) return own;
  if (product.many) return null;
  return `coalesce(${own ?? "null"}, (select q.${product.column} from products q
    where q.shop = ${frame.shop} and q.external_id = ${lines.own.product_id ?? "null"}))`;
}

/** SQL that is true for lines `i` that pass the test; what a line does not say itself, its product does. */
export function linePasses(frame: Frame, lines: Lines, fact: LineFact, test: Test): string {
  const own = lines.own[fact];
  const product = FROM_PRODUCT[fact];
  if (!product) return own === undefined ? "false" : passes(frame, { sql: own }, test);
  const byProduct = productPasses(frame, lines.own.product_id ?? "null", product, test);
  if (own === undefined) return byProduct;
  return `case when ${own} is not null then ${passes(frame, { sql: own }, test)} else ${byProduct} end`;
}

/**
 * The same for lines of orders, as conditions of which exactly one may hold: each leads to its lines by their products,
 * or to all of them in their own order, which SQLite would else take from the index of products.
 */
export function linePassesByWay(frame: Frame, lines: Lines, fact: LineFact, test: Test): string[] {
  const own = lines.own[fact];
  const product = FROM_PRODUCT[fact];
  const inOrder = `i."order" > 0`;
  if (!product) return [`${inOrder} and ${linePasses(frame, lines, fact, test)}`];
  const byProduct = productPasses(frame, lines.own.product_id ?? "null", product, test);
  if (own === undefined) return [byProduct];
  return [
    `${inOrder} and ${own} is not null and ${passes(frame, { sql: own }, test)}`,
    `${own} is null and ${byProduct}`,
  ];
}

/**
 * For everyone the products that pass are found once; for one subject the few products of its lines are looked up.
 */
function productPasses(
  frame: Frame,
  id: string,
  { column, many }: { column: string; many: boolean },
  test: Test,
): string {
  const { one, parameters, shop } = frame;
  const which = (from: string, where: string) =>
    one === null
      ? `${id} in (select q.external_id from ${from} where q.shop = ${shop} and ${where})`
      : `exists (select 1 from ${from} where q.shop = ${shop} and q.external_id = ${id} and ${where})`;
  if (test.kind === "size") {
    const size = compares(`json_array_length(q.${column})`, test.test, (to) => parameters.one(to));
    return holds(test.test, 0)
      ? `(${id} is null or not ${which("products q", `not (${size})`)})`
      : which("products q", size);
  }
  if (!many) return which("products q", passes(frame, { sql: `q.${column}` }, test));
  if (test.kind !== "all") {
    return which(`products q, json_each(q.${column}) g`, passes(frame, { sql: "g.value" }, test));
  }
  const words = wordsOf({ sql: "g.value" }, test.words);
  const text = foldedText(frame, { sql: "g.value" }, words);
  const found = `(select count(distinct ${text}) from json_each(q.${column}) g where ${text} in (${parameters.rows(words)}))`;
  return which("products q", `${found} = ${parameters.one(words.length)}`);
}
