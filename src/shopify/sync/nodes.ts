import { z } from "zod";

import {
  type Address,
  type Attributes,
  type Bag,
  Checkout,
  CheckoutLine,
  type Consent,
  Customer,
  type Money,
  Order,
  OrderLine,
  Picture,
  Product,
  type Refund,
} from "./node-schemas";

/**
 * Turns what the Admin API answers into bodies in the shape of the webhooks, so that one mapping (`shopify/map`) reads
 * both. A node is an object of a bulk operation's file; its children are the lines below it.
 */

export interface Node {
  id: string;
  fields: Record<string, unknown>;
  children: Record<string, unknown>[];
}

export type Resource = "products" | "customers" | "orders" | "checkouts";

type Body = Record<string, unknown>;

/** The topic whose rule reads the bodies of a resource. */
export const TOPIC_OF: Record<Resource, string> = {
  products: "products/update",
  customers: "customers/update",
  orders: "orders/updated",
  checkouts: "checkouts/update",
};

/** The webhook-shaped body of a node. Throws a `ZodError` for a node that is none of its resource. */
export function bodyOf(resource: Resource, { fields, children }: Node): Body {
  switch (resource) {
    case "customers":
      return customerBody(Customer.parse(fields), true);
    case "orders":
      return orderBody(Order.parse(fields), z.array(OrderLine).parse(children));
    case "products":
      return productBody(Product.parse(fields), z.array(Picture).parse(children));
    case "checkouts":
      return checkoutBody(Checkout.parse(fields), z.array(CheckoutLine).parse(children));
    default:
      return resource satisfies never;
  }
}

/** Global ids of the refunds of an order's node, whose lines have to be asked for one by one. */
export function refundIds({ fields }: Node): string[] {
  const refunds = z.array(z.object({ id: z.string() })).safeParse(fields["refunds"]);
  return refunds.success ? refunds.data.map(({ id }) => id) : [];
}

function tail(gid: string): string {
  return /(\d+)(?:\?.*)?$/.exec(gid)?.[1] ?? gid;
}

const lower = (value: string | null | undefined) => value?.toLowerCase() ?? null;

function addressBody(address: z.infer<typeof Address>): Body | null {
  if (!address) return null;
  return {
    first_name: address.firstName ?? null,
    last_name: address.lastName ?? null,
    company: address.company ?? null,
    address1: address.address1 ?? null,
    address2: address.address2 ?? null,
    city: address.city ?? null,
    province: address.province ?? null,
    country: address.country ?? null,
    country_code: address.countryCodeV2 ?? null,
    zip: address.zip ?? null,
    phone: address.phone ?? null,
  };
}

/** SMS and WhatsApp call "nobody ever decided" otherwise than the webhooks. */
function consentBody(consent: z.infer<typeof Consent>): Body | null {
  if (!consent) return null;
  const state = lower(consent.state);
  return {
    state: state === "never_subscribed" ? "not_subscribed" : state,
    opt_in_level: lower(consent.optInLevel),
    consent_updated_at: consent.updatedAt ?? null,
    consent_collected_from: consent.collectedFrom ?? null,
  };
}

/** @param whole false for the customer inside of an order or a checkout, which has neither consents, tags nor counts */
function customerBody(customer: z.infer<typeof Customer>, whole: boolean): Body {
  const { defaultEmailAddress: email, defaultPhoneNumber: phone } = customer;
  const body: Body = {
    id: tail(customer.id),
    admin_graphql_api_id: customer.id,
    created_at: customer.createdAt ?? null,
    updated_at: customer.updatedAt ?? null,
    first_name: customer.firstName ?? null,
    last_name: customer.lastName ?? null,
    state: lower(customer.state),
    tax_exempt: customer.taxExempt ?? null,
    email: email?.emailAddress ?? null,
    phone: phone?.phoneNumber ?? null,
  };
  if (customer.defaultAddress) body["default_address"] = addressBody(customer.defaultAddress);
  if (!whole) return body;
  return {
    ...body,
    tags: customer.tags ?? [],
    orders_count: customer.numberOfOrders == null ? null : Number(customer.numberOfOrders),
    total_spent: customer.amountSpent?.amount ?? null,
    email_marketing_consent: email && {
      state: lower(email.marketingState),
      opt_in_level: lower(email.marketingOptInLevel),
      consent_updated_at: email.marketingUpdatedAt ?? null,
    },
    sms_marketing_consent: consentBody(phone?.smsMarketingConsent),
    // Until somebody decides on WhatsApp, it goes by SMS.
    whats_app_marketing_consent:
      phone?.whatsAppMarketingConsent?.state === "NEVER_SUBSCRIBED"
        ? null
        : consentBody(phone?.whatsAppMarketingConsent),
  };
}

