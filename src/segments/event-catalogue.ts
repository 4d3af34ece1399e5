import { EVENT_TYPES } from "../collect/schemas";
import type { ValueType } from "./condition";
import type { Frame, Relation } from "./compile/frame";
import { jsonLines, type Lines, moneyIn, orderLines } from "./compile/lines";
import { carts, orders, realOrders, refunds } from "./compile/relations";
import { happened, type Value } from "./compile/predicate";
import { browserEvents } from "./compile/browser-events";
import type { Range } from "./window";

/** A property of an event that conditions, sums and distinct counts may name. */
export interface Property {
  label: string;
  type: ValueType;
  /** It may have several values. */
  many?: boolean;
}

/** Where an event of one name is found. An event may have several sources; no occurrence is in two of them. */
export interface Source {
  /** Rows, one an occurrence, of subjects of the frame; times in the range. */
  rows: (frame: Frame, name: string, window: Range | null) => Relation;
  /** SQL of the moment it happened. */
  at: string;
  /** SQL of the scalar properties; absent ones are missing here. */
  values: (frame: Frame) => Record<string, Value>;
  /** SQL of table-valued functions `g` of properties with many values. */
  arrays?: Record<string, string>;
  lines?: (frame: Frame) => Lines;
  /** Properties of any name, below the JSON document. */
  document?: string;
}

export interface EventType {
  name: string;
  label: string;
  group: "storefront" | "commerce";
  properties: Record<string, Property>;
  sources: Source[];
  /** Line items: `items.*`. */
  lines: boolean;
  /** Any property of its data: `data.*`. */
  open: boolean;
}

const text = (label: string, many = false): Property => ({ label, type: "text", many });
const money = (label: string): Property => ({ label, type: "money" });

/** A parameter of the page's address as it stands there, not decoded; null without it. */
function queryParameter(name: string): string {
  const url = "(select p.url from pages p where p.key = e.page)";
  const after = (mark: string) =>
    `iif(instr(${url}, '${mark}${name}='), substr(${url}, instr(${url}, '${mark}${name}=') + ${name.length + 2}), null)`;
  return `(select substr(u.t, 1, instr(replace(u.t, '#', '&') || '&', '&') - 1)
    from (select coalesce(${after("?")}, ${after("&")}) as t) u)`;
}

const BROWSER_PROPERTIES: Record<string, Property> = {
  url: text("Page address"),
  title: text("Page title"),
  referrer: text("Referring page"),
  utm_source: text("UTM source"),
  utm_medium: text("UTM medium"),
  utm_campaign: text("UTM campaign"),
  utm_term: text("UTM term"),
  utm_content: text("UTM content"),
  device_type: text("Device"),
};

const deviceOf = "(select d.device ->> '$.type' from visitors d where d.key = e.visitor)";

const browserSource = (lines: "listed" | "itself" | "none"): Source => ({
  rows: browserEvents,
  at: "e.at",
  values: (frame) => ({
    url: { sql: "(select p.url from pages p where p.key = e.page)" },
    title: { sql: "(select p.title from pages p where p.key = e.page)" },
    referrer: { sql: "(e.data ->> '$.referrer')" },
    ...Object.fromEntries(
      ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"].map((name) => [
        name,
        { sql: queryParameter(name) },
      ]),
    ),
    device_type: { sql: deviceOf },
    product_id: { sql: "(e.data ->> '$.productId')" },
    variant_id: { sql: "(e.data ->> '$.variantId')" },
    sku: { sql: "(e.data ->> '$.sku')" },
    product_title: { sql: "(e.data ->> '$.title')" },
    price: { sql: moneyIn(frame, "e.data", "price") },
    quantity: { sql: "(e.data ->> '$.quantity')" },
    collection_id: { sql: "(e.data ->> '$.collectionId')" },
    collection_title: { sql: "(e.data ->> '$.title')" },
    query: { sql: "(e.data ->> '$.query')" },
    value: { sql: moneyIn(frame, "e.data", "value") },
    order_id: { sql: "(e.data ->> '$.orderId')" },
  }),
  ...(lines === "none"
    ? {}
    : {
        lines: (frame: Frame) =>
          jsonLines(frame, lines === "listed" ? "json_each(e.data, '$.lines') i" : "json_each('[' || e.data || ']') i"),
      }),
  document: "e.data",
});

const PRODUCT: Record<string, Property> = {
  product_id: text("Product ID"),
  variant_id: text("Variant ID"),
  sku: text("SKU"),
  product_title: text("Product name"),
  price: money("Price"),
};

