import { meets, type Clock, TEXTS, type Value } from "./operators";
import { amount, carts, jsonLine, type Line, orderLines, orders, personas, pieces, realOrders, some } from "./facts";
import {
  type BrowserEvent,
  type Cart,
  type Json,
  member,
  type Order,
  type Subject,
  type Visitor,
  type World,
} from "./world";

/** Something that somebody did, and all that can be asked of it. */
export interface Happening {
  at: number;
  values: Record<string, Value[]>;
  lines: Line[];
  data: Json;
}

const LISTED = /^(cart_viewed|cart_updated|checkout_started|checkout_completed|custom:.*)$/;
const ITSELF = /^(product_viewed|product_added_to_cart|product_removed_from_cart)$/;

/** All that a subject did of one kind, whenever. */
export function happenings(world: World, subject: Subject, event: string): Happening[] {
  const counting = orders(world, subject);
  const dated = (list: Order[], name: "paidAt" | "fulfilledAt" | "deliveredAt" | "cancelledAt", gone = false) =>
    list.flatMap((order) => (order[name] === null ? [] : [ofOrder(world, order, order[name], gone)]));
  const own = carts(world, subject);
  switch (event) {
    case "order_placed":
      return [
        ...counting.map((order) => ofOrder(world, order, order.placedAt, false)),
        ...own.flatMap((cart) => (isOnlyPurchase(world, cart) ? [ofPurchase(world, cart)] : [])),
      ];
    case "order_paid":
      return dated(counting, "paidAt");
    case "order_fulfilled":
      return dated(counting, "fulfilledAt");
    case "order_delivered":
      return dated(counting, "deliveredAt");
    case "order_cancelled":
      return dated(realOrders(world, subject), "cancelledAt", true);
    case "order_refunded":
      return refunds(world, subject);
    case "cart_abandoned":
      return own.flatMap((cart) => (cart.abandonedAt === null ? [] : [ofCart(world, cart, cart.abandonedAt)]));
    case "cart_recovered":
      return own.flatMap((cart) => (cart.recoveredAt === null ? [] : [ofCart(world, cart, cart.recoveredAt)]));
    default:
      return personas(world, subject).flatMap((visitor) =>
        visitor.events.filter(({ type }) => type === event).map((one) => ofBrowser(world, visitor, one)),
      );
  }
}

function ofOrder(world: World, order: Order, at: number, gone: boolean): Happening {
  const isOwn = order.currency === world.currency;
  return {
    at,
    values: {
      total: isOwn ? [order.total] : [],
      original_total: isOwn ? [order.originalTotal] : [],
      product_count: [order.lines.reduce((sum, line) => sum + line.currentQuantity, 0)],
      shipping_method: some(order.shippingMethod),
      discount_code: order.discountCodes,
      source_name: some(order.sourceName),
      location_id: some(order.locationId),
      location_name: some(order.locationName),
      state: some(order.state),
      financial_status: some(order.financialStatus),
      fulfillment_status: some(order.fulfillmentStatus),
      order_id: some(order.externalId),
      order_name: some(order.name),
      order_tag: order.tags,
      currency: [order.presentmentCurrency ?? order.currency],
      subtotal: isOwn ? some(order.subtotal) : [],
      discount_total: isOwn ? some(order.discount) : [],
      shipping_total: isOwn ? some(order.shipping) : [],
      tax_total: isOwn ? some(order.tax) : [],
      staff_id: some(order.staffId),
      landing_site: some(order.landingSite),
      referring_site: some(order.referringSite),
    },
    lines: orderLines(world, order, gone),
    data: null,
  };
}

function refunds(world: World, subject: Subject): Happening[] {
  return realOrders(world, subject).flatMap((order) =>
    world.refunds
      .filter((refund) => refund.order === order.externalId)
      .map((refund) => {
        const { values, ...rest } = ofOrder(world, order, refund.at, true);
        return { ...rest, values: { ...values, amount: refund.currency === world.currency ? [refund.amount] : [] } };
      }),
  );
}

/** A purchase that only a browser saw; once an order of the cart is known, that one is it. */
function isOnlyPurchase(world: World, cart: Cart): boolean {
  if (cart.purchasedAt === null || cart.purchasedBy !== "browser") return false;
  const checkouts = some(cart.checkoutToken, /^checkout:(.*)$/.exec(cart.token)?.[1]);
  return !world.orders.some(
    ({ cartToken, checkoutToken }) =>
      cartToken === cart.token || (checkoutToken !== null && checkouts.includes(checkoutToken)),
  );
}

function cartValue(world: World, { currency, value }: Cart): number[] {
  return currency === world.currency && value !== null ? [value] : [];
}

function ofCart(world: World, cart: Cart, at: number): Happening {
  return {
    at,
    values: {
      value: cartValue(world, cart),
      product_count: [pieces(cart)],
      recovered: [cart.recoveredAt !== null],
    },
    lines: cart.items.map((item) => jsonLine(world, item)),
    data: null,
  };
}

