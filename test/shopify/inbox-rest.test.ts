import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { api, mintShop, operator } from "../helpers/api";
import { insert } from "../helpers/seed";

async function seedWebhook(shop: number, row: Record<string, string | number | null> = {}): Promise<string> {
  const id = `whk_${crypto.randomUUID()}`;
  await insert("webhook_inbox", {
    id,
    shop,
    topic: "orders/create",
    webhook_id: id,
    api_version: "2026-10",
    triggered_at: 1,
    received_at: 2,
    body_hash: id,
    body: '{"id":1}',
    state: "handled",
    next_attempt_at: 3,
    handled_at: 4,
    ...row,
  });
  return id;
}

test("the inbox is listed by state and topic, bodies only on request", async () => {
  const shop = await mintShop();
  const handled = await seedWebhook(shop.key);
  const dead = await seedWebhook(shop.key, { state: "dead", error: "does not fit", attempts: 8, handled_at: null });
  const unknown = await seedWebhook(shop.key, { state: "unhandled", topic: "themes/publish" });
  const pending = await seedWebhook(shop.key, { state: "pending", handled_at: null });
  const list = async (query: string) =>
    (await shop.full.get(`/v1/webhook-inbox${query}`)).body.items.map(({ id }: { id: string }) => id);
  expect(await list("")).toEqual([pending, unknown, dead, handled]);
  expect(await list("?state=dead")).toEqual([dead]);
  expect(await list("?state=pending")).toEqual([pending]);
  expect(await list("?state=handled")).toEqual([handled]);
  expect(await list("?topic=themes/publish")).toEqual([unknown]);
  expect(await list("?topic=themes/publish&state=dead")).toEqual([]);
  const plain = await shop.full.get(`/v1/webhook-inbox/${dead}`);
  expect(plain.body).toMatchObject({
    state: "dead",
    error: "does not fit",
    attempts: 8,
    handledAt: null,
    apiVersion: "2026-10",
  });
  expect(plain.body).not.toHaveProperty("body");
  expect((await shop.full.get(`/v1/webhook-inbox/${dead}?include=body`)).body.body).toBe('{"id":1}');
});

test("a dead webhook waits again when replayed; without its body it cannot", async () => {
  const shop = await mintShop();
  const dead = await seedWebhook(shop.key, { state: "dead", error: "x", attempts: 8, topic: "themes/publish" });
  const { status, body } = await shop.full.post(`/v1/webhook-inbox/${dead}/replay`);
  expect(status).toBe(202);
  expect(body).toMatchObject({ id: dead, attempts: 0, error: null });
  const gone = await seedWebhook(shop.key, { state: "dead", body: null });
  expect((await shop.full.post(`/v1/webhook-inbox/${gone}/replay`)).status).toBe(422);
  const row = await env.DB.prepare("select state from webhook_inbox where id = ?").bind(gone).first();
  expect(row).toEqual({ state: "dead" });
});

test("every inbox route needs a key with its scope and its own shop", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  const id = await seedWebhook(mine.key);
  for (const path of ["/v1/webhook-inbox", `/v1/webhook-inbox/${id}`]) {
    expect((await api(null).get(path)).status).toBe(401);
    expect((await mine.writeOnly.get(path)).status).toBe(403);
    expect((await mine.readOnly.get(path)).status).toBe(200);
    expect((await operator.get(`${path}?shop=${mine.id}`)).status).toBe(200);
  }
  expect((await other.full.get(`/v1/webhook-inbox/${id}`)).status).toBe(404);
  expect((await other.full.get("/v1/webhook-inbox")).body.items).toEqual([]);
  const replay = `/v1/webhook-inbox/${id}/replay`;
  expect((await api(null).post(replay)).status).toBe(401);
  expect((await mine.readOnly.post(replay)).status).toBe(403);
  expect((await other.full.post(replay)).status).toBe(404);
  expect((await mine.full.get("/v1/webhook-inbox?state=odd")).status).toBe(400);
});
