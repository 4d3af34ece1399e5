import type { Random } from "../helpers/random";
import * as wrong from "./wrong-values";
import { Raw, replaced, type Value, write } from "./wrong-values";

/** What must become of a delivery: refused, or kept as a dead letter, or kept and of no effect. */
export interface WebhookCase {
  name: string;
  domain: string;
  topic: string;
  body: string | ArrayBuffer;
  headers: Record<string, string | null>;
  statuses: number[];
  /** Null: nothing is stored. `dead` names the wrong member in its error. */
  inbox: "dead" | "unhandled" | "stale" | null;
  /** A part of the error of a dead one. */
  names: RegExp | null;
}

type Fields = Record<string, Value>;
type Wrong = [path: string, value: (random: Random) => Value];

/** Bodies that name what the shop has. Each would change it: they are newer, and their figures differ. */
export interface Bodies {
  customer: Fields;
  order: Fields;
  checkout: Fields;
  refund: Fields;
  product: Fields;
}

const PERSON = (at: string): Wrong[] => [
  [`${at}id`, wrong.notId],
  [`${at}admin_graphql_api_id`, (random) => random.pick<Value>([wrong.odd(random), "gid://x", -1, {}, [], true])],
  [`${at}email`, (random) => random.pick<Value>([wrong.notText(random)])],
  [`${at}phone`, wrong.notText],
  [`${at}first_name`, wrong.notText],
  [`${at}created_at`, wrong.notMoment],
  [`${at}updated_at`, wrong.notMoment],
  [`${at}tags`, (random) => random.pick<Value>([5, true, {}, [5], [null], [{}]])],
  [`${at}tax_exempt`, wrong.notBoolean],
  [`${at}default_address`, (random) => random.pick<Value>(["x", 5, true, [1], [{}], wrong.odd(random)])],
  [`${at}default_address.city`, wrong.notText],
  [`${at}orders_count`, (random) => random.pick<Value>([-1, 1.5, "5", {}, [], true, new Raw("1e999")])],
  [`${at}email_marketing_consent`, (random) => random.pick<Value>(["subscribed", 5, true, [], [{}]])],
];

const LINE = (at: string): Wrong[] => [
  [`${at}line_items`, (random) => random.pick<Value>([wrong.notList(random), [null], [5], ["x"], [[]]])],
  [`${at}line_items.0.quantity`, (random) => random.pick<Value>([wrong.notCount(random), 1_000_001])],
  [`${at}line_items.0.price`, wrong.notDecimal],
  [`${at}line_items.0.product_id`, (random) => random.pick<Value>([-1, 1.5, "", "x", {}, [], true, wrong.odd(random)])],
  [`${at}line_items.0.title`, wrong.notText],
];

