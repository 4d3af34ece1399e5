import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { api, mintShop } from "../../helpers/api";
import { DAY, HOUR, MINUTE, T0, travel, useFakeClock } from "../../helpers/clock";
import { standinStore } from "../../helpers/standin";
import { deliverWebhook } from "../../helpers/webhook";
import { all, one } from "../deliver";
import { connected, people, run, SYNC, untilDone } from "./running";
import { eventsOf } from "./rows";

useFakeClock();

describe("the backfill", () => {
  it("C1: on connect 1,003 customers become 1,003 contacts, resumed after a kill, with its progress in percent", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(1_003) });
    const shop = await connected(store);
    expect((await shop.full.get(SYNC(shop))).body).toMatchObject({ state: "running", progress: 0 });
    // The database gives way in the middle of the file: what was stored stays, the rest comes with the next runs.
    await env.DB.exec(
      `create trigger give_way before insert on contacts when new.shop = ${shop.key} and new.email = 'person600@backfill.example' begin select raise(abort, 'gone'); end`,
    );
    const seen: number[] = [];
    for (let tries = 0; tries < 60; tries++) {
      await run(shop);
      const { body } = await shop.full.get(SYNC(shop));
      seen.push(body.progress);
      if (body.progress > 0) await env.DB.exec("drop trigger if exists give_way");
      if (body.state === "done") break;
      await store.settled();
      travel(3_000);
    }
    const { body } = await shop.full.get(SYNC(shop));
    expect(body).toMatchObject({ state: "done", progress: 100 });
    expect(seen.some((percent) => percent > 0 && percent < 100)).toBe(true);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(await one("select count(*) as n from contacts where shop = ?", shop.key)).toEqual({ n: 1_003 });
    const found = await shop.full.get("/v1/contacts?email=person1002@backfill.example");
    expect(found.body.items[0]).toMatchObject({ firstName: "Person 1002", source: "Shopify" });
    const jobs = await shop.full.get("/v1/jobs");
    expect(jobs.body.items[0]).toMatchObject({ kind: "backfill", state: "done", percent: 100, progress: 1_003 });
    expect(await eventsOf(shop.key)).toEqual([]);
    expect(await store.written()).toEqual([]);
  }, 60_000);

  it("C2: an edit here writes nothing to Shopify; what changes there wins for the fields that it has", async () => {
    const store = await standinStore();
    const { customers } = await store.seed({ customers: people(1, () => ({ company: null })) });
    const shop = await connected(store);
    await untilDone(shop);
    const [contact] = (await shop.full.get("/v1/contacts")).body.items;
    await shop.full.patch(`/v1/contacts/${contact.id}`, { firstName: "Edited", tags: ["ours"] });
    await store.seed({
      customers: [
        { id: customers?.[0], email: "person0@backfill.example", firstName: "There", updatedAt: Date.now() + MINUTE },
      ],
    });
    travel(2 * HOUR);
    await store.setNow(Date.now());
    for (let tries = 0; tries < 8; tries++) {
      await run(shop);
      await store.settled();
      travel(5_000);
    }
    const after = await shop.full.get(`/v1/contacts/${contact.id}`);
    expect(after.body).toMatchObject({ firstName: "There", tags: ["ours"] });
    expect(await store.written()).toEqual([]);
  });

  it("brings orders with lines, refunds, discounts and the point of sale, exact, and tells nobody of what is past", async () => {
    const store = await standinStore({ currency: "EUR" });
    const ids = await store.seed({
      locations: [{ id: 655_441, name: "Stall" }],
      customers: people(3),
    });
    const [first, second] = ids["customers"] ?? [];
    await store.seed({
      orders: [
        {
          customerId: first,
          createdAt: T0 - 10 * DAY,
          updatedAt: T0 - 9 * DAY,
          lines: [{ price: 1999, quantity: 2, title: "Mug", discount: 100 }],
          discounts: [{ code: "TEN", type: "fixed_amount", amount: 100 }],
        },
        { customerId: first, createdAt: T0 - 400 * DAY, updatedAt: T0 - 399 * DAY, lines: [{ price: 1050 }] },
        {
          customerId: second,
          createdAt: T0 - 20 * DAY,
          updatedAt: T0 - 19 * DAY,
          lines: [{ price: 500 }],
          locationId: 655_441,
        },
      ],
      products: [{ title: "Mug", variants: [{ price: 1999 }], tags: ["kitchen"] }],
    });
    const shop = await connected(store);
    await untilDone(shop);
    const orders = await all<{ total: number; location: string | null; codes: string }>(
      "select total, location_name as location, discount_codes as codes from orders where shop = ? order by placed_at desc",
      shop.key,
    );
    expect(orders).toEqual([
      { total: 3_898, location: null, codes: '["TEN"]' },
      { total: 500, location: "Stall", codes: "[]" },
      { total: 1_050, location: null, codes: "[]" },
    ]);
    expect(await one("select title, tags, price from products where shop = ?", shop.key)).toEqual({
      title: "Mug",
      tags: '["kitchen"]',
      price: 1999,
    });
    expect(await eventsOf(shop.key)).toEqual([]);
    const { body } = await shop.full.get(SYNC(shop));
    expect(body.streams.filter((stream: { state: string }) => stream.state !== "done")).toEqual([]);
  });

  it("an order that was placed after the connection is told of, whoever brings it first", async () => {
    const store = await standinStore();
    const shop = await connected(store);
    travel(MINUTE);
    await store.seed({ orders: [{ createdAt: Date.now(), updatedAt: Date.now(), lines: [{ price: 700 }] }] });
    await untilDone(shop);
    expect(await eventsOf(shop.key)).toContain("order_placed");
  });

  it("loses to a newer webhook", async () => {
    const store = await standinStore();
    const { customers } = await store.seed({ customers: people(1) });
    const shop = await connected(store);
    await deliverWebhook(shop.domain, "customers/update", {
      id: customers?.[0],
      email: "person0@backfill.example",
      first_name: "Newer",
      updated_at: new Date(T0 - DAY).toISOString(),
    });
    await untilDone(shop);
    expect((await shop.full.get("/v1/contacts")).body.items).toMatchObject([{ firstName: "Newer" }]);
  });
});

