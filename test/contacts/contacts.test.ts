import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { mintShop } from "../helpers/api";

const unicode = {
  email: "  Zoë.Müller+News@EXAMPLE.com ",
  phone: "+49 30 1234567",
  firstName: "Zoë 🧶",
  lastName: "Müller-Łukasz",
  company: "株式会社",
  address: {
    line1: "Straße des 17. Juni 1",
    line2: null,
    city: "Kraków",
    province: "Małopolskie",
    country: "Poland",
    zip: "00-001",
  },
};

test("C23: the ten standard fields come back as they were sent, unicode and null included", async () => {
  const shop = await mintShop();
  const made = await shop.full.post("/v1/contacts", unicode);
  expect(made.status).toBe(201);
  const shown = await shop.full.get(`/v1/contacts/${made.body.id}`);
  expect(shown.body).toEqual(made.body);
  expect(shown.body).toEqual({
    id: expect.stringMatching(/^con_/),
    externalId: null,
    email: "zoë.müller+news@example.com",
    phone: "+49301234567",
    firstName: "Zoë 🧶",
    lastName: "Müller-Łukasz",
    company: "株式会社",
    address: { ...unicode.address, line2: null },
    shopifyCustomerId: null,
    source: "API",
    tags: [],
    lifecycle: { stage: "lead", status: null },
    consents: {
      email: { state: "not_subscribed", level: null, basis: null, source: null, updatedAt: null },
      sms: { state: "subscribed", level: null, basis: "phone_default", source: null, updatedAt: expect.any(String) },
      whatsapp: {
        state: "subscribed",
        level: null,
        basis: "phone_default",
        source: null,
        updatedAt: expect.any(String),
      },
    },
    fields: { total_order_count: 0 },
    score: 0,
    ordersCount: 0,
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    updatedAt: made.body.createdAt,
    shopifyCreatedAt: null,
    shopifyUpdatedAt: null,
  });
  const bare = await shop.full.post("/v1/contacts", { email: "bare@b.example", firstName: null, address: null });
  expect(bare.body).toMatchObject({
    firstName: null,
    lastName: null,
    phone: null,
    address: { line1: null, line2: null, city: null, province: null, country: null, zip: null },
  });
});

test("PATCH: absent keys stay, null clears, fields merge", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", {
    ...unicode,
    tags: ["VIP", "Berlin"],
    fields: { size: "M", likes: ["a", "b"], age: 40, club: true },
    score: 5,
  });
  const patched = await shop.full.patch(`/v1/contacts/${body.id}`, {
    lastName: null,
    company: "",
    address: { zip: null, city: "Gdańsk" },
    fields: { size: null, age: 41, total_order_count: 99 },
    tags: ["vip", "New"],
    lifecycle: { stage: "customer" },
    consents: { email: { state: "subscribed", level: "confirmed_opt_in" } },
  });
  expect(patched.body).toMatchObject({
    email: "zoë.müller+news@example.com",
    firstName: "Zoë 🧶",
    lastName: null,
    company: null,
    address: { line1: "Straße des 17. Juni 1", city: "Gdańsk", zip: null, country: "Poland" },
    tags: ["New", "VIP"],
    lifecycle: { stage: "customer", status: "disabled" },
    score: 5,
  });
  expect(patched.body.fields).toEqual({ likes: ["a", "b"], age: 41, club: true, total_order_count: 0 });
  expect(patched.body.consents.email).toMatchObject({ state: "subscribed", level: "confirmed_opt_in", basis: "api" });
  const history = await shop.full.get(`/v1/contacts/${body.id}/lifecycle`);
  expect(history.body.items.map((entry: { stage: string }) => entry.stage)).toEqual(["customer", "lead"]);

  const cleared = await shop.full.patch(`/v1/contacts/${body.id}`, { phone: null, address: null });
  expect(cleared.body.phone).toBeNull();
  expect(cleared.body.address.city).toBeNull();
  expect(cleared.body.consents.sms).toMatchObject({ state: "not_subscribed", basis: null });
  const last = await shop.full.patch(`/v1/contacts/${body.id}`, { email: null });
  expect(last.body).toMatchObject({ status: 422, code: "unprocessable" });
  expect((await shop.full.patch(`/v1/contacts/${body.id}`, {})).body).toEqual(cleared.body);
});