const WRONG: Record<string, { body: keyof Bodies; fields: Wrong[] }> = {
  "orders/updated": {
    body: "order",
    fields: [
      ["id", wrong.notId],
      ["name", wrong.notText],
      ["test", wrong.notBoolean],
      ["created_at", (random) => random.pick<Value>([wrong.notMoment(random), null, undefined])],
      ["updated_at", wrong.notMoment],
      ["updated_at", () => "9999-12-31T23:59:59Z"],
      ["processed_at", wrong.notMoment],
      ["cancelled_at", wrong.notMoment],
      ["currency", (random) => random.pick<Value>([wrong.notCurrency(random), null, undefined])],
      ["presentment_currency", wrong.notCurrency],
      ["total_price", (random) => random.pick<Value>([wrong.notDecimal(random), null, undefined])],
      ["current_total_price", (random) => random.pick<Value>([wrong.notDecimal(random), "-5.00"])],
      ["total_tax", wrong.notDecimal],
      [
        "total_price_set",
        (random) => random.pick<Value>([5, "x", [], {}, { shop_money: 5 }, { shop_money: {}, presentment_money: {} }]),
      ],
      ["financial_status", wrong.notText],
      ["fulfillment_status", wrong.notText],
      ["cart_token", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(501), "x".repeat(64_000)])],
      ["checkout_token", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(501)])],
      ["discount_codes", (random) => random.pick<Value>([wrong.notList(random), [null], [5], [{}], [{ code: 5 }]])],
      ["shipping_lines", (random) => random.pick<Value>([wrong.notList(random), [null], [5], [{ title: 5 }]])],
      ["fulfillments", (random) => random.pick<Value>([wrong.notList(random), [null], [{ created_at: "x" }]])],
      ["refunds", (random) => random.pick<Value>([wrong.notList(random), [null], [{}], [{ id: -1 }]])],
      [
        "customer",
        (random) => random.pick<Value>(["x", 5, true, [], [{}], {}, wrong.object(random), wrong.odd(random)]),
      ],
      ["email", wrong.notText],
      ["buyer_accepts_marketing", wrong.notBoolean],
      ...PERSON("customer."),
      ...LINE(""),
    ],
  },
  "customers/update": { body: "customer", fields: PERSON("") },
  "checkouts/update": {
    body: "checkout",
    fields: [
      ["token", (random) => random.pick<Value>([wrong.notText(random), "", null, undefined, "x".repeat(501)])],
      ["cart_token", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(501)])],
      [
        "updated_at",
        (random) => random.pick<Value>([wrong.notMoment(random), null, undefined, "9999-12-31T23:59:59Z"]),
      ],
      ["completed_at", wrong.notMoment],
      ["currency", wrong.notCurrency],
      ["total_price", wrong.notDecimal],
      ["abandoned_checkout_url", wrong.notText],
      ["customer", (random) => random.pick<Value>(["x", 5, true, [], [{}], {}, wrong.odd(random)])],
      ...PERSON("customer."),
      ...LINE(""),
    ],
  },
  "refunds/create": {
    body: "refund",
    fields: [
      ["id", wrong.notId],
      ["order_id", (random) => random.pick<Value>([wrong.notId(random), undefined])],
      ["created_at", wrong.notMoment],
      ["refund_line_items", (random) => random.pick<Value>([wrong.notList(random), [null], [5], [{}], [[]]])],
      ["refund_line_items.0.quantity", (random) => random.pick<Value>([wrong.notCount(random), 1_000_001])],
      ["refund_line_items.0.subtotal", wrong.notDecimal],
      ["refund_line_items.0.line_item_id", wrong.notId],
      ["order_adjustments", (random) => random.pick<Value>([wrong.notList(random), [null], [5], [{ amount: "x" }]])],
    ],
  },
  "products/update": {
    body: "product",
    fields: [
      ["id", wrong.notId],
      ["title", wrong.notText],
      ["updated_at", wrong.notMoment],
    ],
  },
};

/** Topics about a record alone, with the ways in which they name none. */
const BY_ID: [topic: string, path: string, base: Fields][] = [
  ["customers/delete", "id", {}],
  ["orders/delete", "id", {}],
  ["products/delete", "id", {}],
  [
    "customers/merge",
    "admin_graphql_api_customer_kept_id",
    { admin_graphql_api_customer_deleted_id: "gid://shopify/Customer/1", status: "completed" },
  ],
  ["customer.tags_added", "customerId", { tags: ["hostile"], occurredAt: "2026-01-01T00:00:00Z" }],
  ["customers_email_marketing_consent/update", "customer_id", { email_marketing_consent: { state: "unsubscribed" } }],
  ["customers/purchasing_summary", "customerId", { numberOfOrders: 99, occurredAt: "2026-01-01T00:00:00Z" }],
];

/** A correctly signed delivery that is right but for one member. */
export function oneWrongMember(domain: string, bodies: Bodies, random: Random): WebhookCase {
  const dead = (topic: string, path: string, body: Value): WebhookCase => ({
    name: `${topic}: ${path}`,
    domain,
    topic,
    body: write(body),
    headers: {},
    statuses: [200],
    inbox: "dead",
    names: new RegExp(`${path.split(".")[0]}|does not fit|from the future|below zero|not a decimal|no token`),
  });
  if (random.chance(0.1)) {
    const [topic, path, base] = BY_ID[random.int(0, BY_ID.length - 1)] ?? ["orders/delete", "id", {}];
    return dead(topic, path, { ...base, [path]: wrong.notId(random), nonce: random.int(0, 1e9) });
  }
  const topics = Object.entries(WRONG);
  const [topic, { body, fields }] = topics[random.int(0, topics.length - 1)] ?? [
    "orders/updated",
    { body: "order", fields: [] },
  ];
  const [path, make] = fields[random.int(0, fields.length - 1)] ?? ["id", wrong.notId];
  if (random.chance(0.08)) {
    const tooDeep = write({ ...bodies[body], [path.split(".")[0] ?? ""]: wrong.deep(random) });
    return {
      ...dead(topic, path, {}),
      name: `${topic}: ${path} is deep`,
      body: tooDeep,
      statuses: [400],
      inbox: null,
      names: null,
    };
  }
  return dead(topic, path, { ...(replaced(bodies[body], path, make(random)) as Fields), nonce: random.int(0, 1e9) });
}

