import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { pokeClocks } from "../../src/jobs/maintain";
import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { checkout, customer, line, order, refund, set } from "../shopify/bodies";

useFakeClock();

type Fields = Record<string, unknown>;

const EUR = (amount: number) => ({ amount, currency: "EUR" });
const iso = (at: number) => new Date(at).toISOString();
const euroShop = () => mintShop({}, { currency: "EUR", name: "Lamps & Co" });

/** An order of its own: no cart, and as new as the clock. */
const placed = (id: number, more: Fields = {}) =>
  order({
    id,
    name: `#${id}`,
    cart_token: null,
    checkout_token: null,
    created_at: iso(Date.now()),
    processed_at: iso(Date.now()),
    updated_at: iso(Date.now()),
    ...more,
  });

async function deliver(shop: MintedShop, topic: string, body: Fields): Promise<void> {
  expect([topic, await deliverWebhook(shop.domain, topic, body)]).toEqual([topic, "handled"]);
}

async function onlyContact(shop: MintedShop) {
  const { items } = (await shop.full.get("/v1/contacts")).body;
  expect(items).toHaveLength(1);
  return items[0];
}

/** Lets the shop's clock abandon what has waited long enough. */
async function sweep(shop: MintedShop): Promise<void> {
  await pokeClocks(env, Date.now());
  await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
}

