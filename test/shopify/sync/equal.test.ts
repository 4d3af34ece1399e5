import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { onConflictRetry } from "../../../src/db/client";
import type { Shop } from "../../../src/shops";
import { applyChange } from "../../../src/shopify/apply";
import { type Change, mapRecord } from "../../../src/shopify/map";
import { bodyOf, type Node, type Resource, TOPIC_OF } from "../../../src/shopify/sync/nodes";
import { storeChanges, type SyncContext } from "../../../src/shopify/sync/store";
import { Random } from "../../helpers/random";
import { address, cart, customer, iso, line, order, refund, set } from "../bodies";
import { all, deliver, newShop, NOW, one } from "../deliver";
import { customerNode, orderNode } from "./as-node";
import { eventsOf, rowsOf } from "./rows";

type Body = Record<string, unknown>;

function contextOf(shop: Shop, quietBefore: number): SyncContext {
  return { env, db: env.DB, shop, triggeredAt: NOW, quietBefore, now: NOW };
}

function change(shop: Shop, topic: string, body: Body, triggeredAt = NOW): Change {
  const { currency, domain } = shop;
  const mapped = mapRecord(topic, body, {
    currency,
    domain,
    keepQueryParams: shop.settings.keepQueryParams,
    triggeredAt,
    receivedAt: Math.max(NOW, triggeredAt),
    isReading: true,
  });
  if (!mapped) throw new Error(`${topic} has no rule`);
  return mapped;
}

async function importNodes(shop: Shop, resource: Resource, nodes: Node[], quietBefore = NOW): Promise<void> {
  const changes = nodes.map((node) => change(shop, TOPIC_OF[resource], bodyOf(resource, node)));
  await storeChanges(contextOf(shop, quietBefore), changes);
}

