import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";

import { mintShop, operator } from "../helpers/api";

afterEach(() => {
  vi.useRealTimers();
});

const key = (name: string) => ({ "idempotency-key": name });

test("the same request again gets the same answer and changes nothing", async () => {
  const shop = await mintShop();
  const first = await shop.full.post("/v1/contacts", { email: "once@b.example" }, key("k-1"));
  const again = await shop.full.post("/v1/contacts", { email: "once@b.example" }, key("k-1"));
  expect(first.status).toBe(201);
  expect(first.headers.has("idempotent-replayed")).toBe(false);
  expect(again.status).toBe(201);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect((await shop.full.get("/v1/contacts")).body.items).toHaveLength(1);
});

test("another request under the key is 422, also by its path; another caller's key is its own", async () => {
  const shop = await mintShop();
  const made = await shop.full.post("/v1/contacts", { email: "one@b.example" }, key("k-2"));
  const other = await shop.full.post("/v1/contacts", { email: "two@b.example" }, key("k-2"));
  expect(other.body).toMatchObject({ status: 422, code: "idempotency_mismatch" });
  const path = await shop.full.post(`/v1/contacts/${made.body.id}/erase`, { email: "one@b.example" }, key("k-2"));
  expect(path.status).toBe(422);
  const neighbour = await mintShop();
  expect((await neighbour.full.post("/v1/contacts", { email: "two@b.example" }, key("k-2"))).status).toBe(201);
});

test("an error of the caller is replayed too", async () => {
  const shop = await mintShop();
  await shop.full.post("/v1/contacts", { email: "held@b.example" });
  const first = await shop.full.post("/v1/contacts", { email: "held@b.example" }, key("k-3"));
  const again = await shop.full.post("/v1/contacts", { email: "held@b.example" }, key("k-3"));
  expect(first.status).toBe(409);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
});

test("of simultaneous requests under one key one is handled; the others are told to wait or get its answer", async () => {
  const shop = await mintShop();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => shop.full.post("/v1/contacts", { email: "many@b.example" }, key("k-4"))),
  );
  const fresh = answers.filter(({ status, headers }) => status === 201 && !headers.has("idempotent-replayed"));
  expect(fresh).toHaveLength(1);
  for (const { status, body } of answers) {
    if (status === 409) expect(body.code).toBe("idempotency_in_flight");
    else expect(body.id).toBe(fresh[0]?.body.id);
  }
});

test("a request that died is taken over after a minute, a finished one is forgotten after a day", async () => {
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: start });
  const shop = await mintShop();
  await shop.full.post("/v1/contacts", { email: "first@b.example" }, key("k-5"));
  await env.DB.prepare("update idempotency_keys set status = null, body = null where key = 'k-5'").run();
  const early = await shop.full.post("/v1/contacts", { email: "first@b.example" }, key("k-5"));
  expect(early.body.code).toBe("idempotency_in_flight");
  vi.setSystemTime(start + 60_000);
  const taken = await shop.full.post("/v1/contacts", { email: "first@b.example" }, key("k-5"));
  expect(taken.body.code).toBe("duplicate_contact");
  vi.setSystemTime(start + 60_000 + 86_400_000);
  const fresh = await shop.full.post("/v1/contacts", { email: "second@b.example" }, key("k-5"));
  expect(fresh.status).toBe(201);
});

test("what is kept is sealed: neither a key nor a person can be read from it", async () => {
  const shop = await mintShop();
  const made = await operator.post("/v1/api-keys", { shop: shop.id, name: "sealed" }, key("k-6"));
  await shop.full.post("/v1/contacts", { email: "sealed@b.example" }, key("k-6"));
  const again = await operator.post("/v1/api-keys", { shop: shop.id, name: "sealed" }, key("k-6"));
  expect(again.body.key).toBe(made.body.key);
  const { results } = await env.DB.prepare("select * from idempotency_keys").all();
  expect(JSON.stringify(results)).not.toContain(made.body.key);
  expect(JSON.stringify(results)).not.toContain("sealed@b.example");
});

test("a key that is empty, too long or not printable is 400", async () => {
  const shop = await mintShop();
  for (const bad of ["", "x".repeat(256), "a b"]) {
    const answer = await shop.full.post("/v1/contacts", { email: "bad@b.example" }, key(bad));
    expect(answer.body.code).toBe("bad_request");
  }
});