describe("orders as Shopify's webhooks tell them, over REST", () => {
  it("E9: number, total, date and time, state and store, in all nine states", async () => {
    const shop = await euroShop();
    const all: [string, Fields][] = [
      ["pending_payment", { financial_status: "pending" }],
      ["completed", { financial_status: "paid" }],
      ["abandoned", { financial_status: "expired" }],
      ["waiting", { financial_status: "authorized" }],
      ["cancelled", { cancelled_at: iso(T0), cancel_reason: "customer" }],
      ["refunded", { financial_status: "refunded", current_total_price: "0.00" }],
      ["failed", { financial_status: "voided" }],
      [
        "returned",
        {
          financial_status: "refunded",
          current_total_price: "0.00",
          line_items: [line({ current_quantity: 0 })],
          refunds: [
            refund({
              refund_line_items: [{ line_item_id: 9_001, quantity: 2, restock_type: "return", subtotal: 100 }],
            }),
          ],
        },
      ],
    ];
    for (const [i, [, more]] of all.entries()) {
      await deliver(shop, "orders/create", placed(9_100 + i, more));
      travel(MINUTE);
    }
    const left = { updated_at: iso(Date.now()), customer: customer() };
    await deliver(shop, "checkouts/create", checkout({ token: "late", cart_token: "late", ...left }));
    travel(2 * HOUR);
    await sweep(shop);
    await deliver(shop, "orders/create", placed(9_108, { cart_token: "late", checkout_token: "late" }));
    const { id } = await onlyContact(shop);
    const { items } = (await shop.full.get(`/v1/contacts/${id}/commerce?sort=at`)).body;
    const rows = items.map(({ kind, name, total, placedAt, state, store }: Fields) => [
      kind,
      name,
      total,
      placedAt,
      state,
      store,
    ]);
    const store = { id: shop.id, name: "Lamps & Co", domain: shop.domain };
    expect(rows).toEqual(
      [...all.map(([state]) => state), "recovered"].map((state, i) => [
        "order",
        `#${9_100 + i}`,
        EUR(state === "refunded" || state === "returned" ? 0 : 11_500),
        iso(T0 + i * MINUTE + (state === "recovered" ? 2 * HOUR : 0)),
        state,
        store,
      ]),
    );
  });

  it("E5, E6, E8, E12: orders and abandoned carts in one list and one stream; metrics are the sums of what was completed", async () => {
    const shop = await euroShop();
    const dollars = { presentment_currency: "USD", total_price_set: set("115.00", "124.36", "EUR", "USD") };
    await deliver(shop, "orders/create", placed(1));
    await deliver(shop, "orders/create", placed(2, dollars));
    await deliver(shop, "orders/create", placed(3, { test: true }));
    await deliver(shop, "orders/create", placed(4, { cancelled_at: iso(T0), current_total_price: "0.00" }));
    await deliver(shop, "orders/create", placed(5, { financial_status: "refunded", current_total_price: "0.00" }));
    const partly = { current_total_price: "65.00", line_items: [line({ current_quantity: 1 })] };
    await deliver(shop, "orders/create", placed(6, { financial_status: "partially_refunded", ...partly }));
    travel(MINUTE);
    const left = { updated_at: iso(Date.now()), total_price: "50.00", customer: customer() };
    await deliver(shop, "checkouts/create", checkout({ token: "left", cart_token: "left", ...left }));
    travel(2 * HOUR);
    await sweep(shop);

    const { id } = await onlyContact(shop);
    const commerce = async (query = "") => (await shop.full.get(`/v1/contacts/${id}/commerce${query}`)).body;
    const { metrics, items } = await commerce();
    const sums = { totalRevenue: EUR(11_500 + 11_500 + 6_500), totalOrders: 3, productsPurchased: 3 + 3 + 1 };
    expect(metrics).toEqual({ ...sums, totals: [{ currency: "EUR", ...sums }] });
    const named = (list: Fields[]) =>
      list.map(({ kind, name }) => String(name ?? kind)).toSorted((a, b) => a.localeCompare(b));
    expect(named(items)).toEqual(["#1", "#2", "#3", "#4", "#5", "#6", "cart"]);
    expect(items[0]).toMatchObject({ kind: "cart", state: "abandoned", value: EUR(5_000) });
    expect(named((await commerce("?activity=completed")).items)).toEqual(["#1", "#2", "#3", "#6"]);
    expect(named((await commerce("?activity=abandoned")).items)).toEqual(["cart"]);
    const bySort = (await commerce("?sort=activity")).items.map(({ state }: Fields) => state);
    expect([bySort[0], bySort.at(-1)]).toEqual(["abandoned", expect.stringMatching(/cancelled|refunded/)]);

    const stream = (await shop.full.get(`/v1/contacts/${id}/timeline`)).body.items;
    const of = (type: string) => stream.filter((item: Fields) => item["type"] === type).map(({ at }: Fields) => at);
    expect(of("cart_abandoned")).toEqual([iso(T0 + MINUTE + HOUR)]);
    expect(of("order_placed")).toEqual(Array.from({ length: 6 }, () => iso(T0)));
  });

  it("E11: the detail of an order, its admin link, every code and six facts of each product", async () => {
    const shop = await euroShop();
    const product = { title: "Lamp", product_type: "Lights", vendor: "Glow", updated_at: iso(T0) };
    await deliver(shop, "products/create", { id: 3_001, ...product, image: { src: "https://cdn.example/lamp.jpg" } });
    await deliver(shop, "products/create", { id: 3_002, ...product, title: "Bulb", image: null });
    const codes = [
      { code: "SPRING", amount: "10.00", type: "percentage" },
      { code: "VIP", amount: "5.00", type: "fixed_amount" },
    ];
    const body = placed(8_201, { discount_codes: codes });
    const lamps = line({ discount_allocations: [{ amount: "10.00" }, { amount: "5.00" }] });
    const bulb = line({ id: 9_002, product_id: 3_002, title: "Bulb", sku: "BULB", quantity: 1, price: "10.00" });
    await deliver(shop, "orders/create", { ...body, name: "#1042", line_items: [lamps, bulb] });
    const [listed] = (await shop.full.get("/v1/orders")).body.items;
    const detail = (await shop.full.get(`/v1/orders/${listed.id}`)).body;
    expect(detail).toMatchObject({
      name: "#1042",
      state: "completed",
      adminUrl: `https://admin.shopify.com/store/${shop.domain.split(".")[0]}/orders/8201`,
      total: EUR(11_500),
      placedAt: iso(T0),
      discountCodes: ["SPRING", "VIP"],
    });
    const columns = ({ image, title, category, sku, quantity, price, discountedPrice }: Fields) => [
      image,
      title,
      category,
      sku,
      quantity,
      price,
      discountedPrice,
    ];
    expect(detail.items.map(columns)).toEqual([
      ["https://cdn.example/lamp.jpg", "Lamp", "Lights", "LAMP-B", 2, EUR(5_000), EUR(4_250)],
      [null, "Bulb", "Lights", "BULB", 1, EUR(1_000), EUR(1_000)],
    ]);
  });

  it("E2: a guest's checkout and order make and update one contact; a draft order is kept aside and changes nothing", async () => {
    const shop = await euroShop();
    const guest = { customer: null, email: "Gast@Post.example" };
    const draft = { id: 1, ...guest, line_items: [line()], total_price: "10.00", currency: "EUR" };
    for (const topic of ["draft_orders/create", "draft_orders/update"]) {
      expect(await deliverWebhook(shop.domain, topic, { ...draft, status: topic })).toBe("unhandled");
    }
    const lists = ["contacts", "orders", "carts"].map((name) => shop.full.get(`/v1/${name}`));
    expect((await Promise.all(lists)).map(({ body }) => body.items)).toEqual([[], [], []]);
    const started = { ...guest, token: "g", cart_token: "g", updated_at: iso(T0), total_price: "42.00" };
    await deliver(shop, "checkouts/create", checkout(started));
    const lead = await onlyContact(shop);
    expect(lead).toMatchObject({
      email: "gast@post.example",
      source: "Shopify",
      lifecycle: { stage: "lead", status: null },
    });
    await deliver(shop, "orders/create", placed(77, { ...guest, cart_token: "g", checkout_token: "g" }));
    expect(await onlyContact(shop)).toMatchObject({
      id: lead.id,
      firstName: "Mira",
      shopifyCustomerId: null,
      lifecycle: { stage: "customer", status: "paying" },
      ordersCount: 1,
    });
  });

  it("E4: both orders and carts are on the contact's profile, with the visit that led to them", async () => {
    const shop = await euroShop();
    const visitor = newVisitor();
    const token = crypto.randomUUID();
    await send(shop.domain, visitor, [
      { type: "page_viewed", url: "https://acme.example/lamp?utm_source=letter" },
      { type: "cart_updated", data: { token, value: EUR(11_500), lines: [{ title: "Lamp", quantity: 2 }] } },
    ]);
    travel(MINUTE);
    await objectOf(shop, visitor).flush();
    await deliver(shop, "orders/create", placed(5, { cart_token: token, financial_status: "paid" }));
    travel(DAY);
    const left = { updated_at: iso(Date.now()), customer: customer() };
    await deliver(shop, "checkouts/create", checkout({ token: "next", cart_token: "next", ...left }));
    const { id } = await onlyContact(shop);
    // The order's reaction joins the browser.
    await vi.waitFor(async () => {
      travel(10 * SECOND);
      await sweep(shop);
      expect((await shop.full.get(`/v1/visitors?contactId=${id}`)).body.items).toMatchObject([{ id: visitor }]);
    }, 10_000);
    const profile = (await shop.full.get(`/v1/contacts/${id}?include=orders,carts,events`)).body;
    expect(profile.orders).toMatchObject([{ name: "#5", total: EUR(11_500), state: "completed", visitorId: visitor }]);
    const carts = profile.carts.map(({ token: name, state }: Fields) => [name, state]);
    expect(Object.fromEntries(carts)).toEqual({ next: "open", [token]: "purchased" });
    const types = profile.events.map(({ type }: Fields) => type);
    for (const once of ["page_viewed", "order_placed", "contact_created"]) {
      expect([once, types.filter((type: string) => type === once).length]).toEqual([once, 1]);
    }
    const commerce = (await shop.full.get(`/v1/contacts/${id}/commerce`)).body;
    expect(commerce.metrics).toMatchObject({ totalRevenue: EUR(11_500), totalOrders: 1, productsPurchased: 3 });
  });
});
