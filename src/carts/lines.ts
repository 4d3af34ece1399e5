import { z } from "zod";

import type { Money } from "../lib/money";

/** A line of a cart as it is stored in `carts.items`. */
export interface CartLine {
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

const StoredLines = z.array(
  z.object({
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
