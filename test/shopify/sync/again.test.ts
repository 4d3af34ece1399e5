import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { continueLongJobs } from "../../../src/jobs/long";
import { continueDeletions } from "../../../src/shopify";
import { startSync } from "../../../src/shopify/sync";
import { api, type MintedShop, mintShop } from "../../helpers/api";
import { DAY, HOUR, MINUTE, travel, useFakeClock } from "../../helpers/clock";
import { type StandinStore, standinStore } from "../../helpers/standin";
import { deliverWebhook } from "../../helpers/webhook";
import * as bodies from "../bodies";
import { all, one } from "../deliver";
import { connected, run, untilDone } from "./running";

useFakeClock();
// Each test reads a whole store several times.
vi.setConfig({ testTimeout: 90_000 });

/** The progress of reading itself, and what the hours that pass leave behind. */
const OWN = new Set([
  "sync_streams",
  "jobs",
  "shopify_connections",
  "shopify_subscriptions",
  "api_keys",
  "intake_hours",
]);

/** Every row of every table, whole: a time of change, a stamp of a segment, an event that was told are all in it. */
async function everything(): Promise<Record<string, string[]>> {
  const tables = await all<{ name: string }>(
    `select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '\\_cf%' escape '\\'
       and name not like 'd1\\_%' escape '\\' and name not like 'contacts\\_search%' escape '\\'`,
  );
  const rows: Record<string, string[]> = {};
  for (const { name } of tables) {
    if (OWN.has(name)) continue;
    rows[name] = (await all(`select * from "${name}"`)).map((row) => JSON.stringify(row)).sort();
  }
  return rows;
}

/** Rows that wait for somebody may have been seen to meanwhile; none may be new. */
const WAITING = new Set(["outbox", "segment_dirty"]);

function expectSame(after: Record<string, string[]>, before: Record<string, string[]>): void {
  for (const [table, rows] of Object.entries(after)) {
    if (!WAITING.has(table)) expect(rows, table).toEqual(before[table]);
    else expect(rows.filter((row) => !before[table]?.includes(row))).toEqual([]);
  }
}

/** Segments look at all that they can look at: whatever is written marks somebody. */
async function watchEverything(shop: MintedShop): Promise<void> {
  const watched = ["contact", "contact+", "tag", "consent", "lifecycle", "order", "cart", "product"];
  await env.DB.prepare("insert into segment_watches (shop, what, segment) select ?, value, 0 from json_each(?)")
    .bind(shop.key, JSON.stringify(watched))
    .run();
}

/** A store with a record of every kind that is written in a way of its own. */
async function fullStore(): Promise<StandinStore> {
  const store = await standinStore({ currency: "EUR" });
  const ago = (days: number) => ({ createdAt: Date.now() - days * DAY, updatedAt: Date.now() - days * DAY + HOUR });
  const { products } = await store.seed({
    locations: [{ id: 655_441, name: "Stall" }],
    products: [
      { title: "Mug", tags: ["kitchen"], variants: [{ price: 1999 }], ...ago(300) },
      { title: "Lamp", variants: [{ price: 50 }], ...ago(3) },
    ],
  });
  const { customers } = await store.seed({
    customers: [
      { email: "one@again.example", firstName: "One", phone: "+491711234567", tags: ["vip", "New"], ...ago(200) },
      { email: "two@again.example", firstName: "Two", ...ago(20) },
      { email: null, phone: "+491711234568", firstName: "Three", ...ago(10) },
      { email: "four@again.example", ...ago(0.05) },
    ],
  });
  const [first, second] = customers ?? [];
  const line = (price: number) => ({ price, title: "Mug", productId: products?.[0] });
  await store.seed({
    orders: [
      { customerId: first, lines: [line(1999), line(500)], discounts: [{ code: "TEN", amount: 100 }], ...ago(150) },
      {
        customerId: first,
        lines: [{ ...line(1000), id: 91 }],
        refunds: [{ lines: [{ lineId: 91, quantity: 1, subtotal: 1000 }] }],
        financialStatus: "REFUNDED",
        ...ago(30),
      },
      { customerId: second, lines: [line(700)], cartToken: "cart-again-1", ...ago(5) },
      { customerId: second, lines: [line(700)], cancelledAt: Date.now() - DAY, ...ago(2) },
      { email: "guest@again.example", lines: [line(300)], ...ago(40) },
      { lines: [line(300)], locationId: 655_441, sourceName: "pos", ...ago(4) },
      { customerId: first, test: true, lines: [line(1)], ...ago(1) },
    ],
    checkouts: [
      { email: "open@again.example", lines: [line(100)], ...ago(3) },
      { customerId: first, lines: [line(100)], ...ago(100) },
      { email: "now@again.example", lines: [line(100)], ...ago(0.05) },
    ],
  });
  return store;
}

