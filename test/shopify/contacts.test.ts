import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { customerStatus } from "../../src/contacts/lifecycle";
import type { Shop } from "../../src/shops";
import { address, checkout, customer, iso, order } from "./bodies";
import { all, deliver, newShop, NOW, one } from "./deliver";

type Row = Record<string, unknown>;
const contacts = (shop: Shop) =>
  all<Row>("select * from contacts where shop = ? and deleted_at is null order by key", shop.key);
const contact = async (shop: Shop) => (await contacts(shop))[0] ?? {};
const consents = async (shop: Shop) =>
  Object.fromEntries(
    (
      await all<{ channel: string; state: string; level: string; basis: string; decided_at: number }>(
        "select * from consents where shop = ?",
        shop.key,
      )
    ).map(({ channel, state, level, basis, decided_at }) => [channel, { state, level, basis, decidedAt: decided_at }]),
  );
const tags = async (shop: Shop) =>
  (
    await all<{ label: string }>(
      "select label from contact_tags where shop = ? and removed = 0 order by label",
      shop.key,
    )
  ).map((t) => t.label);
const at = (seconds: number) => NOW - 3_600_000 + seconds * 1_000;

async function importContact(shop: Shop, email: string, more: Record<string, string> = {}): Promise<number> {
  const id = `con_${crypto.randomUUID()}`;
  const columns = Object.keys(more)
    .map((name) => `, ${name}`)
    .join("");
  const marks = Object.keys(more)
    .map(() => ", ?")
    .join("");
  const row = await env.DB.prepare(
    `insert into contacts (shop, id, email, source, verified, stage, created_at, updated_at${columns}) values (?, ?, ?, 'Import', 1, 'lead', 1, 1${marks}) returning key`,
  )
    .bind(shop.key, id, email, ...Object.values(more))
    .first<{ key: number }>();
  await env.DB.prepare("insert into identities values (?, 'email', ?, ?, 'verified', 1)")
    .bind(shop.key, email, row?.key ?? 0)
    .run();
  return row?.key ?? 0;
}

