import { describe, expect, it } from "vitest";

import { type MintedShop, mintShop } from "../helpers/api";
import { SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { customer, order } from "../shopify/bodies";
import docs from "../../docs/fields.md?raw";

useFakeClock();

const STATES = ["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"];
const LEVELS = ["single_opt_in", "confirmed_opt_in", "unknown"];

const iso = (at: number) => new Date(at).toISOString();

async function deliver(shop: MintedShop, topic: string, body: unknown): Promise<void> {
  const outcome = await deliverWebhook(shop.domain, topic, body);
  expect(["handled", "stale"]).toContain(outcome);
  travel(SECOND);
}

const emailSays = (shop: MintedShop, state: string, level: string | null, at: number) =>
  deliver(shop, "customers_email_marketing_consent/update", {
    customer_id: 7_101,
    email_address: "mira@nordlicht.example",
    email_marketing_consent: { state, opt_in_level: level, consent_updated_at: iso(at) },
  });

const smsSays = (shop: MintedShop, state: string, level: string | null, at: number, from: string | null = "OTHER") =>
  deliver(shop, "customers_marketing_consent/update", {
    id: 7_101,
    phone: "+491715550001",
    sms_marketing_consent: {
      state,
      opt_in_level: level,
      consent_updated_at: iso(at),
      consent_collected_from: from,
    },
  });

async function withCustomer(settings: Record<string, unknown> = {}): Promise<MintedShop> {
  const shop = await mintShop(settings);
  await deliver(shop, "customers/create", customer({ phone: "+49 171 5550001", updated_at: iso(T0) }));
  return shop;
}

const consentsOf = async (shop: MintedShop) => (await shop.full.get("/v1/contacts")).body.items[0].consents;

/** The rows of the printed table: state, then a cell for each level. */
const printed = [...docs.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm)].map((row) =>
  row.slice(1),
);

