import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { abandonDueCarts } from "../../src/carts";
import { type OrderFacts, orderState } from "../../src/orders/state";
import type { Shop } from "../../src/shops";
import { address, cart, checkout, customer, iso, line, order, refund, set } from "./bodies";
import { all, deliver, newShop, NOW, one } from "./deliver";

type Row = Record<string, unknown>;
const orders = (shop: Shop) => all<Row>("select * from orders where shop = ? order by external_id", shop.key);
const first = async (shop: Shop) => (await orders(shop))[0] ?? {};
const carts = (shop: Shop) => all<Row>("select * from carts where shop = ? order by token", shop.key);
const items = (shop: Shop) =>
  all<Row>(
    `select i.* from order_items i join orders o on o.key = i."order" where o.shop = ? order by i.line`,
    shop.key,
  );
const events = async (shop: Shop, like: string) =>
  (
    await all<Row>("select type, natural_key from outbox where shop = ? and type like ? order by key", shop.key, like)
  ).map((e) => `${String(e["type"])} ${String(e["natural_key"])}`);
const people = (shop: Shop) => all<Row>("select * from contacts where shop = ? order by key", shop.key);

describe("orders", () => {
  it("E11: number, total, time, codes, discounted prices and the product columns are stored", async () => {
    const shop = await newShop();
    await deliver(shop, "products/create", {
      id: 3_001,
      title: "Lamp",
      product_type: "Lights",
      vendor: "Glow",
      tags: "brass",
      image: { src: "https://cdn.example/lamp.jpg" },
      updated_at: iso(NOW),
    });
    await deliver(
      shop,
      "orders/create",
      order({
        discount_codes: [
          { code: "SPRING", amount: "10.00", type: "percentage" },
          { code: "VIP", amount: "5.00", type: "fixed_amount" },
        ],
        line_items: [
          line({ quantity: 3, current_quantity: 3, discount_allocations: [{ amount: "10.00" }, { amount: "5.01" }] }),
        ],
      }),
    );
    expect(await first(shop)).toMatchObject({
      name: "#1042",
      external_id: "8201",
      total: 11_500,
      placed_at: NOW - 50_000,
      discount_codes: '["SPRING","VIP"]',
      shipping_method: "DHL",
      landing_site: "/products/lamp?utm_source=instagram",
      referring_site: "https://instagram.example/p/1",
    });
    expect(await items(shop)).toMatchObject([
      { product_id: "3001", sku: "LAMP-B", title: "Lamp", quantity: 3, price: 5_000, discounted_price: 4_500 },
    ]);
    expect(await one("select category, image, tags from products where shop = ?", shop.key)).toEqual({
      category: "Lights",
      image: "https://cdn.example/lamp.jpg",
      tags: '["brass"]',
    });
  });

  it("E9: all nine states are reached from bodies", async () => {
    const shop = await newShop({ settings: { abandonAfterSeconds: 60 } });
    const facts: [string, Row][] = [
      ["pending_payment", { financial_status: "pending" }],
      ["completed", { financial_status: "paid" }],
      ["abandoned", { financial_status: "expired" }],
      ["waiting", { financial_status: "authorized" }],
      ["cancelled", { financial_status: "paid", cancelled_at: iso(NOW), cancel_reason: "customer" }],
      ["refunded", { financial_status: "refunded" }],
      ["failed", { financial_status: "voided" }],
      [
        "returned",
        {
          financial_status: "refunded",
          line_items: [line({ current_quantity: 0 })],
          refunds: [
            refund({
              id: 77,
              refund_line_items: [{ line_item_id: 9_001, quantity: 2, restock_type: "return", subtotal: 100 }],
            }),
          ],
        },
      ],
    ];
    for (const [i, [state, body]] of facts.entries()) {
      const id = 8_400 + i;
      await deliver(shop, "orders/create", order({ id, cart_token: null, checkout_token: null, ...body }));
      expect(await one("select state from orders where shop = ? and external_id = ?", shop.key, String(id))).toEqual({
        state,
      });
    }
    await deliver(shop, "checkouts/create", checkout({ updated_at: iso(NOW - 600_000), email: "late@post.example" }));
    await env.DB.batch(abandonDueCarts(env.DB, shop.key, NOW - 300_000));
    expect((await carts(shop)).map((c) => c["state"])).toEqual(["abandoned"]);
    await deliver(shop, "orders/create", order({ id: 8_500, customer: null, email: "late@post.example" }));
    expect(await one("select state from orders where shop = ? and external_id = '8500'", shop.key)).toEqual({
      state: "recovered",
    });
    expect((await carts(shop)).map((c) => c["state"])).toEqual(["recovered"]);
    await deliver(
      shop,
      "orders/updated",
      order({ id: 8_500, customer: null, email: "late@post.example", updated_at: iso(NOW) }),
      NOW + 1,
    );
    expect(await one("select state from orders where shop = ? and external_id = '8500'", shop.key)).toEqual({
      state: "recovered",
    });
  });

  it("E9: the mapping table, whole", () => {
    const base: OrderFacts = {
      financialStatus: "paid",
      cancelled: false,
      cancelReason: null,
      returned: false,
      recovered: false,
    };
    const table: [Partial<OrderFacts>, string][] = [
      [{}, "completed"],
      [{ financialStatus: null }, "completed"],
      [{ financialStatus: "partially_refunded" }, "completed"],
      [{ recovered: true }, "recovered"],
      [{ financialStatus: "pending", recovered: true }, "pending_payment"],
      [{ financialStatus: "partially_paid" }, "waiting"],
      [{ financialStatus: "authorized" }, "waiting"],
      [{ financialStatus: "refunded", recovered: true }, "refunded"],
      [{ financialStatus: "refunded", returned: true }, "returned"],
      [{ financialStatus: "voided" }, "failed"],
      [{ financialStatus: "expired" }, "abandoned"],
      [{ cancelled: true, financialStatus: "refunded", returned: true }, "cancelled"],
      [{ cancelled: true, cancelReason: "declined" }, "failed"],
    ];
    for (const [facts, state] of table) expect(orderState({ ...base, ...facts }), JSON.stringify(facts)).toBe(state);
  });

  it("E8: revenue, orders and pieces add up over a mixed fixture, in the shop's currency", async () => {
    const shop = await newShop();
    const bare = { cart_token: null, checkout_token: null };
    await deliver(shop, "orders/create", order({ ...bare }));
    await deliver(
      shop,
      "orders/create",
      order({
        ...bare,
        id: 8_202,
        presentment_currency: "USD",
        current_total_price_set: set("115.00", "124.36", "EUR", "USD"),
        total_price_set: set("115.00", "124.36", "EUR", "USD"),
      }),
    );
    await deliver(shop, "orders/create", order({ ...bare, id: 8_203, test: true }));
    await deliver(
      shop,
      "orders/cancelled",
      order({ ...bare, id: 8_204, cancelled_at: iso(NOW), current_total_price: "0.00" }),
    );
    await deliver(
      shop,
      "orders/updated",
      order({
        ...bare,
        id: 8_205,
        financial_status: "partially_refunded",
        current_total_price: "65.00",
        line_items: [line({ current_quantity: 1 })],
      }),
    );
    const sums = await one<Row>(
      `select sum(total) as total, count(*) as orders from orders where shop = ? and test = 0 and state in ('completed', 'recovered')`,
      shop.key,
    );
    expect(sums).toEqual({ total: 11_500 + 11_500 + 6_500, orders: 3 });
    expect(
      await one(
        `select sum(i.current_quantity) as pieces from order_items i join orders o on o.key = i."order" where o.shop = ? and o.test = 0 and o.state = 'completed'`,
        shop.key,
      ),
    ).toEqual({ pieces: 7 });
    const shown = (await orders(shop)).map((o) => [o["presentment_total"], o["presentment_currency"]]);
    expect(shown[1]).toEqual([12_436, "USD"]);
    expect((await people(shop)).map((c) => c["orders_count"])).toEqual([3]);
  });

  it("amounts of JPY and KWD are whole and thousandths", async () => {
    for (const [currency, text, minor] of [
      ["JPY", "11500", 11_500],
      ["KWD", "11.505", 11_505],
    ] as const) {
      const shop = await newShop({ currency });
      const money = {
        currency,
        total_price: text,
        current_total_price: text,
        subtotal_price: text,
        current_subtotal_price: text,
        current_total_price_set: set(text, "75.20", currency, "USD"),
        total_price_set: null,
        total_shipping_price_set: null,
      };
      await deliver(shop, "orders/create", order({ ...money, line_items: [line({ price: text, quantity: 1 })] }));
      expect(await first(shop)).toMatchObject({
        currency,
        total: minor,
        presentment_currency: "USD",
        presentment_total: 7_520,
      });
      expect(await items(shop)).toMatchObject([{ price: minor }]);
    }
  });

  it("updated may come before create, and an older body never undoes a newer one", async () => {
    const shop = await newShop();
    const newer = order({
      updated_at: iso(NOW - 1_000),
      current_total_price: "90.00",
      financial_status: "paid",
      line_items: [line({ current_quantity: 1 })],
    });
    expect(await deliver(shop, "orders/updated", newer, NOW - 900)).toBe("handled");
    expect(await deliver(shop, "orders/create", order({ financial_status: "pending" }), NOW - 800)).toBe("stale");
    expect(await first(shop)).toMatchObject({ total: 9_000, original_total: 11_500, state: "completed" });
    const sameSecond = order({ updated_at: iso(NOW - 1_000), current_total_price: "80.00" });
    expect(await deliver(shop, "orders/updated", sameSecond, NOW - 950)).toBe("stale");
    expect(await deliver(shop, "orders/updated", sameSecond, NOW - 850, { version: "2026-07", headers: {} })).toBe(
      "handled",
    );
    expect(await orders(shop)).toHaveLength(1);
    expect(await events(shop, "order%")).toEqual(["order_placed cart:cart-a", "order_paid order:shopify:8201"]);
  });

  it("one purchase is announced once, and each later step once, however often bodies come", async () => {
    const shop = await newShop();
    const steps: [string, Row][] = [
      ["orders/create", order({ financial_status: "pending", updated_at: iso(NOW - 9_000) })],
      ["orders/paid", order({ updated_at: iso(NOW - 8_000) })],
      ["orders/updated", order({ updated_at: iso(NOW - 7_000) })],
      [
        "orders/fulfilled",
        order({
          updated_at: iso(NOW - 6_000),
          fulfillment_status: "fulfilled",
          fulfillments: [{ created_at: iso(NOW - 6_000) }],
        }),
      ],
      ["refunds/create", refund()],
      [
        "orders/updated",
        order({
          updated_at: iso(NOW - 5_000),
          fulfillment_status: "fulfilled",
          financial_status: "partially_refunded",
          refunds: [refund()],
        }),
      ],
      [
        "orders/cancelled",
        order({
          updated_at: iso(NOW - 4_000),
          fulfillment_status: "fulfilled",
          financial_status: "refunded",
          cancelled_at: iso(NOW - 4_000),
        }),
      ],
    ];
    const told: string[] = [];
    for (const [topic, body] of [...steps, ...steps]) {
      await deliver(shop, topic, body);
      told.push(...(await events(shop, "order%")));
      // Reactions delete the rows they are done with: nothing may come back after that.
      await env.DB.prepare("delete from outbox where shop = ?").bind(shop.key).run();
    }
    expect(told).toEqual([
      "order_placed cart:cart-a",
      "order_paid order:shopify:8201",
      "order_fulfilled order:shopify:8201",
      "order_refunded refund:6301",
      "order_cancelled order:shopify:8201",
    ]);
  });

  it("a refund is its lines with tax less its adjustments, may come before its order, and is told once", async () => {
    const shop = await newShop();
    const lines = [
      { line_item_id: 9_001, quantity: 1, restock_type: "no_restock", subtotal: 1240.71, total_tax: 125.31 },
    ];
    await deliver(shop, "refunds/create", refund({ id: 1, refund_line_items: lines }));
    await deliver(
      shop,
      "refunds/create",
      refund({
        id: 2,
        refund_line_items: lines,
        order_adjustments: [{ kind: "refund_discrepancy", amount: "1366.02", tax_amount: "0.00" }],
      }),
    );
    await deliver(
      shop,
      "refunds/create",
      refund({
        id: 3,
        refund_line_items: [],
        order_adjustments: [{ kind: "shipping_refund", amount: "-5.00", tax_amount: "-0.95" }],
      }),
    );
    expect(await events(shop, "order%")).toEqual([]);
    expect(await all("select external_id as id, amount from refunds where shop = ? order by 1", shop.key)).toEqual([
      { id: "1", amount: 136_602 },
      { id: "2", amount: 0 },
      { id: "3", amount: 595 },
    ]);
    await deliver(shop, "orders/updated", order({ refunds: [refund({ id: 3 })] }));
    expect(await events(shop, "order_refunded")).toEqual([
      "order_refunded refund:1",
      "order_refunded refund:2",
      "order_refunded refund:3",
    ]);
  });

  it("a test order is kept and flagged, and neither counted nor announced", async () => {
    const shop = await newShop();
    await deliver(shop, "orders/create", order({ test: true }));
    expect(await first(shop)).toMatchObject({ test: 1 });
    expect(await events(shop, "order%")).toEqual([]);
    expect((await people(shop))[0]).toMatchObject({ orders_count: 0, status: "disabled" });
  });

  it("a POS order with nulls and nobody, and an edit, do no harm", async () => {
    const shop = await newShop();
    const pos = order({
      customer: null,
      email: "",
      contact_email: null,
      phone: null,
      cart_token: null,
      checkout_token: null,
      landing_site: null,
      referring_site: null,
      shipping_address: null,
      billing_address: null,
      shipping_lines: null,
      note_attributes: null,
      line_items: [line({ product_id: null, variant_id: null, sku: null, vendor: null })],
      source_name: "pos",
      fulfillments: null,
      refunds: null,
    });
    expect(await deliver(shop, "orders/create", pos)).toBe("handled");
    expect(await first(shop)).toMatchObject({ contact: null, source_name: "pos", shipping_method: null });
    expect(await people(shop)).toEqual([]);
    expect(await events(shop, "order_placed")).toEqual(["order_placed order:shopify:8201"]);
    expect(await deliver(shop, "orders/edited", { order_edit: { id: 1, order_id: 8_201 } })).toBe("handled");
    const absent = order({ id: 8_206 });
    delete absent["customer"];
    expect(await deliver(shop, "orders/create", { ...absent, email: null, contact_email: null })).toBe("handled");
  });

  it("a deleted order is gone with its lines, and a late body does not bring it back", async () => {
    const shop = await newShop();
    await deliver(shop, "orders/create", order());
    await deliver(shop, "refunds/create", refund());
    await deliver(shop, "orders/delete", { id: 8_201 });
    expect(await deliver(shop, "orders/updated", order({ updated_at: iso(NOW) }), NOW + 5)).toBe("stale");
    expect(await deliver(shop, "refunds/create", refund({ id: 2 }))).toBe("stale");
    expect([
      await orders(shop),
      await items(shop),
      await all("select 1 from refunds where shop = ?", shop.key),
    ]).toEqual([[], [], []]);
    await deliver(shop, "orders/delete", { id: 9_999 });
    expect(await deliver(shop, "orders/create", order({ id: 9_999 }))).toBe("stale");
  });
});

