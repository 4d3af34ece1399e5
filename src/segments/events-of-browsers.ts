import { browserEvents } from "./compile/browser-events";
import type { Frame } from "./compile/frame";
import { jsonLines, moneyIn } from "./compile/lines";
import { type EventType, money, type Property, type Source, text } from "./event-type";

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
export const BROWSER_EVENTS: Record<
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

export function browserEvent(
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
