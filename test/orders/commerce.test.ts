import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { mintShop, operator } from "../helpers/api";
import { insert, seedCart, seedContact, seedItem, seedOrder } from "../helpers/seed";

const EUR = (amount: number) => ({ amount, currency: "EUR" });
const DAY = 86_400_000;
const T0 = Date.UTC(2026, 8, 1);

const STATES = [
  "pending_payment",
  "completed",
  "abandoned",
  "recovered",
  "waiting",
  "cancelled",
  "refunded",
  "failed",
  "returned",
];

async function fixture() {
  const shop = await mintShop({}, { currency: "EUR", name: "Mugs & Co" });
  const contact = await seedContact(shop.key, { email: `${crypto.randomUUID()}@b.example` });
  for (const [i, state] of STATES.entries()) {
    const order = await seedOrder(shop.key, {
      contact: contact.key,
      state,
      name: `#${i}`,
      total: 1_000 + i,
      placed_at: T0 + i * DAY,
    });
    await seedItem(order.key, 0, { quantity: 2, current_quantity: 2 - (i % 2) });
    await seedItem(order.key, 1, {});
  }
  const test = await seedOrder(shop.key, {
    contact: contact.key,
    state: "completed",
    total: 99_999,
    test: 1,
    placed_at: T0 - DAY,
  });
  await seedItem(test.key, 0, {});
  const left = await seedCart(shop.key, {
    contact: contact.key,
    state: "abandoned",
    value: 700,
    abandoned_at: T0 + 20 * DAY,
  });
  await seedCart(shop.key, { contact: contact.key, state: "open" });
  await seedCart(shop.key, { contact: contact.key, state: "recovered", abandoned_at: T0, recovered_at: T0 + DAY });
  return { shop, contact, left, path: `/v1/contacts/${contact.id}/commerce` };
}

interface Item {
  kind: string;
  id: string;
  name?: string;
  state: string;
  total?: unknown;
  placedAt?: string;
  store: { id: string; name: string };
}

test("E5, E12: orders and abandoned carts stand in one list, latest first", async () => {
  const { shop, path, left } = await fixture();
  const { body } = await shop.full.get(path);
  expect(body.items.map(({ kind, name }: Item) => name ?? kind)).toEqual([
    "cart",
    ...STATES.map((_, i) => `#${8 - i}`),
    "#1001",
  ]);
  expect(body.items[0]).toMatchObject({ kind: "cart", id: left.id, state: "abandoned", value: EUR(700) });
});

test("E6: filtered and sorted by activity", async () => {
  const { shop, path, left } = await fixture();
  const items = async (query: string): Promise<Item[]> => (await shop.full.get(`${path}?${query}`)).body.items;
  const completed = await items("activity=completed");
  expect(completed.map(({ kind, state }) => [kind, state])).toEqual([
    ["order", "recovered"],
    ["order", "completed"],
    ["order", "completed"],
  ]);
  const abandoned = await items("activity=abandoned");
  expect(abandoned.map(({ kind, state }) => [kind, state])).toEqual([
    ["cart", "abandoned"],
    ["order", "abandoned"],
  ]);
  expect(abandoned[0]?.id).toBe(left.id);
  const sorted = await items("sort=activity");
  expect(sorted.map(({ state }) => state).slice(0, 2)).toEqual(["abandoned", "abandoned"]);
  const byTotal = (await items("sort=total&limit=250")).map((item) => (item.kind === "cart" ? "cart" : item.name));
  expect(byTotal).toEqual(["cart", ...STATES.map((_, i) => `#${i}`), "#1001"]);
});

