import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { api, mintShop, operator } from "../helpers/api";
import { seedCart, seedContact, seedItem, seedOrder, seedProduct, seedVisitor } from "../helpers/seed";

const EUR = (amount: number) => ({ amount, currency: "EUR" });

async function euroShop() {
  return mintShop({}, { currency: "EUR" });
}

test("E11: an order's detail has state, admin link, total, time, every code, and six facts of each product", async () => {
  const shop = await euroShop();
  await seedProduct(shop.key, "p1", { category: "Kitchen", image: "https://cdn.example/p1.jpg", vendor: "Acme" });
  const order = await seedOrder(shop.key, {
    external_id: "9007199254740995",
    name: "#1042",
    total: 3500,
    original_total: 4000,
    presentment_currency: "USD",
    presentment_total: 4400,
    discount_codes: JSON.stringify(["SUMMER", "VIP 10%"]),
    placed_at: Date.UTC(2026, 5, 1, 9, 30),
  });
  await seedItem(order.key, 0, {
    product_id: "p1",
    sku: "MUG-1",
    title: "Mug",
    quantity: 2,
    price: 2000,
    discounted_price: 1750,
  });
  await seedItem(order.key, 1, {
    product_id: "gone",
    title: "Card",
    category: "Paper",
    image: "https://cdn.example/c.jpg",
  });
  await seedItem(order.key, 2, { title: "Gift wrap", price: 0, discounted_price: 0 });
  const { status, body } = await shop.full.get(`/v1/orders/${order.id}`);
  expect(status).toBe(200);
  const handle = shop.domain.replace(".myshopify.com", "");
  expect(body).toMatchObject({
    id: order.id,
    shopifyId: "9007199254740995",
    adminUrl: `https://admin.shopify.com/store/${handle}/orders/9007199254740995`,
    name: "#1042",
    state: "completed",
    placedAt: "2026-06-01T09:30:00.000Z",
    total: EUR(3500),
    originalTotal: EUR(4000),
    presentmentTotal: { amount: 4400, currency: "USD" },
    discountCodes: ["SUMMER", "VIP 10%"],
    test: false,
  });
  const columns = ({
    image,
    title,
    category,
    sku,
    quantity,
    price,
    discountedPrice,
    vendor,
  }: Record<string, unknown>) => ({
    image,
    title,
    category,
    sku,
    quantity,
    price,
    discountedPrice,
    vendor,
  });
  expect(body.items.map(columns)).toEqual([
    {
      image: "https://cdn.example/p1.jpg",
      title: "Mug",
      category: "Kitchen",
      sku: "MUG-1",
      quantity: 2,
      price: EUR(2000),
      discountedPrice: EUR(1750),
      vendor: "Acme",
    },
    {
      image: "https://cdn.example/c.jpg",
      title: "Card",
      category: "Paper",
      sku: null,
      quantity: 1,
      price: EUR(1999),
      discountedPrice: EUR(1999),
      vendor: null,
    },
    {
      image: null,
      title: "Gift wrap",
      category: null,
      sku: null,
      quantity: 1,
      price: EUR(0),
      discountedPrice: EUR(0),
      vendor: null,
    },
  ]);
});

