import { z } from "zod";

import type { Money } from "../lib/money";

/** A line of a cart as it is stored in `carts.items`. */
export interface CartLine {
  /** The source's own name of the line. */
  lineId: string | null;
  productId: string | null;
  variantId: string | null;
  sku: string | null;
  title: string | null;
  /** As the source named it; the product's own is shown where it named none. */
  vendor: string | null;
  quantity: number;
  /** One piece, as the shopper saw it. */
  price: Money | null;
  image: string | null;
  url: string | null;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? null);

/** A line as its source describes it. An absent member was not told: what is stored of the same line stays. */
export type CartLineSource = Partial<CartLine> & Pick<CartLine, "quantity">;

const StoredLines = z.array(
  z.object({
    lineId: text,
    productId: text,
    variantId: text,
    sku: text,
    title: text,
    vendor: text,
    quantity: z.int().default(1),
    price: z
      .object({ amount: z.int(), currency: z.string() })
      .nullish()
      .transform((price) => price ?? null),
    image: text,
    url: text,
  }),
);

/** The lines in a `carts.items` value. */
export function parseLines(items: string): CartLine[] {
  return StoredLines.parse(JSON.parse(items));
}

/**
 * The lines of a cart after a body told them, without those that it does not name. A member that it leaves out keeps the
 * value of the same line, which its id tells, else its variant.
 */
export function mergeLines(told: CartLineSource[], stored: CartLine[]): CartLine[] {
  const left = [...stored];
  const take = (name: "lineId" | "variantId", value: string | null | undefined) => {
    const at = value == null ? -1 : left.findIndex((line) => line[name] === value);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const byId = told.map((line) => take("lineId", line.lineId));
  return told.map((line, i) => ({
    lineId: null,
    productId: null,
    variantId: null,
    sku: null,
    title: null,
    vendor: null,
    price: null,
    image: null,
    url: null,
    ...(byId[i] ?? take("variantId", line.variantId)),
    ...line,
  }));
}

/** What the lines cost together; null where a price is not known. */
export function valueOf(lines: CartLine[]): Money | null {
  const [first] = lines;
  if (!first) return null;
  let amount = 0;
  for (const { price, quantity } of lines) {
    if (price === null || price.currency !== first.price?.currency) return null;
    amount += price.amount * quantity;
  }
  return first.price && { amount, currency: first.price.currency };
}
