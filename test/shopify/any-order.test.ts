import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { handleInboxRow } from "../../src/shopify";
import { allTopics } from "../../src/shopify/subscriptions/topics";
import type { Shop } from "../../src/shops";
import { address, cart, checkout, customer, iso, line, order, refund, set } from "./bodies";
import { all, deliver, newShop, NOW, quiet } from "./deliver";

interface Body {
  topic: string;
  body: Record<string, unknown>;
  at: number;
}

/** Small and repeatable (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One shopper's afternoon, a guest who becomes a customer, a cancelled order, a deleted one, a deleted customer. */
function series(): Body[] {
  const start = NOW - 3_600_000;
  let minute = 0;
  const bodies: Body[] = [];
  const next = (topic: string, make: (updated: string, at: number) => Record<string, unknown>) => {
    const at = start + ++minute * 60_000;
    bodies.push({ topic, body: make(iso(at), at), at: at + 700 });
  };
  const items = (quantity: number) => [
    { product_id: 3_001, variant_id: 4_001, title: "Lamp", quantity, price: "50.00" },
  ];
  const mira = (more: Record<string, unknown>) => customer({ ...more });
  const guest = {
    customer: null,
    email: "gast@post.example",
    contact_email: "gast@post.example",
    cart_token: "cart-g",
    checkout_token: "checkout-g",
  };
  const placed = iso(start + 9 * 60_000);
  const refunded = iso(start + 18 * 60_000);
  const paid = {
    ...order({ created_at: placed, processed_at: placed }),
    customer: mira({ updated_at: iso(start) }),
  };

  next("carts/create", (_, at) => cart({ updated_at: new Date(at).toISOString(), line_items: items(1) }));
  next("carts/update", (_, at) => cart({ updated_at: new Date(at).toISOString(), line_items: items(3) }));
  next("customers/create", (updated_at) => mira({ updated_at, first_name: "Mia", phone: null, default_address: null }));
  next("checkouts/create", (updated_at) => checkout({ updated_at, line_items: items(2), customer: undefined }));
  next("customers/update", (updated_at) => mira({ updated_at, phone: "+49 171 5550001" }));
  next("customers_marketing_consent/update", (consent_updated_at) => ({
    id: 7_101,
    phone: "+491715550001",
    sms_marketing_consent: {
      state: "unsubscribed",
      opt_in_level: "single_opt_in",
      consent_updated_at,
      consent_collected_from: "SHOPIFY",
    },
  }));
  next("checkouts/update", (updated_at) =>
    checkout({ updated_at, total_price: "120.00", shipping_address: address() }),
  );
  next("customers_email_marketing_consent/update", (consent_updated_at) => ({
    customer_id: 7_101,
    email_address: "mira@nordlicht.example",
    email_marketing_consent: { state: "subscribed", opt_in_level: "single_opt_in", consent_updated_at },
  }));
  next("orders/create", (updated_at) => ({ ...paid, updated_at, financial_status: "pending" }));
  next("orders/paid", (updated_at) => ({ ...paid, updated_at }));
  next("checkouts/update", (updated_at) => checkout({ updated_at, completed_at: updated_at }));
  next("customer.tags_added", (_, at) => ({
    customerId: "gid://shopify/Customer/7101",
    tags: ["VIP", "lamp"],
    occurredAt: new Date(at).toISOString(),
  }));
  next("customers/update", (updated_at) =>
    mira({ updated_at, phone: "+49 171 5550001", email: "mira.o@nordlicht.example" }),
  );
  next("customer.tags_removed", (_, at) => ({
    customerId: "gid://shopify/Customer/7101",
    tags: ["lamp"],
    occurredAt: new Date(at).toISOString(),
  }));
  next("customers/purchasing_summary", (_, at) => ({
    customerId: "gid://shopify/Customer/7101",
    numberOfOrders: 1,
    amountSpent: { amount: "115.00", currencyCode: "EUR" },
    lastOrderId: "gid://shopify/Order/8201",
    occurredAt: new Date(at).toISOString(),
  }));
  next("orders/fulfilled", (updated_at) => ({
    ...paid,
    updated_at,
    fulfillment_status: "fulfilled",
    fulfillments: [{ created_at: updated_at, status: "success" }],
  }));
  next("customers_email_marketing_consent/update", (consent_updated_at) => ({
    customer_id: 7_101,
    email_address: "mira.o@nordlicht.example",
    email_marketing_consent: { state: "unsubscribed", opt_in_level: "single_opt_in", consent_updated_at },
  }));
  next("refunds/create", () => refund({ processed_at: refunded, created_at: refunded }));
  next("orders/updated", (updated_at) => ({
    ...paid,
    updated_at,
    fulfillment_status: "fulfilled",
    fulfillments: [{ created_at: iso(start), status: "success" }],
    financial_status: "partially_refunded",
    current_total_price: "65.00",
    current_total_price_set: set("65.00", "65.00"),
    refunds: [refund({ processed_at: refunded, created_at: refunded })],
    line_items: [line({ current_quantity: 1 })],
  }));
  next("checkouts/create", (updated_at) =>
    checkout({ token: "checkout-g", cart_token: "cart-g", updated_at, email: "gast@post.example" }),
  );
  next("orders/create", (updated_at) =>
    order({ id: 8_202, name: "#1043", updated_at, ...guest, buyer_accepts_marketing: true }),
  );
  next("customers/create", (updated_at) =>
    customer({
      id: 7_102,
      updated_at,
      email: "gast@post.example",
      first_name: "Gesa",
      last_name: null,
      phone: null,
      default_address: undefined,
      state: "invited",
    }),
  );
  next("orders/create", (updated_at) => ({
    ...order({ id: 8_203, name: "#1044", updated_at, cart_token: null, checkout_token: null }),
    customer: mira({ updated_at: iso(start) }),
  }));
  next("orders/cancelled", (updated_at) => ({
    ...order({
      id: 8_203,
      name: "#1044",
      updated_at,
      cancelled_at: updated_at,
      cancel_reason: "customer",
      cart_token: null,
      checkout_token: null,
    }),
    customer: mira({ updated_at: iso(start) }),
  }));
  next("orders/create", (updated_at) => ({
    ...order({
      id: 8_204,
      updated_at,
      test: true,
      cart_token: null,
      checkout_token: null,
      email: null,
      contact_email: null,
    }),
    customer: null,
  }));
  next("orders/delete", () => ({ id: 8_204 }));
  next("products/create", (updated_at) => ({
    id: 3_001,
    title: "Lamp",
    product_type: "Lights",
    vendor: "Glow",
    tags: "brass, new",
    updated_at,
    image: { src: "https://cdn.example/lamp.jpg" },
  }));
  next("products/update", (updated_at) => ({
    id: 3_001,
    title: "Lamp II",
    product_type: "Lamps",
    vendor: "Glow",
    tags: "brass",
    updated_at,
    image: null,
  }));
  next("customers/create", (updated_at) => customer({ id: 7_103, updated_at, email: "kurz@post.example" }));
  next("customers/delete", () => ({ id: 7_103, tax_exemptions: [] }));
  return bodies;
}