describe("E2: guests", () => {
  it("E2: a guest's checkout and order make one contact, and update it; a draft order makes none", async () => {
    const shop = await newShop();
    await deliver(shop, "draft_orders/create", { id: 1, email: "gast@post.example", customer: null });
    expect(await people(shop)).toEqual([]);
    await deliver(shop, "checkouts/create", checkout({ email: "Gast@Post.example " }));
    expect(await people(shop)).toMatchObject([
      { email: "gast@post.example", source: "Shopify", stage: "lead", first_name: null },
    ]);
    await deliver(
      shop,
      "orders/create",
      order({ customer: null, email: "gast@post.example", shipping_address: address({ phone: null }) }),
    );
    expect(await people(shop)).toMatchObject([
      {
        email: "gast@post.example",
        first_name: "Mira",
        city: "Köln",
        orders_count: 1,
        stage: "customer",
        status: "paying",
        shopify_customer_id: null,
      },
    ]);
    await deliver(shop, "customers/create", customer({ id: 7_900, email: "gast@post.example" }));
    expect(await people(shop)).toMatchObject([{ shopify_customer_id: "7900", source: "Shopify", orders_count: 1 }]);
  });

  it("E2: a guest with a phone number only is a contact too", async () => {
    const shop = await newShop();
    await deliver(
      shop,
      "orders/create",
      order({
        customer: null,
        email: null,
        contact_email: null,
        phone: "+49 171 5550007",
        shipping_address: null,
        billing_address: null,
      }),
    );
    await deliver(
      shop,
      "orders/create",
      order({
        id: 8_202,
        customer: null,
        email: "",
        contact_email: null,
        phone: "+491715550007",
        shipping_address: [],
      }),
    );
    expect(await people(shop)).toMatchObject([
      { email: null, phone: "+491715550007", orders_count: 2, status: "paying" },
    ]);
  });
});

