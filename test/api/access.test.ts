import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";

import { api, mintShop, operator } from "../helpers/api";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, unknown>>;
}

const document: Document = await (
  await exports.default.fetch("https://footfall.test/v1/openapi.json")
).json<Document>();
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{[^}]+\}/g, "x_1") })),
);

test("every documented route answers 401 without a key, with a wrong one and with a revoked one", async () => {
  const shop = await mintShop();
  const made = await operator.post("/v1/api-keys", { shop: shop.id, name: "gone", scopes: ["read", "write"] });
  expect((await operator.delete(`/v1/api-keys/${made.body.id}`)).status).toBe(204);
  expect(operations.length).toBeGreaterThan(20);
  for (const { method, path } of operations) {
    for (const key of [null, "wrong", `ffk_${"A".repeat(43)}`, made.body.key]) {
      const answer = await api(key).request(method, path, method === "GET" ? undefined : {});
      expect([method, path, answer.status]).toEqual([method, path, 401]);
      expect(answer.body.code).toBe("unauthorized");
    }
  }
});

test("401 comes before routing: an unknown path tells nothing", async () => {
  const answer = await api(null).get("/v1/no-such-thing");
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  const shop = await mintShop();
  expect((await shop.full.get("/v1/no-such-thing")).body).toMatchObject({ status: 404, code: "not_found" });
});

test("every documented route answers 403 to a key without its scope", async () => {
  const shop = await mintShop();
  for (const { method, path } of operations) {
    const client = method === "GET" ? shop.writeOnly : shop.readOnly;
    const answer = await client.request(method, path, method === "GET" ? undefined : {});
    expect([method, path, answer.status]).toEqual([method, path, 403]);
  }
});

test("only the operator makes shops and handles keys", async () => {
  const shop = await mintShop();
  expect((await shop.full.post("/v1/shops", { domain: "x.example" })).status).toBe(403);
  expect((await shop.full.get("/v1/shops")).status).toBe(403);
  expect((await shop.full.post("/v1/api-keys", { shop: shop.id, name: "x" })).status).toBe(403);
  expect((await shop.full.get("/v1/api-keys")).status).toBe(403);
  expect((await shop.full.delete("/v1/api-keys/key_1")).status).toBe(403);
});

test("a key reaches its own shop alone", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  expect((await mine.full.get(`/v1/shops/${mine.id}`)).status).toBe(200);
  expect((await mine.full.get(`/v1/shops/${other.id}`)).status).toBe(404);
  expect((await mine.full.get(`/v1/shops/${other.domain}`)).status).toBe(404);
  expect((await mine.full.patch(`/v1/shops/${other.id}`, { name: "taken" })).status).toBe(404);
  expect((await mine.full.get(`/v1/contacts?shop=${other.domain}`)).status).toBe(404);
  expect((await mine.full.get(`/v1/contacts?shop=${mine.domain}`)).status).toBe(200);
  expect((await mine.full.get(`/v1/contacts?shop=${mine.id}`)).status).toBe(200);
});

test("with the operator token a list needs the shop", async () => {
  const shop = await mintShop();
  const without = await operator.get("/v1/contacts");
  expect(without.status).toBe(400);
  expect(without.body).toMatchObject({ code: "validation_failed", errors: [{ pointer: "shop" }] });
  expect((await operator.get(`/v1/contacts?shop=${shop.domain}`)).status).toBe(200);
  expect((await operator.get("/v1/contacts?shop=nobody.example")).status).toBe(404);
});

test("only the hash of a key is stored, and the key works from the moment it is shown", async () => {
  const shop = await mintShop();
  const made = await operator.post("/v1/api-keys", { shop: shop.domain, name: "Zapier", scopes: ["read"] });
  expect(made.body.key).toMatch(/^ffk_[\w-]{43}$/);
  expect((await api(made.body.key).get("/v1/contacts")).status).toBe(200);
  const { results } = await env.DB.prepare("select * from api_keys").all();
  expect(JSON.stringify(results)).not.toContain(made.body.key);
  const listed = await operator.get(`/v1/api-keys?shop=${shop.id}`);
  expect(JSON.stringify(listed.body)).not.toContain(made.body.key);
  expect(listed.body.items).toHaveLength(4);
  expect(listed.body.items[0]).toMatchObject({ id: made.body.id, name: "Zapier", scopes: ["read"] });
});
