import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { sendDeliveries } from "../../src/messages";
import { DAY, HOUR, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import {
  ACCEPTED,
  bodyOf,
  keyOf,
  linkIn,
  POSTAL,
  queue,
  sendDue,
  sendingShop,
  sendOne,
  standInProvider,
  stateOf,
  subscriber,
} from "./outbox";

useFakeClock();

test("a queued message is rendered, made lawful, sent once and kept to be looked at", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const sent = await sendOne(shop, ada.key);
  expect(sent).toMatchObject({
    state: "sent",
    contactId: ada.id,
    provider: "development",
    attempts: 1,
    class: "marketing",
  });
  expect(sent.senderId).toBe(shop.senders["email"]);
  const body = await bodyOf(shop, sent.id);
  expect(body.subject).toBe("News");
  expect(body.html).toContain("Hello Ada");
  expect(body.html).toContain(POSTAL);
  expect(body.html).toContain("mailto:us@shop.example");
  expect(body.html).not.toContain('href="https://shop.example');
  expect(body.links).toEqual(["https://shop.example/lamps?ref=1&utm_source=footfall&utm_medium=email#top"]);
  expect(body.text).toContain(linkIn(body.html, "u"));
  await sendDue(shop);
  expect((await shop.full.get("/v1/deliveries")).body.items).toHaveLength(1);
  expect((await shop.full.get("/v1/deliveries?state=sent&channel=email")).body.items[0].id).toBe(sent.id);
  expect((await shop.full.get(`/v1/deliveries?contactId=${ada.id}&state=failed`)).body.items).toEqual([]);
  const sentEvent = await env.DB.prepare("select data from outbox where shop = ? and type = 'message_sent'")
    .bind(shop.key)
    .all<{ data: string }>();
  expect(sentEvent.results.map(({ data }) => JSON.parse(data))).toMatchObject([
    { deliveryId: sent.id, channel: "email" },
  ]);
});

test("15: every marketing mail carries the one-click headers of RFC 8058 over https, receipts do not", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const marketing = await bodyOf(shop, (await sendOne(shop, ada.key)).id);
  const headers = Object.fromEntries(marketing.headers.map((h: { name: string; value: string }) => [h.name, h.value]));
  expect(headers["List-Unsubscribe"]).toMatch(/^<https:\/\/footfall\.test\/m\/u\/[\w.-]+>$/);
  expect(headers["List-Unsubscribe-Post"]).toBe("List-Unsubscribe=One-Click");
  const receipt = await bodyOf(shop, (await sendOne(shop, ada.key, { class: "transactional" })).id);
  expect(receipt.headers).toEqual([]);
  expect(receipt.html).not.toContain("/m/u/");
});

test("a marketing mail without a postal address is refused, and goes out once there is one", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const row = await keyOf("senders", shop.senders["email"] ?? "");
  // The API takes no such sender for marketing; one that lost its address is caught all the same.
  await env.DB.prepare("update senders set postal_address = null where key = ?").bind(row).run();
  const refused = await sendOne(shop, ada.key);
  expect([refused.state, refused.reason]).toEqual(["failed", "no_postal_address"]);
  expect((await sendOne(shop, ada.key, { class: "transactional" })).state).toBe("sent");
  await env.DB.prepare("update senders set postal_address = ? where key = ?").bind(POSTAL, row).run();
  expect((await shop.full.post(`/v1/deliveries/${refused.id}/retry`, {})).status).toBe(202);
  await sendDue(shop);
  expect(await stateOf(shop, refused.id)).toEqual(["sent", null]);
  expect((await shop.full.post(`/v1/deliveries/${refused.id}/retry`, {})).status).toBe(409);
});

test("11: two consumers and a repeated step make one call; a crash after it repeats the same call under the same key", async () => {
  const shop = await sendingShop();
  const provider = await standInProvider(shop, "resend");
  await provider.replies(ACCEPTED, ACCEPTED, ACCEPTED);
  const ada = await subscriber(shop);
  const id = await queue(shop, ada.key, { naturalKey: "run:1:mail:1" });
  expect(await queue(shop, ada.key, { naturalKey: "run:1:mail:1" })).toBe(id);
  const key = await keyOf("deliveries", id);
  const now = () => Date.now();
  await Promise.all([1, 2, 3].map(() => sendDeliveries(env, shop.key, [key], now)));
  expect(await provider.log()).toHaveLength(1);
  expect(await stateOf(shop, id)).toEqual(["sent", null]);

  // As a kill between the provider's answer and our record of it leaves the row.
  const forget = env.DB.prepare(
    "update deliveries set state = 'sending', lease_until = ?, sent_at = null, provider_id = null where key = ?",
  );
  await forget.bind(Date.now() + MINUTE, key).run();
  await sendDue(shop);
  expect(await provider.log()).toHaveLength(1);
  travel(2 * MINUTE);
  await shop.full.patch(`/v1/contacts/${ada.id}`, { firstName: "Grace" });
  await sendDue(shop);
  const calls = await provider.log();
  expect(calls).toHaveLength(2);
  expect(calls[1]?.headers["idempotency-key"]).toBe(calls[0]?.headers["idempotency-key"]);
  expect(calls[1]?.body).toBe(calls[0]?.body);
  expect(calls[1]?.body).toContain("Hello Ada");
  expect(await stateOf(shop, id)).toEqual(["sent", null]);
});