test("pages of any sort hold every entry once", async () => {
  const { shop, path } = await fixture();
  for (const sort of ["-at", "at", "-placedAt", "placedAt", "-total", "total", "-activity", "activity"]) {
    const whole = (await shop.full.get(`${path}?sort=${sort}`)).body.items.map(({ id }: Item) => id);
    const paged: string[] = [];
    let cursor = "";
    for (;;) {
      const { body } = await shop.full.get(`${path}?sort=${sort}&limit=2${cursor}`);
      paged.push(...body.items.map(({ id }: Item) => id));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(paged).toEqual(whole);
    expect(new Set(paged).size).toBe(11);
  }
  const other = await shop.full.get(`${path}?sort=at&limit=2`);
  expect((await shop.full.get(`${path}?sort=-at&cursor=${other.body.nextCursor}`)).status).toBe(400);
  expect((await shop.full.get(`${path}?sort=name`)).status).toBe(400);
}, 60_000);

test("E8: metrics are the sum over completed purchases; tests, refunds and cancellations stay out", async () => {
  const { shop, path } = await fixture();
  const { body } = await shop.full.get(path);
  expect(body.metrics).toEqual({
    totalRevenue: EUR(1_001 + 1_003),
    totalOrders: 2,
    productsPurchased: 2 + 2,
    totals: [{ currency: "EUR", totalRevenue: EUR(2_004), totalOrders: 2, productsPurchased: 4 }],
  });
  const nobody = await seedContact(shop.key);
  const empty = await shop.full.get(`/v1/contacts/${nobody.id}/commerce`);
  expect(empty.body).toEqual({
    metrics: { totalRevenue: EUR(0), totalOrders: 0, productsPurchased: 0, totals: [] },
    items: [],
    nextCursor: null,
  });
});

test("E9: number, total, date and time, state and store of every order, in all nine states", async () => {
  const { shop, path } = await fixture();
  const { body } = await shop.full.get(`${path}?sort=at`);
  const orders = body.items.filter(({ kind, name }: Item) => kind === "order" && name !== "#1001");
  expect(
    orders.map(({ name, total, placedAt, state, store }: Item) => [name, total, placedAt, state, store.name]),
  ).toEqual(
    STATES.map((state, i) => [`#${i}`, EUR(1_000 + i), new Date(T0 + i * DAY).toISOString(), state, "Mugs & Co"]),
  );
});

test("the same verified person across stores: totals per currency, nothing that the caller may not read", async () => {
  const email = `${crypto.randomUUID()}@b.example`;
  const [euro, yen, claimed] = await Promise.all([
    mintShop({}, { currency: "EUR" }),
    mintShop({}, { currency: "JPY" }),
    mintShop({}, { currency: "USD" }),
  ]);
  const here = await seedContact(euro.key, { email });
  const there = await seedContact(yen.key, { email });
  const impostor = await seedContact(claimed.key, { email, verified: 0 });
  await seedOrder(euro.key, { contact: here.key, total: 1_000 });
  await seedOrder(yen.key, { contact: there.key, total: 500, currency: "JPY" });
  await seedOrder(claimed.key, { contact: impostor.key, total: 77, currency: "USD" });
  const path = `/v1/contacts/${here.id}/commerce`;

  const all = await operator.get(`${path}?store=all`);
  expect(all.body.metrics).toEqual({
    totalRevenue: null,
    totalOrders: 2,
    productsPurchased: 0,
    totals: [
      { currency: "EUR", totalRevenue: EUR(1_000), totalOrders: 1, productsPurchased: 0 },
      { currency: "JPY", totalRevenue: { amount: 500, currency: "JPY" }, totalOrders: 1, productsPurchased: 0 },
    ],
  });
  expect(all.body.items.map(({ store }: Item) => store.id).sort()).toEqual([euro.id, yen.id].sort());

  const one = await operator.get(`${path}?store=${yen.id}`);
  expect(one.body.metrics).toMatchObject({ totalRevenue: { amount: 500, currency: "JPY" }, totalOrders: 1 });
  expect(one.body.items.map(({ store }: Item) => store.id)).toEqual([yen.id]);

  const keyed = await euro.full.get(`${path}?store=all`);
  expect(keyed.body.metrics).toMatchObject({ totalRevenue: EUR(1_000), totalOrders: 1 });
  expect((await euro.full.get(`${path}?store=${yen.id}`)).status).toBe(404);
  expect((await euro.full.get(`${path}?store=${euro.id}`)).status).toBe(200);
  expect((await operator.get(`${path}?store=shp_nobody`)).status).toBe(404);
});

test("a cart bought in a browser without a known order is a purchase in the list, once", async () => {
  const shop = await mintShop({}, { currency: "EUR" });
  const contact = await seedContact(shop.key);
  const bought = { contact: contact.key, state: "purchased", purchased_by: "browser", purchased_at: T0 };
  const alone = await seedCart(shop.key, bought);
  await seedCart(shop.key, { ...bought, token: "known" });
  const order = await seedOrder(shop.key, { contact: contact.key, cart_token: "known" });
  const { body } = await shop.full.get(`/v1/contacts/${contact.id}/commerce?activity=completed`);
  expect(body.items.map(({ id }: Item) => id)).toEqual([order.id, alone.id]);
});

test("the id of a merged contact leads to the survivor's commerce and timeline", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key);
  await insert("contact_aliases", {
    id: `con_loser_${contact.key}`,
    shop: shop.key,
    contact: contact.key,
    merged_at: 1,
  });
  for (const part of ["commerce", "timeline", "visits"]) {
    const { status, headers } = await shop.full.get(`/v1/contacts/con_loser_${contact.key}/${part}?limit=5`);
    expect([status, headers.get("location")]).toEqual([308, `/v1/contacts/${contact.id}/${part}?limit=5`]);
  }
  await env.DB.prepare("update contacts set deleted_at = 1 where key = ?").bind(contact.key).run();
  expect((await shop.full.get(`/v1/contacts/${contact.id}/commerce`)).status).toBe(404);
});
