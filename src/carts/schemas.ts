import { z } from "@hono/zod-openapi";

import { Maybe, MaybeText, MaybeTime, MoneySchema, ShopRef, Text, TimeInput, TimeSchema } from "../api/schemas";

export const CartState = z.enum(["open", "abandoned", "recovered", "purchased"]);

export const CartLineSchema = z
  .strictObject({
    productId: MaybeText,
    variantId: MaybeText,
    sku: MaybeText,
    title: MaybeText,
    category: MaybeText,
    vendor: MaybeText,
    image: MaybeText,
    url: MaybeText,
    quantity: z.int(),
    price: Maybe(MoneySchema),
  })
  .openapi("CartLine");

export const cartShape = {
  id: z.string(),
  token: z.string(),
  checkoutToken: MaybeText,
  state: CartState,
  value: Maybe(MoneySchema),
  items: z.array(CartLineSchema),
  visitorId: MaybeText,
  contactId: MaybeText,
  checkoutUrl: MaybeText,
  updatedAt: TimeSchema.openapi({ description: "Last change by the shopper; the threshold counts from here" }),
  abandonedAt: MaybeTime,
  recoveredAt: MaybeTime,
  purchasedAt: MaybeTime,
  createdAt: TimeSchema,
};

export const CartSchema = z.strictObject(cartShape).openapi("Cart");

export type Cart = z.infer<typeof CartSchema>;

const Ref = Text(100).min(1);

/** A line of a cart that a server posts. */
const NewCartLine = z.strictObject({
  productId: Ref.nullish(),
  variantId: Ref.nullish(),
  sku: Text(100).nullish(),
  title: Text(500).nullish(),
  vendor: Text(255).nullish(),
  quantity: z.int().min(0).max(1_000_000).default(1),
  price: Maybe(MoneySchema).optional(),
  image: Text(2000).nullish(),
  url: Text(2000).nullish(),
});

/**
 * A cart by its token, which a shop of its own may call its external id: the same again changes it, an older `updatedAt`
 * changes nothing.
 */
export const NewCart = z
  .strictObject({
    shop: ShopRef.optional(),
    token: Text(200).min(1).optional(),
    externalId: Text(200).min(1).optional().openapi({ description: "Another name for `token`; one of them is needed" }),
    checkoutToken: Text(200).min(1).nullish(),
    checkoutUrl: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .nullish(),
    value: Maybe(MoneySchema).optional(),
    items: z.array(NewCartLine).max(500).optional().openapi({
      description: "All lines; `[]` empties the cart, absent leaves what is known",
    }),
    visitorId: z.uuid().nullish().openapi({ description: "The tracker's id of the browser that holds the cart" }),
    contactId: Ref.nullish(),
    email: Text(320).nullish(),
    phone: Text(40).nullish(),
    updatedAt: TimeInput.optional(),
  })
  .openapi("NewCart");

export type NewCart = z.infer<typeof NewCart>;
