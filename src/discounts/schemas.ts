import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, MoneySchema, ShopRef, Text, TimeInput, TimeSchema } from "../api/schemas";

export const POOL_PROBLEMS = [
  "not_connected",
  "scope_not_wanted",
  "scope_missing",
  "token_refused",
  "shop_frozen",
  "unreachable",
  "discount_not_found",
  "discount_ended",
  "discount_refused",
  "codes_refused",
  "request_refused",
] as const;

export type PoolProblem = (typeof POOL_PROBLEMS)[number];

export const DiscountPoolSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    discountId: MaybeText.openapi({ description: "Shopify's id of the discount; null until it is made" }),
    prefix: z.string(),
    size: z.int().openapi({ description: "Free codes that a filling ends with" }),
    lowWater: z.int().openapi({ description: "It is filled again once no more than so many are free; 0 for never" }),
    fallbackCode: MaybeText,
    endsAt: MaybeTime.openapi({ description: "When the discount ends, as Shopify last said" }),
    state: z.enum(["filling", "ready", "problem", "stopped"]),
    problem: z.enum(POOL_PROBLEMS).nullable().openapi({ description: "Why the last filling could not go on" }),
    detail: MaybeText.openapi({ description: "Shopify's reason, where it gave one" }),
    codes: z.strictObject({
      free: z.int(),
      taken: z.int(),
      refused: z.int().openapi({ description: "Shopify did not take them; nobody gets them" }),
      pending: z.int().openapi({ description: "Made up here, not confirmed by Shopify yet" }),
    }),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("DiscountPool");

export type DiscountPool = z.infer<typeof DiscountPoolSchema>;

const NewDiscount = z
  .strictObject({
    title: Text(255).min(1).openapi({ description: "The merchant and customers see it" }),
    percent: z.int().min(1).max(100).optional(),
    amount: MoneySchema.optional().openapi({ description: "Off the order, in the store's currency" }),
    endsAt: TimeInput.optional(),
    oncePerCustomer: z.boolean().default(false),
  })
  .refine(({ percent, amount }) => (percent === undefined) !== (amount === undefined), "takes percent or amount")
  .refine(({ amount }) => amount === undefined || amount.amount > 0, {
    path: ["amount"],
    error: "is more than nothing",
  })
  .openapi("NewDiscount", { description: "On the whole order, for everybody; each code is good for one order" });

const MOST_CODES = 10_000;

export const NewDiscountPool = z
  .strictObject({
    shop: ShopRef.optional(),
    name: Text(100).min(1),
    discountId: z
      .string()
      .regex(/^(?:gid:\/\/shopify\/DiscountCodeNode\/)?\d{1,20}$/, "is no id of a code discount")
      .optional()
      .openapi({ description: "A code discount of the store", example: "gid://shopify/DiscountCodeNode/1057856" }),
    discount: NewDiscount.optional().openapi({ description: "Or one to make" }),
    prefix: z
      .string()
      .regex(/^(?:[A-Z0-9]{1,20})?$/, "is upper-case letters and digits")
      .default(""),
    size: z.int().min(1).max(MOST_CODES),
    lowWater: z.int().min(0).max(MOST_CODES).optional().openapi({ description: "A fifth of the size without one" }),
    fallbackCode: Text(255).min(1).optional().openapi({ description: "For messages that find no code left" }),
  })
  .refine(({ discountId, discount }) => (discountId === undefined) !== (discount === undefined), {
    path: ["discountId"],
    error: "either this or discount is needed",
  })
  .refine(({ size, lowWater }) => lowWater === undefined || lowWater < size, {
    path: ["lowWater"],
    error: "is less than size",
  })
  .openapi("NewDiscountPool");

export type NewDiscountPool = z.infer<typeof NewDiscountPool>;

export const CodeRequest = z
  .strictObject({
    key: z
      .string()
      .regex(/^[\w.:/-]{1,200}$/, "is 1 to 200 letters, digits and . : / _ -")
      .openapi({ description: "What the code is for, such as the id of a message: it always gets the same code" }),
    contactId: z.string().min(1).max(100).optional().openapi({ description: "Who gets it" }),
  })
  .openapi("DiscountCodeRequest");

export const HandedCodeSchema = z
  .strictObject({
    poolId: z.string(),
    key: z.string(),
    code: MaybeText.openapi({ description: "Null when none is left, or when the discount has ended" }),
    fallbackCode: MaybeText,
    contactId: MaybeText,
  })
  .openapi("HandedDiscountCode");
