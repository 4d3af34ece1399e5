import { z } from "zod";

/* What a store of the stand-in knows, whatever it came from. Times are epoch ms, money is minor units. */

const text = z.string().nullable().default(null);
const time = z.number();
const pair = z.object({ shop: z.number().int(), presentment: z.number().int() });

export const addressSchema = z.object({
  id: z.number().default(0),
  firstName: text,
  lastName: text,
  company: text,
  address1: text,
  address2: text,
  city: text,
  province: text,
  provinceCode: text,
  country: text,
  countryCode: text,
  zip: text,
  phone: text,
});

export const consentSchema = z.object({
  state: z.enum(["NOT_SUBSCRIBED", "PENDING", "SUBSCRIBED", "UNSUBSCRIBED", "INVALID", "REDACTED"]),
  level: z.enum(["SINGLE_OPT_IN", "CONFIRMED_OPT_IN", "UNKNOWN"]).nullable().default(null),
  at: time.nullable().default(null),
  from: z.enum(["SHOPIFY", "OTHER"]).nullable().default(null),
});
const noConsent = { state: "NOT_SUBSCRIBED" as const, level: null, at: null, from: null };

export const customerSchema = z.object({
  id: z.number(),
  createdAt: time,
  updatedAt: time,
  email: text,
  phone: text,
  firstName: text,
  lastName: text,
  state: z.enum(["DISABLED", "INVITED", "ENABLED", "DECLINED"]).default("DISABLED"),
  note: text,
  tags: z.array(z.string()).default([]),
  locale: z.string().default("en"),
  verifiedEmail: z.boolean().default(true),
  taxExempt: z.boolean().default(false),
  emailConsent: consentSchema.default(noConsent),
  smsConsent: consentSchema.default(noConsent),
  whatsAppConsent: consentSchema.default(noConsent),
  /** The first is the default one. */
  addresses: z.array(addressSchema).default([]),
});

const property = z.object({ key: z.string(), value: z.string().nullable() });

export const lineSchema = z.object({
  id: z.number(),
  productId: z.number().nullable().default(null),
  variantId: z.number().nullable().default(null),
  title: z.string(),
  variantTitle: text,
  sku: text,
  vendor: text,
  quantity: z.number().int(),
  currentQuantity: z.number().int(),
  /** Of one piece. */
  price: pair,
  /** Off the whole line. */
  discount: pair,
  tax: pair,
  properties: z.array(property).default([]),
  image: text,
  taxable: z.boolean().default(true),
  requiresShipping: z.boolean().default(true),
  giftCard: z.boolean().default(false),
  /** An edit brought it in: it is not in the original sums. */
  added: z.boolean().default(false),
});

export const refundSchema = z.object({
  id: z.number(),
  createdAt: time,
  note: text,
  lines: z
    .array(
      z.object({
        id: z.number(),
        lineId: z.number(),
        quantity: z.number().int(),
        restock: z.enum(["CANCEL", "NO_RESTOCK", "RETURN", "LEGACY_RESTOCK"]).default("RETURN"),
        subtotal: pair,
        tax: pair,
      }),
    )
    .default([]),
  shipping: pair,
  /** Money given back for no line in particular. */
  discrepancy: pair,
  amount: pair,
});

const discountSchema = z.object({
  code: text,
  /** An automatic or manual discount has a title instead of a code. */
  title: text,
  type: z.enum(["percentage", "fixed_amount", "shipping"]),
  value: z.number(),
  amount: pair,
});

const totalsSchema = z.object({
  items: pair,
  discount: pair,
  subtotal: pair,
  shipping: pair,
  tax: pair,
  total: pair,
  currentDiscount: pair,
  currentSubtotal: pair,
  currentShipping: pair,
  currentTax: pair,
  currentTotal: pair,
  refunded: pair,
  outstanding: pair,
});

