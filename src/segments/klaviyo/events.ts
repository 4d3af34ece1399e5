import { eventType, type EventType } from "../event-catalogue";
import { findProperty } from "../leaves-of-events";
import type { Condition } from "./conditions";
import type { Filter } from "./filter";
import { conditions, type Json, minor, type Note, numberTest, Refusal, window } from "./filters";

/** Klaviyo's metrics that a Shopify store has, by what happens here. */
const METRICS: Record<string, string> = {
  "placed order": "order_placed",
  "fulfilled order": "order_fulfilled",
  "cancelled order": "order_cancelled",
  "checkout started": "checkout_started",
  "started checkout": "checkout_started",
  "viewed product": "product_viewed",
  "viewed collection": "collection_viewed",
  "added to cart": "product_added_to_cart",
  "submitted search": "search_submitted",
  "active on site": "page_viewed",
};

/** The value of an occurrence, which a sum adds up. */
const VALUES: Record<string, string> = {
  order_placed: "original_total",
  order_fulfilled: "original_total",
  order_cancelled: "original_total",
  checkout_started: "value",
};

/** Properties of the metrics by what they are called here. A list of names is one of lines here. */
const ORDER = {
  $value: "original_total",
  "Discount Codes": "discount_code",
  "Item Count": "product_count",
  "Source Name": "source_name",
  Items: "items.title",
  Collections: "items.collection",
};
const PRODUCT = {
  Name: "product_title",
  ProductName: "product_title",
  "Product Name": "product_title",
  ProductID: "product_id",
  "Product ID": "product_id",
  VariantID: "variant_id",
  "Variant ID": "variant_id",
  SKU: "sku",
  Price: "price",
  Brand: "items.vendor",
  Categories: "items.collection",
  Collections: "items.collection",
  URL: "url",
};
const PROPERTIES: Record<string, Record<string, string>> = {
  order_placed: ORDER,
  order_fulfilled: ORDER,
  order_cancelled: ORDER,
  checkout_started: { $value: "value", Items: "items.title", Collections: "items.collection" },
  product_viewed: PRODUCT,
  product_added_to_cart: PRODUCT,
  collection_viewed: { "Collection Name": "collection_title", "Collection ID": "collection_id", URL: "url" },
  search_submitted: { "Search Term": "query", Query: "query" },
  page_viewed: { page: "url", URL: "url" },
};

/** What a metric of the account is here. */
export function eventOf(id: string, metrics: Record<string, string>): EventType {
  const name = Object.hasOwn(metrics, id) ? metrics[id] : undefined;
  if (name === undefined) throw new Refusal(["metric_id"], "is a metric whose name was not given in metrics");
  const own = Object.hasOwn(METRICS, name.toLowerCase()) ? METRICS[name.toLowerCase()] : name;
  const event = own === undefined ? undefined : eventType(own);
  if (!event) throw new Refusal(["metric_id"], `${name} is nothing that happens here`);
  return event;
}

export function metric(
  condition: Condition & { type: "profile-metric" },
  { metrics, currency }: { metrics: Record<string, string>; currency: string },
  note: Note,
): Json {
  const event = eventOf(condition.metric_id, metrics);
  const where = wheres(event, condition.metric_filters, currency, note);
  const when = at("timeframe_filter", () => window(condition.timeframe_filter));
  const measure = at("measurement_filter", () => {
    if (condition.measurement === "count") return { count: numberTest(condition.measurement_filter, (value) => value) };
    const of = VALUES[event.name];
    if (of === undefined) throw new Refusal([], `${event.name} has no value that can be summed`);
    return { sum: { of, ...numberTest(condition.measurement_filter, (value) => minor(value, currency)) } };
  });
  return { did: event.name, ...measure, ...(when ? { window: when } : {}), ...(where.length > 0 ? { where } : {}) };
}

