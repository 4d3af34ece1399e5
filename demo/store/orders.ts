import { variantOf } from "../catalog.ts";
import { inMarket, type Pair, plus, ZERO } from "../money.ts";
import { editPayload } from "../shopify/edit-payload.ts";
import { orderPayload } from "../shopify/order-payload.ts";
import { productPayload } from "../shopify/product-payload.ts";
import { refundPayload } from "../shopify/refund-payload.ts";
import { marketOf } from "../shop.ts";
import { announceCheckout, priceCheckout } from "./checkouts.ts";
import { ensureCustomer, findCustomer, learnAddress, sellSummary, setConsent } from "./customers.ts";
import { lineNet, orderMoney } from "./order-money.ts";
import { findDiscount, findRate, includedTax } from "./pricing.ts";
import type { Checkout, Order, OrderLine, Refund } from "./state.ts";
import { type Action, actionAt, letters, nextId, hex, type Store } from "./store.ts";

/** Asked of an order that it cannot do, for example to refund a line it does not have. */
export class OrderError extends Error {}

export function findOrder(store: Store, id: number | null): Order | undefined {
  return store.state.orders.find((order) => order.id === id);
}

/**
 * Turns a checkout into an order. Webhooks in Shopify's order: checkouts/update (completed), orders/create,
 * orders/paid unless the money comes later, orders/updated, the customer's topics, products/update for the stock.
 */
export function placeOrder(
  store: Store,
  checkout: Checkout,
  payment: { gateway: string; paid: boolean },
  at: number,
): Order {
  const action = actionAt(at);
  const priced = priceCheckout(checkout);
  const customer = ensureCustomer(
    store,
    { email: checkout.email, phone: checkout.phone, address: checkout.shippingAddress },
    action,
  );
  checkout.customerId = customer.id;
  const rate = findRate(checkout.shippingCode);
  const code = findDiscount(checkout.discountCode);
  const order: Order = {
    ...blankOrder(store, checkout.country, at),
    cartToken: checkout.cartToken,
    checkoutToken: checkout.token,
    checkoutId: checkout.id,
    email: checkout.email,
    phone: checkout.phone,
    acceptsMarketing: checkout.acceptsMarketing,
    customerId: customer.id,
    firstOrder: !store.state.orders.some((one) => one.customerId === customer.id),
    lines: priced.lines.map(({ line, price, discount }) => ({
      id: nextId(store),
      variantId: line.variantId,
      quantity: line.quantity,
      currentQuantity: line.quantity,
      price,
      discount,
      properties: line.properties,
    })),
    discount:
      code === undefined
        ? null
        : { code: code.code, type: code.type, value: String(discountValue(code)), amount: priced.discount },
    shipping:
      rate === undefined
        ? null
        : {
            id: nextId(store),
            code: rate.title,
            title: rate.title,
            price: priced.shippingPrice,
            discount: priced.shippingDiscount,
          },
    address: checkout.shippingAddress,
    note: checkout.note,
    attributes: { ...checkout.attributes },
    landingSite: checkout.landingSite,
    referringSite: checkout.referringSite,
    gateway: payment.gateway,
    financialStatus: payment.paid ? "paid" : "pending",
  };
  checkout.completedAt = at;
  checkout.orderId = order.id;
  announceCheckout(store, checkout, action);
  announceNewOrder(store, order, action);
  learnAddress(store, customer, { address: checkout.shippingAddress, phone: checkout.phone }, action);
  if (checkout.acceptsMarketing && checkout.email !== null) setConsent(store, customer, "email", "subscribed", action);
  return order;
}

const discountValue = (code: { type: string; value: number }): number =>
  code.type === "fixed_amount" ? code.value / 100 : code.value;