/** A delivery that is broken, unsigned or misaddressed; or one that says what is known already, in an odd way. */
export function brokenDelivery(domain: string, otherDomain: string, bodies: Bodies, random: Random): WebhookCase {
  const nonce = random.int(0, 1e9);
  // Older than what is stored, and about nobody: the customer in it would be newer than the order around it.
  const known = { ...bodies.order, customer: undefined, updated_at: "2020-01-01T00:00:00Z", nonce };
  const as = (name: string, more: Partial<WebhookCase>): WebhookCase => ({
    name: `delivery: ${name}`,
    domain,
    topic: "orders/updated",
    body: write(known),
    headers: {},
    statuses: [400],
    inbox: null,
    names: null,
    ...more,
  });
  const stale = (name: string, more: Partial<WebhookCase>) => as(name, { statuses: [200], inbox: "stale", ...more });
  const signature = (value: string | null) => ({ headers: { "x-shopify-hmac-sha256": value }, statuses: [401] });
  const text = write({ ...bodies.order, nonce });
  const kinds: [() => WebhookCase, ...(() => WebhookCase)[]] = [
    () => as("no signature", signature(null)),
    () =>
      as(
        "another signature",
        signature(btoa(String.fromCharCode(...Array.from({ length: 32 }, () => random.int(0, 255))))),
      ),
    () =>
      as(
        "a short signature",
        signature(random.pick(["", "AAAA", "not base64!", "0".repeat(64), "=".repeat(44), "x".repeat(9_000)])),
      ),
    () =>
      as("an unknown shop", {
        domain: random.pick([`${nonce}.myshopify.com`, "' or 1=1 --", "__proto__", "x".repeat(300)]),
        statuses: [404],
      }),
    () => as("no shop", { headers: { "x-shopify-shop-domain": null }, statuses: [404] }),
    () =>
      as("no topic", {
        headers: {
          "x-shopify-topic": random.pick([
            null,
            "",
            "orders",
            "orders/",
            "__proto__",
            "orders/updated/x",
            "o'; drop table x",
            "x".repeat(300),
          ]),
        },
      }),
    () =>
      as("no id", { headers: { "x-shopify-webhook-id": random.pick([null, "", "a b", "'; --", "x".repeat(300)]) } }),
    () => as("cut off", { body: text.slice(0, random.int(0, text.length - 1)) }),
    () => as("no JSON", { body: random.pick(["", "{", "undefined", "NaN", "{'a':1}", `${text}}`, wrong.odd(random)]) }),
    () => as("no object", { body: random.pick(["null", "5", '"x"', "[]", `[${text}]`, "true"]) }),
    () => as("no UTF-8", { body: new Uint8Array([0x7b, 0x22, 0xff, 0xc0, random.int(128, 255), 0x22, 0x7d]).buffer }),
    () => as("deep", { body: write({ ...bodies.order, pad: wrong.deep(random) }) }),
    () =>
      as("another shop's uninstall", {
        topic: "app/uninstalled",
        body: write({ id: 1, myshopify_domain: otherDomain, nonce }),
        statuses: [200],
        inbox: "stale",
      }),
    () =>
      as("an odd uninstall", {
        topic: "app/uninstalled",
        body: write({ myshopify_domain: wrong.notText(random), nonce }),
        statuses: [200],
        inbox: "dead",
        names: /myshopify_domain/,
      }),
    () =>
      as("an unknown topic", {
        topic: random.pick(["constructor/prototype", "orders/hostile", "x/y"]),
        statuses: [200],
        inbox: "unhandled",
      }),
    () =>
      stale("prototype keys", {
        body: `{"__proto__":{"polluted":true,"id":5},"constructor":{"prototype":{}},${write(known).slice(1)}`,
      }),
    () =>
      stale("a long text", {
        body: write({ ...known, note: "x".repeat(64_000), [wrong.odd(random)]: wrong.odd(random) }),
      }),
    () =>
      stale("an odd moment", {
        headers: {
          "x-shopify-triggered-at": random.pick([
            "9999-12-31T23:59:59Z",
            "-000001-01-01T00:00:00Z",
            "NaN",
            "",
            "x".repeat(500),
            null,
          ]),
        },
      }),
    () =>
      stale("odd headers", {
        headers: {
          "content-type": random.pick(["text/html", "x", "multipart/form-data"]),
          "x-shopify-api-version": "'; --",
          "x-shopify-event-id": "x".repeat(900),
        },
      }),
  ];
  return random.pick(kinds)();
}
