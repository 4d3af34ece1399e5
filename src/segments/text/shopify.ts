import { condition } from "./attribute";
import type { Json } from "./dates";
import { eventCondition, namedEvent } from "./events";
import { type Clause, matchesOf, type Operation } from "./operation";
import { placeCondition } from "./place";
import { TextError } from "./problem";
import type { Sense } from "./sense";
import { textOf } from "./values";

/**
 * The filters of Shopify's segment query language by what becomes of them here (shopify.dev, segment query language
 * reference, and help.shopify.com, customer segment filters, 2026-10). `first_order_date` and `last_order_date` are
 * called the same here.
 */
const RENAMED: Record<string, { field: string; note?: string }> = {
  abandoned_checkout_date: {
    field: "last_cart_abandoned_at",
    note: "also counts carts that were left before the checkout",
  },
  customer_added_date: { field: "shopify_created_at" },
  amount_spent: { field: "total_revenue", note: "is what was spent after edits and refunds" },
  number_of_orders: { field: "orders_count" },
  customer_email_domain: { field: "email_domain" },
};

const SUBSCRIPTION = ["SUBSCRIBED", "NOT_SUBSCRIBED", "PENDING", "UNSUBSCRIBED", "REDACTED"];

/** Filters with few values; each is called by its name in lower case here. `missing` is what a contact without one is. */
const ENUMS: Record<string, { field: string; values: string[]; missing?: string }> = {
  email_subscription_status: {
    field: "email_consent",
    values: [...SUBSCRIPTION, "INVALID"],
    missing: "NOT_SUBSCRIBED",
  },
  sms_subscription_status: { field: "sms_consent", values: SUBSCRIPTION, missing: "NOT_SUBSCRIBED" },
  customer_account_status: { field: "account_state", values: ["DECLINED", "DISABLED", "ENABLED", "INVITED"] },
};

interface FunctionFilter {
  event: string;
  /** What its parameters are called here. */
  parameters: Record<string, string>;
  sums?: Record<string, string>;
  refused?: Record<string, string>;
}

const NO_TAGS = "the tags of a collection's products are not asked of a view";

const viewed = (event: string, id: string, refused: Record<string, string> = {}): FunctionFilter => ({
  event,
  parameters: { id, count: "count", date: "date", ...(refused["tag"] ? {} : { tag: "items.tag" }) },
  refused,
});

const FUNCTIONS: Record<string, FunctionFilter> = {
  orders_placed: {
    event: "order_placed",
    parameters: { location_id: "location_id", amount: "total", count: "count", date: "date" },
    sums: { sum_amount: "total" },
    refused: { app_id: "the app that took an order is not stored; source_name is its sales channel" },
  },
  products_purchased: {
    event: "order_placed",
    parameters: { id: "items.product_id", tag: "items.tag", quantity: "items.quantity", count: "count", date: "date" },
    sums: { sum_quantity: "items.quantity" },
  },
  "storefront.product_viewed": viewed("product_viewed", "product_id"),
  "storefront_event.product_viewed": viewed("product_viewed", "product_id"),
  "storefront.collection_viewed": viewed("collection_viewed", "collection_id", { tag: NO_TAGS }),
  "storefront_event.collection_viewed": viewed("collection_viewed", "collection_id", { tag: NO_TAGS }),
};

const REFUSED: Record<string, string> = {
  companies: "Shopify's B2B companies are not stored",
  created_by_app_id: "the app that made a customer is not stored",
  predicted_spend_tier: "Shopify does not tell apps its predictions",
  product_subscription_status: "product subscriptions are not stored",
  store_credit_accounts: "store credit is not stored",
};

const EMAIL_EVENTS = ["delivered", "opened", "clicked", "bounced", "marked_as_spam", "unsubscribed"];

/** True for a filter that Shopify asks with MATCHES. `products_purchased` is a number here as well. */
export function isFunction(name: string): boolean {
  return Object.hasOwn(FUNCTIONS, name);
}

/** What a field is called here that Shopify calls otherwise. */
export function renamed(name: string): string {
  return Object.hasOwn(RENAMED, name) ? (RENAMED[name]?.field ?? name) : name;
}

/** Why a filter of Shopify's has nothing here; undefined for other names. */
export function refusal(name: string): string | undefined {
  if (/^(?:[a-z_]+\.)?metafields\./.test(name)) {
    return "metafields are not stored; keep the value in a custom field and ask fields.<name>";
  }
  if (EMAIL_EVENTS.some((event) => name === `shopify_email.${event}`)) {
    return "Shopify does not tell apps what became of messages of Shopify Email";
  }
  return Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
}

/** The condition for a filter of Shopify's that is called or asked otherwise here; null for other names. */
export function shopifyFilter(sense: Sense, clause: Clause): Json | null {
  const { at, name, operation, operationAt } = clause;
  const own = Object.hasOwn(RENAMED, name) ? RENAMED[name] : undefined;
  if (own) {
    const field = sense.field(own.field);
    if (!field) throw new Error(`no field: ${own.field}`);
    if (own.note !== undefined) sense.note(at, `${own.field} ${own.note}`);
    return condition(field, operation, operationAt, sense.shop);
  }
  if (Object.hasOwn(ENUMS, name)) return enumeration(clause);
  if (isFunction(name)) return functionFilter(sense, clause);
  switch (name) {
    case "customer_tags":
      return tags(operation, operationAt);
    case "rfm_group":
      sense.note(at, "groups are worked out here; Shopify does not tell apps its own");
      return null;
    case "customer_language":
      return language(sense, clause);
    case "customer_within_distance":
      sense.note(at, "the place is that of the last visit, to a tenth of a degree; Shopify looks at addresses");
      return placeCondition("location", operation, operationAt);
    case "customer_countries":
      return country(sense, clause);
    case "customer_regions":
    case "customer_cities":
      return regionOrCity(sense, clause);
    default:
      return null;
  }
}