describe("one mapping for webhooks and the Admin API", () => {
  it.each<[string, Body]>([
    ["plain", {}],
    ["by a guest", { customer: null, email: "guest@nordlicht.example" }],
    [
      "by nobody",
      { customer: null, email: null, contact_email: null, phone: null, shipping_address: null, billing_address: null },
    ],
    ["cancelled", { cancelled_at: iso(NOW - 40_000), cancel_reason: "customer", financial_status: "voided" }],
    [
      "in another currency",
      {
        presentment_currency: "USD",
        total_price_set: set("115.00", "124.36", "EUR", "USD"),
        current_total_price_set: set("115.00", "124.36", "EUR", "USD"),
      },
    ],
    [
      "with a discount",
      {
        total_discounts: "9.99",
        discount_codes: [{ code: "TEN", amount: "9.99", type: "fixed_amount" }],
        line_items: [line({ discount_allocations: [{ amount: "9.99" }] })],
      },
    ],
    [
      "sold at a point of sale",
      { source_name: "pos", location_id: 655_441, user_id: 548_380_009, cart_token: null, checkout_token: null },
    ],
    ["with the box ticked", { buyer_accepts_marketing: true }],
    [
      "fulfilled",
      { fulfillment_status: "fulfilled", fulfillments: [{ created_at: iso(NOW - 30_000), status: "success" }] },
    ],
  ])("an order %s", async (_, more) => {
    const body = order(more);
    const [told, read] = [await newShop(), await newShop()];
    await deliver(told, "orders/updated", body, NOW);
    await importNodes(read, "orders", [orderNode(body)]);
    expect(await rowsOf(read.key)).toEqual(await rowsOf(told.key));
    expect(await eventsOf(told.key)).toContain("order_placed");
    expect(await eventsOf(read.key)).toEqual([]);
  });

  it("an order with a refund, with and without its lines asked for", async () => {
    const body = order({
      current_total_price: "65.00",
      current_total_price_set: set("65.00", "65.00"),
      financial_status: "partially_refunded",
      refunds: [refund()],
    });
    const [told, read, short] = [await newShop(), await newShop(), await newShop()];
    await deliver(told, "orders/updated", body, NOW);
    await importNodes(read, "orders", [orderNode(body)]);
    expect(await rowsOf(read.key)).toEqual(await rowsOf(told.key));
    const node = orderNode(body);
    node.fields["refunds"] = [{ ...refundsOf(node)[0], lines: null, adjustments: null }];
    await importNodes(short, "orders", [node]);
    expect(await one("select amount, at, items from refunds where shop = ?", short.key)).toEqual({
      ...(await one<Body>("select amount, at from refunds where shop = ?", told.key)),
      items: "[]",
    });
  });

  it("a customer, with tags, consents and counts as bodies before 2025 had them", async () => {
    const at = iso(NOW - 90_000);
    const body = customer({
      phone: "+49 151 23456789",
      tags: "vip, wholesale",
      orders_count: 3,
      total_spent: "199.90",
      email_marketing_consent: { state: "subscribed", opt_in_level: "confirmed_opt_in", consent_updated_at: at },
      sms_marketing_consent: {
        state: "not_subscribed",
        opt_in_level: "single_opt_in",
        consent_updated_at: null,
        consent_collected_from: "OTHER",
      },
    });
    const [told, read] = [await newShop(), await newShop()];
    await deliver(told, "customers/update", body, NOW);
    await importNodes(read, "customers", [customerNode(body)]);
    expect(await rowsOf(read.key)).toEqual(await rowsOf(told.key));
    expect((await rowsOf(read.key))["tags"]).toHaveLength(2);
  });

  it("WhatsApp goes by SMS until somebody decides on it, and then by that", async () => {
    const at = iso(NOW - 90_000);
    const sms = { state: "subscribed", opt_in_level: "single_opt_in", consent_updated_at: at };
    const node = customerNode(customer({ phone: "+49 151 23456789", sms_marketing_consent: sms }));
    const phone = node.fields["defaultPhoneNumber"];
    const [never, decided] = [await newShop(), await newShop()];
    const withWhatsApp = (consent: Body) => ({
      ...node,
      fields: { ...node.fields, defaultPhoneNumber: Object.assign({}, phone, { whatsAppMarketingConsent: consent }) },
    });
    await importNodes(never, "customers", [withWhatsApp({ state: "NEVER_SUBSCRIBED" })]);
    const own = { state: "UNSUBSCRIBED", optInLevel: null, updatedAt: new Date(NOW - 60_000).toISOString() };
    await importNodes(decided, "customers", [withWhatsApp(own)]);
    const stateIn = (shop: Shop) =>
      one("select state, basis from consents where shop = ? and channel = 'whatsapp'", shop.key);
    expect(await stateIn(never)).toEqual({ state: "subscribed", basis: "sms_consent" });
    expect(await stateIn(decided)).toEqual({ state: "unsubscribed", basis: "shopify" });
  });
});

function refundsOf(node: Node): Body[] {
  const refunds = node.fields["refunds"];
  return Array.isArray(refunds) ? refunds : [];
}

/** Customers, orders and carts in which people share addresses, numbers and records. */
function tangle(random: Random): { topic: string; body: Body }[] {
  const people = random.int(2, 6);
  const email = (n: number) => `person${n}@nordlicht.example`;
  const phone = (n: number) => `+4915123456${700 + n}`;
  const someone = (n: number): Body => {
    return customer({
      id: 7_000 + n,
      // As in Shopify, an address belongs to one customer: otherwise who has it depends on the order of the bodies.
      email: n % 4 === 0 ? null : email(n),
      phone: n % 2 === 0 ? phone(n) : null,
      first_name: `Name ${random.int(1, 3)}`,
      updated_at: iso(NOW - random.int(1, 50) * 60_000),
      default_address: random.chance(0.7) ? address({ city: `City ${random.int(1, 3)}` }) : undefined,
      ...(random.chance(0.5) ? { tags: random.chance(0.5) ? "vip" : "vip, gold" } : {}),
      ...(random.chance(0.3) ? { orders_count: random.int(0, 2) } : {}),
      ...(random.chance(0.4)
        ? {
            email_marketing_consent: {
              state: random.pick(["subscribed", "unsubscribed"]),
              opt_in_level: "single_opt_in",
              consent_updated_at: iso(NOW - random.int(1, 9) * 60_000),
            },
          }
        : {}),
    });
  };
  return Array.from({ length: random.int(10, 30) }, () => {
    const kind = random.next();
    if (kind < 0.35) return { topic: "customers/update", body: someone(random.int(1, people)) };
    const placed = NOW - random.int(1, 5_000) * 60_000;
    const token = random.chance(0.3) ? `cart-${random.int(1, 4)}` : null;
    if (kind < 0.45)
      return {
        topic: "carts/update",
        body: cart({ id: token ?? "cart-1", token: token ?? "cart-1", updated_at: iso(placed) }),
      };
    const id = 8_000 + random.int(1, 12);
    return {
      topic: "orders/updated",
      body: order({
        id,
        created_at: iso(placed),
        processed_at: iso(placed),
        updated_at: iso(placed + random.int(0, 60) * 60_000),
        cart_token: token,
        checkout_token: null,
        test: random.chance(0.1),
        customer: id % 5 === 0 ? null : someone(1 + (id % people)),
        email: email(1 + (id % people)),
        refunds: id % 4 === 0 ? [refund({ id: id + 1_000, order_id: id })] : [],
        cancelled_at: random.chance(0.1) ? iso(placed + 1_000) : null,
      }),
    };
  });
}