test("a changed address finds the contact, the old one no longer does", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "old@b.example", externalId: "erp-1" });
  await shop.full.patch(`/v1/contacts/${body.id}`, { email: "NEW@b.example" });
  expect((await shop.full.get("/v1/contacts?email=new@B.example")).body.items).toHaveLength(1);
  expect((await shop.full.get("/v1/contacts?email=old@b.example")).body.items).toHaveLength(0);
  expect((await shop.full.post("/v1/contacts", { email: "old@b.example" })).status).toBe(201);
  expect((await shop.full.get("/v1/contacts?externalId=erp-1")).body.items).toMatchObject([{ id: body.id }]);
});

test("C8: lookup by Shopify customer id", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", {
    shopifyCustomerId: "gid://shopify/Customer/9007199254740993",
  });
  expect(body.shopifyCustomerId).toBe("9007199254740993");
  const found = await shop.full.get("/v1/contacts?shopifyCustomerId=9007199254740993");
  expect(found.body.items).toMatchObject([{ id: body.id }]);
  expect((await shop.full.get("/v1/contacts?shopifyCustomerId=9007199254740992")).body.items).toEqual([]);
});

test("a contact with a customer id is a customer with one status, unless another stage is named", async () => {
  const shop = await mintShop();
  const made = await shop.full.post("/v1/contacts", { shopifyCustomerId: "1" });
  expect(made.body.lifecycle).toEqual({ stage: "customer", status: "disabled" });
  const named = await shop.full.post("/v1/contacts", { shopifyCustomerId: "2", lifecycle: { stage: "qualified" } });
  expect(named.body.lifecycle).toEqual({ stage: "qualified", status: null });
  const lead = await shop.full.post("/v1/contacts", { email: "lead@b.example" });
  expect(lead.body.lifecycle).toEqual({ stage: "lead", status: null });
  const became = await shop.full.patch(`/v1/contacts/${lead.body.id}`, { shopifyCustomerId: "3" });
  expect(became.body.lifecycle).toEqual({ stage: "customer", status: "disabled" });
  const history = await shop.full.get(`/v1/contacts/${lead.body.id}/lifecycle`);
  expect(history.body.items).toMatchObject([{ stage: "customer" }, { stage: "lead" }]);
});

test("a phone number is kept as E.164, national ones by their country, others refused", async () => {
  const shop = await mintShop();
  const german = await shop.full.post("/v1/contacts", { phone: "030 1234567", address: { country: "de" } });
  expect(german.body.phone).toBe("+49301234567");
  expect((await shop.full.get("/v1/contacts?phone=%2B49%2030%201234567")).body.items).toMatchObject([
    { id: german.body.id },
  ]);
  const nowhere = await shop.full.post("/v1/contacts", { phone: "030 1234567" });
  expect(nowhere.body).toMatchObject({ code: "validation_failed", errors: [{ pointer: "/phone" }] });
});

test("C14: a phone number means subscribed by default only where the shop says so, and never over a decision", async () => {
  const off = await mintShop({ phoneImpliesSubscribed: false });
  const silent = await off.full.post("/v1/contacts", { phone: "+493011111111" });
  expect(silent.body.consents.sms.state).toBe("not_subscribed");
  const on = await mintShop();
  const refused = await on.full.post("/v1/contacts", {
    phone: "+493011111111",
    consents: { sms: { state: "unsubscribed" } },
  });
  expect(refused.body.consents.sms).toMatchObject({ state: "unsubscribed", basis: "api" });
  expect(refused.body.consents.whatsapp).toMatchObject({ state: "subscribed", basis: "phone_default" });
  await on.full.patch(`/v1/contacts/${refused.body.id}`, { phone: "+493022222222" });
  const after = await on.full.get(`/v1/contacts/${refused.body.id}`);
  expect(after.body.consents.sms.state).toBe("unsubscribed");
});

test("a contact needs something that tells it apart, and a status needs the stage customer", async () => {
  const shop = await mintShop();
  expect((await shop.full.post("/v1/contacts", { firstName: "Nobody" })).status).toBe(400);
  const wrong = await shop.full.post("/v1/contacts", {
    email: "s@b.example",
    lifecycle: { stage: "lead", status: "paying" },
  });
  expect(wrong.body).toMatchObject({ code: "validation_failed", errors: [{ pointer: "/lifecycle/status" }] });
});

