import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { api, mintShop, operator } from "../helpers/api";
import { insert } from "../helpers/seed";

async function seedJob(shop: number, row: Record<string, string | number | null> = {}): Promise<string> {
  const id = `job_${crypto.randomUUID()}`;
  await insert("jobs", {
    id,
    shop,
    kind: "export",
    state: "running",
    progress: 3,
    total: 8,
    created_at: 1,
    updated_at: 2,
    ...row,
  });
  return id;
}

async function seedDeadLetter(shop: number): Promise<string> {
  const id = `dlt_${crypto.randomUUID()}`;
  await insert("dead_letters", {
    id,
    shop,
    type: "order_placed",
    subject: "contact:1",
    natural_key: id,
    data: '{"orderId":"o"}',
    at: 1,
    error: "provider is down",
    died_at: 2,
  });
  return id;
}

test("a job tells how far it is", async () => {
  const shop = await mintShop();
  const [first, second] = [
    await seedJob(shop.key),
    await seedJob(shop.key, { state: "failed", total: null, error: "no" }),
  ];
  const list = await shop.full.get("/v1/jobs");
  expect(list.body.items.map(({ id }: { id: string }) => id)).toEqual([second, first]);
  expect((await shop.full.get(`/v1/jobs/${first}`)).body).toMatchObject({
    kind: "export",
    state: "running",
    progress: 3,
    total: 8,
    percent: 37,
  });
  expect((await shop.full.get(`/v1/jobs/${second}`)).body).toMatchObject({
    state: "failed",
    percent: null,
    error: "no",
  });
});

test("a dead letter is listed with its error and goes back when replayed, once", async () => {
  const shop = await mintShop();
  const id = await seedDeadLetter(shop.key);
  const list = await shop.full.get("/v1/dead-letters");
  expect(list.body.items).toMatchObject([{ id, type: "order_placed", error: "provider is down" }]);
  expect((await shop.full.post(`/v1/dead-letters/${id}/replay`)).status).toBe(202);
  const row = await env.DB.prepare("select type, natural_key as key, data, at from outbox where shop = ?")
    .bind(shop.key)
    .first();
  expect(row).toEqual({ type: "order_placed", key: id, data: '{"orderId":"o"}', at: 1 });
  expect((await shop.full.post(`/v1/dead-letters/${id}/replay`)).status).toBe(404);
  expect((await shop.full.get("/v1/dead-letters")).body.items).toEqual([]);
});

test("every job and dead-letter route needs a key with its scope and its own shop", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  const job = await seedJob(mine.key);
  const letter = await seedDeadLetter(mine.key);
  for (const path of ["/v1/jobs", `/v1/jobs/${job}`, "/v1/dead-letters"]) {
    expect((await api(null).get(path)).status).toBe(401);
    expect((await mine.writeOnly.get(path)).status).toBe(403);
    expect((await mine.readOnly.get(path)).status).toBe(200);
    expect((await operator.get(`${path}?shop=${mine.id}`)).status).toBe(200);
  }
  expect((await other.full.get(`/v1/jobs/${job}`)).status).toBe(404);
  const replay = `/v1/dead-letters/${letter}/replay`;
  expect((await api(null).post(replay)).status).toBe(401);
  expect((await mine.readOnly.post(replay)).status).toBe(403);
  expect((await other.full.post(replay)).status).toBe(404);
  expect((await mine.full.post("/v1/dead-letters/nothing/replay")).status).toBe(404);
});
