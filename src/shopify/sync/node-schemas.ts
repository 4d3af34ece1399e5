import { z } from "zod";

/** Objects as the Admin API answers them, as far as `resources.queries.ts` asks for them. */

const maybe = <S extends z.ZodType>(schema: S) => schema.nullish();
const Text = maybe(z.string());
const Ref = maybe(z.object({ id: z.string() }));
export const Money = z.object({ amount: z.union([z.string(), z.number()]), currencyCode: z.string() });
export const Bag = z.object({ shopMoney: Money, presentmentMoney: Money });

export const Address = maybe(
  z.object({
    firstName: Text,
    lastName: Text,
    company: Text,
    address1: Text,
    address2: Text,
    city: Text,
    province: Text,
    country: Text,
    countryCodeV2: Text,
    zip: Text,
    phone: Text,
  }),
);

export const Consent = maybe(z.object({ state: Text, optInLevel: Text, updatedAt: Text, collectedFrom: Text }));

export const Customer = z.object({
  id: z.string(),
  firstName: Text,
  lastName: Text,
  state: Text,
  taxExempt: maybe(z.boolean()),
  createdAt: Text,
  updatedAt: Text,
  tags: maybe(z.array(z.string())),
  /** Unsigned 64 bit, so text. */
  numberOfOrders: maybe(z.union([z.string(), z.number()])),
  amountSpent: maybe(Money),
  defaultEmailAddress: maybe(
    z.object({ emailAddress: Text, marketingState: Text, marketingOptInLevel: Text, marketingUpdatedAt: Text }),
  ),
  defaultPhoneNumber: maybe(
    z.object({ phoneNumber: Text, smsMarketingConsent: Consent, whatsAppMarketingConsent: Consent }),
  ),
  defaultAddress: Address,
});

export const Attributes = maybe(z.array(z.object({ key: z.string(), value: Text })));

export const OrderLine = z.object({
  id: z.string(),
  sku: Text,
  title: Text,
  name: Text,
  variantTitle: Text,
  vendor: Text,
  quantity: z.int(),
  currentQuantity: maybe(z.int()),
  product: Ref,
  variant: Ref,
  originalUnitPriceSet: Bag,
  discountAllocations: maybe(z.array(z.object({ allocatedAmountSet: Bag }))),
});

/** Refunds of an order, with their lines once those have been asked for. */
export const Refund = z.object({
  id: z.string(),
  createdAt: Text,
  processedAt: Text,
  totalRefundedSet: maybe(Bag),
  lines: maybe(
    z.array(
      z.object({
        lineId: z.string(),
        quantity: z.int(),
        restockType: z.string(),
        subtotal: z.string(),
        tax: z.string(),
      }),
    ),
  ),
  adjustments: maybe(z.array(z.object({ amount: z.string(), tax: z.string() }))),
});

export const Order = z.object({
  id: z.string(),
  name: Text,
  test: maybe(z.boolean()),
  cartToken: Text,
  checkoutToken: Text,
  customerJourneySummary: maybe(z.object({ lastVisit: maybe(z.object({ landingPage: Text, referrerUrl: Text })) })),
  email: Text,
  phone: Text,
  customerAcceptsMarketing: maybe(z.boolean()),
  createdAt: z.string(),
  processedAt: Text,
  updatedAt: z.string(),
  cancelledAt: Text,
  cancelReason: Text,
  displayFinancialStatus: Text,
  displayFulfillmentStatus: Text,
  currencyCode: z.string(),
  presentmentCurrencyCode: Text,
  discountCodes: maybe(z.array(z.string())),
  tags: maybe(z.array(z.string())),
  sourceName: Text,
  totalPriceSet: Bag,
  currentTotalPriceSet: maybe(Bag),
  subtotalPriceSet: maybe(Bag),
  currentSubtotalPriceSet: maybe(Bag),
  totalDiscountsSet: maybe(Bag),
  totalTaxSet: maybe(Bag),
  totalShippingPriceSet: maybe(Bag),
  shippingLine: maybe(z.object({ title: Text })),
  customAttributes: Attributes,
  customer: maybe(Customer),
  shippingAddress: Address,
  billingAddress: Address,
  fulfillments: maybe(
    z.array(z.object({ createdAt: Text, updatedAt: Text, deliveredAt: Text, status: Text, displayStatus: Text })),
  ),
  refunds: maybe(z.array(Refund)),
  /** Undefined where it was not asked for: then what is stored stays. */
  retailLocation: z.object({ id: z.string(), name: Text }).nullable().optional(),
  staffMember: z.object({ id: z.string() }).nullable().optional(),
});

export const Product = z.object({
  id: z.string(),
  title: Text,
  handle: Text,
  vendor: Text,
  productType: Text,
  status: Text,
  tags: maybe(z.array(z.string())),
  descriptionHtml: Text,
  updatedAt: Text,
  category: maybe(z.object({ name: Text })),
  totalInventory: maybe(z.int()),
  tracksInventory: z.boolean().optional(),
  priceRangeV2: maybe(z.object({ minVariantPrice: Money })),
});

export const Picture = z.object({ image: maybe(z.object({ url: z.string() })), title: Text, id: z.string() });

export const Checkout = z.object({
  id: z.string(),
  abandonedCheckoutUrl: Text,
  createdAt: Text,
  updatedAt: z.string(),
  completedAt: Text,
  customAttributes: Attributes,
  totalPriceSet: Bag,
  customer: maybe(Customer),
  shippingAddress: Address,
  billingAddress: Address,
});

export const CheckoutLine = z.object({
  title: Text,
  sku: Text,
  quantity: z.int(),
  product: maybe(z.object({ id: z.string(), vendor: Text })),
  variant: Ref,
  originalUnitPriceSet: Bag,
  discountedUnitPriceSet: maybe(Bag),
});
