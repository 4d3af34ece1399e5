import type { Chance } from "./chance";
import type { Cart, Json, Order, OrderLine, Product, Refund, Visitor } from "./world";

export const PRODUCTS: [string, ...string[]] = ["p1", "p2", "p3", "50%", "gone"];

/** A currency that no shop here has. */
const FOREIGN = "USD";

/** Mostly the shop's own. */
const currency = (chance: Chance, own: number) => (chance.chance(own) ? chance.currency : FOREIGN);

export const distinct = (texts: string[]) => [...new Set(texts)];

export const money = (chance: Chance): Json => ({
  amount: chance.int(0, 6) * 500,
  currency: currency(chance, 0.85),
});

/** Members that are there, each by chance. */
export function members(chance: Chance, makers: Record<string, () => Json>): { [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(makers).flatMap(([name, make]): [string, Json][] => (chance.chance(0.6) ? [[name, make()]] : [])),
  );
}

export function lineMakers(chance: Chance): Record<string, () => Json> {
  return {
    productId: () => chance.pick(PRODUCTS),
    variantId: () => chance.pick(["v1", "v2"]),
    sku: () => chance.word(),
    title: () => chance.word(),
    quantity: () => chance.int(0, 3),
    price: () => money(chance),
  };
}

export function makeLine(chance: Chance): OrderLine {
  const quantity = chance.int(1, 3);
  const price = chance.int(1, 4) * 500;
  return {
    productId: chance.maybe(0.9, () => chance.pick(PRODUCTS)),
    variantId: chance.maybe(0.7, () => chance.pick(["v1", "v2"])),
    sku: chance.maybe(0.7, () => chance.word()),
    title: chance.word(),
    vendor: chance.maybe(0.5, () => chance.word()),
    category: chance.maybe(0.4, () => chance.word()),
    quantity,
    currentQuantity: chance.chance(0.8) ? quantity : chance.int(0, quantity),
    price,
    discountedPrice: chance.chance(0.6) ? price : Math.max(0, price - chance.int(0, 2) * 500),
  };
}

export function makeOrder(chance: Chance, key: number, contacts: number, visitors: Visitor[]): Order {
  const visitor = chance.maybe(0.6, () => chance.oneOf(visitors) ?? null);
  const total = chance.int(0, 6) * 500;
  return {
    key,
    contact: visitor?.contact ?? chance.maybe(visitor ? 0.2 : 0.95, () => chance.int(1, contacts)),
    visitor: visitor?.key ?? null,
    origin: chance.chance(0.8) ? "shopify" : "api",
    externalId: `ext-${key}`,
    state: chance.pick(["completed", "pending_payment", "refunded", "cancelled"]),
    currency: currency(chance, 0.9),
    total,
    originalTotal: total + chance.int(0, 2) * 500,
    presentmentCurrency: chance.maybe(0.4, () => chance.pick(["EUR", "USD"])),
    discountCodes: distinct(chance.some(0, 2, () => chance.pick(["SPRING", "spring", "50%", "Zoë"]))),
    tags: distinct(chance.some(0, 2, () => chance.word())),
    name: chance.maybe(0.8, () => `#${1000 + key}`),
    financialStatus: chance.maybe(0.8, () => chance.pick(["paid", "pending"])),
    fulfillmentStatus: chance.maybe(0.5, () => chance.pick(["fulfilled", "partial"])),
    subtotal: chance.maybe(0.8, () => chance.int(0, 6) * 500),
    discount: chance.maybe(0.8, () => chance.int(0, 2) * 500),
    shipping: chance.maybe(0.8, () => chance.int(0, 2) * 500),
    tax: chance.maybe(0.8, () => chance.int(0, 2) * 500),
    staffId: chance.maybe(0.3, () => chance.pick(["s1", "s2"])),
    shippingMethod: chance.maybe(0.7, () => chance.word()),
    sourceName: chance.maybe(0.7, () => chance.pick(["web", "pos"])),
    locationId: chance.maybe(0.5, () => chance.pick(["l1", "l2"])),
    locationName: chance.maybe(0.4, () => chance.word()),
    landingSite: chance.maybe(0.5, () => chance.word()),
    referringSite: chance.maybe(0.5, () => chance.word()),
    test: chance.chance(0.1),
    placedAt: chance.moment(),
    paidAt: chance.maybe(0.6, () => chance.moment()),
    fulfilledAt: chance.maybe(0.6, () => chance.moment()),
    deliveredAt: chance.maybe(0.4, () => chance.moment()),
    cancelledAt: chance.maybe(0.2, () => chance.moment()),
    cartToken: chance.maybe(0.4, () => `cart-${chance.int(1, 12)}`),
    checkoutToken: chance.maybe(0.4, () => `chk-${chance.int(1, 12)}`),
    lines: chance.some(0, 3, () => makeLine(chance)),
    revision: 0,
  };
}

export function makeCart(chance: Chance, key: number, contacts: number, visitors: number, orders: Order[]): Cart {
  const purchasedBy = chance.maybe(0.5, () => chance.pick<"browser" | "order">(["browser", "browser", "order"]));
  const ofCheckout = chance.chance(0.2);
  const order = chance.chance(0.2) ? chance.oneOf(orders) : undefined;
  return {
    key,
    token: ofCheckout
      ? `checkout:${order?.checkoutToken ?? `chk-${key}`}-${chance.chance(0.5) ? key : ""}`.replace(/-$/, "")
      : `cart-${key}`,
    checkoutToken: chance.maybe(ofCheckout ? 0 : 0.5, () => `chk-${key}`),
    visitor: chance.maybe(0.7, () => chance.int(1, visitors)),
    contact: chance.maybe(0.5, () => chance.int(1, contacts)),
    state: chance.pick(["open", "open", "abandoned", "recovered", "purchased"]),
    currency: chance.maybe(0.92, () => currency(chance, 0.9)),
    value: chance.maybe(0.9, () => chance.int(0, 6) * 500),
    items: chance.some(0, 3, () => members(chance, { ...lineMakers(chance), vendor: () => chance.word() })),
    activityAt: chance.moment(),
    abandonedAt: chance.maybe(0.5, () => chance.moment()),
    recoveredAt: chance.maybe(0.4, () => chance.moment()),
    purchasedAt: purchasedBy && chance.moment(),
    purchasedBy,
    revision: 0,
  };
}

export function makeRefund(chance: Chance, key: number, orders: Order[]): Refund {
  return {
    key,
    order: chance.chance(0.9) ? (chance.oneOf(orders)?.externalId ?? "none") : "none",
    amount: chance.int(0, 4) * 500,
    currency: currency(chance, 0.9),
    at: chance.moment(),
  };
}

export function makeProduct(chance: Chance, id: string): Product {
  return {
    id,
    category: chance.maybe(0.8, () => chance.word()),
    vendor: chance.maybe(0.8, () => chance.word()),
    tags: distinct(chance.some(0, 3, () => chance.word())),
    collections: distinct(chance.some(0, 2, () => chance.word())),
  };
}