function enumeration({ name, operation, operationAt }: Clause): Json {
  const { field, values, missing } = ENUMS[name] ?? { field: name, values: [] };
  if (operation.op === "null") return { field, op: operation.is ? "not_set" : "is_set" };
  if (operation.op !== "compare" || (operation.sign !== "=" && operation.sign !== "!=")) {
    throw new TextError(operationAt, `${name} is asked with = and !=`);
  }
  const written = textOf(operation.value);
  const value = values.find((known) => known === written.toUpperCase());
  if (value === undefined) throw new TextError(operation.value.at, `this is not one of ${values.join(", ")}`);
  const is = { field, op: "eq", value: value.toLowerCase() };
  if (value !== missing) return operation.sign === "=" ? is : { ...is, op: "ne" };
  return { [operation.sign === "=" ? "any" : "none"]: [is, { field, op: "not_set" }] };
}

/** CONTAINS of Shopify's lists means one whole value, where ours means a part of one. */
function listed(name: string, operation: Operation, at: number) {
  if (operation.op === "text" && operation.what === "contains") return operation;
  throw new TextError(at, `${name} is asked with CONTAINS, NOT CONTAINS, IS NULL and IS NOT NULL`);
}

function tags(operation: Operation, at: number): Json {
  if (operation.op === "null") return { field: "tags", op: operation.is ? "is_empty" : "not_empty" };
  const { negative, value } = listed("customer_tags", operation, at);
  return { field: "tags", op: negative ? "has_none" : "has_any", value: [textOf(value)] };
}

function language(sense: Sense, { at, operation, operationAt }: Clause): Json {
  sense.note(at, "language is that of the browser last used; Shopify asks the customer's");
  if (operation.op === "null") return { field: "language", op: operation.is ? "not_set" : "is_set" };
  if (operation.op !== "compare" || (operation.sign !== "=" && operation.sign !== "!=")) {
    throw new TextError(operationAt, "customer_language is asked with = and !=");
  }
  const value = textOf(operation.value);
  if (!/^[a-z]{2,3}$/i.test(value)) {
    throw new TextError(operation.value.at, "languages are stored without their region: 'en', 'fr'");
  }
  return { field: "language", op: operation.sign === "=" ? "eq" : "ne", value: value.toLowerCase() };
}

const DEFAULT_ADDRESS = "is that of the default address; Shopify looks at all addresses";

function country(sense: Sense, { at, name, operation, operationAt }: Clause): Json {
  sense.note(at, `country ${DEFAULT_ADDRESS}`);
  if (operation.op === "null") return { field: "country", op: operation.is ? "not_set" : "is_set" };
  const { negative, value } = listed(name, operation, operationAt);
  const code = textOf(value).toUpperCase();
  if (!/^[A-Z]{2}$/.test(code)) throw new TextError(value.at, "customer_countries takes a code of two letters: 'US'");
  return { field: "country", op: negative ? "ne" : "eq", value: code };
}

function regionOrCity(sense: Sense, { at, name, operation, operationAt }: Clause): Json {
  const field = name === "customer_regions" ? "region" : "city";
  if (operation.op === "null") {
    sense.note(at, `${field} ${DEFAULT_ADDRESS}`);
    return { field, op: operation.is ? "not_set" : "is_set" };
  }
  const { value } = listed(name, operation, operationAt);
  throw new TextError(
    value.at,
    `regions and cities are stored by name, not by Shopify's codes: say country = 'US' AND ${field} = '...'`,
  );
}

function functionFilter(sense: Sense, { at, name, operation, operationAt }: Clause): Json | null {
  const filter = FUNCTIONS[name];
  const event = filter && namedEvent(filter.event);
  if (!filter || !event) throw new Error(`no filter: ${name}`);
  const matches = matchesOf(operation);
  if (!matches && sense.field(name)) return null;
  if (!matches) throw new TextError(operationAt, `${name} is asked with MATCHES (...), NOT MATCHES (...) or IS NULL`);
  if (filter.event === "order_placed") sense.note(at, "what was cancelled or taken back does not count here");
  const parameters = matches.parameters.map((parameter) => ownParameter(sense, name, filter, parameter));
  return eventCondition(sense, event, { ...matches, parameters }, at);
}

function ownParameter(sense: Sense, filter: string, known: FunctionFilter, parameter: Clause): Clause {
  const { at, name, operation, operationAt } = parameter;
  const { parameters, sums = {}, refused = {} } = known;
  if (Object.hasOwn(refused, name)) throw new TextError(at, `${refused[name]}`);
  const sum = Object.hasOwn(sums, name) ? sums[name] : undefined;
  const own = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (sum === undefined && own === undefined) {
    const names = [...Object.keys(parameters), ...Object.keys(sums)].join(", ");
    throw new TextError(at, `${filter} takes ${names}`);
  }
  const isNegative =
    "negative" in operation ? operation.negative : operation.op === "compare" && operation.sign === "!=";
  if (own?.startsWith("items.") && (isNegative || operation.op === "null")) {
    throw new TextError(
      operationAt,
      "asks Shopify for any other product, where here it would ask that no line of the order has it",
    );
  }
  if (sum === "total" || own === "total") sense.note(at, "total is after edits and refunds");
  if (sum !== undefined) return { ...parameter, name: "sum", of: { name: sum, at } };
  return { ...parameter, name: own ?? name, written: own ?? name };
}