/** The hour's reading, from its question to its end. */
async function hourly(store: StandinStore, shop: MintedShop): Promise<void> {
  travel(61 * MINUTE);
  await store.setNow(Date.now());
  await run(shop);
  await store.settled();
  for (let runs = 0; runs < 3; runs++) {
    travel(2_000);
    await run(shop);
  }
}

describe("what has not changed", () => {
  it("is not written by a second reading of the whole store, nor by the hour's", async () => {
    const store = await fullStore();
    const shop = await connected(store);
    await watchEverything(shop);
    await untilDone(shop);
    const before = await everything();
    for (const table of ["contacts", "orders", "order_items", "refunds", "carts", "products", "consents"]) {
      expect(before[table]?.length, table).toBeGreaterThan(0);
    }
    travel(20 * MINUTE);
    await store.setNow(Date.now());
    await startSync(env, shop, Date.now());
    await untilDone(shop);
    expect(await one("select sum(done) > 15 as all_read from sync_streams where shop = ?", shop.key)).toEqual({
      all_read: 1,
    });
    expectSame(await everything(), before);

    // All that changed within the last hours is read once more.
    await env.DB.prepare("update sync_streams set watermark = ? where shop = ? and stretch = 'changes'")
      .bind(Date.now() - 400 * DAY, shop.key)
      .run();
    await hourly(store, shop);
    expect(
      await all(
        "select resource, state from sync_streams where shop = ? and stretch = 'changes' and done = 0",
        shop.key,
      ),
    ).toEqual([]);
    expectSame(await everything(), before);
  });

  it("is not written when webhooks brought it and the hour's reading meets it", async () => {
    const store = await standinStore({ currency: "EUR" });
    const shop = await connected(store);
    await untilDone(shop);
    await watchEverything(shop);
    travel(MINUTE);
    await store.setNow(Date.now());
    const at = { createdAt: Date.now(), updatedAt: Date.now() };
    const ids = await store.seed({
      products: [{ title: "Mug", variants: [{ price: 1999 }], ...at }],
      customers: [{ email: "told@again.example", firstName: "Told", ...at }],
      checkouts: [{ email: "open@again.example", lines: [{ price: 100 }], ...at }],
    });
    await deliverWebhook(
      shop.domain,
      "customers/update",
      bodies.customer({
        id: ids["customers"]?.[0],
        email: "told@again.example",
        first_name: "Told",
        created_at: bodies.iso(Date.now()),
        updated_at: bodies.iso(Date.now()),
      }),
    );
    await hourly(store, shop);
    // What the webhook does not tell is added once; from then on there is nothing to add.
    const before = await everything();
    await env.DB.prepare("update sync_streams set watermark = ? where shop = ? and stretch = 'changes'")
      .bind(Date.now() - DAY, shop.key)
      .run();
    await hourly(store, shop);
    expect(
      await one("select sum(done) as n from sync_streams where shop = ? and stretch = 'changes'", shop.key),
    ).toEqual({ n: 3 });
    expectSame(await everything(), before);
  });
});

