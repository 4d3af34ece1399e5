import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";

import { sendDeliveries } from "../../src/endpoints";
import { emit } from "../../src/jobs";
import { react } from "../../src/jobs/reactions";
import { mintShop, type MintedShop } from "../helpers/api";
import { send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { newReceiver } from "../helpers/receiver";
import { seedContact, seedOrder } from "../helpers/seed";

useFakeClock();

const now = () => Date.now();

/** A queue that loses every message: what is sent is sent by the tests themselves, at the moment that they say. */
const quiet: Env = Object.create(env, { CALLS: { value: { send: () => Promise.reject(new Error("lost")) } } });

async function rows<T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

async function pendingKeys(shop: MintedShop): Promise<number[]> {
  const found = await rows<{ key: number }>(
    "select key from endpoint_deliveries where shop = ? order by key",
    shop.key,
  );
  return found.map(({ key }) => key);
}

/** An order that was placed by somebody, told to the outbox and carried out. */
async function placeOrder(shop: MintedShop, contact: { key: number }, naturalKey: string = crypto.randomUUID()) {
  const order = await seedOrder(shop.key, { contact: contact.key });
  await env.DB.batch([
    emit(
      env.DB,
      {
        shop: shop.key,
        type: "order_placed",
        subject: `contact:${contact.key}`,
        naturalKey,
        data: { orderId: order.id, value: 1999, currency: "EUR" },
        at: now(),
      },
      now(),
    ),
  ]);
  const keys = await rows<{ key: number }>("select key from outbox where shop = ?", shop.key);
  await react(
    quiet,
    shop.key,
    keys.map(({ key }) => key),
    now(),
  );
  return order;
}

async function endpoint(shop: MintedShop, body: Record<string, unknown> = {}) {
  const receiver = newReceiver();
  const made = await shop.full.post("/v1/webhook-endpoints", { url: receiver.url, ...body });
  expect(made.status).toBe(201);
  return { ...receiver, id: String(made.body.id), secret: String(made.body.secret) };
}

/** Sends what is due, not waiting for the queue. */
async function sendDue(shop: MintedShop): Promise<void> {
  await sendDeliveries(env, shop.key, await pendingKeys(shop), now);
}

const stateOf = async (shop: MintedShop, id: string) =>
  (await shop.full.get(`/v1/webhook-endpoints/${id}`)).body as { state: string; failingSince: string | null };

describe("an event", () => {
  it("that a browser caused is on its way with its flush, before the clock looks", async () => {
    const shop = await mintShop({ flushSeconds: 0 });
    const wanted = await endpoint(shop, { types: ["order_placed"] });
    const token = crypto.randomUUID();
    const lines = [{ variantId: "1", title: "Soap", quantity: 1, price: { amount: 500, currency: "EUR" } }];
    await send(shop.domain, crypto.randomUUID(), [
      { type: "cart_updated", data: { token, lines } },
      { type: "checkout_completed", data: { cartToken: token, orderId: "1" } },
    ]);
    // The alarm of this shop is in 2035, so only the queue can have told.
    const calls = await vi.waitFor(async () => {
      const log = await wanted.log();
      expect(log).toHaveLength(1);
      return log;
    }, 20_000);
    expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({ type: "order_placed" });
  });

  it("reaches who asked for its type, signed, with ids and figures alone, once however often it is carried out", async () => {
    const shop = await mintShop();
    const wanted = await endpoint(shop, { types: ["order_placed"] });
    const other = await endpoint(shop, { types: ["cart_abandoned"] });
    const contact = await seedContact(shop.key, { email: "ada@example.com", first_name: "Ada" });
    const order = await placeOrder(shop, contact, "one");
    await placeOrder(shop, contact, "one");
    await Promise.all([sendDue(shop), sendDue(shop)]);
    await sendDue(shop);
    const calls = await wanted.log();
    expect(calls).toHaveLength(1);
    const [call] = calls;
    expect(call?.method).toBe("POST");
    const signed = { "webhook-id": "", "webhook-timestamp": "", "webhook-signature": "", ...call?.headers };
    expect(new Webhook(wanted.secret).verify(call?.body ?? "", signed)).toEqual({
      type: "order_placed",
      timestamp: new Date(T0).toISOString(),
      data: {
        shopId: shop.id,
        shop: shop.domain,
        contactId: contact.id,
        orderId: order.id,
        value: { amount: 1999, currency: "EUR" },
      },
    });
    expect(() => new Webhook(other.secret).verify(call?.body ?? "", signed)).toThrow(/signature/);
    expect(call?.body).not.toMatch(/ada/i);
    expect(await other.log()).toEqual([]);
    expect(await rows("select * from outbox where shop = ?", shop.key)).toEqual([]);
  });

  it("of our own workings and of another shop reaches nobody", async () => {
    const [shop, foreign] = [await mintShop(), await mintShop()];
    const receiver = await endpoint(shop);
    await placeOrder(foreign, await seedContact(foreign.key));
    await env.DB.batch([
      emit(
        env.DB,
        {
          shop: shop.key,
          type: "visitor_joined",
          subject: "contact:1",
          naturalKey: "x",
          data: { tracker: crypto.randomUUID(), contact: "con_none" },
          at: T0,
        },
        T0,
      ),
    ]);
    const keys = await rows<{ key: number }>("select key from outbox where shop = ?", shop.key);
    await react(
      env,
      shop.key,
      keys.map(({ key }) => key),
      T0,
    );
    expect(await rows("select * from endpoint_deliveries where shop in (?, ?)", shop.key, foreign.key)).toEqual([]);
    expect(await receiver.log()).toEqual([]);
  });

  it("goes on after a kill with no request: the clock finds what waits", async () => {
    const shop = await mintShop();
    const receiver = await endpoint(shop);
    await env.DB.prepare(
      `insert into endpoint_deliveries (id, shop, endpoint, type, natural_key, body, state, attempts, next_attempt_at, created_at)
       select 'whd_' || e.id, shop, key, 'order_placed', 'k', '{}', 'pending', 1, ?2, ?2 from webhook_endpoints e where id = ?1`,
    )
      .bind(receiver.id, T0)
      .run();
    const clock = env.CLOCK.getByName(String(shop.key));
    await clock.arm(T0 + 30 * SECOND);
    travel(30 * SECOND);
    await runDurableObjectAlarm(clock);
    await expect.poll(receiver.log, { timeout: 10_000 }).toHaveLength(1);
    await expect
      .poll(() => rows("select state, attempts from endpoint_deliveries where shop = ?", shop.key), { timeout: 10_000 })
      .toEqual([{ state: "delivered", attempts: 2 }]);
  });
});

describe("a receiver that fails", () => {
  it("is tried again after the wait and not before, with the same id and a new time", async () => {
    const shop = await mintShop();
    const receiver = await endpoint(shop);
    await receiver.replies(500, 503);
    await placeOrder(shop, await seedContact(shop.key));
    await sendDue(shop);
    await sendDue(shop);
    expect(await receiver.log()).toHaveLength(1);
    travel(7 * SECOND);
    await sendDue(shop);
    travel(2 * MINUTE);
    await sendDue(shop);
    const calls = await receiver.log();
    expect(calls).toHaveLength(3);
    expect(new Set(calls.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(calls.map(({ headers }) => Number(headers["webhook-timestamp"]))).toEqual([
      T0 / 1000,
      T0 / 1000 + 7,
      T0 / 1000 + 127,
    ]);
    const log = await shop.readOnly.get(`/v1/webhook-endpoints/${receiver.id}/deliveries`);
    expect(log.body.items).toMatchObject([{ state: "delivered", attempts: 3, status: 204, error: null }]);
  });

  it("is never followed to where it points, and its words are kept nowhere", async () => {
    const shop = await mintShop();
    const [receiver, target] = [await endpoint(shop), newReceiver()];
    await receiver.replies({ status: 302, location: target.url });
    await placeOrder(shop, await seedContact(shop.key));
    await sendDue(shop);
    expect(await target.log()).toEqual([]);
    travel(MINUTE);
    await receiver.replies(500);
    await sendDue(shop);
    const log = await shop.full.get(`/v1/webhook-endpoints/${receiver.id}/deliveries?state=pending`);
    expect(log.body.items).toMatchObject([{ attempts: 2, status: 500 }]);
    expect(JSON.stringify(log.body)).not.toContain("secret words");
  });

  it("is marked after an hour with an alert, which closes with the next success", async () => {
    const shop = await mintShop();
    const receiver = await endpoint(shop);
    const contact = await seedContact(shop.key);
    await receiver.replies(500, 500);
    await placeOrder(shop, contact);
    await sendDue(shop);
    expect((await stateOf(shop, receiver.id)).state).toBe("enabled");
    travel(HOUR);
    await sendDue(shop);
    expect(await stateOf(shop, receiver.id)).toMatchObject({
      state: "failing",
      failingSince: new Date(T0).toISOString(),
    });
    expect((await shop.readOnly.get("/v1/alerts?state=open")).body.items).toMatchObject([
      { kind: "endpoint_failing", subject: receiver.id, data: { since: T0, gone: false } },
    ]);
    travel(HOUR);
    await sendDue(shop);
    expect(await stateOf(shop, receiver.id)).toMatchObject({ state: "enabled", failingSince: null });
    expect((await shop.readOnly.get("/v1/alerts?state=open")).body.items).toEqual([]);
  });

  it("is disabled after five days; nothing is sent until it is enabled again", async () => {
    const shop = await mintShop();
    const receiver = await endpoint(shop, { types: ["order_placed"] });
    const contact = await seedContact(shop.key);
    await receiver.replies(500, 500, 500);
    await placeOrder(shop, contact);
    await sendDue(shop);
    travel(5 * DAY);
    await placeOrder(shop, contact);
    await sendDue(shop);
    expect((await stateOf(shop, receiver.id)).state).toBe("disabled");
    const before = (await receiver.log()).length;
    await placeOrder(shop, contact);
    travel(DAY);
    await sendDue(shop);
    expect(await receiver.log()).toHaveLength(before);
    expect((await shop.full.get("/v1/alerts?state=open")).body.items).toMatchObject([{ kind: "endpoint_failing" }]);
    const enabled = await shop.full.patch(`/v1/webhook-endpoints/${receiver.id}`, { state: "enabled" });
    expect(enabled.body).toMatchObject({ state: "enabled", failingSince: null });
    expect((await shop.full.get("/v1/alerts?state=open")).body.items).toEqual([]);
    await placeOrder(shop, contact);
    await sendDue(shop);
    expect(await receiver.log()).toHaveLength(before + 1);
  });

  it("is disabled at once by a 410", async () => {
    const shop = await mintShop();
    const receiver = await endpoint(shop);
    await receiver.replies(410);
    await placeOrder(shop, await seedContact(shop.key));
    await sendDue(shop);
    expect((await stateOf(shop, receiver.id)).state).toBe("disabled");
    expect((await shop.full.get("/v1/alerts")).body.items).toMatchObject([{ state: "open", data: { gone: true } }]);
  });
});

it("a delivery whose sending was cut off is nobody's for a minute and then sent again", async () => {
  const shop = await mintShop();
  const receiver = await endpoint(shop);
  await placeOrder(shop, await seedContact(shop.key));
  // As a kill leaves it: claimed, and no outcome.
  await env.DB.prepare("update endpoint_deliveries set attempts = 1, next_attempt_at = ? where shop = ?")
    .bind(T0 + MINUTE, shop.key)
    .run();
  await sendDue(shop);
  expect(await receiver.log()).toEqual([]);
  travel(MINUTE);
  await sendDue(shop);
  expect(await receiver.log()).toHaveLength(1);
});
