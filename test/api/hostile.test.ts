import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { mintShop } from "../helpers/api";

const STRINGS = [
  "' or 1=1; drop table contacts; --",
  '"); delete from contacts; --',
  '=HYPERLINK("http://evil.example","x")',
  "+cmd|' /C calc'!A0",
  "@SUM(1+1)*cmd",
  "<script>alert(1)</script>",
  "{{ 7*7 }}${7*7}",
  "../../etc/passwd",
  "%00%0d%0aSet-Cookie: x=1",
  "\u202Egnp.exe",
  "ﷺ".repeat(50),
  "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳",
];

test("strings that mean something elsewhere are text here, and come back as they were", async () => {
  const shop = await mintShop();
  for (const [i, text] of STRINGS.entries()) {
    const made = await shop.full.post("/v1/contacts", {
      email: `s${i}@b.example`,
      firstName: text,
      tags: [text],
      fields: { note: text },
      address: { line1: text },
    });
    expect(made.status).toBe(201);
    const shown = await shop.full.get(`/v1/contacts/${made.body.id}`);
    expect(shown.body).toMatchObject({
      firstName: text,
      tags: [text],
      fields: { note: text },
      address: { line1: text },
    });
    for (const parameter of ["q", "tag", "email", "phone", "shopifyCustomerId", "externalId", "stage"]) {
      const { status, body } = await shop.full.get(`/v1/contacts?${parameter}=${encodeURIComponent(text)}`);
      expect([200, 400]).toContain(status);
      if (parameter === "tag") expect(body.items).toHaveLength(1);
    }
    expect((await shop.full.get(`/v1/contacts/${encodeURIComponent(text)}`)).status).toBe(404);
  }
  expect((await shop.full.get("/v1/contacts")).body.items).toHaveLength(STRINGS.length);
}, 30_000);

const VALUES: unknown[] = [
  null, true, 0, -1, 1e308, 2 ** 53 + 2, "", " ", "x".repeat(100_000), "\u0000", "\uD800", [], [null], [[]], {},
  { "": 1 }, { $ref: "#" }, { toString: 1 }, JSON.parse('{"__proto__":{"admin":true},"constructor":1}'), { email: { $ne: 1 } },
]; // prettier-ignore

const CONTACT = [
  "email", "phone", "firstName", "address", "shopifyCustomerId", "externalId", "tags", "lifecycle", "consents", "fields",
  "score",
]; // prettier-ignore

test("valid JSON with one wrong field never gives a 5xx and changes nothing else", async () => {
  const shop = await mintShop();
  const { body } = await shop.full.post("/v1/contacts", { email: "target@b.example", firstName: "Target" });
  const bystander = await shop.full.post("/v1/contacts", { email: "bystander@b.example", phone: "+493011111111" });
  const routes: [string, string, string[], Record<string, unknown>][] = [
    ["POST", "/v1/contacts", [...CONTACT, "shop", "source", "id", "__proto__"], { email: "target@b.example" }],
    ["PATCH", `/v1/contacts/${body.id}`, [...CONTACT, "__proto__"], {}],
    ["POST", `/v1/contacts/${body.id}/merge`, ["from"], {}],
    ["POST", `/v1/contacts/${body.id}/tags`, ["tags"], {}],
    [
      "POST",
      "/v1/contacts/bulk",
      ["filter", "action"],
      { filter: { email: "no@b.example" }, action: { type: "delete" } },
    ],
    ["PATCH", `/v1/shops/${shop.id}`, ["domain", "currency", "timezone", "origins", "settings"], {}],
  ];
  let tried = 0;
  for (const [method, path, fields, base] of routes) {
    for (const field of fields) {
      for (const value of VALUES) {
        const input = `{${[...Object.entries(base).filter(([key]) => key !== field), [field, value] as const]
          .map(([key, entry]) => `${JSON.stringify(key)}:${JSON.stringify(entry)}`)
          .join(",")}}`;
        const { status } = await shop.full.request(method, path, input);
        expect([200, 400, 404, 409, 415, 422]).toContain(status);
        tried++;
      }
    }
  }
  for (const whole of [null, 1, "x", [], [[]], true]) {
    for (const [method, path] of routes) {
      expect((await shop.full.request(method, path, JSON.stringify(whole))).status).toBe(400);
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(600);
  expect((await shop.full.get(`/v1/contacts/${bystander.body.id}`)).body).toEqual(bystander.body);
  const rows = await env.DB.prepare("select count(*) as n from contacts where shop = ?").bind(shop.key).first("n");
  expect(rows).toBe(2);
}, 120_000);
