import { COLLECTIONS, PRODUCTS, variantOf } from "../catalog.ts";
import { marketOf, SHOPKEEPER, WORKSHOP } from "../shop.ts";
import { priceCheckout } from "../store/checkouts.ts";
import { lineNet, orderMoney, outstanding } from "../store/order-money.ts";
import { includedTax } from "../store/pricing.ts";
import type { Address, Checkout, Customer, Order } from "../store/state.ts";
import type { Store } from "../store/store.ts";
import {
  type AddressRecord,
  type CheckoutRecord,
  type Consent,
  consentSchema,
  type CustomerRecord,
  type LineRecord,
  type OrderRecord,
  orderSchema,
  type ProductRecord,
} from "./records.ts";
import { emptyRecords, type Records } from "./store.ts";
import { Table } from "./table.ts";

/* The demo storefront's own store, as the Admin API tells of it. */

/** Where the shop opened; products date from then. */
const OPENED = Date.UTC(2025, 2, 3, 9);

/** The records of the storefront's store as they are now. */
export function demoRecords(store: Store): Records {
  return {
    ...emptyRecords(),
    locations: Table.of([{ ...WORKSHOP, createdAt: OPENED, updatedAt: OPENED }]),
    staff: Table.of([{ ...SHOPKEEPER, createdAt: OPENED, updatedAt: OPENED }]),
    customers: Table.of(store.state.customers.map(customerRecord)),
    orders: Table.of(store.state.orders.map(orderRecord)),
    products: Table.of(PRODUCTS.map((product) => productRecord(store, product))),
    collections: Table.of(
      COLLECTIONS.map((collection, at) => ({
        id: 460_100_000_000 + at * 32_768,
        createdAt: OPENED,
        updatedAt: OPENED,
        title: collection.title,
        handle: collection.handle,
        description: collection.text,
        image: null,
        productIds: collection.products.map(({ id }) => id),
      })),
    ),
    checkouts: Table.of(
      store.state.checkouts.filter(({ email, phone }) => email !== null || phone !== null).map(checkoutRecord),
    ),
  };
}

const addressRecord = (id: number, address: Address): AddressRecord => ({ id, ...address });

function consentRecord(consent: Customer["emailConsent"]): Consent {
  return consentSchema.parse({
    state: consent.state.toUpperCase(),
    level: consent.optInLevel?.toUpperCase() ?? null,
    at: consent.updatedAt,
    from: "OTHER",
  });
}

function customerRecord(customer: Customer): CustomerRecord {
  const { id, createdAt, updatedAt, email, phone, firstName, lastName, note, tags } = customer;
  return {
    id,
    createdAt,
    updatedAt,
    email,
    phone,
    firstName,
    lastName,
    note,
    tags,
    state: "DISABLED",
    locale: "en",
    verifiedEmail: true,
    taxExempt: false,
    emailConsent: consentRecord(customer.emailConsent),
    smsConsent: consentRecord(customer.smsConsent),
    whatsAppConsent: consentSchema.parse({ state: "NOT_SUBSCRIBED" }),
    addresses: customer.address === null ? [] : [addressRecord(customer.addressId ?? customer.id, customer.address)],
  };
}

const attributes = (named: Record<string, string>) => Object.entries(named).map(([key, value]) => ({ key, value }));

function lineRecord(line: Order["lines"][number], country: string, added: boolean): LineRecord {
  const { product, variant } = variantOf(line.variantId);
  return {
    id: line.id,
    productId: product.id,
    variantId: variant.id,
    title: product.title,
    variantTitle: variant.title,
    sku: variant.sku,
    vendor: product.vendor,
    quantity: line.quantity,
    currentQuantity: line.currentQuantity,
    price: line.price,
    discount: line.discount,
    tax: includedTax(lineNet(line, line.quantity), marketOf(country)),
    properties: attributes(line.properties),
    image: null,
    taxable: true,
    requiresShipping: true,
    giftCard: false,
    added,
  };
}

function orderRecord(order: Order): OrderRecord {
  const market = marketOf(order.country);
  const money = orderMoney(order);
  const address = order.address === null ? null : addressRecord(order.id, order.address);
  const { id, number, createdAt, updatedAt, cancelledAt, test, sourceName, email, phone, customerId, refunds } = order;
  return orderSchema.parse({
    id,
    number,
    createdAt,
    updatedAt,
    cancelledAt,
    test,
    sourceName,
    email,
    phone,
    customerId,
    refunds,
    processedAt: createdAt,
    cancelReason: order.cancelReason?.toUpperCase() ?? null,
    acceptsMarketing: order.acceptsMarketing,
    locale: order.cartToken === null ? null : `en-${order.country}`,
    presentmentCurrency: market.currency,
    taxesIncluded: true,
    taxRate: market.taxRate,
    taxTitle: market.taxTitle,
    lines: order.lines.map((line) => lineRecord(line, order.country, order.addedLineIds.includes(line.id))),
    discounts: order.discount === null ? [] : [{ ...order.discount, value: Number(order.discount.value) }],
    shippingLine: order.shipping,
    totals: { ...money, items: money.itemsTotal, outstanding: outstanding(order) },
    financialStatus: order.financialStatus.toUpperCase(),
    gateway: order.gateway,
    note: order.note,
    attributes: attributes(order.attributes),
    shippingAddress: address,
    billingAddress: address,
    cartToken: order.cartToken,
    checkoutToken: order.checkoutToken,
    locationId: sourceName === "pos" ? WORKSHOP.id : null,
    staffId: sourceName === "pos" ? SHOPKEEPER.id : null,
    landingSite: order.landingSite,
    referringSite: order.referringSite || null,
  });
}

function productRecord(store: Store, product: (typeof PRODUCTS)[number]): ProductRecord {
  const { id, title, handle, vendor, type, tags, optionName } = product;
  return {
    id,
    title,
    handle,
    vendor,
    tags,
    optionName,
    createdAt: OPENED,
    updatedAt: OPENED,
    description: product.blurb,
    productType: type,
    status: "ACTIVE",
    category: null,
    images: [{ id: id + 7, url: `${store.url}/cdn/shop/files/${handle}.svg`, alt: title }],
    variants: product.variants.map((variant) => ({
      id: variant.id,
      title: variant.title,
      sku: variant.sku,
      price: variant.price,
      compareAt: variant.compareAt,
      barcode: null,
      inventory: store.state.inventory[String(variant.id)] ?? 250,
    })),
  };
}

function checkoutRecord(checkout: Checkout): CheckoutRecord {
  const priced = priceCheckout(checkout);
  const { id, createdAt, updatedAt, completedAt, cartToken, email, phone, customerId, note } = checkout;
  return {
    id,
    createdAt,
    updatedAt,
    completedAt,
    cartToken,
    email,
    phone,
    customerId,
    note,
    checkoutToken: checkout.token,
    presentmentCurrency: priced.market.currency,
    taxesIncluded: true,
    lines: priced.lines.map(({ line, price, discount }, at) =>
      lineRecord(
        { ...line, id: id + at + 1, currentQuantity: line.quantity, price, discount },
        checkout.country,
        false,
      ),
    ),
    attributes: attributes(checkout.attributes),
    discountCodes: checkout.discountCode === null ? [] : [checkout.discountCode],
    shippingAddress: checkout.shippingAddress === null ? null : addressRecord(id, checkout.shippingAddress),
    totals: {
      items: priced.itemsTotal,
      discount: priced.discount,
      subtotal: priced.subtotal,
      tax: priced.tax,
      total: priced.total,
    },
  };
}
