import type { Frame, Relation } from "./compile/frame";
import { jsonLines, orderLines } from "./compile/lines";
import { happened, type Value } from "./compile/predicate";
import { carts, orders, realOrders, refunds } from "./compile/relations";
import { type EventType, money, type Property, type Source, text } from "./event-type";

const ORDER_PROPERTIES: Record<string, Property> = {
  total: money("Total after edits and refunds"),
  original_total: money("Total as ordered"),
  product_count: { label: "Pieces", type: "number" },
  shipping_method: text("Shipping method"),
  discount_code: text("Discount code", true),
  source_name: text("Sales channel"),
  location_id: text("Point of sale ID"),
  location_name: text("Point of sale"),
  state: text("State"),
  financial_status: text("Payment status"),
  fulfillment_status: text("Shipping status"),
  order_id: text("Order ID in the store"),
  order_name: text("Order number"),
  order_tag: text("Tag of the order", true),
  currency: text("Currency paid in"),
  subtotal: money("Total of the lines"),
  discount_total: money("Discounts"),
  shipping_total: money("Shipping"),
  tax_total: money("Taxes"),
  staff_id: text("Staff member ID"),
  landing_site: text("Landing page"),
  referring_site: text("Referring page"),
};

const amountOf = ({ currency }: Frame, column: string) => `iif(o.currency = ${currency}, o.${column}, null)`;

const orderValues = (frame: Frame): Record<string, Value> => ({
  total: { sql: amountOf(frame, "total") },
  original_total: { sql: amountOf(frame, "original_total") },
  product_count: {
    sql: `(select coalesce(sum(n.current_quantity), 0) from order_items n where n."order" = o.key)`,
  },
  shipping_method: { sql: "o.shipping_method" },
  source_name: { sql: "o.source_name" },
  location_id: { sql: "o.location_id" },
  location_name: { sql: "o.location_name" },
  state: { sql: "o.state" },
  financial_status: { sql: "o.financial_status" },
  fulfillment_status: { sql: "o.fulfillment_status" },
  order_id: { sql: "o.external_id" },
  order_name: { sql: "o.name" },
  currency: { sql: "coalesce(o.presentment_currency, o.currency)" },
  subtotal: { sql: amountOf(frame, "subtotal") },
  discount_total: { sql: amountOf(frame, "discount") },
  shipping_total: { sql: amountOf(frame, "shipping") },
  tax_total: { sql: amountOf(frame, "tax") },
  staff_id: { sql: "o.staff_id" },
  landing_site: { sql: "o.landing_site" },
  referring_site: { sql: "o.referring_site" },
});

const ORDER_ARRAYS = { discount_code: "json_each(o.discount_codes)", order_tag: "json_each(o.tags)" };

function narrowed(relation: Relation, ...more: string[]): Relation {
  return { ...relation, where: [...relation.where, ...more] };
}

function orderSource(column: "placed_at" | "paid_at" | "fulfilled_at" | "delivered_at" | "cancelled_at"): Source {
  const isCancelled = column === "cancelled_at";
  return {
    rows: (frame, _, window) => {
      const relation = isCancelled ? realOrders(frame) : orders(frame, column === "placed_at" && window?.from != null);
      return narrowed(relation, `o.${column} is not null`, ...happened(frame, `o.${column}`, window));
    },
    at: `o.${column}`,
    values: orderValues,
    arrays: ORDER_ARRAYS,
    lines: (frame) => orderLines(frame, isCancelled),
  };
}

const CART_PROPERTIES: Record<string, Property> = {
  value: money("Value"),
  product_count: { label: "Pieces", type: "number" },
  recovered: { label: "Recovered since", type: "bool" },
};

const cartValues = (frame: Frame): Record<string, Value> => ({
  value: { sql: `iif(k.currency = ${frame.currency}, k.value, null)` },
  product_count: { sql: `(select coalesce(sum(coalesce(n.value ->> '$.quantity', 1)), 0) from json_each(k.items) n)` },
  recovered: { sql: "(k.recovered_at is not null)" },
});

function cartSource(column: "abandoned_at" | "recovered_at"): Source {
  return {
    rows: (frame, _, window) =>
      narrowed(carts(frame), `k.${column} is not null`, ...happened(frame, `k.${column}`, window)),
    at: `k.${column}`,
    values: cartValues,
    lines: (frame) => jsonLines(frame, "json_each(k.items) i"),
  };
}

/** A purchase that only a browser has seen, while no order is known for its cart: it is the one `order_placed`. */
const BOUGHT_IN_BROWSER: Source = {
  rows: (frame, _, window) =>
    narrowed(
      carts(frame),
      "k.purchased_by = 'browser'",
      "k.purchased_at is not null",
      ...happened(frame, "k.purchased_at", window),
      "not exists (select 1 from orders x where x.shop = k.shop and x.cart_token = k.token)",
      "not exists (select 1 from orders x where x.shop = k.shop and x.checkout_token = k.checkout_token)",
      `not exists (select 1 from orders x where x.shop = k.shop and instr(k.token, 'checkout:') = 1
        and x.checkout_token = substr(k.token, 10))`,
    ),
  at: "k.purchased_at",
  values: (frame) => {
    const { value, product_count } = cartValues(frame);
    return { ...(value ? { total: value, original_total: value } : {}), ...(product_count ? { product_count } : {}) };
  },
  lines: (frame) => jsonLines(frame, "json_each(k.items) i"),
};

const REFUND: Source = {
  rows: (frame, _, window) => narrowed(refunds(frame), ...happened(frame, "r.at", window)),
  at: "r.at",
  values: (frame) => ({
    ...orderValues(frame),
    amount: { sql: `iif(r.currency = ${frame.currency}, r.amount, null)` },
  }),
  arrays: ORDER_ARRAYS,
  lines: (frame) => orderLines(frame, true),
};

function commerce(name: string, label: string, properties: Record<string, Property>, ...sources: Source[]): EventType {
  return { name, label, group: "commerce", properties, sources, lines: true, open: false };
}

export const COMMERCE_EVENTS: EventType[] = [
  commerce("order_placed", "Placed an order", ORDER_PROPERTIES, orderSource("placed_at"), BOUGHT_IN_BROWSER),
  commerce("order_paid", "Paid an order", ORDER_PROPERTIES, orderSource("paid_at")),
  commerce("order_fulfilled", "Order was fulfilled", ORDER_PROPERTIES, orderSource("fulfilled_at")),
  commerce("order_delivered", "Order was delivered", ORDER_PROPERTIES, orderSource("delivered_at")),
  commerce("order_cancelled", "Order was cancelled", ORDER_PROPERTIES, orderSource("cancelled_at")),
  commerce("order_refunded", "Got a refund", { ...ORDER_PROPERTIES, amount: money("Refunded amount") }, REFUND),
  commerce("cart_abandoned", "Abandoned a cart", CART_PROPERTIES, cartSource("abandoned_at")),
  commerce("cart_recovered", "Came back to a cart", CART_PROPERTIES, cartSource("recovered_at")),
];
