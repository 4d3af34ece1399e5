import type { Chance } from "../simulator/chance.ts";
import type { World } from "./world.ts";
import { type Catalog, minorOf, rateOf } from "./generate-catalog.ts";
import { exponentOf, NOTHING, type Pair, scale, subtract } from "./money.ts";
import { computeTotals } from "./order-totals.ts";
import type { CheckoutRecord, CustomerRecord, LineRecord, OrderRecord, RefundRecord } from "./records.ts";

/**
 * An order and, written down as it was made, what happened to its money: `placed` when it was placed, what edits added
 * and removed, what was refunded, all with tax. What is left is the order's worth, reached without its totals.
 */
export type OrderDraft = { order: OrderRecord; ledger: { placed: Pair; added: Pair; removed: Pair; refunded: Pair } };

type Buyer = Pick<CustomerRecord, "id" | "email" | "phone" | "addresses" | "locale">;
type Told = { n: number; id: number; createdAt: number; updatedAt: number; customer: Buyer | null };

const PRESENTMENTS = ["EUR", "USD", "GBP", "JPY", "KWD"] as const;
const CODES = ["WELCOME10", "SPRING15", "FRIENDS20"] as const;

/** What most orders and one in five are shown in. */
function presentmentOf(world: World, chance: Chance): string {
  return chance.yes(0.8) ? world.currency : chance.pick(PRESENTMENTS);
}

function converter(world: World, presentment: string): (shop: number) => Pair {
  const factor =
    (rateOf(presentment) / rateOf(world.currency)) * 10 ** (exponentOf(presentment) - exponentOf(world.currency));
  return (shop) => ({ shop, presentment: presentment === world.currency ? shop : Math.round(shop * factor) });
}

const net = (line: LineRecord): Pair => subtract(scale(line.price, line.quantity), line.discount);

function linesFor(
  world: World,
  catalog: Catalog,
  chance: Chance,
  told: { id: number },
  pair: (shop: number) => Pair,
): LineRecord[] {
  const count = chance.weighted<number>([
    [45, 1],
    [30, 2],
    [15, 3],
    [10, 4],
  ]);
  return Array.from({ length: count }, (_, at) => {
    const product = catalog.products[chance.whole(0, catalog.products.length - 1)] ?? catalog.products[0];
    if (product === undefined) throw new Error("The catalogue is empty");
    const variant = product.variants[chance.whole(0, product.variants.length - 1)] ?? product.variants[0];
    if (variant === undefined) throw new Error("The product has no variant");
    // One line in fifty is of a product that the store no longer has.
    const gone = chance.yes(0.02);
    const quantity = chance.weighted<number>([
      [70, 1],
      [20, 2],
      [10, 5],
    ]);
    return {
      id: told.id * 2 + at,
      productId: gone ? null : product.id,
      variantId: gone ? null : variant.id,
      title: product.title,
      variantTitle: variant.title === "Default Title" ? null : variant.title,
      sku: variant.sku,
      vendor: product.vendor,
      quantity,
      currentQuantity: quantity,
      price: pair(variant.price),
      discount: NOTHING,
      tax: NOTHING,
      properties: chance.yes(0.05) ? [{ key: "Engraving", value: "For Ada" }] : [],
      image: product.images[0]?.url ?? null,
      taxable: true,
      requiresShipping: true,
      giftCard: false,
      added: false,
    };
  });
}

function taxOf(world: World, rate: number, amount: Pair): Pair {
  return scale(amount, world.taxesIncluded ? rate / (1 + rate) : rate);
}

/** Splits an amount off the lines in proportion, the last taking what rounding leaves. */
function spread(lines: LineRecord[], amount: Pair): void {
  const whole = { shop: 0, presentment: 0 };
  for (const line of lines) {
    whole.shop += line.price.shop * line.quantity;
    whole.presentment += line.price.presentment * line.quantity;
  }
  const left = { ...amount };
  lines.forEach((line, at) => {
    const last = at === lines.length - 1;
    const share = (side: "shop" | "presentment"): number =>
      last ? left[side] : Math.floor((amount[side] * line.price[side] * line.quantity) / Math.max(1, whole[side]));
    line.discount = { shop: share("shop"), presentment: share("presentment") };
    left.shop -= line.discount.shop;
    left.presentment -= line.discount.presentment;
  });
}

function discountFor(
  world: World,
  chance: Chance,
  lines: LineRecord[],
  shipping: OrderRecord["shippingLine"],
  pair: (shop: number) => Pair,
): OrderRecord["discounts"] {
  if (!chance.yes(0.25)) return [];
  const items = lines.reduce((sum, line) => sum + line.price.shop * line.quantity, 0);
  const kind = chance.pick<OrderRecord["discounts"][number]["type"]>([
    "percentage",
    "percentage",
    "fixed_amount",
    "shipping",
  ]);
  if (kind === "shipping") {
    if (shipping === null || shipping.price.shop === 0) return [];
    shipping.discount = shipping.price;
    return [{ code: "SHIPFREE", title: null, type: "shipping", value: 100, amount: shipping.price }];
  }
  const value = chance.pick([10, 15, 20]);
  const shop = kind === "percentage" ? Math.round((items * value) / 100) : Math.min(items, minorOf(5, world.currency));
  const amount = pair(shop);
  spread(lines, amount);
  const manual = chance.yes(0.1);
  return [
    {
      code: manual ? null : chance.pick(CODES),
      title: manual ? "Staff" : null,
      type: kind,
      value: kind === "percentage" ? value : 5,
      amount,
    },
  ];
}