describe("contacts from customers", () => {
  it("C23: ten standard fields arrive as they are in Shopify, in any script, and null stays null", async () => {
    const shop = await newShop();
    await deliver(
      shop,
      "customers/create",
      customer({ phone: "+49 171 5550001", first_name: "李", last_name: "Ødegård-Müller" }),
    );
    expect(await contact(shop)).toMatchObject({
      first_name: "李",
      last_name: "Ødegård-Müller",
      email: "mira@nordlicht.example",
      phone: "+491715550001",
      line1: "Große Straße 5",
      city: "Köln",
      country: "Germany",
      zip: "50667",
      shopify_created_at: NOW - 86_400_000 * 30,
      shopify_updated_at: NOW - 60_000,
    });
    const bare = await newShop();
    await deliver(
      bare,
      "customers/create",
      customer({ first_name: null, last_name: null, email: null, phone: null, default_address: null }),
    );
    expect(await contact(bare)).toMatchObject({
      first_name: null,
      last_name: null,
      email: null,
      phone: null,
      line1: null,
      city: null,
      country: null,
      zip: null,
      shopify_customer_id: "7101",
    });
  });

  it("C24: a null of Shopify erases nothing that the CRM knows, but clears what Shopify itself had set", async () => {
    const shop = await newShop();
    await importContact(shop, "mira@nordlicht.example", { first_name: "Miriam", city: "Bonn" });
    const nothing = { first_name: null, last_name: null, default_address: { ...address(), city: null, company: null } };
    await deliver(shop, "customers/create", customer({ ...nothing, updated_at: iso(at(1)) }), at(1));
    expect(await contact(shop)).toMatchObject({ first_name: "Miriam", city: "Bonn", last_name: null });
    await deliver(shop, "customers/update", customer({ updated_at: iso(at(2)) }), at(2));
    expect(await contact(shop)).toMatchObject({ first_name: "Mira", last_name: "Ödegård", city: "Köln" });
    await deliver(shop, "customers/update", customer({ ...nothing, updated_at: iso(at(3)) }), at(3));
    expect(await contact(shop)).toMatchObject({ first_name: null, last_name: null, city: null });
  });

  it("a key that a body leaves out never changes what is stored", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer({ phone: "+49 171 5550001", updated_at: iso(at(1)) }), at(1));
    const before = await contact(shop);
    await deliver(
      shop,
      "customers/update",
      { id: 7_101, admin_graphql_api_id: "gid://shopify/Customer/7101", updated_at: iso(at(2)) },
      at(2),
    );
    await deliver(
      shop,
      "orders/create",
      {
        ...order({ cart_token: null, checkout_token: null }),
        email: undefined,
        contact_email: undefined,
        customer: { id: 7_101, updated_at: iso(at(3)) },
        shipping_address: { country: "France", country_code: "FR" },
        billing_address: undefined,
      },
      at(3),
    );
    const { shopify_updated_at, shopify_values, revision, orders_count, orders_total, status, updated_at, ...after } =
      await contact(shop);
    expect(before).toMatchObject(after);
    expect([shopify_updated_at, orders_count, orders_total, status]).toEqual([at(3), 1, 11_500, "paying"]);
    expect([shopify_values, revision, updated_at]).toBeTruthy();
  });

  it("C11: a new contact's source is Shopify; one that was here before keeps its own", async () => {
    const shop = await newShop();
    const key = await importContact(shop, "mira@nordlicht.example");
    await deliver(shop, "customers/create", customer());
    await deliver(shop, "customers/create", customer({ id: 7_102, email: "neu@post.example", phone: null }));
    expect((await contacts(shop)).map((c) => [c["key"] === key, c["email"], c["source"]])).toEqual([
      [true, "mira@nordlicht.example", "Import"],
      [false, "neu@post.example", "Shopify"],
    ]);
    const created = await all<Row>("select subject from outbox where shop = ? and type = 'contact_created'", shop.key);
    expect(created).toHaveLength(1);
  });

  it("C2: nothing is ever sent to Shopify, and the next update wins for synced fields only", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const shop = await newShop();
    await deliver(shop, "customers/create", customer({ updated_at: iso(at(1)) }), at(1));
    await env.DB.prepare(
      "update contacts set first_name = 'Edited', score = 7, fields = '{\"note\":\"x\"}' where shop = ?",
    )
      .bind(shop.key)
      .run();
    await deliver(shop, "customers/update", customer({ first_name: "Mirella", updated_at: iso(at(2)) }), at(2));
    await deliver(
      shop,
      "orders/create",
      order({ customer: customer({ first_name: "Mirella", updated_at: iso(at(2)) }) }),
    );
    await deliver(shop, "customers/delete", { id: 99 });
    expect(await contact(shop)).toMatchObject({ first_name: "Mirella", score: 7, fields: '{"note":"x"}' });
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
  });

  it("C7: the order count goes up with an order, not with a test, and down when one is cancelled", async () => {
    const shop = await newShop();
    const count = async () => (await contact(shop))["orders_count"];
    await deliver(shop, "orders/create", order());
    expect(await count()).toBe(1);
    await deliver(shop, "orders/create", order({ id: 8_202, cart_token: null, checkout_token: null, test: true }));
    expect(await count()).toBe(1);
    await deliver(shop, "orders/create", order({ id: 8_203, cart_token: null, checkout_token: null }));
    await deliver(shop, "orders/updated", order({ id: 8_203, cart_token: null, checkout_token: null }), NOW + 1);
    expect(await count()).toBe(2);
    await deliver(
      shop,
      "orders/cancelled",
      order({ id: 8_203, updated_at: iso(NOW), cancelled_at: iso(NOW), cart_token: null, checkout_token: null }),
      NOW + 2,
    );
    expect(await count()).toBe(1);
    await deliver(shop, "orders/delete", { id: 8_201 });
    expect(await count()).toBe(0);
  });

  it("C17 to C22: account state and orders give exactly one of five statuses, with its history", async () => {
    const table: [string | null, string, string][] = [
      ["invited", "invited", "paying"],
      ["enabled", "enabled", "paying"],
      ["disabled", "disabled", "paying"],
      ["declined", "declined", "paying"],
      [null, "disabled", "paying"],
    ];
    for (const [state, without, ordered] of table) {
      const account = state as Parameters<typeof customerStatus>[0];
      expect([customerStatus(account, false), customerStatus(account, true)]).toEqual([without, ordered]);
      const shop = await newShop();
      await deliver(shop, "customers/create", customer({ state }));
      expect(await contact(shop)).toMatchObject({ stage: "customer", status: without });
      await deliver(shop, "orders/create", order({ customer: customer({ state }) }));
      expect(await contact(shop)).toMatchObject({ stage: "customer", status: ordered });
      await deliver(shop, "customers/disable", customer({ state: "disabled", updated_at: iso(NOW) }), NOW + 1);
      expect(await contact(shop)).toMatchObject({ status: "paying" });
      const history = await all<Row>(
        "select stage, status from lifecycle_history where shop = ? order by key",
        shop.key,
      );
      expect(history.slice(-2)).toEqual([
        { stage: "customer", status: without },
        { stage: "customer", status: "paying" },
      ]);
    }
    const guest = await newShop();
    await deliver(guest, "checkouts/create", checkout());
    expect(await contact(guest)).toMatchObject({ stage: "lead", status: null });
  });

  it("C22: cancelling or refunding the only order leaves a paying customer paying", async () => {
    const shop = await newShop();
    await deliver(shop, "orders/create", order());
    await deliver(
      shop,
      "orders/cancelled",
      order({
        updated_at: iso(NOW),
        cancelled_at: iso(NOW),
        financial_status: "refunded",
        current_total_price: "0.00",
      }),
      NOW + 1,
    );
    expect(await contact(shop)).toMatchObject({ status: "paying", orders_count: 0 });
  });

  it("C18 to C22: orders from before the connection count by purchasing_summary", async () => {
    const shop = await newShop();
    await deliver(
      shop,
      "customers/purchasing_summary",
      {
        customerId: "gid://shopify/Customer/7101",
        numberOfOrders: 4,
        amountSpent: { amount: "9.00", currencyCode: "EUR" },
        lastOrderId: null,
        occurredAt: iso(at(1)),
      },
      at(1),
    );
    await deliver(shop, "customers/create", customer({ state: "enabled" }));
    expect(await contacts(shop)).toHaveLength(1);
    expect(await contact(shop)).toMatchObject({
      status: "paying",
      orders_count: 4,
      orders_total: 900,
      email: "mira@nordlicht.example",
    });
  });

  it("E16: the customer's own phone, else the default address', else none; the order's is not used", async () => {
    const own = await newShop();
    await deliver(own, "customers/create", customer({ phone: "+49 171 5550001" }));
    expect(await contact(own)).toMatchObject({ phone: "+491715550001", phone_source: "customer" });
    const fallback = await newShop();
    await deliver(fallback, "customers/create", customer({ phone: null, updated_at: iso(at(1)) }), at(1));
    expect(await contact(fallback)).toMatchObject({ phone: "+492211234567", phone_source: "address" });
    await deliver(fallback, "customers/update", customer({ phone: "+49 171 5550002", updated_at: iso(at(2)) }), at(2));
    expect(await contact(fallback)).toMatchObject({ phone: "+491715550002", phone_source: "customer" });
    const none = await newShop();
    const nobody = customer({ phone: null, default_address: { ...address(), phone: null } });
    await deliver(none, "orders/create", order({ phone: "+49 171 5550009", customer: nobody }));
    expect(await contact(none)).toMatchObject({ phone: null, phone_source: null });
  });

  it("two customers who give the same address phone stay two contacts", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer());
    await deliver(shop, "customers/create", customer({ id: 7_102, email: "other@post.example" }));
    expect((await contacts(shop)).map((c) => c["phone"])).toEqual(["+492211234567", "+492211234567"]);
  });

  it("a lead with the customer's e-mail is the same person: the older contact survives with its id", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer({ email: null, updated_at: iso(at(1)) }), at(1));
    const key = await importContact(shop, "mira@nordlicht.example");
    expect(await contacts(shop)).toHaveLength(2);
    const [first] = await contacts(shop);
    await deliver(shop, "customers/update", customer({ updated_at: iso(at(2)) }), at(2));
    const left = await contacts(shop);
    expect(left.map((c) => [c["id"], c["email"], c["shopify_customer_id"]])).toEqual([
      [first?.["id"], "mira@nordlicht.example", "7101"],
    ]);
    expect(key).not.toBe(left[0]?.["key"]);
    expect(await all("select 1 from contact_aliases where shop = ?", shop.key)).toHaveLength(1);
  });

  it("an address that moves from one customer to another follows the newer record, in both orders", async () => {
    const six = customer({ id: 6, email: "x@post.example", updated_at: iso(at(5)) });
    const five = customer({ id: 5, email: "x@post.example", updated_at: iso(at(10)) });
    for (const bodies of [
      [six, five],
      [five, six],
    ]) {
      const shop = await newShop();
      for (const body of bodies) await deliver(shop, "customers/update", body, at(20));
      const held = await one<Row>(
        "select c.shopify_customer_id as id from identities i join contacts c on c.key = i.contact where i.shop = ? and i.kind = 'email'",
        shop.key,
      );
      expect(held).toEqual({ id: "5" });
      expect(
        (await contacts(shop))
          .map((c) => [c["shopify_customer_id"], c["email"]])
          .sort(([a], [b]) => Number(a) - Number(b)),
      ).toEqual([
        ["5", "x@post.example"],
        ["6", null],
      ]);
    }
  });

  it("customers/merge moves everything to the kept customer, in any order of the three bodies", async () => {
    const merge = [
      "customers/merge",
      {
        admin_graphql_api_customer_kept_id: "gid://shopify/Customer/7101",
        admin_graphql_api_customer_deleted_id: "gid://shopify/Customer/7102",
        admin_graphql_api_job_id: null,
        status: "completed",
        errors: [],
      },
    ] as const;
    const kept = ["customers/update", customer({ updated_at: iso(at(3)) })] as const;
    const lost = [
      "orders/create",
      order({ customer: customer({ id: 7_102, email: "alt@post.example", company: "Alt", updated_at: iso(at(1)) }) }),
    ] as const;
    for (const bodies of [
      [lost, kept, merge],
      [merge, kept, lost],
      [kept, merge, lost],
      [lost, merge, kept],
      [merge, lost, kept],
      [kept, lost, merge],
    ]) {
      const shop = await newShop();
      for (const [topic, body] of bodies) expect(await deliver(shop, topic, body, at(5))).toMatch(/handled|stale/);
      const people = await contacts(shop);
      expect(people.map((c) => [c["email"], c["shopify_customer_id"], c["orders_count"], c["status"]])).toEqual([
        ["mira@nordlicht.example", "7101", 1, "paying"],
      ]);
      const ids = await all<Row>(
        "select value from identities where shop = ? and contact = ? order by value",
        shop.key,
        Number(people[0]?.["key"]),
      );
      expect(ids.map((i) => i["value"])).toEqual(["7101", "7102", "alt@post.example", "mira@nordlicht.example"]);
    }
    const failed = await newShop();
    await deliver(failed, ...kept);
    await deliver(failed, "customers/create", customer({ id: 7_102, email: "alt@post.example" }));
    await deliver(failed, "customers/merge", { ...merge[1], status: "failed" });
    expect(await contacts(failed)).toHaveLength(2);
  });

  it("a deleted customer's contact goes to the trash and does not come back; an imported one stays as a lead", async () => {
    const shop = await newShop();
    await importContact(shop, "keep@post.example");
    await deliver(shop, "customers/create", customer());
    await deliver(shop, "customers/create", customer({ id: 7_102, email: "keep@post.example" }));
    await deliver(shop, "customers/delete", { id: 7_101 });
    await deliver(shop, "customers/delete", { id: 7_102 });
    expect(await deliver(shop, "customers/update", customer({ updated_at: iso(NOW) }), NOW + 9)).toBe("stale");
    expect((await contacts(shop)).map((c) => [c["email"], c["stage"], c["status"], c["shopify_customer_id"]])).toEqual([
      ["keep@post.example", "lead", null, null],
    ]);
  });
});

