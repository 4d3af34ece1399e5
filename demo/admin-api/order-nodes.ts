import { addressNode } from "./address-nodes.ts";
import { type Args, type Listing, listOf, listTable, type Source } from "./listing.ts";
import { add, decimalOf, NOTHING, type Pair, scale, subtract } from "./money.ts";
import { orderVisible, searchOrders } from "./order-search.ts";
import type { LineRecord, OrderRecord } from "./records.ts";
import { bagOf, refundNode, transactionNodes } from "./refund-nodes.ts";
import { locationNode, staffNode } from "./shop-nodes.ts";
import { gid, stampOf, stampOrNull } from "./stamps.ts";
import type { AdminStore } from "./store.ts";

export function listOrders(store: AdminStore, args: Args): Listing {
  return listTable(store.records().orders, args, searchOrders, (order) => orderNode(store, order), orderVisible(store));
}

/** What a discount took off a line, with the discount it belongs to. */
function allocations(store: AdminStore, order: OrderRecord, line: LineRecord): Source[] {
  const index = order.discounts.findIndex(({ type }) => type !== "shipping");
  const discount = order.discounts[index];
  if (discount === undefined || (line.discount.shop === 0 && line.discount.presentment === 0)) return [];
  const bag = bagOf(store, order, line.discount);
  return [
    {
      allocatedAmountSet: bag,
      allocatedAmount: {
        amount: decimalOf(line.discount.presentment, order.presentmentCurrency),
        currencyCode: order.presentmentCurrency,
      },
      discountApplication: applicationNode(store, order, index),
    },
  ];
}

function applicationNode(store: AdminStore, order: OrderRecord, index: number): Source {
  const discount = order.discounts[index];
  if (discount === undefined) throw new Error(`Order ${order.id} has no discount ${index}`);
  const shipping = discount.type === "shipping";
  const percentage = discount.type !== "fixed_amount";
  return {
    __typename: discount.code === null ? "ManualDiscountApplication" : "DiscountCodeApplication",
    index,
    code: discount.code,
    title: discount.title ?? discount.code,
    description: null,
    allocationMethod: shipping ? "EACH" : "ACROSS",
    targetSelection: "ALL",
    targetType: shipping ? "SHIPPING_LINE" : "LINE_ITEM",
    value: percentage
      ? { __typename: "PricingPercentageValue", percentage: discount.value }
      : {
          __typename: "MoneyV2",
          amount: decimalOf(discount.amount.presentment, order.presentmentCurrency),
          currencyCode: order.presentmentCurrency,
        },
  };
}

function taxLines(store: AdminStore, order: OrderRecord, tax: Pair): Source[] {
  if (order.taxRate === 0) return [];
  return [
    {
      title: order.taxTitle,
      rate: order.taxRate,
      ratePercentage: order.taxRate * 100,
      channelLiable: false,
      source: "Shopify",
      price: decimalOf(tax.shop, store.currency),
      priceSet: bagOf(store, order, tax),
    },
  ];
}

export function lineNode(store: AdminStore, order: OrderRecord, line: LineRecord): Source {
  const whole = scale(line.price, line.quantity);
  const net = subtract(whole, line.discount);
  const bag = (pair: Pair) => () => bagOf(store, order, pair);
  const each = (pair: Pair): Pair => (line.quantity === 0 ? NOTHING : scale(pair, 1 / line.quantity));
  const refunded = order.refunds
    .flatMap((refund) => refund.lines)
    .filter(({ lineId }) => lineId === line.id)
    .reduce((sum, { quantity }) => sum + quantity, 0);
  const product = () => (line.productId === null ? undefined : store.records().products.get(line.productId));
  return {
    __typename: "LineItem",
    id: gid("LineItem", line.id),
    title: line.title,
    variantTitle: line.variantTitle,
    name: line.variantTitle === null ? line.title : `${line.title} - ${line.variantTitle}`,
    sku: line.sku,
    vendor: line.vendor,
    quantity: line.quantity,
    currentQuantity: line.currentQuantity,
    refundableQuantity: line.quantity - refunded,
    nonFulfillableQuantity: 0,
    unfulfilledQuantity: order.fulfillmentStatus === "FULFILLED" ? 0 : line.currentQuantity,
    requiresShipping: line.requiresShipping,
    taxable: line.taxable,
    isGiftCard: line.giftCard,
    restockable: true,
    merchantEditable: true,
    customAttributes: line.properties,
    image: () =>
      line.image === null ? null : { __typename: "Image", url: line.image, src: line.image, altText: line.title },
    product: () => nodeOrNull(product(), store.nodes.product),
    variant: () => {
      const found = product();
      const variant = found?.variants.find(({ id }) => id === line.variantId);
      return found === undefined || variant === undefined ? null : store.nodes.variant(found, variant);
    },
    originalUnitPriceSet: bag(line.price),
    originalTotalSet: bag(whole),
    discountedUnitPriceSet: bag(line.price),
    discountedUnitPriceAfterAllDiscountsSet: () => bagOf(store, order, each(net)),
    discountedTotalSet: (args: Args) => bagOf(store, order, args["withCodeDiscounts"] === true ? net : whole),
    totalDiscountSet: bag(line.discount),
    discountAllocations: () => allocations(store, order, line),
    taxLines: () => taxLines(store, order, line.tax),
    duties: [],
    sellingPlan: null,
    lineItemGroup: null,
    staffMember: () => staffOf(store, order.staffId),
  };
}