/** The deliveries as the route stores them: a repeated one under an id of its own. Returns their keys in this order. */
async function store(shop: Shop, deck: Body[]): Promise<number[]> {
  const insert = env.DB.prepare(
    `insert into webhook_inbox (id, shop, topic, webhook_id, triggered_at, received_at, body_hash, body, state, next_attempt_at)
     values (?1, ?2, ?3, ?1, ?4, ?5, ?1, ?6, 'pending', ?5) returning key`,
  );
  const stored = await env.DB.batch<{ key: number }>(
    deck.map(({ topic, body, at }) =>
      insert.bind(`whk_${crypto.randomUUID()}`, shop.key, topic, at, NOW, JSON.stringify(body)),
    ),
  );
  return stored.flatMap(({ results }) => results.map(({ key }) => key));
}

/** Everything that a merchant could see, without our own ids and the times of our own work. */
async function stateOf(shop: Shop) {
  const of = (text: string) => all<Record<string, unknown>>(text, shop.key);
  return {
    contacts:
      await of(`select email, phone, phone_source, first_name, last_name, company, line1, line2, city, province, country, zip,
      shopify_customer_id, source, account_state, tax_exempt, stage, status, orders_count, orders_total, shopify_created_at, shopify_updated_at
      from contacts where shop = ? and deleted_at is null order by shopify_customer_id`),
    identities:
      await of(`select i.kind, i.value, c.shopify_customer_id from identities i join contacts c on c.key = i.contact
      where i.shop = ? and c.deleted_at is null order by 1, 2`),
    consents:
      await of(`select c.shopify_customer_id, channel, state, level, basis, x.source, decided_at from consents x join contacts c on c.key = x.contact
      where x.shop = ? and c.deleted_at is null order by 1, 2`),
    tags: await of(`select t.label, t.origin from contact_tags t where t.shop = ? and t.removed = 0 order by 1`),
    orders:
      await of(`select o.external_id, o.state, o.financial_status, o.fulfillment_status, o.total, o.original_total, o.test, o.cart_token,
      o.cancelled_at, o.fulfilled_at, o.source_updated_at, c.email from orders o left join contacts c on c.key = o.contact where o.shop = ? order by 1`),
    lines: await of(`select o.external_id, i.line, i.quantity, i.current_quantity, i.price, i.discounted_price
      from order_items i join orders o on o.key = i."order" where o.shop = ? order by 1, 2`),
    refunds: await of("select external_id, amount, currency, at from refunds where shop = ? order by 1"),
    carts:
      await of(`select k.token, k.checkout_token, k.state, k.value, k.currency, k.items, k.checkout_url, k.reached, k.activity_at, k.purchased_at,
      k.purchased_by, c.email from carts k left join contacts c on c.key = k.contact where k.shop = ? order by 1`),
    products: await of("select external_id, title, category, tags, image from products where shop = ?"),
    events: await of(`select type, natural_key, count(*) as n from outbox where shop = ?
      and (type like 'order%' or type = 'checkout_started') group by 1, 2 order by 1, 2`),
    unfinished: await of(
      "select topic, state, error from webhook_inbox where shop = ? and state in ('pending', 'dead')",
    ),
  };
}