export const orderSchema = z.object({
  id: z.number(),
  number: z.number().int(),
  createdAt: time,
  updatedAt: time,
  processedAt: time,
  closedAt: time.nullable().default(null),
  cancelledAt: time.nullable().default(null),
  cancelReason: z.enum(["CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF"]).nullable().default(null),
  test: z.boolean().default(false),
  sourceName: z.string().default("web"),
  email: text,
  phone: text,
  customerId: z.number().nullable().default(null),
  acceptsMarketing: z.boolean().default(false),
  locale: text,
  presentmentCurrency: z.string(),
  taxesIncluded: z.boolean(),
  taxRate: z.number().default(0),
  taxTitle: z.string().default("Tax"),
  lines: z.array(lineSchema),
  discounts: z.array(discountSchema).default([]),
  shippingLine: z
    .object({ id: z.number(), title: z.string(), code: text, price: pair, discount: pair })
    .nullable()
    .default(null),
  totals: totalsSchema,
  financialStatus: z.enum([
    "AUTHORIZED",
    "EXPIRED",
    "PAID",
    "PARTIALLY_PAID",
    "PARTIALLY_REFUNDED",
    "PENDING",
    "REFUNDED",
    "VOIDED",
  ]),
  fulfillmentStatus: z.enum(["FULFILLED", "UNFULFILLED", "PARTIALLY_FULFILLED"]).default("UNFULFILLED"),
  refunds: z.array(refundSchema).default([]),
  gateway: z.string().default("shopify_payments"),
  note: text,
  attributes: z.array(property).default([]),
  tags: z.array(z.string()).default([]),
  shippingAddress: addressSchema.nullable().default(null),
  billingAddress: addressSchema.nullable().default(null),
  cartToken: text,
  checkoutToken: text,
  landingSite: text,
  referringSite: text,
  locationId: z.number().nullable().default(null),
  staffId: z.number().nullable().default(null),
});

export const productSchema = z.object({
  id: z.number(),
  createdAt: time,
  updatedAt: time,
  title: z.string(),
  handle: z.string(),
  description: z.string().default(""),
  vendor: z.string().default(""),
  productType: z.string().default(""),
  tags: z.array(z.string()).default([]),
  status: z.enum(["ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"]).default("ACTIVE"),
  category: z.object({ id: z.string(), name: z.string(), fullName: z.string() }).nullable().default(null),
  images: z.array(z.object({ id: z.number(), url: z.string(), alt: text })).default([]),
  optionName: z.string().default("Title"),
  variants: z
    .array(
      z.object({
        id: z.number(),
        title: z.string(),
        sku: text,
        price: z.number().int(),
        compareAt: z.number().int().nullable().default(null),
        barcode: text,
        inventory: z.number().int().default(100),
      }),
    )
    .min(1),
});

export const collectionSchema = z.object({
  id: z.number(),
  createdAt: time,
  updatedAt: time,
  title: z.string(),
  handle: z.string(),
  description: z.string().default(""),
  image: text,
  productIds: z.array(z.number()).default([]),
});

export const checkoutSchema = z.object({
  id: z.number(),
  createdAt: time,
  updatedAt: time,
  completedAt: time.nullable().default(null),
  cartToken: text,
  checkoutToken: text,
  email: text,
  phone: text,
  customerId: z.number().nullable().default(null),
  presentmentCurrency: z.string(),
  taxesIncluded: z.boolean().default(true),
  lines: z.array(lineSchema),
  attributes: z.array(property).default([]),
  discountCodes: z.array(z.string()).default([]),
  shippingAddress: addressSchema.nullable().default(null),
  note: text,
  totals: z.object({ items: pair, discount: pair, subtotal: pair, tax: pair, total: pair }),
});

export const locationSchema = z.object({ id: z.number(), createdAt: time, updatedAt: time, name: z.string() });
export const staffSchema = z.object({
  id: z.number(),
  createdAt: time,
  updatedAt: time,
  firstName: z.string(),
  lastName: z.string(),
  email: z.string(),
});

export type AddressRecord = z.infer<typeof addressSchema>;
export type CustomerRecord = z.infer<typeof customerSchema>;
export type LineRecord = z.infer<typeof lineSchema>;
export type RefundRecord = z.infer<typeof refundSchema>;
export type OrderRecord = z.infer<typeof orderSchema>;
export type OrderTotals = z.infer<typeof totalsSchema>;
export type ProductRecord = z.infer<typeof productSchema>;
export type CollectionRecord = z.infer<typeof collectionSchema>;
export type CheckoutRecord = z.infer<typeof checkoutSchema>;
export type LocationRecord = z.infer<typeof locationSchema>;
export type StaffRecord = z.infer<typeof staffSchema>;
export type Consent = z.infer<typeof consentSchema>;