describe("consents", () => {
  it("C9: each of 6 states by 3 levels is what the printed table says", async () => {
    const shop = await withCustomer();
    expect(printed.map(([state]) => state)).toEqual(STATES);
    for (const [state = "", ...cells] of printed) {
      for (const [n, level] of LEVELS.entries()) {
        const at = Date.now();
        await emailSays(shop, state.toUpperCase(), level.toUpperCase(), at);
        const shown = (await consentsOf(shop)).email;
        expect(shown).toEqual({ state, level, basis: "shopify", source: null, updatedAt: iso(at) });
        expect(`\`${shown.state}\`, \`${shown.level}\``).toBe(cells[n]);
      }
    }
  });

  it("C10, C12: the box for text messages subscribes to SMS, and to WhatsApp until that has its own; time and source are kept", async () => {
    const shop = await withCustomer({ phoneImpliesSubscribed: false });
    expect(await consentsOf(shop)).toMatchObject({ sms: { state: "not_subscribed", source: null } });
    const at = Date.now();
    await smsSays(shop, "SUBSCRIBED", "SINGLE_OPT_IN", at, "SHOPIFY");
    const sms = {
      state: "subscribed",
      level: "single_opt_in",
      basis: "shopify",
      source: "SHOPIFY",
      updatedAt: iso(at),
    };
    expect(await consentsOf(shop)).toMatchObject({ sms, whatsapp: { ...sms, basis: "sms_consent" } });
    const own = Date.now();
    await deliver(shop, "customers_whats_app_marketing_consent/update", {
      customer_id: 7_101,
      phone_number: "+491715550001",
      whats_app_marketing_consent: { state: "unsubscribed", opt_in_level: "single_opt_in", updated_at: iso(own) },
    });
    await smsSays(shop, "SUBSCRIBED", "CONFIRMED_OPT_IN", Date.now(), "OTHER");
    expect(await consentsOf(shop)).toMatchObject({
      sms: { level: "confirmed_opt_in", source: "OTHER" },
      whatsapp: { state: "unsubscribed", basis: "shopify", source: null, updatedAt: iso(own) },
    });
  });

  it("C13: subscribed and unsubscribed within a second, in both orders of arrival: the newer consent_updated_at wins", async () => {
    const both: [string, number][] = [
      ["subscribed", T0 + 10_000],
      ["unsubscribed", T0 + 10_999],
    ];
    for (const arrival of [both, both.toReversed()]) {
      for (const says of [emailSays, smsSays]) {
        const shop = await withCustomer();
        for (const [state, at] of arrival) await says(shop, state, "single_opt_in", at);
        const { email, sms } = await consentsOf(shop);
        const told = says === emailSays ? email : sms;
        expect(told).toMatchObject({ state: "unsubscribed", updatedAt: iso(T0 + 10_999) });
      }
    }
  });

  it("C14: a phone number without a decision: subscribed by default with the setting, not without; an explicit no stays", async () => {
    const on = await withCustomer({ phoneImpliesSubscribed: true });
    const byDefault = { state: "subscribed", level: null, basis: "phone_default", source: null };
    expect(await consentsOf(on)).toMatchObject({ sms: byDefault, whatsapp: byDefault });
    await smsSays(on, "unsubscribed", "single_opt_in", Date.now());
    await deliver(on, "customers/update", customer({ phone: "+49 171 5550002", updated_at: iso(Date.now()) }));
    expect(await consentsOf(on)).toMatchObject({ sms: { state: "unsubscribed", basis: "shopify" } });
    const off = await withCustomer({ phoneImpliesSubscribed: false });
    expect(await consentsOf(off)).toMatchObject({
      sms: { state: "not_subscribed" },
      whatsapp: { state: "not_subscribed" },
    });
  });

  it("which of two stands: a row for every pair of the printed precedence, in both orders of arrival", async () => {
    const early = T0 + 60_000;
    const late = T0 + 120_000;
    const ticked = (shop: MintedShop) => {
      const now = iso(Date.now());
      const own = { created_at: now, processed_at: now, updated_at: now, cart_token: null, checkout_token: null };
      return deliver(
        shop,
        "orders/create",
        order({ buyer_accepts_marketing: true, customer: { id: 7_101, updated_at: iso(T0) }, ...own }),
      );
    };
    const undated = (state: string) => (shop: MintedShop) =>
      deliver(
        shop,
        "customers/update",
        customer({
          phone: "+49 171 5550001",
          updated_at: iso(Date.now()),
          email_marketing_consent: { state, opt_in_level: "single_opt_in", consent_updated_at: null },
        }),
      );
    type Say = (shop: MintedShop) => Promise<void>;
    const rows: [string, Say, Say, string, string][] = [
      [
        "the later date",
        (s) => emailSays(s, "unsubscribed", null, late),
        (s) => emailSays(s, "subscribed", null, early),
        "email",
        "unsubscribed",
      ],
      [
        "also when it allows",
        (s) => emailSays(s, "subscribed", null, late),
        (s) => emailSays(s, "unsubscribed", null, early),
        "email",
        "subscribed",
      ],
      [
        "the stricter at one moment",
        (s) => emailSays(s, "unsubscribed", null, late),
        (s) => emailSays(s, "subscribed", null, late),
        "email",
        "unsubscribed",
      ],
      [
        "a date over none",
        (s) => emailSays(s, "subscribed", null, early),
        undated("not_subscribed"),
        "email",
        "subscribed",
      ],
      [
        "a decision over a box at an order",
        (s) => emailSays(s, "unsubscribed", null, early),
        ticked,
        "email",
        "unsubscribed",
      ],
      ["an undated word over a box", undated("not_subscribed"), ticked, "email", "not_subscribed"],
      [
        "SMS' word for WhatsApp over the phone default",
        (s) => smsSays(s, "unsubscribed", null, early),
        async () => undefined,
        "whatsapp",
        "unsubscribed",
      ],
    ];
    for (const [name, winner, loser, channel, state] of rows) {
      for (const [first, second] of [
        [winner, loser],
        [loser, winner],
      ]) {
        const shop = await withCustomer();
        await first?.(shop);
        await second?.(shop);
        expect([name, (await consentsOf(shop))[channel].state]).toEqual([name, state]);
      }
    }
  }, 60_000);

  it("over the API: the person decided now, where the caller says; a form's word waits for its confirmation", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/contacts", {
      email: "a@b.example",
      consents: { email: { state: "subscribed", level: "confirmed_opt_in", source: "trade fair" } },
    });
    expect(made.body.consents.email).toEqual({
      state: "subscribed",
      level: "confirmed_opt_in",
      basis: "api",
      source: "trade fair",
      updatedAt: iso(T0),
    });
    const patched = await shop.full.patch(`/v1/contacts/${made.body.id}`, {
      consents: { email: { state: "unsubscribed" } },
    });
    expect(patched.body.consents.email).toMatchObject({ state: "unsubscribed", source: "api" });
    const exported = await shop.full.post(`/v1/contacts/${made.body.id}/export`);
    expect(exported.body.consents).toMatchObject([{ channel: "email", source: "api" }]);
  });
});