test("11: beyond the provider's window, or without one, nothing is sent blindly: the outcome is unknown until it is told", async () => {
  const shop = await sendingShop();
  const provider = await standInProvider(shop, "sendgrid");
  await provider.replies({ status: 202, body: "", headers: { "x-message-id": "sg_1" } });
  const ada = await subscriber(shop);
  const id = await queue(shop, ada.key);
  await sendDue(shop);
  expect(await stateOf(shop, id)).toEqual(["sent", null]);
  const key = await keyOf("deliveries", id);
  await env.DB.prepare(
    "update deliveries set state = 'sending', lease_until = ?, sent_at = null, provider_id = null where key = ?",
  )
    .bind(Date.now(), key)
    .run();
  await sendDue(shop);
  expect(await stateOf(shop, id)).toEqual(["unknown", "unknown_outcome"]);
  expect(await provider.log()).toHaveLength(1);
  expect((await shop.full.post(`/v1/deliveries/${id}/retry`, {})).status).toBe(409);
  const { applyFeedback } = await import("../../src/messages");
  const { getShopOrThrow } = await import("../../src/shops");
  const stored = await getShopOrThrow(env.DB, shop.key);
  await applyFeedback(env, stored, [{ type: "delivered", eventId: "e1", deliveryId: id, at: Date.now() }], Date.now());
  expect(await stateOf(shop, id)).toEqual(["sent", null]);
  expect((await shop.full.get(`/v1/deliveries/${id}`)).body.deliveredAt).not.toBeNull();
});

test("11: what a provider refuses for one person is not repeated and holds up nobody; a passing failure is, with its Retry-After", async () => {
  const shop = await sendingShop();
  const provider = await standInProvider(shop, "resend");
  await provider.replies(
    {
      status: 422,
      body: '{"name":"validation_error","message":"Invalid `to` field"}',
      headers: { "content-type": "application/json" },
    },
    ACCEPTED,
  );
  const [ada, bob] = [await subscriber(shop), await subscriber(shop)];
  const bad = await queue(shop, ada.key);
  await sendDue(shop);
  const good = await queue(shop, bob.key);
  await sendDue(shop);
  expect((await stateOf(shop, good))[0]).toBe("sent");
  const [state, reason] = await stateOf(shop, bad);
  expect([state, reason?.startsWith("provider:")]).toEqual(["failed", true]);
  expect((await shop.full.get("/v1/deliveries?state=failed")).body.items.map(({ id }: { id: string }) => id)).toEqual([
    bad,
  ]);

  const refused = await shop.full.get(`/v1/suppressions?address=${ada.email}`);
  expect(refused.body.items).toMatchObject([{ reason: "INVALID_EMAIL", class: "all", address: ada.email }]);

  await provider.replies({ status: 429, body: "{}", headers: { "retry-after": "600" } }, ACCEPTED);
  const late = await queue(shop, bob.key);
  await sendDue(shop);
  const waiting = (await shop.full.get(`/v1/deliveries/${late}`)).body;
  expect(waiting.state).toBe("queued");
  expect(Date.parse(waiting.dueAt)).toBeGreaterThanOrEqual(Date.now() + 600_000);
  travel(5 * MINUTE);
  await sendDue(shop);
  expect((await stateOf(shop, late))[0]).toBe("queued");
  travel(10 * MINUTE);
  await sendDue(shop);
  expect((await stateOf(shop, late))[0]).toBe("sent");
  expect(await provider.log()).toHaveLength(4);
});

test("retries end: a provider that never answers well leaves a dead letter with a retry", async () => {
  const shop = await sendingShop();
  const provider = await standInProvider(shop, "resend");
  const ada = await subscriber(shop);
  const id = await queue(shop, ada.key);
  for (let i = 0; i < 12; i++) {
    await provider.replies({ status: 429, body: "{}" });
    await sendDue(shop);
    travel(20 * HOUR);
  }
  expect((await stateOf(shop, id))[0]).toBe("failed");
  expect((await provider.log()).length).toBeLessThan(12);
  await provider.replies(ACCEPTED);
  await shop.full.post(`/v1/deliveries/${id}/retry`, {});
  await sendDue(shop);
  expect((await stateOf(shop, id))[0]).toBe("sent");
});