function shippingFor(
  world: World,
  chance: Chance,
  id: number,
  pair: (shop: number) => Pair,
): OrderRecord["shippingLine"] {
  const euros = chance.pick([4.9, 4.9, 12.9, 0]);
  return {
    id: id * 2 + 7,
    title: euros > 5 ? "Express" : "Standard",
    code: euros > 5 ? "express" : "standard",
    price: pair(minorOf(euros, world.currency)),
    discount: NOTHING,
  };
}

/** Takes pieces out of a line; what they were worth, with their tax. */
function take(line: LineRecord, pieces: number): { subtotal: Pair; tax: Pair } {
  const before = line.currentQuantity;
  const left = (amount: Pair, pieces_: number): Pair =>
    pieces_ === line.quantity ? amount : scale(amount, pieces_ / line.quantity);
  line.currentQuantity = before - pieces;
  return {
    subtotal: subtract(left(net(line), before), left(net(line), line.currentQuantity)),
    tax: subtract(left(line.tax, before), left(line.tax, line.currentQuantity)),
  };
}

/** An order by number: lines, discounts, shipping, taxes, then what became of it. */
export function generateOrder(world: World, catalog: Catalog, chance: Chance, told: Told): OrderDraft {
  const presentment = presentmentOf(world, chance);
  const pair = converter(world, presentment);
  const pos = chance.yes(0.08);
  const buyer = pos && chance.yes(0.6) ? null : chance.yes(0.03) ? null : told.customer;
  const rate = world.taxesIncluded ? 0.19 : 0.08;
  const lines = linesFor(world, catalog, chance, told, pair);
  const shippingLine = pos ? null : shippingFor(world, chance, told.id, pair);
  const discounts = discountFor(world, chance, lines, shippingLine, pair);
  for (const line of lines) line.tax = taxOf(world, rate, net(line));

  const totals = computeTotals({
    taxesIncluded: world.taxesIncluded,
    financialStatus: "PAID",
    lines,
    shippingLine,
    refunds: [],
  });
  const ledger = {
    placed: totals.total,
    added: NOTHING,
    removed: NOTHING,
    refunded: NOTHING,
  };
  const order: OrderRecord = {
    id: told.id,
    number: 1001 + told.n,
    createdAt: told.createdAt,
    updatedAt: told.updatedAt,
    processedAt: told.createdAt,
    closedAt: chance.yes(0.3) ? told.updatedAt : null,
    cancelledAt: null,
    cancelReason: null,
    test: chance.yes(0.01),
    sourceName: pos ? "pos" : "web",
    email: buyer?.email ?? (pos ? null : `guest.${told.n}@example.com`),
    phone: buyer?.phone ?? null,
    customerId: buyer?.id ?? null,
    acceptsMarketing: chance.yes(0.3),
    locale: pos ? null : (buyer?.locale ?? "en"),
    presentmentCurrency: presentment,
    taxesIncluded: world.taxesIncluded,
    taxRate: rate,
    taxTitle: world.taxesIncluded ? "VAT" : "Sales tax",
    lines,
    discounts,
    shippingLine,
    totals,
    financialStatus: "PAID",
    fulfillmentStatus: chance.yes(0.8) ? "FULFILLED" : "UNFULFILLED",
    refunds: [],
    gateway: pos ? "cash" : chance.pick(["shopify_payments", "paypal", "bank deposit"]),
    note: chance.yes(0.03) ? "Leave at the door" : null,
    attributes: chance.yes(0.2) ? [{ key: "__ff_visitor", value: `v-${told.n}` }] : [],
    tags: chance.yes(0.1) ? ["gift"] : [],
    shippingAddress: pos ? null : (buyer?.addresses[0] ?? null),
    billingAddress: pos ? null : (buyer?.addresses[0] ?? null),
    cartToken: pos ? null : `hWN${told.id.toString(36)}`,
    checkoutToken: pos ? null : told.id.toString(16).padStart(32, "0"),
    landingSite: pos
      ? null
      : chance.pick([
          "/",
          "/collections/all?utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
          "/products/mug?gclid=x1",
        ]),
    referringSite: pos ? null : chance.pick([null, "https://www.google.com/", "https://www.instagram.com/"]),
    locationId: pos ? (catalog.locations[told.n % 2]?.id ?? null) : null,
    staffId: pos ? (catalog.staff[told.n % 3]?.id ?? null) : null,
  };
  befall(world, catalog, chance, { order, ledger }, pair);
  order.totals = computeTotals(order);
  return { order, ledger };
}