const money = ({ amount, currencyCode }: z.infer<typeof Money>): Body => ({ amount, currency_code: currencyCode });

const setBody = (bag: z.infer<typeof Bag> | null | undefined): Body | null =>
  bag ? { shop_money: money(bag.shopMoney), presentment_money: money(bag.presentmentMoney) } : null;

const FULFILLMENT: Record<string, string> = {
  FULFILLED: "fulfilled",
  PARTIALLY_FULFILLED: "partial",
  RESTOCKED: "restocked",
};

const notes = (attributes: z.infer<typeof Attributes>) =>
  (attributes ?? []).map(({ key, value }) => ({ name: key, value: value ?? "" }));

function orderBody(order: z.infer<typeof Order>, lines: z.infer<typeof OrderLine>[]): Body {
  const shop = (bag: z.infer<typeof Bag> | null | undefined) => bag?.shopMoney.amount ?? null;
  const body: Body = {
    id: tail(order.id),
    admin_graphql_api_id: order.id,
    name: order.name ?? null,
    test: order.test ?? false,
    cart_token: order.cartToken ?? null,
    checkout_token: order.checkoutToken ?? null,
    email: order.email ?? null,
    phone: order.phone ?? null,
    buyer_accepts_marketing: order.customerAcceptsMarketing ?? false,
    created_at: order.createdAt,
    processed_at: order.processedAt ?? null,
    updated_at: order.updatedAt,
    cancelled_at: order.cancelledAt ?? null,
    cancel_reason: lower(order.cancelReason),
    financial_status: lower(order.displayFinancialStatus),
    fulfillment_status: FULFILLMENT[order.displayFulfillmentStatus ?? ""] ?? null,
    currency: order.currencyCode,
    presentment_currency: order.presentmentCurrencyCode ?? null,
    total_price: order.totalPriceSet.shopMoney.amount,
    current_total_price: shop(order.currentTotalPriceSet),
    subtotal_price: shop(order.subtotalPriceSet),
    current_subtotal_price: shop(order.currentSubtotalPriceSet),
    total_discounts: shop(order.totalDiscountsSet),
    total_tax: shop(order.totalTaxSet),
    total_price_set: setBody(order.totalPriceSet),
    current_total_price_set: setBody(order.currentTotalPriceSet),
    total_shipping_price_set: setBody(order.totalShippingPriceSet),
    discount_codes: (order.discountCodes ?? []).map((code) => ({ code })),
    tags: order.tags ?? [],
    shipping_lines: order.shippingLine ? [{ title: order.shippingLine.title ?? null }] : [],
    source_name: order.sourceName ?? null,
    note_attributes: notes(order.customAttributes),
    customer: order.customer ? customerBody(order.customer, false) : null,
    shipping_address: addressBody(order.shippingAddress),
    billing_address: addressBody(order.billingAddress),
    fulfillments: (order.fulfillments ?? []).map(({ createdAt, updatedAt, deliveredAt, status, displayStatus }) => ({
      created_at: createdAt ?? null,
      updated_at: deliveredAt ?? updatedAt ?? null,
      status: lower(status),
      shipment_status: lower(displayStatus),
    })),
    refunds: (order.refunds ?? []).map((refund) => refundBody(refund, order.id)),
    line_items: lines.map(orderLineBody),
  };
  // Shopify works the visits out after the order, and of some orders never: then what a webhook told stays.
  const visit = order.customerJourneySummary?.lastVisit;
  if (visit) {
    body["landing_site"] = visit.landingPage ?? null;
    body["referring_site"] = visit.referrerUrl ?? null;
  }
  if (order.retailLocation !== undefined) {
    body["location_id"] = order.retailLocation ? tail(order.retailLocation.id) : null;
    body["location_name"] = order.retailLocation?.name ?? null;
  }
  if (order.staffMember !== undefined) body["user_id"] = order.staffMember ? tail(order.staffMember.id) : null;
  return body;
}

