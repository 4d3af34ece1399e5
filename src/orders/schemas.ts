import { z } from "@hono/zod-openapi";

import { Maybe, MaybeText, MaybeTime, MoneySchema, ShopRef, Text, TimeInput, TimeSchema } from "../api/schemas";
import { cartShape } from "../carts/schemas";
import { orders } from "./tables";

export const OrderState = z.enum(orders.state.enumValues);

export const OrderItemSchema = z
  .strictObject({
    productId: MaybeText,
    variantId: MaybeText,
    sku: MaybeText,
    title: z.string(),
    variantTitle: MaybeText,
    category: MaybeText,
    vendor: MaybeText,
    image: MaybeText,
    quantity: z.int().openapi({ description: "As ordered" }),
    currentQuantity: z.int().openapi({ description: "After edits and refunds" }),
    price: MoneySchema.openapi({ description: "One piece before discounts" }),
    discountedPrice: MoneySchema.openapi({ description: "One piece after discounts" }),
  })
  .openapi("OrderItem");

export const orderShape = {
  id: z.string(),
  shopifyId: MaybeText,
  externalId: MaybeText.openapi({ description: "The id under which it was posted, for shops that are not on Shopify" }),
  name: MaybeText,
  state: OrderState,
  financialStatus: MaybeText,
  fulfillmentStatus: MaybeText,
  placedAt: TimeSchema,
  cancelledAt: MaybeTime,
  fulfilledAt: MaybeTime,
  deliveredAt: MaybeTime,
  total: MoneySchema.openapi({ description: "Now, after edits and refunds, in the shop's currency" }),
  originalTotal: MoneySchema,
  presentmentTotal: Maybe(MoneySchema).openapi({ description: "What the customer saw; never added up" }),
  subtotal: Maybe(MoneySchema),
  discount: Maybe(MoneySchema),
  shipping: Maybe(MoneySchema),
  tax: Maybe(MoneySchema),
  discountCodes: z.array(z.string()),
  tags: z.array(z.string()).openapi({ description: "The order's own, not those of its products" }),
  shippingMethod: MaybeText,
  sourceName: MaybeText,
  adminUrl: MaybeText.openapi({ description: "The order in Shopify's admin" }),
  cartToken: MaybeText,
  checkoutToken: MaybeText,
  contactId: MaybeText,
  visitorId: MaybeText,
  test: z.boolean(),
  items: z.array(OrderItemSchema),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
};

export const OrderSchema = z.strictObject(orderShape).openapi("Order");

export type Order = z.infer<typeof OrderSchema>;

const StoreSchema = z.strictObject({ id: z.string(), name: z.string(), domain: z.string() });

const TotalsSchema = z.strictObject({
  currency: z.string(),
  totalRevenue: MoneySchema,
  totalOrders: z.int(),
  productsPurchased: z.int(),
});

export const CommerceSchema = z
  .strictObject({
    metrics: z.strictObject({
      totalRevenue: Maybe(MoneySchema).openapi({ description: "Null where currencies mix; see `totals`" }),
      totalOrders: z.int(),
      productsPurchased: z.int(),
      totals: z.array(TotalsSchema).openapi({ description: "The same per currency" }),
    }),
    items: z.array(
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("order"), ...orderShape, store: StoreSchema }),
        z.strictObject({ kind: z.literal("cart"), ...cartShape, store: StoreSchema }),
      ]),
    ),
    nextCursor: z.string().nullable(),
  })
  .openapi("Commerce");

const Ref = Text(100).min(1);

const NewOrderItem = z.strictObject({
  externalId: Ref.nullish(),
  productId: Ref.nullish(),
  variantId: Ref.nullish(),
  sku: Text(100).nullish(),
  title: Text(500).min(1),
  variantTitle: Text(500).nullish(),
  category: Text(255).nullish(),
  vendor: Text(255).nullish(),
  image: Text(2000).nullish(),
  quantity: z.int().min(0).max(1_000_000).default(1),
  currentQuantity: z.int().min(0).max(1_000_000).optional(),
  price: MoneySchema,
  discountedPrice: MoneySchema.optional().openapi({ description: "One piece after discounts; `price` by default" }),
});

/** An order of a shop that is not on Shopify. Told again under its `externalId` it is changed, never doubled. */
export const NewOrder = z
  .strictObject({
    shop: ShopRef.optional(),
    externalId: Text(200).min(1),
    name: Text(100).nullish(),
    state: OrderState.optional().openapi({ description: "`completed` by default" }),
    placedAt: TimeInput.optional(),
    updatedAt: TimeInput.optional().openapi({
      description: "An older one than the last changes nothing; now by default",
    }),
    cancelledAt: TimeInput.nullish(),
    fulfilledAt: TimeInput.nullish(),
    deliveredAt: TimeInput.nullish().openapi({ description: "The first time that is told stays" }),
    total: MoneySchema.openapi({ description: "In the shop's currency" }),
    originalTotal: MoneySchema.optional().openapi({ description: "When it was placed; `total` by default" }),
    subtotal: Maybe(MoneySchema).optional(),
    discount: Maybe(MoneySchema).optional(),
    shipping: Maybe(MoneySchema).optional(),
    tax: Maybe(MoneySchema).optional(),
    presentmentTotal: Maybe(MoneySchema).optional().openapi({ description: "What the customer saw, in any currency" }),
    discountCodes: z.array(Text(255).min(1)).max(100).optional(),
    tags: z.array(Text(255).min(1)).max(250).optional(),
    shippingMethod: Text(255).nullish(),
    sourceName: Text(100).nullish(),
    cartToken: Text(200).min(1).nullish(),
    checkoutToken: Text(200).min(1).nullish(),
    visitorId: z.uuid().nullish().openapi({ description: "The tracker's id of the browser that bought" }),
    contactId: Ref.nullish(),
    email: Text(320).nullish(),
    phone: Text(40).nullish(),
    test: z.boolean().default(false),
    items: z.array(NewOrderItem).max(500).optional(),
  })
  .openapi("NewOrder");

export type NewOrder = z.infer<typeof NewOrder>;