describe("consent", () => {
  const email = (state: string | null, level: string | null, when: number | null) => ({
    customer_id: 7_101,
    email_address: "mira@nordlicht.example",
    email_marketing_consent: { state, opt_in_level: level, consent_updated_at: when === null ? null : iso(when) },
  });
  const sms = (state: string | null, when: number | null) => ({
    id: 7_101,
    phone: "+491715550001",
    sms_marketing_consent: {
      state,
      opt_in_level: "single_opt_in",
      consent_updated_at: when === null ? null : iso(when),
      consent_collected_from: "SHOPIFY",
    },
  });

  it("C9: each of 6 states at each of 3 levels is stored as it is", async () => {
    const states = ["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"];
    for (const state of states) {
      const shop = await newShop();
      for (const [i, level] of ["single_opt_in", "confirmed_opt_in", "unknown"].entries()) {
        await deliver(
          shop,
          "customers_email_marketing_consent/update",
          email(i === 1 ? state.toUpperCase() : state, level, at(i)),
          at(i),
        );
        expect((await consents(shop))["email"]).toEqual({ state, level, basis: "shopify", decidedAt: at(i) });
      }
    }
    const shop = await newShop();
    await deliver(shop, "customers_email_marketing_consent/update", email("sleeping", null, at(1)), at(1));
    await deliver(shop, "customers_email_marketing_consent/update", email(null, null, null), at(1));
    expect(await consents(shop)).toEqual({});
  });

  it("C10: SMS consent is also WhatsApp's, until WhatsApp has a decision of its own", async () => {
    const shop = await newShop();
    await deliver(shop, "customers_marketing_consent/update", sms("unsubscribed", at(1)), at(1));
    expect(await consents(shop)).toMatchObject({
      sms: { state: "unsubscribed" },
      whatsapp: { state: "unsubscribed", basis: "sms_consent" },
    });
    await deliver(
      shop,
      "customers_whats_app_marketing_consent/update",
      {
        customer_id: 7_101,
        phone_number: "+491715550001",
        whats_app_marketing_consent: {
          state: "SUBSCRIBED",
          opt_in_level: "SINGLE_OPT_IN",
          updated_at: iso(at(2)),
          collected_from: "OTHER",
        },
      },
      at(2),
    );
    await deliver(shop, "customers_marketing_consent/update", sms("pending", at(3)), at(3));
    expect(await consents(shop)).toMatchObject({
      sms: { state: "pending" },
      whatsapp: { state: "subscribed", basis: "shopify", decidedAt: at(2) },
    });
  });

  it("C12: the ticked box for text messages makes SMS subscribed, with the time and the source", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer());
    await deliver(shop, "customers_marketing_consent/update", sms("subscribed", at(5)), at(6));
    expect((await consents(shop))["sms"]).toEqual({
      state: "subscribed",
      level: "single_opt_in",
      basis: "shopify",
      decidedAt: at(5),
    });
  });

  it("C13: of two decisions a second apart the newer consent_updated_at wins, whichever arrives last", async () => {
    const on = email("subscribed", "single_opt_in", at(1));
    const off = email("unsubscribed", "single_opt_in", at(2));
    for (const bodies of [
      [on, off],
      [off, on],
      [off, on, off, on],
    ]) {
      const shop = await newShop();
      for (const [i, body] of bodies.entries())
        await deliver(shop, "customers_email_marketing_consent/update", body, at(10 + i));
      expect((await consents(shop))["email"]).toMatchObject({ state: "unsubscribed", decidedAt: at(2) });
    }
  });

  it("C14: a phone number subscribes by the shop's default, never against a decision, and not when the setting is off", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer({ phone: "+49 171 5550001", updated_at: iso(at(1)) }), at(1));
    const byDefault = { state: "subscribed", level: null, basis: "phone_default", decidedAt: null };
    expect(await consents(shop)).toEqual({ sms: byDefault, whatsapp: byDefault });
    await deliver(shop, "customers_marketing_consent/update", sms("unsubscribed", at(2)), at(2));
    await deliver(shop, "customers/update", customer({ phone: "+49 171 5550003", updated_at: iso(at(3)) }), at(3));
    expect(await consents(shop)).toMatchObject({
      sms: { state: "unsubscribed", basis: "shopify" },
      whatsapp: { state: "unsubscribed" },
    });
    const never = await newShop();
    await deliver(never, "customers_marketing_consent/update", sms("not_subscribed", null), at(1));
    await deliver(never, "customers/create", customer({ phone: "+49 171 5550001" }));
    expect((await consents(never))["sms"]).toMatchObject({ state: "not_subscribed", basis: "shopify" });
    const off = await newShop({ settings: { phoneImpliesSubscribed: false } });
    await deliver(off, "customers/create", customer({ phone: "+49 171 5550001" }));
    expect(await consents(off)).toEqual({});
  });

  it("a box ticked at a later order never overrides an opt-out, and not ticking it decides nothing", async () => {
    const shop = await newShop();
    await deliver(shop, "orders/create", order({ buyer_accepts_marketing: true }));
    expect((await consents(shop))["email"]).toEqual({
      state: "subscribed",
      level: null,
      basis: "checkout",
      decidedAt: null,
    });
    await deliver(shop, "customers_email_marketing_consent/update", email("unsubscribed", null, at(1)), at(1));
    await deliver(
      shop,
      "orders/create",
      order({ id: 8_300, cart_token: null, checkout_token: null, buyer_accepts_marketing: true }),
    );
    expect((await consents(shop))["email"]).toMatchObject({ state: "unsubscribed" });
    const quiet = await newShop();
    await deliver(
      quiet,
      "orders/create",
      order({ buyer_accepts_marketing: false, customer: customer({ default_address: null }) }),
    );
    await deliver(quiet, "checkouts/create", checkout({ buyer_accepts_marketing: true }));
    expect((await consents(quiet))["email"]).toBeUndefined();
  });
});