test("a sender with a limit sends that many a minute and the rest in the next", async () => {
  const shop = await sendingShop({}, { sender: { perMinute: 2 } });
  const people = await Promise.all([1, 2, 3, 4, 5].map(() => subscriber(shop)));
  for (const { key } of people) await queue(shop, key);
  const sent = async () => (await shop.full.get("/v1/deliveries?state=sent")).body.items.length;
  await sendDue(shop);
  expect(await sent()).toBe(2);
  await sendDue(shop);
  expect(await sent()).toBe(2);
  travel(MINUTE);
  await sendDue(shop);
  expect(await sent()).toBe(4);
  travel(MINUTE);
  await sendDue(shop);
  expect(await sent()).toBe(5);
});

test("D9: frequency caps hold by channel and over all of them, also for two at once, and leave receipts alone", async () => {
  const caps = {
    email: { most: 2, hours: 24 },
    sms: { most: 5, hours: 24 },
    whatsapp: null,
    all: { most: 3, hours: 24 },
  };
  const shop = await sendingShop({ messageCaps: caps, quietHours: null });
  const ada = await subscriber(shop, { phone: "+4915112345678" });
  for (let i = 0; i < 4; i++) await queue(shop, ada.key);
  await sendDue(shop);
  const states = async () =>
    (await shop.full.get("/v1/deliveries?limit=250")).body.items.map(
      ({ state, reason }: { state: string; reason: string }) => [state, reason].join(" "),
    );
  expect((await states()).sort()).toEqual(["sent ", "sent ", "skipped frequency_cap", "skipped frequency_cap"]);
  expect((await sendOne(shop, ada.key, { channel: "sms" })).state).toBe("sent");
  expect((await sendOne(shop, ada.key, { channel: "sms" })).reason).toBe("frequency_cap");
  expect((await sendOne(shop, ada.key, { class: "transactional" })).state).toBe("sent");
  travel(DAY);
  expect((await sendOne(shop, ada.key)).state).toBe("sent");
});

test("D9: quiet hours go by the recipient's own clock: put off to the morning, or skipped; receipts go out", async () => {
  const quietHours = { from: "21:00", to: "08:00", channels: ["sms"], mode: "defer" };
  const shop = await sendingShop({ quietHours }, {});
  await shop.full.patch(`/v1/shops/${shop.id}`, { timezone: "Europe/Berlin" });
  const tokyo = await subscriber(shop, { phone: "+818012345678" });
  const lisbon = await subscriber(shop, { phone: "+351912345678" });
  // T0 is 12:00 UTC: 21:00 in Tokyo, 12:00 in Lisbon.
  expect(Date.now()).toBe(T0);
  expect((await sendOne(shop, lisbon.key, { channel: "sms" })).state).toBe("sent");
  const late = await sendOne(shop, tokyo.key, { channel: "sms" });
  expect([late.state, late.reason, late.attempts]).toEqual(["queued", "quiet_hours", 0]);
  expect(late.dueAt).toBe(new Date(T0 + 11 * HOUR).toISOString());
  expect((await sendOne(shop, tokyo.key, { channel: "sms", class: "transactional" })).state).toBe("sent");
  travel(11 * HOUR - 1);
  await sendDue(shop);
  expect((await stateOf(shop, late.id))[0]).toBe("queued");
  travel(1);
  await sendDue(shop);
  expect(await stateOf(shop, late.id)).toEqual(["sent", null]);
  await shop.full.patch(`/v1/shops/${shop.id}`, { settings: { quietHours: { ...quietHours, mode: "skip" } } });
  travel(13 * HOUR);
  expect((await sendOne(shop, tokyo.key, { channel: "sms" })).reason).toBe("quiet_hours");
});

test("nothing goes out for a shop that has uninstalled the app", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const id = await queue(shop, ada.key, { class: "transactional" });
  await env.DB.prepare("update shops set status = 'uninstalled', uninstalled_at = 1 where key = ?")
    .bind(shop.key)
    .run();
  await sendDue(shop);
  const row = await env.DB.prepare("select state, reason from deliveries where id = ?").bind(id).first();
  expect(row).toEqual({ state: "skipped", reason: "shop_uninstalled" });
});

test("the shop's clock sends what no queue message has told of", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const id = await queue(shop, ada.key);
  await env.CLOCK.getByName(String(shop.key)).arm(Date.now());
  const { runDurableObjectAlarm } = await import("cloudflare:test");
  await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
  const { vi } = await import("vitest");
  await vi.waitFor(async () => expect(await stateOf(shop, id)).toEqual(["sent", null]), { timeout: 10_000 });
});