function nodeOrNull<T>(found: T | undefined, toNode: (found: T) => Source): Source | null {
  return found === undefined ? null : toNode(found);
}

const staffOf = (store: AdminStore, id: number | null): Source | null =>
  id === null ? null : nodeOrNull(store.records().staff.get(id), staffNode);

function shippingNode(store: AdminStore, order: OrderRecord): Source | null {
  const shipping = order.shippingLine;
  if (shipping === null) return null;
  const net = subtract(shipping.price, shipping.discount);
  const index = order.discounts.findIndex(({ type }) => type === "shipping");
  return {
    __typename: "ShippingLine",
    id: gid("ShippingLine", shipping.id),
    title: shipping.title,
    code: shipping.code,
    source: "shopify",
    custom: false,
    isRemoved: false,
    carrierIdentifier: null,
    deliveryCategory: null,
    phone: null,
    shippingRateHandle: null,
    originalPriceSet: () => bagOf(store, order, shipping.price),
    discountedPriceSet: () => bagOf(store, order, net),
    currentDiscountedPriceSet: () => bagOf(store, order, order.totals.currentShipping),
    taxLines: [],
    discountAllocations: () =>
      index < 0
        ? []
        : [
            {
              allocatedAmountSet: bagOf(store, order, shipping.discount),
              discountApplication: applicationNode(store, order, index),
            },
          ],
  };
}

/** The landing page and the campaign of the visit that led here, as Shopify's attribution has them. */
function visit(store: AdminStore, order: OrderRecord): Source | null {
  if (order.landingSite === null) return null;
  const url = new URL(order.landingSite, `https://${store.domain}`);
  const utm = (name: string): string | null => url.searchParams.get(`utm_${name}`);
  const tagged = [...url.searchParams.keys()].some((name) => name.startsWith("utm_"));
  return {
    __typename: "CustomerVisit",
    id: gid("CustomerVisit", order.id),
    landingPage: url.href,
    referrerUrl: order.referringSite,
    referralCode: null,
    source: order.referringSite === null ? "direct" : new URL(order.referringSite).hostname,
    sourceType: null,
    occurredAt: stampOf(order.createdAt),
    utmParameters: tagged
      ? {
          source: utm("source"),
          medium: utm("medium"),
          campaign: utm("campaign"),
          content: utm("content"),
          term: utm("term"),
        }
      : null,
  };
}

/** Money fields of the order, current ones and those of when it was placed. */
function moneyFields(store: AdminStore, order: OrderRecord): Source {
  const { totals } = order;
  const bag = (pair: Pair) => () => bagOf(store, order, pair);
  const paid = ["PENDING", "AUTHORIZED", "VOIDED", "EXPIRED"].includes(order.financialStatus) ? NOTHING : totals.total;
  const refundedShipping = add(NOTHING, ...order.refunds.map((refund) => refund.shipping));
  const discrepancy = add(NOTHING, ...order.refunds.map((refund) => refund.discrepancy));
  return {
    originalTotalPriceSet: bag(totals.total),
    totalPriceSet: bag(totals.total),
    subtotalPriceSet: bag(totals.subtotal),
    totalDiscountsSet: bag(totals.discount),
    cartDiscountAmountSet: bag(totals.discount),
    totalShippingPriceSet: bag(totals.shipping),
    totalTaxSet: bag(totals.tax),
    totalTipReceivedSet: bag(NOTHING),
    currentTotalPriceSet: bag(totals.currentTotal),
    currentSubtotalPriceSet: bag(totals.currentSubtotal),
    currentTotalDiscountsSet: bag(totals.currentDiscount),
    currentCartDiscountAmountSet: bag(totals.currentDiscount),
    currentShippingPriceSet: bag(totals.currentShipping),
    currentTotalTaxSet: bag(totals.currentTax),
    currentTotalDutiesSet: null,
    currentTotalAdditionalFeesSet: null,
    originalTotalDutiesSet: null,
    originalTotalAdditionalFeesSet: null,
    totalRefundedSet: bag(totals.refunded),
    totalRefundedShippingSet: bag(refundedShipping),
    refundDiscrepancySet: bag(discrepancy),
    totalOutstandingSet: bag(totals.outstanding),
    totalReceivedSet: bag(paid),
    totalCapturableSet: bag(NOTHING),
    netPaymentSet: bag(subtract(paid, totals.refunded)),
    totalPrice: () => decimalOf(totals.total.shop, store.currency),
    additionalFees: [],
    taxLines: () => taxLines(store, order, totals.tax),
    currentTaxLines: () => taxLines(store, order, totals.currentTax),
  };
}

