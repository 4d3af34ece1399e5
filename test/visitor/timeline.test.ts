import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { mintShop, type MintedShop } from "../helpers/api";
import { insert, seedCart, seedContact, seedOrder, type SeededEvent, seedVisit, seedVisitor } from "../helpers/seed";

const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 9, 1, 12);

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A persona with visits a day or so apart; one event in ten arrives days late, half of them share their time. */
async function seedHistory(shop: MintedShop, persona: number, visits: number, next: () => number) {
  const all: SeededEvent[] = [];
  let now = T0;
  let seq = 0;
  for (let no = 1; no <= visits; no++) {
    now += Math.floor(next() * 40 * HOUR);
    const parts = 1 + Math.floor(next() * 3);
    for (let part = 0; part < parts; part++) {
      const events: SeededEvent[] = [];
      const count = 1 + Math.floor(next() * 6);
      for (let i = 0; i < count; i++) {
        now += Math.floor(next() * 60_000);
        const late = next() < 0.1 ? Math.floor(next() * 6 * 24 * HOUR) : 0;
        seq++;
        events.push({
          seq,
          at: next() < 0.5 ? Math.floor((now - late) / HOUR) * HOUR : now - late,
          type: next() < 0.7 ? "page_viewed" : "custom:ping",
          id: `e${persona}-${seq}`,
          url: next() < 0.8 ? `https://shop.example/${Math.floor(next() * 9)}` : null,
          data: next() < 0.3 ? { n: seq } : null,
        });
      }
      await seedVisit(shop.key, persona, no, part, events);
      all.push(...events);
    }
  }
  await env.DB.prepare("update visitors set last_seen_at = ?, visits = ? where key = ?")
    .bind(Math.max(...all.map((e) => e.at)), visits, persona)
    .run();
  return all;
}

interface Item {
  id: string;
  type: string;
  at: string;
  visitId?: string;
  visitorId?: string;
  data: Record<string, unknown>;
}

async function everything(shop: MintedShop, path: string, limit: number): Promise<Item[]> {
  const items: Item[] = [];
  let cursor = "";
  for (let pages = 0; pages < 500; pages++) {
    const { body, status } = await shop.full.get(`${path}?limit=${limit}${cursor}`);
    expect(status).toBe(200);
    items.push(...body.items);
    if (body.nextCursor === null) return items;
    expect(body.items.length).toBe(limit);
    cursor = `&cursor=${body.nextCursor}`;
  }
  throw new Error("the list does not end");
}

test("a timeline paged by 7 equals one in big pages, holds every event once, newest first", async () => {
  const next = random(20261122);
  const shop = await mintShop();
  const contact = await seedContact(shop.key, { created_at: T0 });
  const seeded: SeededEvent[] = [];
  for (let i = 0; i < 3; i++) {
    const { key } = await seedVisitor(shop.key, { contact: contact.key });
    seeded.push(...(await seedHistory(shop, key, 12 + i * 15, next)));
  }
  for (let i = 0; i < 20; i++) {
    const placed = T0 + Math.floor(next() * 40 * 24 * HOUR);
    await seedOrder(shop.key, {
      contact: contact.key,
      placed_at: placed,
      cancelled_at: next() < 0.3 ? placed + HOUR : null,
      fulfilled_at: next() < 0.5 ? placed + 30 * 24 * HOUR : null,
    });
  }
  const path = `/v1/contacts/${contact.id}/timeline`;
  const big = await everything(shop, path, 250);
  const small = await everything(shop, path, 7);
  expect(small).toEqual(big);

  const browser = big.filter((item) => item.visitId !== undefined);
  expect(browser.map((item) => item.id).sort()).toEqual(seeded.map((event) => event.id).sort());
  const times = big.map((item) => Date.parse(item.at));
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  for (const event of seeded) {
    const item = browser.find(({ id }) => id === event.id);
    expect(item).toMatchObject({ type: event.type, at: new Date(event.at).toISOString() });
    expect(item?.data).toEqual({
      ...(event.url ? { url: event.url, title: `Title of ${event.url}` } : {}),
      ...event.data,
    });
  }
}, 60_000);