describe("what was deleted in the store and no webhook told of", () => {
  const DELETIONS = (shop: MintedShop) => `/v1/shops/${shop.id}/shopify/deletions`;

  async function lookThrough(shop: MintedShop): Promise<Record<string, unknown>> {
    const { jobId } = (await shop.full.post(DELETIONS(shop))).body;
    expect((await shop.full.post(DELETIONS(shop))).status).toBe(409);
    for (let runs = 0; runs < 5; runs++) await continueDeletions(env, { id: jobId, shop: shop.key }, Date.now());
    return (await shop.full.get(`/v1/jobs/${jobId}`)).body;
  }

  it("goes with a look through all ids, and nothing else does", async () => {
    const store = await fullStore();
    const shop = await connected(store);
    await untilDone(shop);
    travel(2 * HOUR);
    await store.setNow(Date.now());
    const before = await everything();
    expect(await lookThrough(shop)).toMatchObject({ state: "done", progress: 13, error: null });
    const { audit_log: _, ...same } = await everything();
    expectSame(same, before);

    const [product, customer, order] = await Promise.all([
      one<{ id: string }>("select external_id as id from products where shop = ? and title = 'Lamp'", shop.key),
      one<{ id: string }>(
        "select shopify_customer_id as id from contacts where shop = ? and email like 'four@%'",
        shop.key,
      ),
      one<{ id: string }>("select external_id as id from orders where shop = ? and source_name = 'pos'", shop.key),
    ]);
    const deleted = { products: [product], customers: [customer], orders: [order] };
    await store.seed({
      deleted: Object.fromEntries(
        Object.entries(deleted).map(([kind, rows]) => [kind, rows.map((row) => Number(row?.id))]),
      ),
    });
    await lookThrough(shop);
    expect(
      await one("select result from jobs where shop = ? and kind = 'shopify.deletions' order by key desc", shop.key),
    ).toEqual({
      result: '{"products":1,"customers":1,"orders":1}',
    });
    expect((await shop.full.get("/v1/contacts?email=four@again.example")).body.items).toEqual([]);
    expect(await all("select title from products where shop = ?", shop.key)).toEqual([{ title: "Mug" }]);
    expect(await one("select count(*) as n from orders where shop = ?", shop.key)).toEqual({ n: 6 });
  });

  it("leaves alone what the scopes do not show: orders of more than 60 days, and customers", async () => {
    const scopes = ["read_customers", "read_orders", "read_all_orders", "read_products", "read_locations"];
    const store = await standinStore({ scopes });
    await store.seed({
      customers: [{ email: "seen@again.example" }],
      orders: [{ createdAt: Date.now() - 100 * DAY, updatedAt: Date.now() - 100 * DAY, lines: [{ price: 1 }] }],
    });
    const shop = await connected(store);
    await untilDone(shop);
    await store.setScopes(["read_orders", "read_products", "read_locations"]);
    travel(2 * HOUR);
    await shop.full.post(`/v1/shops/${shop.id}/shopify/check`);
    expect(await lookThrough(shop)).toMatchObject({ state: "done", progress: 0 });
    expect(await one("select count(*) as n from orders where shop = ?", shop.key)).toEqual({ n: 1 });
    expect((await shop.full.get("/v1/contacts?email=seen@again.example")).body.items).toHaveLength(1);
  });

  it("is looked for every week by itself, and ends with the connection", async () => {
    const store = await standinStore();
    await store.seed({ customers: [{ email: "weekly@again.example" }] });
    const shop = await connected(store);
    await untilDone(shop);
    const jobs = () => all("select state from jobs where shop = ? and kind = 'shopify.deletions'", shop.key);
    travel(7 * HOUR);
    await run(shop);
    expect(await jobs()).toEqual([]);
    travel(7 * DAY);
    await store.setNow(Date.now());
    await run(shop);
    await run(shop);
    expect(await jobs()).toEqual([{ state: "running" }]);
    await shop.full.delete(`/v1/shops/${shop.id}/shopify`);
    await continueLongJobs(env, Date.now(), shop.key);
    expect(await jobs()).toEqual([{ state: "failed" }]);
  });

  it("waits while the store does not answer, and REST asks for a key of the shop", async () => {
    const store = await standinStore();
    await store.seed({ products: [{ title: "Mug" }] });
    const [shop, other] = [await connected(store), await mintShop()];
    await untilDone(shop);
    travel(2 * HOUR);
    await store.fail({ on: "StillThere", status: 503, times: 2 });
    expect((await api(null).post(DELETIONS(shop))).status).toBe(401);
    expect((await shop.readOnly.post(DELETIONS(shop))).status).toBe(403);
    expect((await other.full.post(DELETIONS(shop))).status).toBe(404);
    expect((await other.full.post(DELETIONS(other))).status).toBe(422);
    expect(await lookThrough(shop)).toMatchObject({ state: "done", progress: 1, error: null });
  });

  it("a checkout that vanishes from the store stays the abandoned cart that it was", async () => {
    const store = await standinStore();
    const at = { createdAt: Date.now() - 3 * DAY, updatedAt: Date.now() - 3 * DAY };
    const { checkouts } = await store.seed({
      checkouts: [{ email: "gone@again.example", lines: [{ price: 100 }], ...at }],
    });
    const shop = await connected(store);
    await untilDone(shop);
    const before = await all("select * from carts where shop = ?", shop.key);
    expect(before).toMatchObject([{ state: "abandoned" }]);
    await store.seed({ deleted: { checkouts: checkouts ?? [] } });
    await hourly(store, shop);
    expect(await all("select * from carts where shop = ?", shop.key)).toEqual(before);
  });
});