describe("any order of delivery", async () => {
  const bodies = series();
  const straight = await newShop();
  for (const { topic, body, at } of bodies) await deliver(straight, topic, body, at);
  const expected = await stateOf(straight);

  it("the series in its own order means what it should, so that two equal mistakes do not pass", () => {
    expect(bodies).toHaveLength(30);
    expect(expected.unfinished).toEqual([]);
    expect(expected.contacts.map((c) => [c["email"], c["phone"], c["status"], c["orders_count"]])).toEqual([
      ["mira.o@nordlicht.example", "+491715550001", "paying", 1],
      ["gast@post.example", "+492211234567", "paying", 1],
    ]);
    expect(expected.orders.map((o) => [o["external_id"], o["state"], o["total"]])).toEqual([
      ["8201", "completed", 6_500],
      ["8202", "completed", 11_500],
      ["8203", "cancelled", 11_500],
    ]);
    expect(expected.tags.map((t) => t["label"])).toEqual(["VIP"]);
    expect(expected.carts.map((c) => [c["token"], c["state"]])).toEqual([
      ["cart-a", "purchased"],
      ["cart-g", "purchased"],
    ]);
  });

  // Ten rounds a test, so that none is a matter of minutes on a busy machine.
  it.each([0, 10, 20, 30, 40])(
    "30 bodies shuffled and repeated, rounds from %i: the same state",
    { timeout: 120_000 },
    async (from) => {
      for (let round = from + 1; round <= from + 10; round++) {
        const dice = random(round);
        const shop = await newShop();
        const deck = bodies.flatMap((body) => (dice() < 0.3 ? [body, body] : [body]));
        for (let i = deck.length - 1; i > 0; i--) {
          const j = Math.floor(dice() * (i + 1));
          const [a, b] = [deck[i], deck[j]];
          if (a && b) [deck[i], deck[j]] = [b, a];
        }
        for (const key of await store(shop, deck)) await handleInboxRow(quiet, key, NOW);
        const arrived = deck.map((body) => body.topic).join(" ");
        expect(await stateOf(shop), `round ${round}: ${arrived}`).toEqual(expected);
      }
    },
  );
});