describe("what Shopify may answer", () => {
  it("asks again for an operation that failed, and gives up with its reason on what is refused", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3) });
    await store.fail({ on: "bulk-operation", errorCode: "TIMEOUT", times: 2 } as never);
    const shop = await connected(store);
    await untilDone(shop);
    expect(await one("select count(*) as n from contacts where shop = ?", shop.key)).toEqual({ n: 3 });
  });

  it("without a scope the rest is read, and the answer says what is missing", async () => {
    const store = await standinStore({ scopes: ["read_customers", "read_products"] });
    await store.seed({ customers: people(3) });
    const shop = await connected(store);
    await untilDone(shop);
    const { body } = await shop.full.get(SYNC(shop));
    expect(body.state).toBe("failed");
    expect(await one("select count(*) as n from contacts where shop = ?", shop.key)).toEqual({ n: 3 });
    const orders = body.streams.find(
      (one: { resource: string; stretch: string }) => one.resource === "orders" && one.stretch === "rest",
    );
    expect(orders.state).toBe("failed");
    expect(orders.error).toMatch(/access/i);
  });
});

describe("REST", () => {
  it("needs a key of the shop, says 409 while it runs and 422 without a connection", async () => {
    const store = await standinStore();
    const [shop, other, plain] = [await connected(store), await mintShop(), await mintShop()];
    expect((await api(null).get(SYNC(shop))).status).toBe(401);
    expect((await shop.writeOnly.get(SYNC(shop))).status).toBe(403);
    expect((await shop.readOnly.post(SYNC(shop))).status).toBe(403);
    expect((await other.full.get(SYNC(shop))).status).toBe(404);
    expect((await other.full.post(SYNC(shop))).status).toBe(404);
    expect((await shop.full.post(SYNC(shop))).status).toBe(409);
    expect((await plain.full.get(SYNC(plain))).body).toEqual({
      state: "never",
      progress: 0,
      startedAt: null,
      finishedAt: null,
      notes: [],
      streams: [],
    });
    expect((await plain.full.post(SYNC(plain))).status).toBe(422);
    await untilDone(shop);
    const again = await shop.full.post(SYNC(shop));
    expect(again.status).toBe(202);
    expect((await shop.full.get(`/v1/jobs/${again.body.jobId}`)).body.state).toBe("running");
    await untilDone(shop);
  });
});