describe("carts and checkouts", () => {
  it("a cart and its checkout are one row, with the amounts that the shopper saw", async () => {
    const shop = await newShop({ currency: "EUR" });
    await deliver(shop, "carts/create", cart());
    expect(await carts(shop)).toMatchObject([
      { token: "cart-a", state: "open", value: 5_000, currency: "EUR", reached: 1, contact: null },
    ]);
    await deliver(
      shop,
      "checkouts/create",
      checkout({ currency: "EUR", presentment_currency: "USD", total_price: "124.36", cart_token: "cart-a?key=abc" }),
    );
    const [row, ...more] = await carts(shop);
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      checkout_token: "checkout-a",
      value: 12_436,
      currency: "USD",
      activity_at: NOW - 100_000,
    });
    expect(JSON.parse(String(row?.["items"]))).toMatchObject([
      { productId: "3001", quantity: 2, price: { amount: 5_000, currency: "USD" } },
    ]);
    expect(await deliver(shop, "carts/update", cart({ updated_at: new Date(NOW - 180_000).toISOString() }))).toBe(
      "stale",
    );
    await deliver(shop, "carts/update", cart({ updated_at: new Date(NOW - 90_000).toISOString(), line_items: [] }));
    expect(await carts(shop)).toMatchObject([{ value: 0, items: "[]", reached: 0 }]);
  });

  it("a checkout without a cart token has a row of its own until the token is known", async () => {
    const shop = await newShop();
    await deliver(shop, "checkouts/create", checkout({ cart_token: null }));
    expect((await carts(shop)).map((c) => c["token"])).toEqual(["checkout:checkout-a"]);
    await deliver(shop, "carts/create", cart());
    await deliver(shop, "checkouts/update", checkout({ updated_at: iso(NOW - 50_000) }));
    expect((await carts(shop)).map((c) => [c["token"], c["checkout_token"]])).toEqual([["cart-a", "checkout-a"]]);
  });

  it("an order that came before its cart and checkout ends them when they arrive", async () => {
    const shop = await newShop();
    await deliver(shop, "orders/create", order());
    await deliver(shop, "carts/update", cart());
    await deliver(shop, "checkouts/update", checkout());
    expect((await carts(shop)).map((c) => [c["token"], c["state"], c["purchased_by"]])).toEqual([
      ["cart-a", "purchased", "order"],
    ]);
    await deliver(
      shop,
      "checkouts/create",
      checkout({ token: "checkout-b", cart_token: "cart-b", updated_at: iso(NOW - 500_000) }),
    );
    await env.DB.batch(abandonDueCarts(env.DB, shop.key, NOW + 86_400_000));
    expect((await carts(shop)).map((c) => c["state"])).toEqual(["purchased", "open"]);
  });

  it("a completed checkout is not abandoned though its order is still on the way", async () => {
    const shop = await newShop();
    await deliver(shop, "checkouts/update", checkout({ completed_at: iso(NOW - 101_000) }));
    await env.DB.batch(abandonDueCarts(env.DB, shop.key, NOW + 86_400_000));
    expect((await carts(shop)).map((c) => c["state"])).toEqual(["open"]);
  });

  it("a deleted checkout known only from webhooks goes, and a late body does not bring it back", async () => {
    const shop = await newShop();
    await deliver(shop, "checkouts/create", checkout());
    await deliver(shop, "checkouts/delete", { id: 1, cart_token: "cart-a", presentment_currency: "EUR" }, NOW - 60_000);
    expect(await deliver(shop, "checkouts/update", checkout({ updated_at: iso(NOW - 90_000) }))).toBe("stale");
    expect(await carts(shop)).toEqual([]);
  });

  it("a deleted checkout leaves a cart that was abandoned, without the address it was taken up at", async () => {
    const shop = await newShop();
    await deliver(shop, "checkouts/create", checkout());
    await env.DB.batch(abandonDueCarts(env.DB, shop.key, NOW + 86_400_000));
    const [before] = await carts(shop);
    expect(before).toMatchObject({ state: "abandoned", checkout_url: expect.any(String) });
    // Older bodies name the checkout alone.
    await deliver(shop, "checkouts/delete", { id: 1, token: "checkout-a" });
    expect(await carts(shop)).toEqual([{ ...before, checkout_url: null, updated_at: NOW }]);
  });

  it("the visitor that the cart carries is joined to the contact of the checkout, asked for once", async () => {
    const shop = await newShop();
    const tracker = crypto.randomUUID();
    await env.DB.prepare(
      "insert into visitors (key, shop, tracker, person, channel, visits, page_views, first_seen_at, last_seen_at, flushed_seq) values (?, ?, ?, 1, 'browser', 1, 1, 1, 1, 1)",
    )
      .bind(NOW, shop.key, tracker)
      .run();
    const note_attributes = [
      { name: "gift", value: "yes" },
      { name: "__ff_visitor", value: tracker },
    ];
    await deliver(shop, "carts/create", cart({ note_attributes }));
    expect(await carts(shop)).toMatchObject([{ visitor: NOW }]);
    expect(await events(shop, "visitor_joined")).toEqual([]);
    await deliver(shop, "checkouts/create", checkout());
    await deliver(
      shop,
      "checkouts/update",
      checkout({
        updated_at: iso(NOW - 90_000),
        note_attributes: [{ name: "__ff_visitor", value: crypto.randomUUID() }],
      }),
    );
    const asked = await all<Row>(
      "select data, subject from outbox where shop = ? and type = 'visitor_joined' order by key",
      shop.key,
    );
    const [person] = await people(shop);
    expect(JSON.parse(String(asked[0]?.["data"]))).toEqual({
      tracker,
      cartToken: "cart-a",
      checkoutToken: "checkout-a",
      contact: person?.["id"],
    });
    expect(asked[0]?.["subject"]).toBe(`contact:${String(person?.["key"])}`);
    // The attribute of a second browser is asked about, but the cart stays with its first visitor.
    expect(asked).toHaveLength(2);
    expect(await carts(shop)).toMatchObject([{ visitor: NOW }]);
    await env.DB.prepare("update visitors set contact = ? where key = ?").bind(Number(person?.["key"]), NOW).run();
    await env.DB.prepare("delete from outbox where shop = ?").bind(shop.key).run();
    await deliver(shop, "orders/create", order({ note_attributes }));
    expect(await events(shop, "visitor_joined")).toEqual([]);
    expect(await first(shop)).toMatchObject({ visitor: NOW });
  });

  it("an attribute that is no tracker id is ignored", async () => {
    const shop = await newShop();
    for (const value of [5, null, "", "x", "'; drop table carts; --", { id: 1 }, "a".repeat(500)]) {
      await deliver(shop, "checkouts/create", checkout({ note_attributes: [{ name: "__ff_visitor", value }] }), NOW, {
        webhookId: crypto.randomUUID(),
      });
    }
    expect(await events(shop, "visitor_joined")).toEqual([]);
  });
});