/** A sale over the counter: no cart, no checkout, no landing page, and no customer unless an e-mail was given. */
export function placeCounterOrder(
  store: Store,
  sale: { variantId: number; quantity: number; email: string | null; test: boolean },
  at: number,
): Order {
  const action = actionAt(at);
  const customer = sale.email === null ? undefined : ensureCustomer(store, { email: sale.email, phone: null }, action);
  const order: Order = {
    ...blankOrder(store, "DE", at),
    email: sale.email,
    customerId: customer?.id ?? null,
    sourceName: "pos",
    gateway: "cash",
    test: sale.test,
    financialStatus: "paid",
    lines: [newLine(store, sale.variantId, sale.quantity, "DE")],
  };
  announceNewOrder(store, order, action);
  return order;
}

function newLine(store: Store, variantId: number, quantity: number, country: string): OrderLine {
  const price = inMarket(variantOf(variantId).variant.price, marketOf(country));
  return { id: nextId(store), variantId, quantity, currentQuantity: quantity, price, discount: ZERO, properties: {} };
}

function blankOrder(store: Store, country: string, at: number): Order {
  store.state.orderNumber += 1;
  return {
    id: nextId(store),
    number: store.state.orderNumber,
    token: hex(16),
    confirmationNumber: letters(9).toUpperCase(),
    cartToken: null,
    checkoutToken: null,
    checkoutId: null,
    country,
    email: null,
    phone: null,
    acceptsMarketing: false,
    customerId: null,
    firstOrder: false,
    lines: [],
    addedLineIds: [],
    discount: null,
    shipping: null,
    address: null,
    note: null,
    attributes: {},
    landingSite: null,
    referringSite: null,
    sourceName: "web",
    gateway: "bogus",
    test: false,
    financialStatus: "pending",
    cancelReason: null,
    cancelledAt: null,
    refunds: [],
    createdAt: at,
    updatedAt: at,
    thankYouSeen: false,
  };
}

function announceNewOrder(store: Store, order: Order, action: Action): void {
  store.state.orders.push(order);
  store.emit(action, "orders/create", orderPayload(store, order));
  if (order.financialStatus === "paid") store.emit(action, "orders/paid", orderPayload(store, order));
  store.emit(action, "orders/updated", orderPayload(store, order));
  summary(store, order, action);
  for (const line of order.lines) takeStock(store, line, action);
  store.save();
}

function takeStock(store: Store, line: OrderLine, action: Action): void {
  const key = String(line.variantId);
  store.state.inventory[key] = (store.state.inventory[key] ?? 250) - line.quantity;
  const { product } = variantOf(line.variantId);
  store.emit(action, "products/update", productPayload(store, product, action.at));
}

function summary(store: Store, order: Order, action: Action): void {
  const customer = findCustomer(store, order.customerId);
  if (customer !== undefined) sellSummary(store, customer, action);
}

/** The bank transfer arrived: orders/paid, then orders/updated. */
export function payOrder(store: Store, order: Order, at: number): void {
  if (order.financialStatus !== "pending" || order.cancelledAt !== null)
    throw new OrderError("The order awaits no payment");
  const action = actionAt(at);
  order.financialStatus = "paid";
  order.updatedAt = at;
  store.emit(action, "orders/paid", orderPayload(store, order));
  updated(store, order, action);
}

export type RefundRequest = {
  /** Lines and how many of each; all that is left without it, unless `amount` is given. */
  lines?: { lineId: number; quantity: number }[] | undefined;
  /** Money alone, in the shopper's minor units. */
  amount?: number | undefined;
  shipping?: boolean | undefined;
  note?: string | undefined;
};

/** Gives money back: refunds/create, then orders/updated and the customer's summary. */
export function refundOrder(store: Store, order: Order, request: RefundRequest, at: number): Refund {
  if (order.financialStatus === "pending") throw new OrderError("Nothing was paid yet");
  const action = actionAt(at);
  const refund = makeRefund(store, order, request, at);
  order.refunds.push(refund);
  settle(order);
  order.updatedAt = at;
  store.emit(action, "refunds/create", refundPayload(order, refund));
  updated(store, order, action);
  return refund;
}