test("orders page by key, those of a contact by time, and filter by state and test", async () => {
  const shop = await euroShop();
  const contact = await seedContact(shop.key);
  const made: string[] = [];
  for (let i = 0; i < 9; i++) {
    const { id } = await seedOrder(shop.key, {
      placed_at: 1_000 + ((i * 7) % 9 < 4 ? 0 : i),
      contact: i % 3 === 0 ? null : contact.key,
      state: i % 2 ? "cancelled" : "completed",
      test: Number(i === 4),
    });
    made.push(id);
  }
  const all = async (query: string) => {
    const ids: string[] = [];
    let cursor = "";
    for (;;) {
      const { body } = await shop.full.get(`/v1/orders?limit=2${query}${cursor}`);
      ids.push(...body.items.map(({ id }: { id: string }) => id));
      if (body.nextCursor === null) return ids;
      cursor = `&cursor=${body.nextCursor}`;
    }
  };
  const at = (i: number) => 1_000 + ((i * 7) % 9 < 4 ? 0 : i);
  const mine = [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((i) => i % 3 !== 0).sort((a, b) => at(b) - at(a) || b - a);
  expect(await all("")).toEqual(made.toReversed());
  expect(await all(`&contactId=${contact.id}`)).toEqual(mine.map((i) => made[i]));
  expect(await all("&state=cancelled")).toEqual([7, 5, 3, 1].map((i) => made[i]));
  expect(await all("&test=true")).toEqual([made[4]]);
  expect((await all("&test=false")).length).toBe(8);
  expect(await all("&contactId=con_nobody")).toEqual([]);
});

test("lists read few rows more than they return, whatever else the database holds", async () => {
  const [shop, other] = [await euroShop(), await euroShop()];
  const contact = await seedContact(shop.key);
  await env.DB.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
     insert into orders (shop, id, origin, external_id, state, currency, total, original_total, placed_at, created_at, updated_at, contact)
     select iif(i % 3 = 0, ?1, ?2), 'ord_bulk' || ?1 || '_' || i, 'shopify', 'b' || i, iif(i % 2, 'completed', 'refunded'), 'EUR', 1, 1, i, i, i,
       iif(i % 3 = 0, ?3, null) from n`,
  )
    .bind(shop.key, other.key, contact.key)
    .run();
  await env.DB.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
     insert into carts (shop, id, token, state, reached, activity_at, created_at, updated_at)
     select iif(i % 3 = 0, ?1, ?2), 'crt_bulk' || ?1 || '_' || i, 'b' || i, iif(i % 2, 'open', 'recovered'), 1, i, i, i from n`,
  )
    .bind(shop.key, other.key)
    .run();
  const { listOrders } = await import("../../src/orders/read");
  const { listCarts } = await import("../../src/carts/rest");
  const { getShopOrThrow } = await import("../../src/shops");
  let read = 0;
  let returned = 0;
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "prepare") return Reflect.get(target, name);
      return (text: string) => ({
        bind: (...values: unknown[]) => ({
          all: async () => {
            const result = await target
              .prepare(text)
              .bind(...values)
              .all();
            read += result.meta.rows_read;
            returned += result.results.length;
            return result;
          },
        }),
      });
    },
  });
  const ctx = {
    env,
    db,
    now: 0,
    shop: await getShopOrThrow(env.DB, shop.key),
    actor: { kind: "operator" as const },
    requestId: "req_test",
    later: () => undefined,
  };
  for (const list of [
    () => listOrders(ctx, {}, { limit: 50 }),
    () => listOrders(ctx, { state: "refunded" }, { limit: 50 }),
    () => listOrders(ctx, { contactId: contact.id }, { limit: 50 }),
    () => listCarts(ctx, {}, { limit: 50 }),
    () => listCarts(ctx, { state: "recovered" }, { limit: 50 }),
  ]) {
    [read, returned] = [0, 0];
    const page = await list();
    expect(page.items.length).toBe(50);
    expect(read, list.toString()).toBeLessThanOrEqual(3 * returned);
  }
});

test("B5: an order told twice by its external id is one order; a change changes it, an older one does not", async () => {
  const shop = await euroShop();
  const input = {
    externalId: "A-1",
    name: "1",
    placedAt: "2026-11-01T10:00:00Z",
    updatedAt: "2026-11-01T10:00:00Z",
    total: EUR(3998),
    email: "Buyer@Example.com ",
    items: [{ productId: "p1", title: "Mug", sku: "M", category: "Kitchen", quantity: 2, price: EUR(1999) }],
  };
  const first = await shop.full.post("/v1/orders", input);
  expect(first.status).toBe(201);
  expect(first.body).toMatchObject({
    externalId: "A-1",
    shopifyId: null,
    adminUrl: null,
    state: "completed",
    total: EUR(3998),
    items: [{ title: "Mug", category: "Kitchen", quantity: 2, discountedPrice: EUR(1999) }],
  });
  const again = await shop.full.post("/v1/orders", input);
  expect(again.status).toBe(200);
  expect({ ...again.body, updatedAt: null }).toEqual({ ...first.body, updatedAt: null });

  const changed = await shop.full.post("/v1/orders", {
    externalId: "A-1",
    updatedAt: "2026-11-02T10:00:00Z",
    state: "refunded",
    total: EUR(0),
  });
  expect(changed.body).toMatchObject({
    id: first.body.id,
    state: "refunded",
    total: EUR(0),
    originalTotal: EUR(3998),
    placedAt: "2026-11-01T10:00:00.000Z",
    contactId: first.body.contactId,
    items: [{ title: "Mug" }],
  });
  const late = await shop.full.post("/v1/orders", { ...input, updatedAt: "2026-11-01T12:00:00Z", total: EUR(5) });
  expect(late.body).toMatchObject({ state: "refunded", total: EUR(0) });

  const counts = await env.DB.prepare(
    `select (select count(*) from orders where shop = ?1) as orders, (select count(*) from contacts where shop = ?1) as contacts,
       (select count(*) from outbox where shop = ?1 and type = 'order_placed') as placed`,
  )
    .bind(shop.key)
    .first();
  expect(counts).toEqual({ orders: 1, contacts: 1, placed: 1 });
  const contact = await env.DB.prepare(
    "select email, source, verified, orders_count, stage, status from contacts where shop = ?",
  )
    .bind(shop.key)
    .first();
  expect(contact).toMatchObject({
    email: "buyer@example.com",
    source: "API",
    verified: 1,
    orders_count: 1,
    stage: "customer",
    status: "paying",
  });
});