test("paging goes on where it stood when new events arrive meanwhile", async () => {
  const next = random(7);
  const shop = await mintShop();
  const { key, tracker } = await seedVisitor(shop.key);
  const seeded = await seedHistory(shop, key, 20, next);
  const path = `/v1/visitors/${tracker}/timeline`;
  const first = await shop.full.get(`${path}?limit=10`);
  await seedVisit(
    shop.key,
    key,
    21,
    0,
    [1, 2, 3].map((i) => ({
      seq: 9_000 + i,
      at: T0 + 400 * 24 * HOUR + i,
      type: "page_viewed",
      id: `new${i}`,
      url: null,
      data: null,
    })),
  );
  const rest: Item[] = [];
  let cursor: string | null = first.body.nextCursor;
  while (cursor !== null) {
    const { body } = await shop.full.get(`${path}?limit=10&cursor=${cursor}`);
    rest.push(...body.items);
    cursor = body.nextCursor;
  }
  const ids = [...first.body.items, ...rest].map((item: Item) => item.id);
  expect(ids.sort()).toEqual(seeded.map((event) => event.id).sort());
});

test("A deep page reads only the visits that it needs", async () => {
  const shop = await mintShop();
  const { key, tracker } = await seedVisitor(shop.key);
  const DAY = 24 * HOUR;
  for (let no = 1; no <= 300; no++) {
    await seedVisit(
      shop.key,
      key,
      no,
      0,
      [0, 1, 2].map((i) => ({
        seq: no * 10 + i,
        at: T0 + no * 10 * DAY + i,
        type: "page_viewed",
        id: `v${no}-${i}`,
        url: null,
        data: null,
      })),
    );
  }
  await env.DB.prepare("update visitors set last_seen_at = ? where key = ?")
    .bind(T0 + 3_000 * DAY + 2, key)
    .run();
  const { visitorTimeline } = await import("../../src/visitor/timeline");
  const { getShopOrThrow } = await import("../../src/shops");
  let rowsRead = 0;
  const count = <T>(result: D1Result<T>) => {
    rowsRead += result.meta.rows_read;
    return result;
  };
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name === "batch") {
        return async (statements: D1PreparedStatement[]) => (await target.batch(statements)).map(count);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const ctx = {
    env,
    db,
    now: Date.now(),
    shop: await getShopOrThrow(env.DB, shop.key),
    actor: { kind: "operator" as const },
    requestId: "req_test",
    later: () => undefined,
  };
  let cursor: string | null = null;
  const reads: number[] = [];
  let seen = 0;
  do {
    rowsRead = 0;
    const page: { items: unknown[]; nextCursor: string | null } = await visitorTimeline(ctx, [key], {
      limit: 30,
      ...(cursor === null ? {} : { cursor }),
    });
    reads.push(rowsRead);
    seen += page.items.length;
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toBe(900);
  expect(reads.length).toBe(30);
  expect(Math.max(...reads)).toBeLessThanOrEqual(45);
  expect(tracker).toBeTruthy();
});

test("E12: orders and abandoned carts stand in the activity stream with their times", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key, { created_at: T0 });
  const order = await seedOrder(shop.key, {
    contact: contact.key,
    external_id: "900",
    placed_at: T0 + HOUR,
    fulfilled_at: T0 + 3 * HOUR,
    cancelled_at: T0 + 5 * HOUR,
    total: 0,
    original_total: 4200,
  });
  await insert("refunds", {
    shop: shop.key,
    external_id: "1",
    order_external_id: "900",
    amount: 4200,
    currency: "EUR",
    at: T0 + 4 * HOUR,
  });
  const cart = await seedCart(shop.key, { contact: contact.key, state: "abandoned", abandoned_at: T0 + 2 * HOUR });
  await insert("lifecycle_history", {
    shop: shop.key,
    contact: contact.key,
    stage: "customer",
    status: "paying",
    at: T0 + HOUR + 1,
  });
  const { body } = await shop.full.get(`/v1/contacts/${contact.id}/timeline`);
  expect(body.items.map(({ type, at }: Item) => [type, Date.parse(at) - T0])).toEqual([
    ["order_cancelled", 5 * HOUR],
    ["order_refunded", 4 * HOUR],
    ["order_fulfilled", 3 * HOUR],
    ["cart_abandoned", 2 * HOUR],
    ["lifecycle_changed", HOUR + 1],
    ["order_placed", HOUR],
    ["contact_created", 0],
  ]);
  expect(body.items[5].data).toMatchObject({
    orderId: order.id,
    name: "#1001",
    test: false,
    total: { amount: 4200, currency: "EUR" },
  });
  expect(body.items[1].data).toMatchObject({ amount: { amount: 4200, currency: "EUR" } });
  expect(body.items[3].data).toMatchObject({ cartId: cart.id, value: { amount: 1999, currency: "EUR" } });
});

