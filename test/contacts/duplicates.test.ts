import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { mintShop } from "../helpers/api";

test("A7: two creates with the same e-mail in different case and space: one contact, 409 naming its id", async () => {
  const shop = await mintShop();
  const first = await shop.full.post("/v1/contacts", { email: "Anna@Example.com" });
  const second = await shop.full.post("/v1/contacts", { email: "  aNNa@eXample.COM  " });
  expect(first.status).toBe(201);
  expect(second.body).toMatchObject({ status: 409, code: "duplicate_contact", contactId: first.body.id });
  expect((await shop.full.get("/v1/contacts")).body.items).toHaveLength(1);
});

test("A7: the same for phone, Shopify customer id and external id, and by PATCH", async () => {
  const shop = await mintShop();
  const first = await shop.full.post("/v1/contacts", {
    phone: "+49301234567",
    shopifyCustomerId: "77",
    externalId: "erp-1",
  });
  for (const input of [{ phone: "+49 (30) 123 45-67" }, { shopifyCustomerId: "77" }, { externalId: "erp-1" }]) {
    const again = await shop.full.post("/v1/contacts", { email: "else@b.example", ...input });
    expect(again.body).toMatchObject({ status: 409, contactId: first.body.id });
  }
  const second = await shop.full.post("/v1/contacts", { email: "else@b.example" });
  const patched = await shop.full.patch(`/v1/contacts/${second.body.id}`, { phone: "+49301234567" });
  expect(patched.body).toMatchObject({ code: "duplicate_contact", contactId: first.body.id });
  const own = await shop.full.patch(`/v1/contacts/${first.body.id}`, { phone: "+49301234567" });
  expect(own.status).toBe(200);
});

test("A7: of twenty simultaneous POSTs with one e-mail exactly one is created", async () => {
  const shop = await mintShop();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      shop.full.post("/v1/contacts", { email: i % 2 ? "Race@b.example" : "race@B.example" }),
    ),
  );
  const made = answers.filter(({ status }) => status === 201);
  expect(made).toHaveLength(1);
  for (const { status, body } of answers) {
    if (status !== 201) expect(body).toMatchObject({ status: 409, contactId: made[0]?.body.id });
  }
  const rows = await env.DB.prepare("select count(*) as n from contacts where shop = ?").bind(shop.key).first("n");
  expect(rows).toBe(1);
});

test("twenty simultaneous POSTs of different people are all created", async () => {
  const shop = await mintShop();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => shop.full.post("/v1/contacts", { email: `person-${i}@b.example` })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 201));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(20);
});

test("two simultaneous PATCHes of one e-mail leave one identity behind", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "start@b.example" });
  await Promise.all([
    shop.full.patch(`/v1/contacts/${body.id}`, { email: "left@b.example" }),
    shop.full.patch(`/v1/contacts/${body.id}`, { email: "right@b.example" }),
  ]);
  const { results } = await env.DB.prepare("select value from identities where shop = ?").bind(shop.key).all();
  const shown = await shop.full.get(`/v1/contacts/${body.id}`);
  expect(results).toEqual([{ value: shown.body.email }]);
});

test("the same person in two shops is two contacts", async () => {
  const [one, two] = [await mintShop(), await mintShop()];
  expect((await one.full.post("/v1/contacts", { email: "both@b.example" })).status).toBe(201);
  expect((await two.full.post("/v1/contacts", { email: "both@b.example" })).status).toBe(201);
});