function makeRefund(store: Store, order: Order, request: RefundRequest, at: number): Refund {
  const before = orderMoney(order);
  const everything = request.lines === undefined && request.amount === undefined;
  const wanted =
    request.lines ??
    (everything ? order.lines.map((line) => ({ lineId: line.id, quantity: line.currentQuantity })) : []);
  const lines = wanted
    .filter(({ quantity }) => quantity > 0)
    .map(({ lineId, quantity }) => {
      const line = order.lines.find((one) => one.id === lineId);
      if (line === undefined || quantity > line.currentQuantity) throw new OrderError(`Line ${lineId} has fewer left`);
      const subtotal = lineNet(line, quantity);
      line.currentQuantity -= quantity;
      return { id: nextId(store), lineId, quantity, subtotal, tax: includedTax(subtotal, marketOf(order.country)) };
    });
  const shipping = (request.shipping ?? everything) ? before.currentShipping : ZERO;
  const discrepancy = request.amount === undefined ? ZERO : loose(order, request.amount, before.currentTotal);
  return {
    id: nextId(store),
    transactionId: nextId(store),
    createdAt: at,
    note: request.note ?? null,
    restock: lines.length > 0,
    lines,
    shipping,
    discrepancy,
    amount: plus(shipping, discrepancy, ...lines.map((line) => line.subtotal)),
  };
}

function loose(order: Order, presentment: number, left: Pair): Pair {
  if (presentment <= 0 || presentment > left.presentment) throw new OrderError("More than is left of the order");
  const { total } = orderMoney(order);
  return { presentment, shop: Math.round((presentment * total.shop) / total.presentment) };
}

function settle(order: Order): void {
  const { refunded, total } = orderMoney(order);
  order.financialStatus = refunded.presentment >= total.presentment ? "refunded" : "partially_refunded";
}

/** Calls the order off; what was paid goes back first. refunds/create, orders/cancelled, orders/updated. */
export function cancelOrder(store: Store, order: Order, reason: string, at: number): void {
  if (order.cancelledAt !== null) throw new OrderError("The order is cancelled already");
  const action = actionAt(at);
  const unpaid = order.financialStatus === "pending";
  const refund = unpaid || order.financialStatus === "refunded" ? undefined : makeRefund(store, order, {}, at);
  if (refund !== undefined) {
    order.refunds.push(refund);
    settle(order);
  }
  for (const line of order.lines) line.currentQuantity = 0;
  if (unpaid) order.financialStatus = "voided";
  order.cancelReason = reason;
  order.cancelledAt = at;
  order.updatedAt = at;
  if (refund !== undefined) store.emit(action, "refunds/create", refundPayload(order, refund));
  store.emit(action, "orders/cancelled", orderPayload(store, order));
  updated(store, order, action);
}

export type Edit = {
  additions?: { variantId: number; quantity: number }[] | undefined;
  removals?: { lineId: number; quantity: number }[] | undefined;
};

/** Changes what is in the order after it was placed: orders/edited (the difference only), then orders/updated. */
export function editOrder(store: Store, order: Order, edit: Edit, at: number): void {
  if (order.cancelledAt !== null) throw new OrderError("The order is cancelled");
  const action = actionAt(at);
  const removals = (edit.removals ?? []).map(({ lineId, quantity }) => {
    const line = order.lines.find((one) => one.id === lineId);
    if (line === undefined || quantity > line.currentQuantity) throw new OrderError(`Line ${lineId} has fewer left`);
    line.currentQuantity -= quantity;
    return { id: line.id, delta: quantity };
  });
  const additions = (edit.additions ?? []).map(({ variantId, quantity }) => {
    const line = newLine(store, variantId, quantity, order.country);
    order.lines.push(line);
    order.addedLineIds.push(line.id);
    return { id: line.id, delta: quantity };
  });
  if (removals.length + additions.length === 0) throw new OrderError("Nothing to change");
  order.updatedAt = at;
  store.emit(action, "orders/edited", editPayload(nextId(store), order, { additions, removals }, at));
  updated(store, order, action);
}

/** The orders/updated that follows every change; the customer's summary with it. */
function updated(store: Store, order: Order, action: Action): void {
  store.emit(action, "orders/updated", orderPayload(store, order));
  summary(store, order, action);
  store.save();
}