function orderLineBody(line: z.infer<typeof OrderLine>): Body {
  return {
    id: tail(line.id),
    product_id: line.product ? tail(line.product.id) : null,
    variant_id: line.variant ? tail(line.variant.id) : null,
    sku: line.sku ?? null,
    title: line.title ?? null,
    name: line.name ?? null,
    variant_title: line.variantTitle ?? null,
    vendor: line.vendor ?? null,
    quantity: line.quantity,
    current_quantity: line.currentQuantity ?? null,
    price: line.originalUnitPriceSet.shopMoney.amount,
    discount_allocations: (line.discountAllocations ?? []).map(({ allocatedAmountSet }) => ({
      amount: allocatedAmountSet.shopMoney.amount,
    })),
  };
}

/** Without its lines a refund is the amount that was paid back, as one adjustment. */
function refundBody(refund: z.infer<typeof Refund>, order: string): Body {
  const { lines, adjustments, totalRefundedSet: total } = refund;
  return {
    id: tail(refund.id),
    admin_graphql_api_id: refund.id,
    order_id: tail(order),
    created_at: refund.createdAt ?? null,
    processed_at: refund.processedAt ?? null,
    refund_line_items: (lines ?? []).map((line) => ({
      line_item_id: tail(line.lineId),
      quantity: line.quantity,
      restock_type: lower(line.restockType),
      subtotal: line.subtotal,
      total_tax: line.tax,
    })),
    order_adjustments: lines
      ? (adjustments ?? []).map(({ amount, tax }) => ({ amount, tax_amount: tax }))
      : total
        ? [{ amount: negated(String(total.shopMoney.amount)), tax_amount: "0" }]
        : [],
  };
}

function negated(amount: string): string {
  return amount.startsWith("-") ? amount.slice(1) : `-${amount}`;
}

function productBody(product: z.infer<typeof Product>, children: z.infer<typeof Picture>[]): Body {
  const images = children.flatMap(({ image }) => (image ? [{ src: image.url }] : []));
  return {
    id: tail(product.id),
    admin_graphql_api_id: product.id,
    title: product.title ?? null,
    handle: product.handle ?? null,
    vendor: product.vendor ?? null,
    product_type: product.productType ?? null,
    category: product.category ? { name: product.category.name ?? null } : null,
    status: lower(product.status),
    tags: product.tags ?? [],
    body_html: product.descriptionHtml ?? null,
    image: images[0] ?? null,
    images,
    variants: product.priceRangeV2
      ? [{ price: product.priceRangeV2.minVariantPrice.amount, inventory_quantity: product.totalInventory ?? null }]
      : [],
    ...(product.tracksInventory === undefined ? {} : { tracks_inventory: product.tracksInventory }),
    collections: children.flatMap(({ id, title }) => (id.includes("/Collection/") && title ? [title] : [])),
    updated_at: product.updatedAt ?? null,
  };
}

/** The cart's token in the address under which a checkout is taken up again. */
const CART_IN_URL = /\/checkouts\/(?:ac|cn|c)\/([^/?#]{8,200})/;

function checkoutBody(checkout: z.infer<typeof Checkout>, lines: z.infer<typeof CheckoutLine>[]): Body {
  const { presentmentMoney: total } = checkout.totalPriceSet;
  const body: Body = {
    cart_token: CART_IN_URL.exec(checkout.abandonedCheckoutUrl ?? "")?.[1] ?? null,
    abandoned_checkout_url: checkout.abandonedCheckoutUrl ?? null,
    created_at: checkout.createdAt ?? null,
    updated_at: checkout.updatedAt,
    completed_at: checkout.completedAt ?? null,
    currency: checkout.totalPriceSet.shopMoney.currencyCode,
    presentment_currency: total.currencyCode,
    total_price: total.amount,
    note_attributes: notes(checkout.customAttributes),
    customer: checkout.customer ? customerBody(checkout.customer, false) : null,
    shipping_address: addressBody(checkout.shippingAddress),
    billing_address: addressBody(checkout.billingAddress),
    line_items: lines.map((line) => ({
      product_id: line.product ? tail(line.product.id) : null,
      variant_id: line.variant ? tail(line.variant.id) : null,
      sku: line.sku ?? null,
      title: line.title ?? null,
      vendor: line.product?.vendor ?? null,
      quantity: line.quantity,
      price: line.originalUnitPriceSet.presentmentMoney.amount,
    })),
  };
  return body;
}