/** What becomes of an order: most stay as they are. */
function befall(world: World, catalog: Catalog, chance: Chance, draft: OrderDraft, pair: (shop: number) => Pair): void {
  const { order, ledger } = draft;
  const withTax = (part: { subtotal: Pair; tax: Pair }): Pair =>
    world.taxesIncluded
      ? part.subtotal
      : { shop: part.subtotal.shop + part.tax.shop, presentment: part.subtotal.presentment + part.tax.presentment };
  const plus = (to: Pair, more: Pair): Pair => ({
    shop: to.shop + more.shop,
    presentment: to.presentment + more.presentment,
  });
  const refund = (taken: { line: LineRecord; pieces: number }[], shipping: Pair, discrepancy: Pair): void => {
    let amount = plus(shipping, discrepancy);
    const lines = taken.map(({ line, pieces }, at): RefundRecord["lines"][number] => {
      const part = take(line, pieces);
      amount = plus(amount, withTax(part));
      return { id: order.id * 2 + 20 + at, lineId: line.id, quantity: pieces, restock: "RETURN", ...part };
    });
    order.refunds.push({
      id: order.id + 9,
      createdAt: order.updatedAt,
      note: null,
      lines,
      shipping,
      discrepancy,
      amount,
    });
    ledger.refunded = plus(ledger.refunded, amount);
  };
  const everything = (): { line: LineRecord; pieces: number }[] =>
    order.lines.map((line) => ({ line, pieces: line.currentQuantity }));
  const shippingPaid =
    order.shippingLine === null ? NOTHING : subtract(order.shippingLine.price, order.shippingLine.discount);
  const [first] = order.lines;
  if (first === undefined) return;

  const fate = chance.next();
  if (fate < 0.04) {
    order.cancelledAt = order.updatedAt;
    order.cancelReason = chance.pick(["CUSTOMER", "FRAUD", "INVENTORY", "OTHER"]);
    if (chance.yes(0.5)) {
      refund(everything(), shippingPaid, NOTHING);
      order.financialStatus = "REFUNDED";
    } else {
      for (const line of order.lines) ledger.removed = plus(ledger.removed, withTax(take(line, line.currentQuantity)));
      order.financialStatus = "VOIDED";
    }
  } else if (fate < 0.07) {
    refund(everything(), shippingPaid, NOTHING);
    order.financialStatus = "REFUNDED";
  } else if (fate < 0.13) {
    refund([{ line: first, pieces: 1 }], NOTHING, NOTHING);
    order.financialStatus = "PARTIALLY_REFUNDED";
  } else if (fate < 0.15) {
    refund([], NOTHING, pair(Math.min(minorOf(2, world.currency), Math.floor(ledger.placed.shop / 2))));
    order.financialStatus = "PARTIALLY_REFUNDED";
  } else if (fate < 0.16) {
    refund([], shippingPaid, NOTHING);
    order.financialStatus = "PARTIALLY_REFUNDED";
  } else if (fate < 0.18) {
    const [more] = linesFor(world, catalog, chance, { id: order.id + 15 }, pair);
    if (more === undefined) return;
    const added = { ...more, added: true, tax: taxOf(world, order.taxRate, net(more)) };
    order.lines.push(added);
    ledger.added = withTax({ subtotal: net(added), tax: added.tax });
    order.financialStatus = "PARTIALLY_PAID";
  } else if (fate < 0.2) {
    ledger.removed = withTax(take(first, 1));
  } else if (fate < 0.24) order.financialStatus = "PENDING";
}

/** An open checkout by number; one in four was completed after all. */
export function generateCheckout(
  world: World,
  catalog: Catalog,
  chance: Chance,
  told: { n: number; id: number; createdAt: number },
): CheckoutRecord {
  const presentment = presentmentOf(world, chance);
  const pair = converter(world, presentment);
  const lines = linesFor(world, catalog, chance, told, pair);
  const { items, discount, subtotal, tax, total } = computeTotals({
    taxesIncluded: world.taxesIncluded,
    financialStatus: "PENDING",
    lines,
    shippingLine: null,
    refunds: [],
  });
  return {
    id: told.id,
    createdAt: told.createdAt,
    updatedAt: told.createdAt + 600_000,
    completedAt: chance.yes(0.25) ? told.createdAt + 3_600_000 : null,
    cartToken: `hWN${told.id.toString(36)}`,
    checkoutToken: told.id.toString(16).padStart(32, "0"),
    email: `undecided.${told.n}@example.com`,
    phone: null,
    customerId: null,
    presentmentCurrency: presentment,
    taxesIncluded: world.taxesIncluded,
    lines,
    attributes: chance.yes(0.5) ? [{ key: "__ff_visitor", value: `c-${told.n}` }] : [],
    discountCodes: [],
    shippingAddress: null,
    note: null,
    totals: { items, discount, subtotal, tax, total },
  };
}
