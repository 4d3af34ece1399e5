import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { mintShop } from "../helpers/api";
import { newEventId, newVisitor, objectOf, send } from "../helpers/beacon";
import { MINUTE, T0, travel, useFakeClock } from "../helpers/clock";

useFakeClock();

async function rows<T>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

const page = (path: string) => ({ type: "page_viewed", url: `https://acme.example${path}`, title: `Page ${path}` });

describe("a visit on its way to the database", () => {
  it("A16, A17: is held by the object, then flushed with geo, counters and path", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    expect((await send(shop.domain, visitor, [page("/"), page("/a")])).status).toBe(204);
    expect(await rows("select * from visitors where shop = ?", shop.key)).toHaveLength(0);
    travel(301_000);
    expect(await runDurableObjectAlarm(objectOf(shop, visitor))).toBe(true);
    const [row] = await rows<Record<string, unknown>>("select * from visitors where shop = ?", shop.key);
    expect(row).toMatchObject({
      tracker: visitor,
      person: 1,
      contact: null,
      country: "DE",
      region: "Berlin",
      city: "Berlin",
      visits: 1,
      page_views: 2,
      first_seen_at: T0,
    });
    const path = await rows<{ path: string }>("select path from visits where visitor = ?", row?.["key"]);
    expect(path.map((p) => JSON.parse(p.path).map((e: unknown[]) => e[0]))).toEqual([[1, 2]]);
    const events = await rows<{ url: string; seq: number }>(
      `select p.url, e.seq from events e join pages p on p.key = e.page where e.shop = ? order by e.seq`,
      shop.key,
    );
    expect(events).toEqual([
      { url: "https://acme.example/", seq: 1 },
      { url: "https://acme.example/a", seq: 2 },
    ]);
    travel(MINUTE);
    expect(await runDurableObjectAlarm(objectOf(shop, visitor))).toBe(true);
    await runInDurableObject(objectOf(shop, visitor), async (_, state) => {
      expect(await state.storage.getAlarm()).toBeNull();
    });
  });

  it("a retry is not a second event, also after the object was evicted", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const event = { ...page("/"), id: newEventId() };
    await send(shop.domain, visitor, [event]);
    await evictDurableObject(objectOf(shop, visitor));
    await send(shop.domain, visitor, [event, page("/b")]);
    await objectOf(shop, visitor).flush();
    await objectOf(shop, visitor).flush();
    expect(await rows("select * from events where shop = ?", shop.key)).toHaveLength(2);
    const [row] = await rows<{ page_views: number }>("select page_views from visitors where shop = ?", shop.key);
    expect(row?.page_views).toBe(2);
  });

  it("A5, A11, A12: five views are one visit, a gap of 30:01 starts the next, midnight does not", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    vi.setSystemTime(Date.UTC(2035, 0, 15, 23, 50));
    for (let i = 0; i < 5; i++) {
      await send(shop.domain, visitor, [page(`/${i}`)]);
      travel(4 * MINUTE);
    }
    travel(29 * MINUTE + 59_000 - 4 * MINUTE);
    await send(shop.domain, visitor, [page("/still")]);
    await objectOf(shop, visitor).flush();
    const read = () => shop.full.get(`/v1/visitors/${visitor}`);
    expect((await read()).body).toMatchObject({ visits: 1, pageViews: 6, returning: false });
    travel(30 * MINUTE + 1_000);
    await send(shop.domain, visitor, [page("/new")]);
    expect((await read()).body).toMatchObject({ visits: 2, pageViews: 7, returning: true });
    travel(6 * 24 * 60 * MINUTE);
    await send(shop.domain, visitor, [page("/week")]);
    expect((await read()).body).toMatchObject({ id: visitor, visits: 3 });
  });

  it("A6: neither the object nor the database holds anything personal of an anonymous visitor", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await send(shop.domain, visitor, [
      {
        ...page("/account?email=jane%40example.com&key=secret&utm_source=x&ff_id=tok"),
        title: "Hello jane@example.com",
        referrer: "https://mail.example/?to=jane@example.com",
      },
      {
        type: "custom:survey",
        data: { note: "write to jane@example.com", phone: "+4930111", nested: { email: "j@e.de" } },
      },
    ]);
    const held = await runInDurableObject(objectOf(shop, visitor), (_, state) =>
      JSON.stringify([...state.storage.kv.list()]),
    );
    await objectOf(shop, visitor).flush();
    const stored = JSON.stringify([
      await rows("select * from visitors where shop = ?", shop.key),
      await rows("select * from pages where shop = ?", shop.key),
      await rows("select * from events where shop = ?", shop.key),
      await rows("select path from visits"),
    ]);
    for (const text of [held, stored]) {
      expect(text).not.toMatch(/jane|j@e\.de|4930111|203\.0\.113|secret|ff_id|tok"/);
      expect(text).toContain("utm_source=x");
    }
  });

  it("keeps what comes in while D1 refuses, and brings it exactly once afterwards", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await env.DB.exec("create trigger refuse before insert on events begin select raise(abort, 'refused'); end");
    for (let i = 0; i < 20; i++) await send(shop.domain, visitor, [page(`/${i}`)]);
    travel(301_000);
    await runDurableObjectAlarm(objectOf(shop, visitor));
    expect(await rows("select * from events where shop = ?", shop.key)).toHaveLength(0);
    await env.DB.exec("drop trigger refuse");
    travel(6 * MINUTE);
    expect(await runDurableObjectAlarm(objectOf(shop, visitor))).toBe(true);
    expect(await rows("select * from events where shop = ?", shop.key)).toHaveLength(20);
    const [row] = await rows<{ page_views: number }>("select page_views from visitors where shop = ?", shop.key);
    expect(row?.page_views).toBe(20);
  });

  it("spills a large backlog into rows and loses nothing", async () => {
    const shop = await mintShop({ flushSeconds: 3600, beaconsPerMinutePerAddress: 0 });
    const visitor = newVisitor();
    await env.DB.exec("create trigger refuse2 before insert on events begin select raise(abort, 'refused'); end");
    const note = "x".repeat(8_000);
    for (let i = 0; i < 40; i++) {
      const events = Array.from({ length: 5 }, (_, n) => ({ type: "custom:long", data: { note, n: i * 5 + n } }));
      expect((await send(shop.domain, visitor, events)).status).toBe(204);
    }
    const spilled = await runInDurableObject(
      objectOf(shop, visitor),
      (_, state) => state.storage.sql.exec("select count(*) as n from spill").one()["n"],
    );
    expect(spilled).toBeGreaterThan(5);
    await env.DB.exec("drop trigger refuse2");
    expect(await objectOf(shop, visitor).flush()).toBe(true);
    const seen = await rows<{ n: number }>(
      "select data ->> 'n' as n from events where shop = ? order by seq",
      shop.key,
    );
    expect(seen.map((r) => r.n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    const parts = await rows<{ size: number }>(
      `select json_array_length(path) as size from visits where visitor = (select key from visitors where shop = ?)`,
      shop.key,
    );
    expect(parts.every((p) => p.size <= 100)).toBe(true);
    expect(parts.reduce((sum, p) => sum + p.size, 0)).toBe(200);
  });
});