describe("many records at a time", () => {
  it.each(Array.from({ length: 12 }, (_, n) => n + 1))(
    "end in the rows of one after the other, seed %i",
    async (seed) => {
      const random = new Random(seed);
      const records = tangle(random);
      const [single, many] = [await newShop(), await newShop()];
      const quietBefore = NOW - random.int(0, 3_000) * 60_000;
      for (const { topic, body } of records) {
        const context = contextOf(single, quietBefore);
        await onConflictRetry(async () => {
          const { statements } = await applyChange(context, change(single, topic, body));
          if (statements.length > 0) await env.DB.batch(statements);
        });
      }
      const context = contextOf(many, quietBefore);
      for (let from = 0; from < records.length;) {
        const size = random.int(1, 15);
        const slice = records.slice(from, from + size);
        await storeChanges(
          context,
          slice.map(({ topic, body }) => change(many, topic, body)),
        );
        from += size;
      }
      expect(await rowsOf(many.key)).toEqual(await rowsOf(single.key));
      expect(await eventsOf(many.key)).toEqual(await eventsOf(single.key));
      await storeChanges(
        context,
        records.map(({ topic, body }) => change(many, topic, body)),
      );
      expect((await rowsOf(many.key))["orders"]).toEqual((await rowsOf(single.key))["orders"]);
    },
  );
});

describe("a record that a webhook brought", () => {
  const whole = async (shop: Shop) => {
    const rows = ["contacts", "orders", "refunds", "carts", "products", "consents", "contact_tags", "outbox"].map(
      async (table) => [table, await all(`select * from ${table} where shop = ?`, shop.key)],
    );
    return Object.fromEntries(await Promise.all(rows)) as Record<string, unknown[]>;
  };

  it.each<[string, Resource, Body, (body: Body) => Node]>([
    ["an order", "orders", order({ cart_token: "cart-met", checkout_token: "checkout-met" }), orderNode],
    ["an order by nobody", "orders", nobodys(order()), orderNode],
    ["a customer", "customers", customer({ phone: "+49 151 23456789", tags: "vip, wholesale" }), customerNode],
  ])("is left as it is by a reading that says the same: %s", async (_, resource, body, node) => {
    const shop = await newShop();
    await deliver(shop, TOPIC_OF[resource], body, Date.parse(String(body["updated_at"])) + 300);
    // Counts of orders are in no webhook: the first reading adds them.
    await importNodes(shop, resource, [node(body)]);
    const before = await whole(shop);
    const later = { ...contextOf(shop, NOW), now: NOW + 3_600_000, triggeredAt: NOW + 3_600_000 };
    await storeChanges(later, [change(shop, TOPIC_OF[resource], bodyOf(resource, node(body)), later.triggeredAt)]);
    expect(await whole(shop)).toEqual(before);
  });
});

function nobodys(body: Body): Body {
  return {
    ...body,
    customer: null,
    email: null,
    contact_email: null,
    phone: null,
    shipping_address: null,
    billing_address: null,
  };
}