describe("tags", () => {
  const delta = (labels: string[], when: number) => ({
    customerId: "gid://shopify/Customer/7101",
    tags: labels,
    occurredAt: new Date(when).toISOString(),
  });

  it("E13: tags follow Shopify's changes by their own time; a CRM tag survives", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer());
    const { key } = (await contact(shop)) as { key: number };
    await env.DB.prepare(
      "insert into contact_tags (shop, tag, contact, label, origin, at) values (?, 'ours', ?, 'Ours', 'crm', 1)",
    )
      .bind(shop.key, key)
      .run();
    await deliver(shop, "customer.tags_removed", delta(["Lamp"], at(3)), at(3));
    await deliver(shop, "customer.tags_added", delta(["VIP", "lamp"], at(2)), at(2));
    await deliver(shop, "customer.tags_removed", delta(["ours"], at(4)), at(4));
    expect(await tags(shop)).toEqual(["Ours", "VIP"]);
  });

  it("the tag list of an old body is the whole truth of its moment", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/update", customer({ tags: "a, b", updated_at: iso(at(1)) }), at(1));
    await deliver(shop, "customers/update", customer({ tags: "b, c", updated_at: iso(at(3)) }), at(3));
    await deliver(shop, "customers/update", customer({ tags: "a, z", updated_at: iso(at(2)) }), at(2));
    expect(await tags(shop)).toEqual(["b", "c"]);
    await deliver(shop, "customers/update", customer({ tags: "", updated_at: iso(at(4)) }), at(4));
    expect(await tags(shop)).toEqual([]);
  });
});