test("the trash: hidden, identities kept, everything back on restore, erased after its time", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "trash@b.example", tags: ["x"], externalId: "t-1" });
  const path = `/v1/contacts/${body.id}`;
  expect((await shop.full.delete(path)).status).toBe(204);
  expect((await shop.full.get(path)).status).toBe(404);
  expect((await shop.full.patch(path, { firstName: "x" })).status).toBe(404);
  expect((await shop.full.delete(path)).status).toBe(404);
  expect((await shop.full.get("/v1/contacts")).body.items).toEqual([]);
  expect((await shop.full.get("/v1/contacts?q=trash")).body.items).toEqual([]);
  expect((await shop.full.get("/v1/contacts?tag=x")).body.items).toEqual([]);
  expect((await shop.full.get("/v1/contacts?deleted=true")).body.items).toMatchObject([{ id: body.id }]);
  const taken = await shop.full.post("/v1/contacts", { email: "TRASH@b.example" });
  expect(taken.body).toMatchObject({ status: 409, code: "duplicate_contact", contactId: body.id });

  const back = await shop.full.post(`${path}/restore`);
  expect(back.body).toEqual({ ...body, updatedAt: back.body.updatedAt });
  expect((await shop.full.post(`${path}/restore`)).status).toBe(404);
});

test("tags are added and removed without regard to case", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "tag@b.example", tags: ["VIP"] });
  const path = `/v1/contacts/${body.id}/tags`;
  expect((await shop.full.post(path, { tags: ["vip", "Über"] })).body.tags).toEqual(["Über", "VIP"]);
  expect((await shop.full.get("/v1/contacts?tag=%C3%BCBER")).body.items).toHaveLength(1);
  const removed = await shop.full.request("DELETE", path, { tags: ["ÜBER", "none"] });
  expect(removed.body.tags).toEqual(["VIP"]);
  expect((await shop.full.get("/v1/contacts?tag=über")).body.items).toHaveLength(0);
});

test("another shop's contact is 404 on every route, and nothing about it changes", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  const { body } = await other.full.post("/v1/contacts", { email: "private@b.example" });
  const own = await mine.full.post("/v1/contacts", { email: "mine@b.example" });
  const path = `/v1/contacts/${body.id}`;
  const attempts: [string, string, unknown?][] = [
    ["GET", path],
    ["PATCH", path, { firstName: "taken" }],
    ["DELETE", path],
    ["POST", `${path}/restore`],
    ["POST", `${path}/merge`, { from: own.body.id }],
    ["POST", `/v1/contacts/${own.body.id}/merge`, { from: body.id }],
    ["POST", `${path}/erase`],
    ["POST", `${path}/export`],
    ["POST", `${path}/link-token`],
    ["POST", `${path}/tags`, { tags: ["x"] }],
    ["DELETE", `${path}/tags`, { tags: ["x"] }],
    ["GET", `${path}/pages`],
    ["GET", `${path}/links`],
    ["DELETE", `${path}/links/clm_1`],
    ["GET", `${path}/lifecycle`],
  ];
  for (const [method, where, input] of attempts) {
    const answer = await mine.full.request(method, where, input);
    expect([method, where, answer.status]).toEqual([method, where, 404]);
  }
  const bulk = await mine.full.post("/v1/contacts/bulk", { filter: { ids: [body.id] }, action: { type: "delete" } });
  expect(bulk.body).toMatchObject({ matched: 0, changed: 0 });
  expect((await other.full.get(path)).body).toEqual(body);
});

test("D1: one GET with include holds everything about a person", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "all@b.example" });
  const all = await shop.full.get(`/v1/contacts/${body.id}?include=orders,carts,events,conversations,notes`);
  expect(all.body).toMatchObject({
    email: "all@b.example",
    consents: { email: {} },
    orders: [],
    carts: [],
    conversations: [],
    notes: [],
  });
  expect(Array.isArray(all.body.events)).toBe(true);
  expect((await shop.full.get(`/v1/contacts/${body.id}?include=secrets`)).status).toBe(400);
  expect((await shop.full.get(`/v1/contacts/${body.id}`)).body).not.toHaveProperty("orders");
});

test("a new contact leaves one event and one audit row in the batch of its creation", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "event@b.example" });
  const audit = await shop.full.get(`/v1/audit-log?subjectId=${body.id}`);
  expect(audit.body.items).toHaveLength(1);
  const history = await env.DB.prepare(
    "select count(*) as n from lifecycle_history where contact = (select key from contacts where id = ?)",
  )
    .bind(body.id)
    .first("n");
  expect(history).toBe(1);
});
