import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemo, type Demo } from "../../../demo/server.ts";
import { API_VERSIONS } from "../../../demo/store/store.ts";
import { buy, MUG_OAT, shopperAt, THROW_CLAY } from "./browser-without-window.ts";
import { startRecorder, type Recorder } from "./recorder.ts";
import { problems } from "./shopify-schemas.ts";

const SECRET = "hush-of-the-tests";
const SHOP = "webhooks-test.myshopify.com";
const orders = z.array(
  z.object({ id: z.number(), customerId: z.number().nullable(), lines: z.array(z.object({ id: z.number() })) }),
);
const customers = z.array(z.object({ id: z.number(), email: z.string().nullable() }));

/** Everything that a merchant and two shoppers can do, so that every topic is sent at least once. */
async function liveAWeek(demo: Demo): Promise<void> {
  const admin = shopperAt(demo.url);
  const mia = shopperAt(demo.url);
  await mia.ajax("/cart/add.js", { id: THROW_CLAY, quantity: 1, properties: { engraving: "M" } });
  await mia.ajax("/cart/change.js", { line: 1, quantity: 2 });
  await buy(mia, {
    email: "mia@example.com",
    phone: "+4915112345678",
    marketing: true,
    discount: "WELCOME10",
    attributes: { __ff_visitor: "0f8fad5b-d9cb-469f-a165-70867728950e", gift: "yes" },
  });
  await buy(shopperAt(demo.url), {
    email: "kaori@example.com",
    phone: "+81312345678",
    country: "JP",
    discount: "FIVEOFF",
  });
  await buy(shopperAt(demo.url), { email: "sam@example.com", country: "US", method: "bank", discount: "SHIPFREE" });
  await shopperAt(demo.url).form("/contact", {
    "contact[email]": "letters@example.com",
    "contact[tags]": "newsletter",
    "contact[accepts_marketing]": "true",
  });
  await admin.ajax("/_admin/api/orders", { variantId: MUG_OAT, test: true });
  await admin.ajax("/_admin/api/orders", { variantId: MUG_OAT, email: "counter@example.com" });

  const placed = orders.parse(JSON.parse((await admin.get("/_admin/api/orders")).text));
  const [first, second, third, guest] = placed;
  if (!first || !second || !third || !guest) throw new Error("Orders are missing");
  const post = (path: string, body: object) => admin.ajax(`/_admin/api/${path}`, body);
  await post(`orders/${first.id}/refund`, { lines: [{ lineId: first.lines[0]?.id, quantity: 1 }], note: "Chipped" });
  await post(`orders/${first.id}/refund`, { amount: 100 });
  await post(`orders/${first.id}/edit`, { additions: [{ variantId: MUG_OAT, quantity: 1 }] });
  await post(`orders/${second.id}/cancel`, { reason: "inventory" });
  await post(`orders/${third.id}/pay`, {});
  const people = customers.parse(JSON.parse((await admin.get("/_admin/api/customers")).text));
  const id = (email: string): number | undefined => people.find((one) => one.email === email)?.id;
  await post(`customers/${id("mia@example.com")}/tags`, { add: ["vip"] });
  await post(`customers/${id("mia@example.com")}/tags`, { remove: ["vip"] });
  await post(`customers/${id("mia@example.com")}/consent`, { channel: "sms", state: "subscribed" });
  await post(`customers/${id("mia@example.com")}/consent`, { channel: "email", state: "unsubscribed" });
  await post("customers/merge", { kept: id("sam@example.com"), lost: id("letters@example.com") });
  await post(`customers/${id("counter@example.com")}/delete`, {});
  await post("products/announce", {});
  await post("uninstall", {});
  await post("flush", {});
}

const TOPICS = [
  "app/uninstalled",
  "carts/create",
  "carts/update",
  "checkouts/create",
  "checkouts/update",
  "customer.tags_added",
  "customer.tags_removed",
  "customers/create",
  "customers/delete",
  "customers/merge",
  "customers/purchasing_summary",
  "customers/update",
  "customers_email_marketing_consent/update",
  "customers_marketing_consent/update",
  "orders/cancelled",
  "orders/create",
  "orders/edited",
  "orders/paid",
  "orders/updated",
  "products/create",
  "products/update",
  "refunds/create",
];

describe.each(API_VERSIONS)("webhooks of API version %s", (version) => {
  let product: Recorder;
  let demo: Demo;
  beforeAll(async () => {
    product = await startRecorder();
    demo = await startDemo({ port: 0, footfallUrl: product.url, shop: SHOP, apiSecret: SECRET, apiVersion: version });
    await liveAWeek(demo);
  });
  afterAll(async () => {
    await demo.close();
    await product.close();
  });

  it("sends every topic", () => {
    expect([...new Set(product.webhooks().map((one) => one.topic))].sort()).toEqual(TOPICS);
  });

  it("has bodies with the types, required fields and exact keys of Shopify's examples", () => {
    const wrong = product
      .webhooks()
      .flatMap(({ topic, body }) => problems(topic, version, body).map((text) => `${topic}: ${text}`));
    expect([...new Set(wrong)]).toEqual([]);
    expect(product.webhooks().length).toBeGreaterThan(60);
  });

  it("signs the exact bytes and names shop, version, delivery and event", () => {
    const ids = new Set<string>();
    for (const { headers, raw } of product.webhooks()) {
      expect(headers["x-shopify-hmac-sha256"]).toBe(createHmac("sha256", SECRET).update(raw).digest("base64"));
      expect(headers["x-shopify-shop-domain"]).toBe(SHOP);
      expect(headers["x-shopify-api-version"]).toBe(version);
      expect(headers["x-shopify-triggered-at"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
      expect(headers["x-shopify-event-id"]).toMatch(/^[0-9a-f-]{36}$/);
      ids.add(headers["x-shopify-webhook-id"] ?? "");
    }
    expect(ids.size).toBe(product.webhooks().length);
  });

  it("has checkout ids only where that version has them", () => {
    const has = (topic: string, key: string): boolean =>
      product.webhooks().some((one) => one.topic === topic && key in one.body);
    expect(has("checkouts/create", "id")).toBe(version === "2026-01");
    expect(has("orders/create", "checkout_id")).toBe(version === "2026-01");
  });
});
