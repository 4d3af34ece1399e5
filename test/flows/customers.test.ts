import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { type MintedShop, mintShop } from "../helpers/api";
import { MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { address, customer, order } from "../shopify/bodies";

useFakeClock();

type Fields = Record<string, unknown>;

const iso = (at: number) => new Date(at).toISOString();
/** A customer's body as new as the clock. */
const fresh = (more: Fields = {}) => customer({ updated_at: iso(Date.now()), ...more });
const placed = (id: number, more: Fields = {}) => {
  const now = { created_at: iso(T0), processed_at: iso(T0), updated_at: iso(Date.now()) };
  return order({ id, cart_token: null, checkout_token: null, ...now, customer: fresh(), ...more });
};

/** Everything takes a second, so that each body is newer than the one before. */
async function deliver(shop: MintedShop, topic: string, body: Fields): Promise<void> {
  expect([topic, await deliverWebhook(shop.domain, topic, body)]).toEqual([topic, "handled"]);
  travel(SECOND);
}

async function onlyContact(shop: MintedShop) {
  const { items } = (await shop.full.get("/v1/contacts")).body;
  expect(items).toHaveLength(1);
  return items[0];
}

const emailConsent = (state: string, level: string, at: number) => ({
  customer_id: 7_101,
  email_address: "mira@nordlicht.example",
  email_marketing_consent: { state, opt_in_level: level, consent_updated_at: iso(at) },
});
const smsConsent = (state: string, at: number) => ({
  id: 7_101,
  phone: "+491715550001",
  sms_marketing_consent: {
    state,
    opt_in_level: "single_opt_in",
    consent_updated_at: iso(at),
    consent_collected_from: "SHOPIFY",
  },
});

describe("customers as Shopify's webhooks tell them, over REST", () => {
  it("C23, C11, C8: the ten standard fields, source Shopify, found by the customer's id; a contact of before keeps its source", async () => {
    const shop = await mintShop();
    const known = (await shop.full.post("/v1/contacts", { email: "alt@post.example", source: "Import" })).body;
    const body = { phone: "+49 171 5550001", first_name: "李", last_name: "Ødegård-Müller" };
    await deliver(shop, "customers/create", customer(body));
    await deliver(shop, "customers/create", customer({ id: 7_102, email: "alt@post.example", phone: null }));
    const find = async (id: string) => (await shop.full.get(`/v1/contacts?shopifyCustomerId=${id}`)).body.items;
    const [found] = await find("7101");
    expect(found).toMatchObject({
      firstName: "李",
      lastName: "Ødegård-Müller",
      email: "mira@nordlicht.example",
      phone: "+491715550001",
      address: { line1: "Große Straße 5", city: "Köln", country: "Germany", zip: "50667" },
      shopifyCreatedAt: "2026-10-23T12:00:00.000Z",
      shopifyUpdatedAt: "2026-11-22T11:59:00.000Z",
      shopifyCustomerId: "7101",
      source: "Shopify",
    });
    expect(await find("7102")).toMatchObject([{ id: known.id, source: "Import", email: "alt@post.example" }]);
    expect((await shop.full.get("/v1/contacts")).body.items).toHaveLength(2);
  });

  it("C24: null in Shopify does not erase what the CRM was told; clearing it here, or there after Shopify had set it, does", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/contacts", { email: "mira@nordlicht.example", firstName: "Miriam" });
    const read = async () => (await shop.full.get(`/v1/contacts/${made.body.id}`)).body;
    const nothing = { first_name: null, last_name: null };
    await deliver(shop, "customers/create", fresh(nothing));
    expect(await read()).toMatchObject({ firstName: "Miriam", lastName: null, shopifyCustomerId: "7101" });
    await deliver(shop, "customers/update", fresh());
    expect(await read()).toMatchObject({ firstName: "Mira", lastName: "Ödegård" });
    await deliver(shop, "customers/update", fresh(nothing));
    expect(await read()).toMatchObject({ firstName: null, lastName: null });
    await deliver(shop, "customers/update", fresh());
    await shop.full.patch(`/v1/contacts/${made.body.id}`, { firstName: "Miriam" });
    await deliver(shop, "customers/update", fresh(nothing));
    expect(await read()).toMatchObject({ firstName: "Miriam", lastName: null });
    await shop.full.patch(`/v1/contacts/${made.body.id}`, { firstName: null });
    expect((await read()).firstName).toBeNull();
  });

  it("C2: an edit here calls nobody, and Shopify's next update wins for the fields that it has, for no other", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const shop = await mintShop();
    await deliver(shop, "customers/create", fresh());
    const { id } = await onlyContact(shop);
    const edited = await shop.full.patch(`/v1/contacts/${id}`, {
      firstName: "Edited",
      fields: { size: "M" },
      score: 7,
      tags: ["ours"],
    });
    expect(edited.body).toMatchObject({ firstName: "Edited", score: 7 });
    travel(MINUTE);
    await deliver(shop, "customers/update", fresh({ first_name: "Mirella" }));
    await deliver(shop, "orders/create", placed(1, { customer: fresh({ first_name: "Mirella" }) }));
    expect(await onlyContact(shop)).toMatchObject({
      id,
      firstName: "Mirella",
      score: 7,
      fields: { size: "M" },
      tags: ["ours"],
    });
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
  });

  it("C7: the total order count goes up by one with a new order and down when one is cancelled", async () => {
    const shop = await mintShop();
    const count = async () => {
      const { ordersCount, fields } = await onlyContact(shop);
      expect(fields.total_order_count).toBe(ordersCount);
      return ordersCount;
    };
    await deliver(shop, "customers/create", fresh());
    const seen = [await count()];
    for (const [topic, body] of [
      ["orders/create", placed(1)],
      ["orders/create", placed(2)],
      ["orders/create", placed(3, { test: true })],
      ["orders/cancelled", placed(2, { cancelled_at: iso(T0), updated_at: iso(T0 + MINUTE) })],
      ["orders/updated", placed(1, { financial_status: "refunded", updated_at: iso(T0 + MINUTE) })],
    ] as const) {
      await deliver(shop, topic, body);
      seen.push(await count());
    }
    expect(seen).toEqual([0, 1, 2, 2, 1, 1]);
  });

  it("C9, C13: state and type of the e-mail subscription, each of 6 by 3; of two a second apart the newer stands in any order", async () => {
    const shop = await mintShop();
    await deliver(shop, "customers/create", fresh());
    const read = async () => (await onlyContact(shop)).consents.email;
    for (const state of ["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"]) {
      for (const level of ["single_opt_in", "confirmed_opt_in", "unknown"]) {
        const at = Date.now();
        await deliver(shop, "customers_email_marketing_consent/update", emailConsent(state, level, at));
        expect(await read()).toEqual({ state, level, basis: "shopify", source: null, updatedAt: iso(at) });
      }
    }
    const [on, off] = [Date.now(), Date.now() + SECOND];
    for (const [state, at] of [
      ["unsubscribed", off],
      ["subscribed", on],
    ] as const) {
      await deliver(shop, "customers_email_marketing_consent/update", emailConsent(state, "single_opt_in", at));
      expect(await read()).toMatchObject({ state: "unsubscribed", updatedAt: iso(off) });
    }
  });

  it("C10, C12: the box for text messages subscribes to SMS and WhatsApp, with when and by whom it was decided", async () => {
    const shop = await mintShop({ phoneImpliesSubscribed: false });
    await deliver(shop, "customers/create", fresh({ phone: "+49 171 5550001" }));
    expect((await onlyContact(shop)).consents.sms).toMatchObject({ state: "not_subscribed", basis: null });
    await deliver(shop, "customers_marketing_consent/update", smsConsent("unsubscribed", T0));
    expect((await onlyContact(shop)).consents.sms).toMatchObject({ state: "unsubscribed" });
    const at = Date.now();
    await deliver(shop, "customers_marketing_consent/update", smsConsent("subscribed", at));
    const decided = { state: "subscribed", level: "single_opt_in", updatedAt: iso(at) };
    expect((await onlyContact(shop)).consents).toMatchObject({
      sms: { ...decided, basis: "shopify" },
      whatsapp: { ...decided, basis: "sms_consent" },
    });
  });

  it("C17 to C22: exactly one of five statuses by account state and orders, and its history", async () => {
    const table = [
      ["invited", "invited"],
      ["enabled", "enabled"],
      ["disabled", "disabled"],
      ["declined", "declined"],
    ] as const;
    for (const [state, status] of table) {
      const shop = await mintShop();
      await deliver(shop, "customers/create", fresh({ state }));
      expect((await onlyContact(shop)).lifecycle).toEqual({ stage: "customer", status });
      await deliver(shop, "orders/create", placed(1, { customer: fresh({ state }) }));
      const { id, lifecycle } = await onlyContact(shop);
      expect(lifecycle).toEqual({ stage: "customer", status: "paying" });
      const history = (await shop.full.get(`/v1/contacts/${id}/lifecycle`)).body.items;
      expect(history).toMatchObject([
        { stage: "customer", status: "paying" },
        { stage: "customer", status },
      ]);
      await deliver(shop, "orders/cancelled", placed(1, { cancelled_at: iso(T0), updated_at: iso(T0 + MINUTE) }));
      expect((await onlyContact(shop)).lifecycle.status).toBe("paying");
    }
    const response = await exports.default.fetch("https://footfall.test/v1/openapi.json");
    // Null is for contacts that are at no such stage.
    const enums = [...(await response.text()).matchAll(/"enum":\[("invited"[^\]]*?)(?:,null)?\]/g)].map(
      ([, list]) => list,
    );
    expect(new Set(enums)).toEqual(new Set(['"invited","enabled","paying","disabled","declined"']));
  });

  it("E16: the customer's own phone, else the default address', which the own one replaces later; an order's is never used", async () => {
    const own = await mintShop();
    await deliver(own, "customers/create", fresh({ phone: "+49 171 5550001" }));
    expect((await onlyContact(own)).phone).toBe("+491715550001");

    const fallback = await mintShop();
    await deliver(fallback, "customers/create", fresh({ phone: null }));
    expect((await onlyContact(fallback)).phone).toBe("+492211234567");
    await deliver(fallback, "customers/update", fresh({ phone: "+49 171 5550002" }));
    expect((await onlyContact(fallback)).phone).toBe("+491715550002");

    const none = await mintShop();
    const nobody = fresh({ phone: null, default_address: address({ phone: null }) });
    await deliver(none, "customers/create", nobody);
    await deliver(none, "orders/create", placed(1, { phone: "+49 171 5550009", customer: nobody }));
    expect((await onlyContact(none)).phone).toBeNull();
  });
});
