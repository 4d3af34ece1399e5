import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { Webhook } from "standardwebhooks";

import { api, mintShop, operator } from "../helpers/api";
import { HOUR, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { newReceiver } from "../helpers/receiver";

useFakeClock();

const PATH = "/v1/webhook-endpoints";

it("endpoints are made, read, changed and deleted; the secret is shown once and stored encrypted", async () => {
  const shop = await mintShop();
  const { url } = newReceiver();
  const made = await shop.full.post(PATH, {
    url,
    description: "ERP",
    types: ["order_placed", "order_paid", "order_placed"],
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    shopId: shop.id,
    url,
    description: "ERP",
    types: ["order_paid", "order_placed"],
    state: "enabled",
    failingSince: null,
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
  });
  const { id, secret, ...shown } = made.body;
  const read = await shop.readOnly.get(`${PATH}/${id}`);
  expect(read.body).toEqual({ id, ...shown });
  const row = await env.DB.prepare("select secret from webhook_endpoints where id = ?")
    .bind(id)
    .first<{ secret: string }>();
  expect(row?.secret).not.toContain(secret.slice(6));
  const changed = await shop.full.patch(`${PATH}/${id}`, { types: [] });
  expect(changed.body).toMatchObject({ url, description: "ERP", types: [] });
  expect((await shop.full.patch(`${PATH}/${id}`, { state: "disabled", description: null })).body).toMatchObject({
    state: "disabled",
    description: null,
  });
  expect((await shop.full.delete(`${PATH}/${id}`)).status).toBe(204);
  expect((await shop.full.get(`${PATH}/${id}`)).status).toBe(404);
  expect((await shop.full.get(PATH)).body.items).toEqual([]);
});

it("lists go by pages, newest first, and with the operator's token name their shop", async () => {
  const shop = await mintShop();
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.unshift((await shop.full.post(PATH, { url: newReceiver().url })).body.id);
  const first = await shop.readOnly.get(`${PATH}?limit=2`);
  const second = await operator.get(`${PATH}?limit=2&shop=${shop.domain}&cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual(ids);
  expect(second.body.nextCursor).toBeNull();
  expect((await operator.get(PATH)).status).toBe(400);
  expect((await operator.post(PATH, { url: newReceiver().url, shop: shop.id })).status).toBe(201);
});

it("every route refuses no key, a wrong scope and another shop's endpoint", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  const { id } = (await shop.full.post(PATH, { url: newReceiver().url })).body;
  const test = (await shop.full.post(`${PATH}/${id}/test`)).body;
  const routes: [method: string, path: string, body?: unknown][] = [
    ["POST", PATH, { url: newReceiver().url }],
    ["GET", PATH],
    ["GET", `${PATH}/${id}`],
    ["PATCH", `${PATH}/${id}`, { types: [] }],
    ["POST", `${PATH}/${id}/rotate-secret`],
    ["POST", `${PATH}/${id}/test`],
    ["GET", `${PATH}/${id}/deliveries`],
    ["POST", `${PATH}/${id}/deliveries/${test.id}/redeliver`],
    ["DELETE", `${PATH}/${id}`],
  ];
  for (const [method, path, body] of routes) {
    expect((await api(null).request(method, path, body)).status, `${method} ${path}`).toBe(401);
    const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
    expect((await wrong.request(method, path, body)).status, `${method} ${path}`).toBe(403);
    if (path !== PATH) expect((await other.full.request(method, path, body)).status, `${method} ${path}`).toBe(404);
  }
  expect((await shop.full.post(`${PATH}/${id}/deliveries/whd_none/redeliver`)).status).toBe(404);
  expect((await shop.full.get(`${PATH}/${id}`)).body.state).toBe("enabled");
});

it("an address that may not be called and an unknown type are refused, when made and when changed", async () => {
  const shop = await mintShop();
  const { id } = (await shop.full.post(PATH, { url: newReceiver().url })).body;
  for (const body of [
    { url: "http://acme.example/" },
    { url: "https://169.254.169.254/" },
    { url: newReceiver().url, types: ["visitor_joined"] },
    { url: newReceiver().url, types: ["nonsense"] },
  ]) {
    expect((await shop.full.post(PATH, body)).status).toBe(400);
    expect((await shop.full.patch(`${PATH}/${id}`, body)).status).toBe(400);
  }
});

it("a shop has at most twenty", async () => {
  const shop = await mintShop();
  for (let i = 0; i < 20; i++) expect((await shop.full.post(PATH, { url: newReceiver().url })).status).toBe(201);
  expect((await shop.full.post(PATH, { url: newReceiver().url })).status).toBe(422);
});

it("a test delivery tells at once what came back", async () => {
  const shop = await mintShop();
  const receiver = newReceiver();
  const { id, secret } = (await shop.full.post(PATH, { url: receiver.url, types: ["order_paid"] })).body;
  const sent = await shop.full.post(`${PATH}/${id}/test`);
  expect(sent.status).toBe(201);
  expect(sent.body).toMatchObject({ type: "test", state: "delivered", attempts: 1, status: 204 });
  const [call] = await receiver.log();
  expect(call?.path).toBe("/footfall");
  expect(JSON.parse(call?.body ?? "")).toEqual({
    type: "test",
    timestamp: new Date(T0).toISOString(),
    data: { shopId: shop.id, shop: shop.domain, endpointId: id },
  });
  const headers = { "webhook-id": "", "webhook-timestamp": "", "webhook-signature": "", ...call?.headers };
  expect(() => new Webhook(secret).verify(call?.body ?? "", headers)).not.toThrow();
});

it.each([
  [new TypeError("connection refused by 10.0.0.1"), "unreachable"],
  [new DOMException("The operation was aborted due to timeout", "TimeoutError"), "timed out"],
])("no answer at all is told in our own words: %s", async (error, words) => {
  const shop = await mintShop();
  const { id } = (await shop.full.post(PATH, { url: newReceiver().url })).body;
  const fetch = vi.spyOn(globalThis, "fetch").mockRejectedValueOnce(error);
  expect((await shop.full.post(`${PATH}/${id}/test`)).body).toMatchObject({
    state: "pending",
    status: null,
    error: words,
    nextAttemptAt: expect.stringMatching(/^2035/),
  });
  expect(fetch.mock.lastCall?.[1]).toMatchObject({ redirect: "manual", signal: expect.any(AbortSignal) });
  fetch.mockRestore();
});

it("after a rotation both secrets sign for a day, then the new one alone", async () => {
  const shop = await mintShop();
  const receiver = newReceiver();
  const { id, secret: before } = (await shop.full.post(PATH, { url: receiver.url })).body;
  const rotated = await shop.full.post(`${PATH}/${id}/rotate-secret`);
  expect(rotated.body).toMatchObject({ previousValidUntil: new Date(T0 + 24 * HOUR).toISOString() });
  await shop.full.post(`${PATH}/${id}/test`);
  travel(24 * HOUR);
  await shop.full.post(`${PATH}/${id}/test`);
  const verdicts = (await receiver.log()).map((call) =>
    [before, String(rotated.body.secret)].map((secret) => {
      const headers = { "webhook-id": "", "webhook-timestamp": "", "webhook-signature": "", ...call.headers };
      try {
        new Webhook(secret).verify(call.body, headers);
        return true;
      } catch (error) {
        return String(error).includes("too old") ? "old" : false;
      }
    }),
  );
  expect(verdicts).toEqual([
    ["old", "old"],
    [false, true],
  ]);
  const [first] = await receiver.log();
  expect(first?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
});

it("a failed delivery is sent once more on request, with the same id", async () => {
  const shop = await mintShop();
  const receiver = newReceiver();
  const { id } = (await shop.full.post(PATH, { url: receiver.url })).body;
  await receiver.replies(410);
  const test = (await shop.full.post(`${PATH}/${id}/test`)).body;
  expect(test).toMatchObject({ state: "failed", status: 410 });
  await shop.full.patch(`${PATH}/${id}`, { state: "enabled" });
  travel(SECOND);
  const again = await shop.full.post(`${PATH}/${id}/deliveries/${test.id}/redeliver`);
  expect(again.status).toBe(202);
  await expect.poll(receiver.log, { timeout: 10_000 }).toHaveLength(2);
  expect(new Set((await receiver.log()).map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([test.id]));
  await expect
    .poll(async () => (await shop.full.get(`${PATH}/${id}/deliveries?state=delivered`)).body.items.length, {
      timeout: 10_000,
    })
    .toBe(1);
});