/** An order as the schema has it. */
export function orderNode(store: AdminStore, order: OrderRecord): Source {
  const codes = order.discounts.flatMap(({ code }) => (code === null ? [] : [code]));
  const count = (key: "quantity" | "currentQuantity"): number => order.lines.reduce((sum, line) => sum + line[key], 0);
  const shipping = (): Source[] => [shippingNode(store, order)].filter((one) => one !== null);
  return {
    __typename: "Order",
    id: gid("Order", order.id),
    legacyResourceId: String(order.id),
    name: `#${order.number}`,
    number: order.number,
    confirmationNumber: `C${order.id.toString(36).toUpperCase()}`,
    confirmed: true,
    createdAt: () => stampOf(order.createdAt),
    processedAt: () => stampOf(order.processedAt),
    updatedAt: () => stampOf(order.updatedAt),
    closed: order.closedAt !== null,
    closedAt: stampOrNull(order.closedAt),
    cancelledAt: stampOrNull(order.cancelledAt),
    cancelReason: order.cancelReason,
    cancellation: () => (order.cancelledAt === null ? null : { staffNote: null }),
    test: order.test,
    edited: order.lines.some((line) => line.added),
    sourceName: order.sourceName,
    sourceIdentifier: null,
    registeredSourceUrl: null,
    app: () => ({
      id: gid("App", 580_111),
      name: order.sourceName === "pos" ? "Point of Sale" : "Online Store",
      icon: null,
    }),
    email: order.email,
    phone: order.phone,
    poNumber: null,
    clientIp: null,
    customer: () =>
      order.customerId === null
        ? null
        : nodeOrNull(store.records().customers.get(order.customerId), store.nodes.customer),
    customerAcceptsMarketing: order.acceptsMarketing,
    customerLocale: order.locale,
    currencyCode: store.currency,
    presentmentCurrencyCode: order.presentmentCurrency,
    taxesIncluded: order.taxesIncluded,
    taxExempt: false,
    estimatedTaxes: false,
    dutiesIncluded: false,
    displayFinancialStatus: order.financialStatus,
    displayFulfillmentStatus: order.fulfillmentStatus,
    fullyPaid: order.totals.outstanding.shop === 0,
    unpaid: order.financialStatus === "PENDING",
    returnStatus: "NO_RETURN",
    discountCode: codes[0] ?? null,
    discountCodes: codes,
    discountApplications: () => listOf(order.discounts.map((_, index) => applicationNode(store, order, index))),
    paymentGatewayNames: [order.gateway],
    note: order.note,
    tags: order.tags,
    customAttributes: order.attributes,
    cartToken: order.cartToken,
    checkoutToken: order.checkoutToken,
    landingPageUrl: () =>
      order.landingSite === null ? null : new URL(order.landingSite, `https://${store.domain}`).href,
    referrerUrl: order.referringSite,
    customerJourneySummary: () => ({
      ready: true,
      customerOrderIndex: null,
      daysToConversion: null,
      firstVisit: visit(store, order),
      lastVisit: visit(store, order),
      moments: listOf([]),
      momentsCount: null,
    }),
    statusPageUrl: () => `https://${store.domain}/${store.id}/orders/${order.id.toString(16)}/authenticate`,
    shippingAddress: () => (order.shippingAddress === null ? null : addressNode(order.shippingAddress)),
    billingAddress: () => (order.billingAddress === null ? null : addressNode(order.billingAddress)),
    displayAddress: () => (order.shippingAddress === null ? null : addressNode(order.shippingAddress)),
    billingAddressMatchesShippingAddress:
      JSON.stringify(order.billingAddress) === JSON.stringify(order.shippingAddress),
    retailLocation: () =>
      order.locationId === null ? null : nodeOrNull(store.records().locations.get(order.locationId), locationNode),
    physicalLocation: () =>
      order.locationId === null ? null : nodeOrNull(store.records().locations.get(order.locationId), locationNode),
    staffMember: () => staffOf(store, order.staffId),
    requiresShipping: order.lines.some((line) => line.requiresShipping),
    subtotalLineItemsQuantity: count("quantity"),
    currentSubtotalLineItemsQuantity: count("currentQuantity"),
    totalWeight: "0",
    currentTotalWeight: "0",
    lineItems: () => listOf(order.lines.map((line) => lineNode(store, order, line))),
    shippingLine: () => shippingNode(store, order),
    shippingLines: () => listOf(shipping()),
    refunds: (args: Args) =>
      order.refunds
        .slice(0, typeof args["first"] === "number" ? args["first"] : undefined)
        .map((refund) => refundNode(store, order, refund, (line) => lineNode(store, order, line))),
    transactions: () => transactionNodes(store, order),
    returns: listOf([]),
    fulfillments: [],
    metafield: null,
    metafields: listOf([]),
    channelInformation: null,
    paymentTerms: null,
    purchasingEntity: null,
    productNetwork: false,
    ...moneyFields(store, order),
  };
}