/** What events of browsers say beside their page. */
const BROWSER_EVENTS: Record<
  string,
  { label: string; properties?: Record<string, Property>; lines?: "listed" | "itself" }
> = {
  page_viewed: { label: "Viewed a page" },
  product_viewed: { label: "Viewed a product", properties: PRODUCT, lines: "itself" },
  collection_viewed: {
    label: "Viewed a collection",
    properties: { collection_id: text("Collection ID"), collection_title: text("Collection name") },
  },
  search_submitted: { label: "Searched", properties: { query: text("Words searched for") } },
  cart_viewed: { label: "Viewed the cart", properties: { value: money("Value") }, lines: "listed" },
  cart_updated: { label: "Changed the cart", properties: { value: money("Value") }, lines: "listed" },
  product_added_to_cart: {
    label: "Added a product to the cart",
    properties: { ...PRODUCT, quantity: { label: "Quantity", type: "number" }, value: money("Value") },
    lines: "itself",
  },
  product_removed_from_cart: {
    label: "Removed a product from the cart",
    properties: { ...PRODUCT, quantity: { label: "Quantity", type: "number" }, value: money("Value") },
    lines: "itself",
  },
  checkout_started: { label: "Started the checkout", properties: { value: money("Value") }, lines: "listed" },
  checkout_completed: {
    label: "Saw the thank-you page",
    properties: { value: money("Value"), order_id: text("Order ID") },
    lines: "listed",
  },
  form_submitted: { label: "Submitted a form" },
  identified: { label: "Said who they are" },
};

function browserEvent(
  name: string,
  label: string,
  properties: Record<string, Property>,
  lines: "listed" | "itself" | "none",
): EventType {
  return {
    name,
    label,
    group: "storefront",
    properties: { ...BROWSER_PROPERTIES, ...properties },
    sources: [browserSource(lines)],
    lines: lines !== "none",
    open: true,
  };
}

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
  order_id: text("Order ID in the store"),
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
  order_id: { sql: "o.external_id" },
  landing_site: { sql: "o.landing_site" },
  referring_site: { sql: "o.referring_site" },
});

function narrowed(relation: Relation, ...more: string[]): Relation {
  return { ...relation, where: [...relation.where, ...more] };
}

function orderSource(column: "placed_at" | "paid_at" | "fulfilled_at" | "cancelled_at"): Source {
  const isCancelled = column === "cancelled_at";
  return {
    rows: (frame, _, window) => {
      const relation = isCancelled ? realOrders(frame) : orders(frame);
      return narrowed(relation, `o.${column} is not null`, ...happened(frame, `o.${column}`, window));
    },
    at: `o.${column}`,
    values: orderValues,
    arrays: { discount_code: "json_each(o.discount_codes)" },
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
  arrays: { discount_code: "json_each(o.discount_codes)" },
  lines: (frame) => orderLines(frame, true),
};

function commerce(name: string, label: string, properties: Record<string, Property>, ...sources: Source[]): EventType {
  return { name, label, group: "commerce", properties, sources, lines: true, open: false };
}

/** Every event that this installation keeps, by name; those of a shop's own are `custom:*`. */
export const EVENTS: ReadonlyMap<string, EventType> = new Map(
  [
    ...EVENT_TYPES.map((name) => {
      const {
        label = name.replaceAll("_", " "),
        properties = {},
        lines = "none" as const,
      } = BROWSER_EVENTS[name] ?? {};
      return browserEvent(name, label, properties, lines);
    }),
    commerce("order_placed", "Placed an order", ORDER_PROPERTIES, orderSource("placed_at"), BOUGHT_IN_BROWSER),
    commerce("order_paid", "Paid an order", ORDER_PROPERTIES, orderSource("paid_at")),
    commerce("order_fulfilled", "Order was fulfilled", ORDER_PROPERTIES, orderSource("fulfilled_at")),
    commerce("order_cancelled", "Order was cancelled", ORDER_PROPERTIES, orderSource("cancelled_at")),
    commerce("order_refunded", "Got a refund", { ...ORDER_PROPERTIES, amount: money("Refunded amount") }, REFUND),
    commerce("cart_abandoned", "Abandoned a cart", CART_PROPERTIES, cartSource("abandoned_at")),
    commerce("cart_recovered", "Came back to a cart", CART_PROPERTIES, cartSource("recovered_at")),
  ].map((event) => [event.name, event]),
);

/** The event of this name; undefined for none. */
export function eventType(name: string): EventType | undefined {
  if (/^custom:[\w.:-]{1,64}$/.test(name)) return browserEvent(name, name.slice("custom:".length), {}, "listed");
  return EVENTS.get(name);
}