/** Every row of a shop but its deliveries: states, histories, events that wait to be told, counters. */
async function everythingOf(shop: Shop): Promise<Record<string, unknown[]>> {
  const tables = await all<{ name: string }>(
    `select m.name from sqlite_master m join pragma_table_info(m.name) c on c.name = 'shop'
     where m.type = 'table' and m.name not in ('webhook_inbox', 'intake_hours') and m.name not like '\\_cf%' escape '\\'
       and m.name not like 'contacts_search%'`,
  );
  const rows = await env.DB.batch(
    tables.map(({ name }) => env.DB.prepare(`select * from "${name}" where shop = ?`).bind(shop.key)),
  );
  return {
    ...Object.fromEntries(rows.map(({ results }, n) => [tables[n]?.name, results])),
    lines: await all(
      `select i.* from order_items i join orders o on o.key = i."order" where o.shop = ? order by o.key, i.line`,
      shop.key,
    ),
  };
}

describe("an app that is deployed has two subscriptions to a topic: its own and the one made here", () => {
  const person = { id: 7_301, email: "twice@post.example", phone: null };
  /** What the series does not have, so that every topic with a rule comes twice. */
  const more = (shop: Shop): Body[] => {
    let at = NOW - 600_000;
    const next = (topic: string, body: Record<string, unknown>): Body => {
      at += 1_000;
      return { topic, body, at };
    };
    const updated_at = iso(NOW - 500_000);
    const twice = customer({ ...person, updated_at });
    return [
      next("customers/create", twice),
      next("customers/enable", { ...twice, state: "enabled", updated_at: iso(NOW - 400_000) }),
      next("customers/disable", { ...twice, state: "disabled", updated_at: iso(NOW - 300_000) }),
      next("customers/create", customer({ id: 7_302, email: "lost@post.example", updated_at })),
      next("customers/merge", {
        admin_graphql_api_customer_kept_id: "gid://shopify/Customer/7301",
        admin_graphql_api_customer_deleted_id: "gid://shopify/Customer/7302",
        status: "completed",
      }),
      next("customers_whats_app_marketing_consent/update", {
        customer_id: 7_301,
        whats_app_marketing_consent: { state: "subscribed", opt_in_level: "single_opt_in", updated_at },
      }),
      next(
        "orders/partially_fulfilled",
        order({ id: 8_301, updated_at, customer: twice, fulfillment_status: "partial" }),
      ),
      next("orders/edited", { order_edit: { id: 1, order_id: 8_301 } }),
      next("checkouts/create", checkout({ token: "checkout-t", cart_token: "cart-t", updated_at })),
      next("checkouts/delete", { id: 1, cart_token: "cart-t", presentment_currency: "EUR" }),
      next("products/delete", { id: 3_001 }),
      next("bulk_operations/finish", {
        admin_graphql_api_id: "gid://shopify/BulkOperation/1",
        status: "completed",
        type: "query",
        error_code: null,
      }),
      next("app/scopes_update", { id: 1, previous: [], current: ["read_orders"] }),
      next("customers/data_request", { shop_id: 1, shop_domain: shop.domain, customer: person, orders_requested: [] }),
      next("customers/redact", { shop_id: 1, shop_domain: shop.domain, customer: person, orders_to_redact: [8_301] }),
      next("app/uninstalled", { id: 1, domain: null, myshopify_domain: shop.domain }),
    ];
  };

  it.each([
    ["at the same moment", 0],
    ["a moment later", 40],
  ])(
    "each event comes under two webhook ids, %s: the second changes nothing",
    { timeout: 60_000 },
    async (_, delay) => {
      const shop = await newShop();
      const deck = [...series(), ...more(shop)];
      for (const { topic, body, at } of deck) {
        const headers = { "x-shopify-event-id": crypto.randomUUID() };
        expect(await deliver(shop, topic, body, at, { headers }), topic).toMatch(/^(handled|stale)$/);
        const before = await everythingOf(shop);
        expect(await deliver(shop, topic, body, at + delay, { headers }), topic).toMatch(/^(handled|stale)$/);
        expect(await everythingOf(shop), topic).toEqual(before);
      }
      const told = new Set(deck.map(({ topic }) => topic));
      expect(
        [...allTopics(), "customers/data_request", "customers/redact"].filter((topic) => !told.has(topic)),
      ).toEqual([]);
    },
  );
});