test("24, D9: an order placed a moment before the sending, by any way the shop knows the person, stops the cart mail of a run", async () => {
  const shop = await sendingShop();
  const [template] = (await shop.full.get("/v1/templates")).body.items.filter(
    (t: { channel: string }) => t.channel === "email",
  );
  const made = await shop.full.post("/v1/automations", {
    name: "Cart",
    definition: {
      triggers: [{ type: "abandoned_cart" }],
      exits: [{ on: { type: "made_purchase" } }],
      sending: { quietHours: null, neverSubscribed: true },
      steps: [{ id: "mail", type: "message", channel: "email", template: template.id }],
    },
  });
  expect([made.status, made.body.errors]).toEqual([201, undefined]);
  const automation = await keyOf("automations", made.body.id);
  const enter = async (contact: number) => {
    const id = `run_${crypto.randomUUID()}`;
    await env.DB.prepare(
      `insert into runs (id, shop, automation, version, kind, subject, entry_key, state, data, entered_at)
       values (?, ?, ?, 1, 'contact', ?, ?, 'active', '{}', ?)`,
    )
      .bind(id, shop.key, automation, contact, id, Date.now())
      .run();
    return keyOf("runs", id);
  };
  const about = async (contact: number) => {
    const run = await enter(contact);
    return queue(shop, contact, { run, automation, step: "mail", naturalKey: `run:${run}:mail:1` });
  };
  // The automation's own switch lets somebody in who never decided, and nobody who has left.
  const never = await subscriber(shop, { consents: {} });
  const left = await subscriber(shop, { consents: { email: { state: "unsubscribed" } } });
  const buyer = await subscriber(shop);
  const [toNever, toLeft, toBuyer] = [await about(never.key), await about(left.key), await about(buyer.key)];
  travel(1);
  await shop.full.post("/v1/orders", { externalId: "o1", email: buyer.email, total: { amount: 100, currency: "USD" } });
  await sendDue(shop);
  expect(await stateOf(shop, toNever)).toEqual(["sent", null]);
  expect(await stateOf(shop, toLeft)).toEqual(["skipped", "unsubscribed"]);
  expect(await stateOf(shop, toBuyer)).toEqual(["skipped", "exited:an order was placed"]);
  expect((await shop.full.get(`/v1/deliveries?automationId=${made.body.id}`)).body.items).toHaveLength(3);
  const { runId } = (await shop.full.get(`/v1/deliveries/${toNever}`)).body;
  expect((await shop.full.get(`/v1/deliveries?runId=${runId}`)).body.items.map((d: { id: string }) => d.id)).toEqual([
    toNever,
  ]);
});

test("a page of deliveries reads no more than it shows and what that names, whatever the filter", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const rows = JSON.stringify(Array.from({ length: 2_000 }, (_, i) => i));
  await env.DB.prepare(
    `insert into deliveries (id, shop, natural_key, kind, channel, class, contact, state, due_at, created_at)
     select 'dlv_' || ?1 || '_' || value, ?1, 'run:1:' || value, 'message', 'email', 'marketing', iif(value % 100 = 0, ?2, null),
       case when value % 50 = 0 then 'failed' when value % 50 = 1 then 'queued' else 'sent' end, ?3, ?3 from json_each(?4)`,
  )
    .bind(shop.key, ada.key, Date.now() + DAY, rows)
    .run();
  const { listDeliveries } = await import("../../src/messages/read");
  const { getShopOrThrow } = await import("../../src/shops");
  const stored = await getShopOrThrow(env.DB, shop.key);
  for (const query of [{}, { state: "failed" as const }, { state: "queued" as const }, { contactId: ada.id }]) {
    let read = 0;
    const db = new Proxy(env.DB, {
      get: (target, name) =>
        name === "prepare"
          ? (text: string) => ({
              bind: (...values: unknown[]) => ({
                all: async () => {
                  const result = await target
                    .prepare(text)
                    .bind(...values)
                    .all();
                  read += result.meta.rows_read;
                  return result;
                },
              }),
            })
          : Reflect.get(target, name),
    });
    const ctx = {
      env,
      db,
      now: Date.now(),
      shop: stored,
      actor: { kind: "operator" as const },
      requestId: "r",
      later: () => undefined,
    };
    const { items } = await listDeliveries(ctx, { limit: 20, ...query });
    expect(items).toHaveLength(20);
    // The row and, of each of the five records that it names, one.
    expect([query, read <= 8 * 21]).toEqual([query, true]);
  }
});