test("one purchase is one order_placed: the order's, and the cart's only while no order is known", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key, { created_at: T0 });
  const visitor = await seedVisitor(shop.key, { contact: contact.key });
  const bought = { state: "purchased", purchased_by: "browser", visitor: visitor.key, contact: contact.key };
  await seedCart(shop.key, { ...bought, token: "alone", purchased_at: T0 + 1 });
  await seedCart(shop.key, { ...bought, token: "by-cart", purchased_at: T0 + 2 });
  await seedCart(shop.key, { ...bought, token: "by-checkout", checkout_token: "ck", purchased_at: T0 + 3 });
  await seedCart(shop.key, { ...bought, token: "checkout:only", purchased_at: T0 + 4 });
  await seedOrder(shop.key, { contact: contact.key, cart_token: "by-cart", placed_at: T0 + 10 });
  await seedOrder(shop.key, { visitor: visitor.key, checkout_token: "ck", placed_at: T0 + 11 });
  await seedOrder(shop.key, { contact: contact.key, checkout_token: "only", placed_at: T0 + 12 });
  const { body } = await shop.full.get(`/v1/contacts/${contact.id}/timeline`);
  const placed = body.items.filter(({ type }: Item) => type === "order_placed");
  expect(placed.map(({ at }: Item) => Date.parse(at) - T0)).toEqual([12, 11, 10, 1]);

  const own = await shop.full.get(`/v1/visitors/${visitor.tracker}/timeline`);
  expect(own.body.items.map(({ at }: Item) => Date.parse(at) - T0)).toEqual([11, 1]);
});

test("a contact's timeline shows nothing of somebody else on the same browser", async () => {
  const shop = await mintShop();
  const [a, b] = [await seedContact(shop.key), await seedContact(shop.key)];
  const tracker = crypto.randomUUID();
  const first = await seedVisitor(shop.key, { tracker, person: 1, contact: a.key });
  await seedVisitor(shop.key, { tracker, person: 2, contact: b.key });
  await seedOrder(shop.key, { contact: b.key, visitor: first.key });
  await seedCart(shop.key, { contact: b.key, visitor: first.key, state: "abandoned", abandoned_at: T0 });
  const types = async (id: string) =>
    (await shop.full.get(`/v1/contacts/${id}/timeline`)).body.items.map(({ type }: Item) => type);
  expect(await types(a.id)).toEqual(["contact_created"]);
  expect((await types(b.id)).sort()).toEqual(["cart_abandoned", "contact_created", "order_placed"]);
});

test("cursors that are not ours are refused, whatever is in them", async () => {
  const shop = await mintShop();
  const { tracker } = await seedVisitor(shop.key);
  const cursor = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-");
  for (const bad of [
    "x",
    "%00",
    cursor(null),
    cursor(["visitors", 1]),
    cursor(["timeline", "1", "e"]),
    cursor(["timeline", 1.5, "e"]),
    cursor(["timeline", 1, "e", -1, 2]),
    cursor(["timeline", 1, "e", {}]),
  ]) {
    const { status, body } = await shop.full.get(`/v1/visitors/${tracker}/timeline?cursor=${encodeURIComponent(bad)}`);
    expect([status, body.code]).toEqual([400, "bad_cursor"]);
  }
  const odd = await shop.full.get(`/v1/visitors/${tracker}/timeline?cursor=${cursor(["timeline", -1, "'\"", 9e15])}`);
  expect(odd.status).toBe(200);
});