test("an order told at the same moment by two callers is one order", async () => {
  const shop = await euroShop();
  const tell = () => shop.full.post("/v1/orders", { externalId: "same", total: EUR(1), email: "a@b.example" });
  const answers = await Promise.all([tell(), tell(), tell(), tell()]);
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  const { results } = await env.DB.prepare("select id from orders where shop = ?").bind(shop.key).all();
  expect(results.length).toBe(1);
});

test("an order joins the cart that it names, and only the shop's currency adds up", async () => {
  const shop = await euroShop();
  const visitor = await seedVisitor(shop.key);
  const cart = await seedCart(shop.key, { token: "tok", visitor: visitor.key });
  const { body } = await shop.full.post("/v1/orders", {
    externalId: "1",
    total: EUR(5),
    cartToken: "tok",
    email: "j@b.example",
  });
  expect(body.visitorId).toBe(visitor.tracker);
  const after = await shop.full.get(`/v1/carts/${cart.id}`);
  expect(after.body).toMatchObject({ state: "purchased", contactId: body.contactId });

  const dollars = await shop.full.post("/v1/orders", {
    externalId: "2",
    total: { amount: 5, currency: "USD" },
    items: [{ title: "x", price: { amount: 5, currency: "JPY" } }],
  });
  expect(dollars.status).toBe(400);
  expect(dollars.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    "/total/currency",
    "/items/0/price/currency",
  ]);
});

test("orders that do not fit are refused and leave nothing behind", async () => {
  const shop = await euroShop();
  const good = { externalId: "h", total: EUR(1), email: "h@b.example" };
  for (const wrong of [
    {},
    { externalId: "" },
    { total: { amount: 1.5, currency: "EUR" } },
    { total: { amount: 1e300, currency: "EUR" } },
    { total: "19.99" },
    { total: EUR(1), placedAt: "yesterday" },
    { state: "paid" },
    { items: [{ title: "x", price: EUR(1), quantity: -1 }] },
    { items: Array.from({ length: 501 }, () => ({ title: "x", price: EUR(1) })) },
    { email: "not an address" },
    { email: "a@b.example\u0000" },
    { phone: "12" },
    { contactId: "con_nobody" },
    { visitorId: "' or 1=1" },
    { surprise: true },
    { discountCodes: [""] },
    { test: "yes" },
    [],
    null,
  ]) {
    const input =
      Array.isArray(wrong) || wrong === null ? wrong : Object.keys(wrong).length === 0 ? {} : { ...good, ...wrong };
    const { status, body } = await shop.full.post("/v1/orders", input);
    expect([JSON.stringify(wrong).slice(0, 60), status]).toEqual([JSON.stringify(wrong).slice(0, 60), 400]);
    expect(body.errors?.length ?? 1).toBeGreaterThan(0);
  }
  const rows = await env.DB.prepare(
    "select (select count(*) from orders where shop = ?1) + (select count(*) from contacts where shop = ?1) as n",
  )
    .bind(shop.key)
    .first();
  expect(rows).toEqual({ n: 0 });
});

test("every order route needs a key with its scope and its own shop", async () => {
  const [mine, other] = [await euroShop(), await euroShop()];
  const contact = await seedContact(mine.key);
  const order = await seedOrder(mine.key, { contact: contact.key });
  for (const path of ["/v1/orders", `/v1/orders/${order.id}`, `/v1/contacts/${contact.id}/commerce`]) {
    expect((await api(null).get(path)).status).toBe(401);
    expect((await mine.writeOnly.get(path)).status).toBe(403);
    expect((await mine.readOnly.get(path)).status).toBe(200);
    expect((await operator.get(`${path}?shop=${mine.id}`)).status).toBe(200);
  }
  for (const path of [`/v1/orders/${order.id}`, `/v1/contacts/${contact.id}/commerce`]) {
    expect((await other.full.get(path)).status).toBe(404);
    expect((await operator.get(`${path}?shop=${other.id}`)).status).toBe(404);
  }
  expect((await other.full.get("/v1/orders")).body.items).toEqual([]);
  expect((await other.full.get(`/v1/orders?contactId=${contact.id}`)).body.items).toEqual([]);
  const input = { externalId: "1", total: EUR(1) };
  expect((await api(null).post("/v1/orders", input)).status).toBe(401);
  expect((await mine.readOnly.post("/v1/orders", input)).status).toBe(403);
  expect((await mine.full.post("/v1/orders", { ...input, shop: other.id })).status).toBe(404);
  expect((await other.full.post("/v1/orders", { ...input, contactId: contact.id })).status).toBe(400);
  expect((await operator.post("/v1/orders", input)).status).toBe(400);
  expect((await operator.post("/v1/orders", { ...input, shop: mine.domain })).status).toBe(201);
});