function ofPurchase(world: World, cart: Cart): Happening {
  const value = cartValue(world, cart);
  return {
    at: cart.purchasedAt ?? 0,
    values: { total: value, original_total: value, product_count: [pieces(cart)] },
    lines: cart.items.map((item) => jsonLine(world, item)),
    data: null,
  };
}

function ofBrowser(world: World, visitor: Visitor, { at, type, page, data }: BrowserEvent): Happening {
  const shown = world.pages.find(({ key }) => key === page);
  const text = (name: string) => {
    const value = member(data, name);
    return typeof value === "string" ? [value] : [];
  };
  const number = member(data, "quantity");
  const listed = member(data, "lines");
  return {
    at,
    values: {
      url: some(shown?.url),
      title: some(shown?.title),
      referrer: text("referrer"),
      ...Object.fromEntries(
        ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"].map((name) => [
          name,
          parameter(shown?.url ?? "", name),
        ]),
      ),
      device_type: some(visitor.device?.["type"]),
      product_id: text("productId"),
      variant_id: text("variantId"),
      sku: text("sku"),
      product_title: text("title"),
      price: amount(world, member(data, "price")),
      quantity: typeof number === "number" ? [number] : [],
      collection_id: text("collectionId"),
      collection_title: text("title"),
      query: text("query"),
      value: amount(world, member(data, "value")),
      order_id: text("orderId"),
    },
    // Without data it is about nothing.
    lines: ITSELF.test(type)
      ? data === null
        ? []
        : [jsonLine(world, data)]
      : LISTED.test(type) && Array.isArray(listed)
        ? listed.map((line) => jsonLine(world, line))
        : [],
    data,
  };
}

/** A parameter of an address as it stands there. */
function parameter(url: string, name: string): string[] {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? "";
  const found = query.split("&").find((part) => part.startsWith(`${name}=`));
  return found === undefined ? [] : [found.slice(name.length + 1)];
}

/** A condition on an event: `{ field, op, value }`. */
export interface Clause {
  field: string;
  op: string;
  value: Json | undefined;
}

const NEGATIVE = /^(ne|is_empty|has_none|not_(?!empty).*)$/;
const factOf = (field: string) => /^items\.(.+)$/.exec(field)?.[1];

/** Positive conditions on lines that one and the same line must meet. */
function lineMeets(line: Line, { field, op, value }: Clause, clock: Clock): boolean {
  return meets(line[factOf(field) ?? ""] ?? [], op, value, clock, TEXTS);
}

/** Whether it is one that the conditions ask for. Negative conditions on lines hold on all of them. */
export function isAsked(happening: Happening, where: Clause[], clock: Clock): boolean {
  const ofLines = where.filter(({ field }) => factOf(field) !== undefined);
  return (
    where.every((clause) => factOf(clause.field) !== undefined || ownMeets(happening, clause, clock)) &&
    ofLines
      .filter(({ op }) => NEGATIVE.test(op))
      .every((clause) => happening.lines.every((line) => lineMeets(line, clause, clock))) &&
    (ofLines.every(({ op }) => NEGATIVE.test(op)) || matchingLines(happening, where, clock).length > 0)
  );
}

/** Lines that meet all conditions that lines have to meet by themselves. */
export function matchingLines({ lines }: Happening, where: Clause[], clock: Clock): Line[] {
  const tests = where.filter(({ field, op }) => factOf(field) !== undefined && !NEGATIVE.test(op));
  return lines.filter((line) => tests.every((clause) => lineMeets(line, clause, clock)));
}

function ownMeets(happening: Happening, { field, op, value }: Clause, clock: Clock): boolean {
  if (!field.startsWith("data.")) return meets(happening.values[field] ?? [], op, value, clock);
  return meets(dataValues(happening, field, op, value), op, value, clock);
}

/** What lies at a path of the data, where it is of the type that is asked about. */
export function dataValues({ data }: Happening, field: string, op: string, operand: Json | undefined): Value[] {
  const found = field.split(".").slice(1).reduce<Json | undefined>(member, data);
  if (found === undefined || found === null) return [];
  if (/^(is_set|not_set)$/.test(op)) return typeof found === "object" ? [JSON.stringify(found)] : [found];
  const example = Array.isArray(operand) ? operand[0] : operand;
  const wanted =
    typeof example === "number" && !op.startsWith("anniversary")
      ? "number"
      : typeof example === "boolean"
        ? "boolean"
        : "string";
  return typeof found === wanted && typeof found !== "object" ? [found] : [];
}

/** Values of a property that a sum or a distinct count is of, one an occurrence, or one a matching line. */
export function measured(happening: Happening, of: string, where: Clause[], clock: Clock, numeric: boolean): Value[] {
  const fact = factOf(of);
  if (fact !== undefined) return matchingLines(happening, where, clock).flatMap((line) => line[fact] ?? []);
  if (!of.startsWith("data.")) return happening.values[of] ?? [];
  return numeric ? dataValues(happening, of, "eq", 0) : dataValues(happening, of, "is_set", undefined);
}