const WITHIN: Record<string, { n: number; unit: string }> = {
  HOURS_1: { n: 1, unit: "hour" },
  DAYS_1: { n: 1, unit: "day" },
  DAYS_3: { n: 3, unit: "day" },
  DAYS_5: { n: 5, unit: "day" },
  DAYS_30: { n: 30, unit: "day" },
  DAYS_90: { n: 90, unit: "day" },
  DAYS_180: { n: 180, unit: "day" },
  WEEKS_1: { n: 1, unit: "week" },
  YEARS_1: { n: 365, unit: "day" },
};

export function funnel(
  { timeframe_filter, completion_window_seconds, steps }: Condition & { type: "profile-metric-funnel" },
  { metrics, currency }: { metrics: Record<string, string>; currency: string },
  note: Note,
): Json {
  const [first, next, more] = steps;
  if (!first || !next || more) throw new Refusal(["steps"], "only a sequence of two events can be asked here");
  if (!first.metric_exists) throw new Refusal(["steps", 0, "metric_exists"], "a sequence begins with what happened");
  if (at("timeframe_filter", () => window(timeframe_filter))) {
    throw new Refusal(["timeframe_filter"], "it is not known which of the events Klaviyo means by this");
  }
  const within = WITHIN[completion_window_seconds ?? ""];
  if (!within) throw new Refusal(["completion_window_seconds"], "a sequence needs a time in which it ends");
  const step = ({ metric_id, metric_filters }: typeof first, index: number): Json =>
    at("steps", () =>
      at(index, () => {
        const event = eventOf(metric_id, metrics);
        const where = wheres(event, metric_filters, currency, note);
        return { did: event.name, ...(where.length > 0 ? { where } : {}) };
      }),
    );
  return {
    first: step(first, 0),
    [next.metric_exists ? "followedBy" : "notFollowedBy"]: step(next, 1),
    within,
  };
}

function wheres(
  event: EventType,
  filters: { property: string; filter?: Filter | null | undefined }[] | null | undefined,
  currency: string,
  note: Note,
): Json[] {
  const names = (filters ?? []).map(({ property }) => PROPERTIES[event.name]?.[property]);
  if (names.filter((name) => name?.startsWith("items.")).length > 1) {
    throw new Refusal(
      ["metric_filters"],
      "asks about several lines of an order, where here it would be one and the same",
    );
  }
  return (filters ?? []).flatMap(({ property, filter }, index) =>
    at("metric_filters", () => at(index, () => where(event, property, names[index], filter, currency, note))),
  );
}

function where(
  event: EventType,
  property: string,
  name: string | undefined,
  filter: Filter | null | undefined,
  currency: string,
  note: Note,
): Json[] {
  const known = name ?? `data.${property}`;
  const found = name === undefined && !event.name.startsWith("custom:") ? undefined : findProperty(event, known);
  if (!found) throw new Refusal(["property"], `is no property of ${event.name} here`);
  if (!filter) throw new Refusal(["filter"], "is missing");
  const isLine = known.startsWith("items.");
  const type = found.type ?? typeOf(filter);
  // Klaviyo keeps the lines of an order as a list of names, of which here each is one of a line.
  const subject = { field: known, type, many: found.many || (isLine && filter.type === "list") };
  const made = at("filter", () => conditions(subject, filter, currency, note));
  const isPlain = made.every((one) => "field" in one);
  if (
    !isPlain ||
    (isLine && made.length > 1) ||
    (isLine && filter.type === "list" && filter.operator.startsWith("length-"))
  ) {
    throw new Refusal(["filter", "operator"], "cannot be asked of the lines of an event here");
  }
  return made;
}

/** Data of any shape is asked as what the filter is about. */
function typeOf({ type }: Filter): "number" | "bool" | "date" | "text" {
  if (type === "numeric") return "number";
  return type === "boolean" ? "bool" : type === "date" ? "date" : "text";
}

/** Puts a step before the path of a refusal. */
export function at<T>(step: string | number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal([step, ...error.path], error.message);
    throw error;
  }
}
