import { addressNode } from "./address-nodes.ts";
import { type Args, type Listing, listOf, listTable, type Source } from "./listing.ts";
import { type Pair, scale, subtract } from "./money.ts";
import type { CheckoutRecord, LineRecord } from "./records.ts";
import { bagOf } from "./refund-nodes.ts";
import type { SearchFields } from "./search.ts";
import { gid, stampOf, stampOrNull } from "./stamps.ts";
import type { AdminStore } from "./store.ts";

const searchCheckouts: SearchFields<CheckoutRecord> = {
  id: (checkout) => checkout.id,
  created_at: (checkout) => ({ time: checkout.createdAt }),
  updated_at: (checkout) => ({ time: checkout.updatedAt }),
  email: (checkout) => checkout.email,
  status: (checkout) => (checkout.completedAt === null ? "open" : "closed"),
  recovery_state: (checkout) => (checkout.completedAt === null ? "not_recovered" : "recovered"),
};

/** `abandonedCheckouts`: those with a way to reach the shopper, completed ones too. */
export function listCheckouts(store: AdminStore, args: Args): Listing {
  const sortKey = args["sortKey"] === "CHECKOUT_ID" ? "ID" : args["sortKey"];
  return listTable(store.records().checkouts, { ...args, sortKey }, searchCheckouts, (one) => checkoutNode(store, one));
}

function lineNode(store: AdminStore, checkout: CheckoutRecord, line: LineRecord): Source {
  const whole = scale(line.price, line.quantity);
  const net = subtract(whole, line.discount);
  const bag = (pair: Pair) => () => bagOf(store, checkout, pair);
  const product = line.productId === null ? undefined : store.records().products.get(line.productId);
  const variant = product?.variants.find(({ id }) => id === line.variantId);
  return {
    __typename: "AbandonedCheckoutLineItem",
    id: gid("AbandonedCheckoutLineItem", line.id),
    title: line.title,
    variantTitle: line.variantTitle,
    sku: line.sku,
    quantity: line.quantity,
    customAttributes: line.properties,
    components: null,
    parentRelationship: null,
    image: () => (line.image === null ? null : { __typename: "Image", url: line.image, altText: line.title }),
    product: () => (product === undefined ? null : store.nodes.product(product)),
    variant: () => (product === undefined || variant === undefined ? null : store.nodes.variant(product, variant)),
    originalUnitPriceSet: bag(line.price),
    originalTotalPriceSet: bag(whole),
    discountedUnitPriceSet: bag(line.price),
    discountedTotalPriceSet: bag(whole),
    discountedTotalPriceWithCodeDiscount: bag(net),
    discountedUnitPriceWithCodeDiscount: bag(line.quantity === 0 ? net : scale(net, 1 / line.quantity)),
    discountAllocations: listOf([]),
  };
}

/** An abandoned checkout as the schema has it: the token is nowhere but in the address. */
export function checkoutNode(store: AdminStore, checkout: CheckoutRecord): Source {
  const { totals } = checkout;
  const bag = (pair: Pair) => () => bagOf(store, checkout, pair);
  const address = (): Source | null =>
    checkout.shippingAddress === null ? null : addressNode(checkout.shippingAddress);
  return {
    __typename: "AbandonedCheckout",
    id: gid("AbandonedCheckout", checkout.id),
    name: `#${checkout.id}`,
    abandonedCheckoutUrl: () =>
      `https://${store.domain}/${store.id}/checkouts/ac/${checkout.cartToken ?? checkout.id}/recover?key=${checkout.id.toString(36)}`,
    createdAt: stampOf(checkout.createdAt),
    updatedAt: stampOf(checkout.updatedAt),
    completedAt: stampOrNull(checkout.completedAt),
    note: checkout.note ?? "",
    customAttributes: checkout.attributes,
    discountCodes: checkout.discountCodes,
    taxesIncluded: checkout.taxesIncluded,
    taxLines: [],
    customer: () => {
      const customer = checkout.customerId === null ? undefined : store.records().customers.get(checkout.customerId);
      return customer === undefined ? null : store.nodes.customer(customer);
    },
    shippingAddress: address,
    billingAddress: address,
    lineItems: () => listOf(checkout.lines.map((line) => lineNode(store, checkout, line))),
    lineItemsQuantity: checkout.lines.reduce((sum, line) => sum + line.quantity, 0),
    totalLineItemsPriceSet: bag(totals.items),
    totalDiscountSet: bag(totals.discount),
    subtotalPriceSet: bag(totals.subtotal),
    totalTaxSet: bag(totals.tax),
    totalDutiesSet: null,
    totalPriceSet: bag(totals.total),
  };
}