describe("the cart", () => {
  const cart = {
    type: "cart_updated",
    data: {
      token: "tok1?key=k",
      value: { amount: 4200, currency: "EUR" },
      lines: [{ productId: 1, title: "Mug", quantity: 2, price: { amount: 2100, currency: "EUR" } }],
    },
  };
  const own = (data: typeof cart.data, token: string) => ({ ...cart, data: { ...data, token } });
  const stateOf = async (token: string) =>
    (await rows<Record<string, unknown>>("select * from carts where token = ?", token))[0];

  it("B17: is abandoned once, at the threshold and not before, by the object's own alarm", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const token = crypto.randomUUID();
    await send(shop.domain, visitor, [page("/"), own(cart.data, `${token}?key=k`)]);
    await objectOf(shop, visitor).flush();
    expect(await stateOf(token)).toMatchObject({ state: "open", value: 4200, currency: "EUR" });
    travel(59 * MINUTE);
    await runDurableObjectAlarm(objectOf(shop, visitor));
    expect(await stateOf(token)).toMatchObject({ state: "open" });
    travel(2 * MINUTE);
    await runDurableObjectAlarm(objectOf(shop, visitor));
    expect(await stateOf(token)).toMatchObject({ state: "abandoned", abandoned_at: T0 + 60 * MINUTE });
    expect(await rows("select * from outbox where shop = ? and type = 'cart_abandoned'", shop.key)).toHaveLength(1);
    await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
    expect(await rows("select * from outbox where shop = ? and type = 'cart_abandoned'", shop.key)).toHaveLength(1);
  });

  it("B17, E21: what is to follow an abandoned cart does not wait for the shop's clock", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const outbox = () => rows("select * from outbox where shop = ?", shop.key);
    // Gone when the queue message of this flush was consumed, so that what follows owes it nothing.
    await env.DB.prepare(
      "insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at) values (?, 'custom:sign', '', 'sign', '{}', 0, 0)",
    )
      .bind(shop.key)
      .run();
    await send(shop.domain, visitor, [own(cart.data, crypto.randomUUID())]);
    await objectOf(shop, visitor).flush();
    await vi.waitFor(async () => expect(await outbox()).toHaveLength(0), { timeout: 10_000 });
    travel(61 * MINUTE);
    await runDurableObjectAlarm(objectOf(shop, visitor));
    expect(await outbox()).toMatchObject([{ type: "cart_abandoned" }]);
    await vi.waitFor(async () => expect(await outbox()).toHaveLength(0), { timeout: 10_000 });
  });

  it("B17: a change at 50 restarts the clock, a purchase at 45 ends it, one at 90 recovers", async () => {
    const shop = await mintShop();
    const [changed, bought, recovered] = [newVisitor(), newVisitor(), newVisitor()];
    const [t1, t2, t3] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    await send(shop.domain, changed, [own(cart.data, t1)]);
    await send(shop.domain, bought, [own(cart.data, t2)]);
    await send(shop.domain, recovered, [own(cart.data, t3)]);
    travel(45 * MINUTE);
    await send(shop.domain, bought, [{ type: "checkout_completed", data: { orderId: "1" } }]);
    travel(5 * MINUTE);
    await send(shop.domain, changed, [own(cart.data, t1)]);
    travel(11 * MINUTE);
    for (const v of [changed, bought, recovered]) await runDurableObjectAlarm(objectOf(shop, v));
    expect(await stateOf(t1)).toMatchObject({ state: "open" });
    expect(await stateOf(t2)).toMatchObject({ state: "purchased", abandoned_at: null });
    expect(await stateOf(t3)).toMatchObject({ state: "abandoned" });
    travel(29 * MINUTE);
    await send(shop.domain, recovered, [{ type: "checkout_completed" }]);
    await objectOf(shop, recovered).flush();
    expect(await stateOf(t3)).toMatchObject({ state: "recovered", recovered_at: T0 + 90 * MINUTE });
  });

  it("B15: cart then thank-you page is one purchase; a reload adds none; a thank-you page alone is none", async () => {
    const shop = await mintShop();
    const [buyer, passer] = [newVisitor(), newVisitor()];
    const token = crypto.randomUUID();
    await send(shop.domain, buyer, [own(cart.data, token)]);
    await send(shop.domain, buyer, [{ type: "checkout_completed" }]);
    await send(shop.domain, buyer, [{ type: "checkout_completed" }]);
    await send(shop.domain, passer, [{ type: "checkout_completed" }]);
    await objectOf(shop, buyer).flush();
    await objectOf(shop, passer).flush();
    expect(await stateOf(token)).toMatchObject({ state: "purchased" });
    expect(await rows("select * from carts where shop = ?", shop.key)).toHaveLength(1);
    const placed = await rows("select * from outbox where shop = ? and type = 'order_placed'", shop.key);
    const seen = await rows("select * from dead_letters where shop = ?", shop.key);
    expect([placed.length, seen.length]).toEqual([1, 0]);
  });
});
