import { env, exports } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";

import { rateLimit, takeToken } from "../../src/api/rate-limit";
import { router } from "../../src/api/route";
import { toProblem } from "../../src/errors";
import { mintShop, operator } from "../helpers/api";

afterEach(() => {
  vi.useRealTimers();
});

test("a body that is no JSON, too big, too deep or of another type is refused as such", async () => {
  const shop = await mintShop();
  const post = (body: string, type = "application/json") =>
    shop.full.request("POST", "/v1/contacts", body, { "content-type": type });
  expect((await post("{")).body).toMatchObject({ status: 400, code: "bad_request" });
  expect((await post('{"email":"a@b.example"}', "text/plain")).body).toMatchObject({ status: 415 });
  expect((await post('{"email":"a@b.example"}', "application/x-www-form-urlencoded")).status).toBe(415);
  expect((await post(`{"firstName":"${"x".repeat(1_100_000)}"}`)).body).toMatchObject({
    status: 413,
    code: "too_large",
  });
  expect((await post("[".repeat(100_000) + "]".repeat(100_000))).status).toBe(400);
  expect((await post('{"email":"json@b.example"}', "application/json; charset=utf-8")).status).toBe(201);
});

test("validation names every wrong field by a JSON pointer", async () => {
  const shop = await mintShop();
  const answer = await shop.full.post("/v1/contacts", {
    email: "nobody",
    address: { city: 5 },
    tags: ["ok", ""],
    colour: "red",
  });
  expect(answer.status).toBe(400);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body.code).toBe("validation_failed");
  const pointers = answer.body.errors.map((error: { pointer: string }) => error.pointer);
  expect(pointers).toEqual(expect.arrayContaining(["/email", "/address/city", "/tags/1", ""]));
  expect(answer.body.requestId).toBe(answer.headers.get("x-request-id"));
});

test("a limit over 250 and a foreign cursor are 400", async () => {
  const shop = await mintShop();
  for (const limit of ["251", "0", "-1", "x", "1.5"]) {
    expect((await shop.full.get(`/v1/contacts?limit=${limit}`)).body.code).toBe("validation_failed");
  }
  expect((await shop.full.get("/v1/contacts?limit=250")).status).toBe(200);
  const audit = await shop.full.get("/v1/audit-log?limit=1");
  expect(audit.body.nextCursor).not.toBeNull();
  for (const cursor of ["x", "W10", "%00", audit.body.nextCursor, btoa('["contacts","1"]'), btoa('["contacts",-1]')]) {
    expect((await shop.full.get(`/v1/contacts?cursor=${cursor}`)).body.code).toBe("bad_cursor");
  }
});

test("every answer tells the rate limit of its key", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const shop = await mintShop();
  const first = await shop.full.get("/v1/contacts");
  expect(first.headers.get("ratelimit-policy")).toBe('"default";q=1200;w=60');
  expect(first.headers.get("ratelimit")).toBe('"default";r=1199;t=1');
  const missing = await shop.full.get("/v1/contacts/con_0");
  expect(missing.headers.get("ratelimit")).toBe('"default";r=1198;t=1');
  expect((await shop.readOnly.get("/v1/contacts")).headers.get("ratelimit")).toContain("r=1199");
  expect((await operator.get("/v1/nothing")).headers.get("ratelimit-policy")).toBe('"default";q=6000;w=60');
});

test("a caller over the limit gets 429 with Retry-After until the bucket has a token again; others go on", async () => {
  let now = 1_000_000;
  const app = router();
  app.onError((error) => toProblem(error, "req_1"));
  app.use(async (c, next) => {
    c.set("now", now);
    c.set("actor", { kind: "key", id: c.req.header("caller") ?? "", shop: 1, scopes: ["read"] });
    await next();
  });
  app.use(rateLimit({ key: 3, operator: 3 }));
  app.get("/", (c) => c.text("ok"));
  const call = async (caller: string) => app.request("/", { headers: { caller } });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await call("one")).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  const refused = await call("one");
  expect(await refused.json()).toMatchObject({ status: 429, code: "rate_limited" });
  const wait = Number(refused.headers.get("retry-after"));
  expect(refused.headers.get("ratelimit")).toBe('"default";r=0;t=60');
  expect((await call("two")).status).toBe(200);
  now += wait * 1_000 - 1;
  expect((await call("one")).status).toBe(429);
  now += 1;
  expect((await call("one")).status).toBe(200);
});

test.each([
  [undefined, 0, 9, true],
  [{ tokens: 0.5, at: 0 }, 0, 0.5, false],
  [{ tokens: 0, at: 0 }, 6_000, 0, true],
  [{ tokens: 0, at: 0 }, 3_600_000, 9, true],
  [{ tokens: 5, at: 1_000 }, 0, 4, true],
])("bucket %j at %i leaves %f", (bucket, now, tokens, allowed) => {
  const taken = takeToken(bucket, 10, now);
  expect(taken.allowed).toBe(allowed);
  expect(taken.bucket.tokens).toBeCloseTo(tokens);
});

test("the audit log tells who changed which fields, without values", async () => {
  const shop = await mintShop();
  const made = await shop.full.post("/v1/contacts", { email: "log@b.example", firstName: "Hidden" });
  await operator.patch(`/v1/contacts/${made.body.id}`, { firstName: "Secret", address: { city: "Rome" } });
  const log = await shop.full.get(`/v1/audit-log?subjectId=${made.body.id}`);
  expect(log.body.items).toMatchObject([
    { actor: "operator", action: "contact.updated", fields: ["firstName", "address.city"] },
    { actor: expect.stringMatching(/^key_/), action: "contact.created", fields: ["email", "firstName"] },
  ]);
  expect(JSON.stringify(log.body)).not.toMatch(/Secret|Hidden|log@b/);
  const other = await mintShop();
  expect((await other.full.get(`/v1/audit-log?subjectId=${made.body.id}`)).body.items).toEqual([]);
});

test("a fault of ours is a bare 500", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await mintShop();
  await env.DB.prepare("alter table audit_log rename to audit_log_gone").run();
  try {
    const response = await exports.default.fetch("https://footfall.test/v1/audit-log?shop=nobody", {
      headers: { authorization: `Bearer ${env.OPERATOR_TOKEN}` },
    });
    expect(response.status).toBe(404);
    const made = await exports.default.fetch("https://footfall.test/v1/shops", {
      method: "POST",
      body: '{"domain":"boom.example"}',
      headers: { authorization: `Bearer ${env.OPERATOR_TOKEN}`, "content-type": "application/json" },
    });
    expect(made.status).toBe(500);
    const text = await made.text();
    expect(JSON.parse(text)).toEqual({
      type: "/docs#error-internal",
      title: expect.any(String),
      detail: expect.any(String),
      status: 500,
      code: "internal",
      requestId: made.headers.get("x-request-id"),
    });
    expect(text.replace(/req_\w+/, "")).not.toMatch(/audit_log|SQL|D1/i);
    expect(log).toHaveBeenCalled();
  } finally {
    await env.DB.prepare("alter table audit_log_gone rename to audit_log").run();
    log.mockRestore();
  }
});

test("the documentation is one page that loads nothing from elsewhere", async () => {
  const response = await exports.default.fetch("https://footfall.test/docs");
  expect(response.status).toBe(200);
  const html = await response.text();
  expect(html).toContain("/v1/contacts/{id}/merge");
  expect(html).toContain('id="error-duplicate_contact"');
  expect(html).not.toMatch(/<script|https?:\/\/(?!shop\.example|hooks\.acme\.example|json-schema)/);
});
