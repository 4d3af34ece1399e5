import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { mergeContactsStatements } from "../../src/contacts/merge";
import { type MintedShop, mintShop } from "../helpers/api";
import { newEventId, newVisitor, send } from "../helpers/beacon";
import { insert, seedCart, seedOrder } from "../helpers/seed";

const OPEN = { consentMode: "opt_out", flushSeconds: 0 };

async function keyOf(id: string): Promise<number> {
  return (await env.DB.prepare("select key from contacts where id = ?").bind(id).first<number>("key")) ?? 0;
}

async function countOf(table: string, contact: number): Promise<number> {
  return (
    (await env.DB.prepare(`select count(*) as n from ${table} where contact = ?`).bind(contact).first<number>("n")) ?? 0
  );
}

async function dump(): Promise<string> {
  const tables = [
    "contacts",
    "identities",
    "contact_tags",
    "consents",
    "visitors",
    "carts",
    "orders",
    "lifecycle_history",
  ];
  const rows = await env.DB.batch(
    [...tables, "claims", "contact_aliases", "outbox"].map((table) =>
      env.DB.prepare(`select * from ${table} order by 1, 2, 3`),
    ),
  );
  return JSON.stringify(rows.map(({ results }) => results));
}

/** Two people who turn out to be one: the loser has one of everything that can hang on a contact. */
async function twoContacts(shop: MintedShop) {
  const winner = await shop.full.post("/v1/contacts", {
    email: "winner@b.example",
    firstName: "Wi",
    tags: ["vip"],
    fields: { size: "M" },
    score: 2,
    address: { city: "Rome" },
    consents: { email: { state: "subscribed" } },
  });
  const visitor = newVisitor();
  await send(shop.domain, visitor, [{ type: "page_viewed", url: "https://shop.example/a" }]);
  await send(shop.domain, visitor, [{ id: newEventId(), type: "identified", data: { email: "loser@b.example" } }]);
  await expect.poll(async () => (await shop.full.get("/v1/contacts?email=loser@b.example")).body.items.length).toBe(1);
  const loser = (await shop.full.get("/v1/contacts?email=loser@b.example")).body.items[0];
  await shop.full.patch(`/v1/contacts/${loser.id}`, {
    phone: "+493011111111",
    firstName: "Lo",
    lastName: "Ser",
    shopifyCustomerId: "123456789",
    externalId: "erp-9",
    tags: ["vip", "sale"],
    fields: { size: "L", colour: "red" },
    score: 3,
    address: { city: "Oslo", zip: "0150" },
    consents: { email: { state: "unsubscribed" } },
    lifecycle: { stage: "subscriber" },
  });
  const key = await keyOf(loser.id);
  await seedOrder(shop.key, { contact: key, total: 500, cart_token: "tok-9" });
  await seedCart(shop.key, { contact: key, token: "tok-9" });
  return { winner: winner.body, loser, visitor, keys: { winner: await keyOf(winner.body.id), loser: key } };
}

test("D11: a merge moves every one of contact details, purchase history, carts, visits, tags, consents and history", async () => {
  const shop = await mintShop(OPEN);
  const { winner, loser, visitor, keys } = await twoContacts(shop);
  for (const table of [
    "identities",
    "contact_tags",
    "consents",
    "visitors",
    "carts",
    "orders",
    "lifecycle_history",
    "claims",
  ]) {
    expect([table, await countOf(table, keys.loser)]).not.toEqual([table, 0]);
  }
  await insert("outbox", {
    shop: shop.key,
    type: "order_placed",
    subject: `contact:${keys.loser}`,
    natural_key: "waiting",
    at: 1,
    next_attempt_at: Date.now() + 86_400_000,
  });
  const before = Object.fromEntries(
    await Promise.all(
      ["identities", "visitors", "carts", "orders", "claims"].map(
        async (table) => [table, (await countOf(table, keys.loser)) + (await countOf(table, keys.winner))] as const,
      ),
    ),
  );

  const merged = await shop.full.post(`/v1/contacts/${winner.id}/merge`, { from: loser.id });
  expect(merged.status).toBe(200);
  expect(merged.body).toMatchObject({
    id: winner.id,
    email: "winner@b.example",
    phone: "+493011111111",
    firstName: "Wi",
    lastName: "Ser",
    shopifyCustomerId: "123456789",
    externalId: "erp-9",
    address: { city: "Rome", zip: null },
    tags: ["sale", "vip"],
    fields: { size: "M", colour: "red", total_order_count: 1 },
    score: 5,
    lifecycle: { stage: "customer", status: "paying" },
    consents: {
      email: { state: "unsubscribed", basis: "merge" },
      sms: { state: "subscribed", basis: "phone_default" },
    },
  });
  for (const [table, count] of Object.entries(before)) {
    expect([table, await countOf(table, keys.winner)]).toEqual([table, count]);
  }
  for (const table of [
    "contacts",
    "identities",
    "contact_tags",
    "consents",
    "visitors",
    "carts",
    "orders",
    "lifecycle_history",
    "claims",
  ]) {
    const column = table === "contacts" ? "key" : "contact";
    const left = await env.DB.prepare(`select count(*) as n from ${table} where ${column} = ?`)
      .bind(keys.loser)
      .first("n");
    expect([table, left]).toEqual([table, 0]);
  }
  const waiting = await env.DB.prepare("select subject from outbox where natural_key = 'waiting'").first("subject");
  expect(waiting).toBe(`contact:${keys.winner}`);
  expect((await shop.full.get("/v1/contacts?email=loser@b.example")).body.items).toMatchObject([{ id: winner.id }]);
  expect((await shop.full.get(`/v1/visitors?contactId=${winner.id}`)).body.items).toMatchObject([{ id: visitor }]);
  const all = await shop.full.get(`/v1/contacts/${winner.id}?include=orders,carts,events`);
  expect(all.body.orders).toHaveLength(1);
  expect(all.body.carts).toHaveLength(1);
  expect(all.body.events.map((event: { type: string }) => event.type)).toContain("page_viewed");

  const audit = await shop.full.get(`/v1/audit-log?subjectId=${winner.id}`);
  expect(audit.body.items[0]).toMatchObject({ action: "contact.merged", fields: [loser.id] });
});

test("D11: the loser's id is an alias: 308 on GET with path and query kept, 409 with survivorId otherwise", async () => {
  const shop = await mintShop(OPEN);
  const { winner, loser } = await twoContacts(shop);
  await shop.full.post(`/v1/contacts/${winner.id}/merge`, { from: loser.id });

  const moved = await shop.full.get(`/v1/contacts/${loser.id}?include=orders`);
  expect(moved.status).toBe(308);
  expect(moved.headers.get("location")).toBe(`/v1/contacts/${winner.id}?include=orders`);
  expect((await shop.full.get(`/v1/contacts/${loser.id}/pages`)).headers.get("location")).toBe(
    `/v1/contacts/${winner.id}/pages`,
  );
  const attempts = [
    await shop.full.patch(`/v1/contacts/${loser.id}`, { firstName: "x" }),
    await shop.full.delete(`/v1/contacts/${loser.id}`),
    await shop.full.post(`/v1/contacts/${loser.id}/link-token`, {}),
  ];
  for (const attempt of attempts) {
    expect(attempt.body).toMatchObject({ status: 409, code: "contact_merged", survivorId: winner.id });
  }
  const other = await mintShop();
  expect((await other.full.get(`/v1/contacts/${loser.id}`)).status).toBe(404);

  const third = await shop.full.post("/v1/contacts", { email: "third@b.example" });
  await shop.full.post(`/v1/contacts/${third.body.id}/merge`, { from: winner.id });
  const chain = await shop.full.get(`/v1/contacts/${loser.id}`);
  expect(chain.headers.get("location")).toBe(`/v1/contacts/${third.body.id}`);
});

test("a merge again changes nothing, with itself is 409, with nobody 404", async () => {
  const shop = await mintShop(OPEN);
  const { winner, loser, keys } = await twoContacts(shop);
  const path = `/v1/contacts/${winner.id}/merge`;
  expect((await shop.full.post(path, { from: winner.id })).body).toMatchObject({ status: 409, code: "conflict" });
  expect((await shop.full.post(path, { from: "con_nobody" })).status).toBe(404);
  const once = await shop.full.post(path, { from: loser.id });
  const rows = await dump();
  const again = await shop.full.post(path, { from: loser.id });
  expect(again.body).toEqual(once.body);
  await env.DB.batch(
    mergeContactsStatements(
      env.DB,
      shop.key,
      { key: keys.winner, id: winner.id },
      { key: keys.loser, id: loser.id },
      Date.now(),
    ),
  );
  expect(await dump()).toBe(rows);
});

test("simultaneous merges in both directions leave one contact with everything", async () => {
  const shop = await mintShop(OPEN);
  const { winner, loser } = await twoContacts(shop);
  const answers = await Promise.all([
    shop.full.post(`/v1/contacts/${winner.id}/merge`, { from: loser.id }),
    shop.full.post(`/v1/contacts/${loser.id}/merge`, { from: winner.id }),
  ]);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
  const left = (await shop.full.get("/v1/contacts")).body.items;
  expect(left).toHaveLength(1);
  expect((await shop.full.get("/v1/contacts?email=winner@b.example")).body.items).toEqual(left);
  expect((await shop.full.get("/v1/contacts?email=loser@b.example")).body.items).toEqual(left);
});

const TIMES = { early: 1_000, late: 2_000 };
test.each([
  ["an opt-out beats a later opt-in", ["unsubscribed", TIMES.early], ["subscribed", TIMES.late], "unsubscribed"],
  ["an opt-in does not beat an opt-out", ["subscribed", TIMES.late], ["unsubscribed", TIMES.early], "unsubscribed"],
  ["a bounce beats an opt-in", ["subscribed", TIMES.late], ["invalid", null], "invalid"],
  ["a decision beats a default", ["not_subscribed", null], ["subscribed", TIMES.early], "subscribed"],
  ["a default does not beat a decision", ["subscribed", TIMES.early], ["not_subscribed", null], "subscribed"],
  ["a decided no beats a decided yes", ["subscribed", TIMES.late], ["not_subscribed", TIMES.early], "not_subscribed"],
  ["pending beats subscribed", ["subscribed", TIMES.early], ["pending", TIMES.early], "pending"],
  ["a gap is filled", null, ["subscribed", TIMES.early], "subscribed"],
] as const)("the strictest consent wins: %s", async (_, winners, losers, expected) => {
  const shop = await mintShop();
  const make = async (email: string, consent: readonly [string, number | null] | null) => {
    const { body } = await shop.full.post("/v1/contacts", { email });
    if (consent) {
      await env.DB.prepare(
        "insert into consents (contact, channel, shop, state, level, basis, decided_at, updated_at) values (?, 'email', ?, ?, null, 'shopify', ?, 1)",
      )
        .bind(await keyOf(body.id), shop.key, ...consent)
        .run();
    }
    return body.id;
  };
  const [winner, loser] = [await make("a@b.example", winners), await make("b@b.example", losers)];
  const merged = await shop.full.post(`/v1/contacts/${winner}/merge`, { from: loser });
  expect(merged.body.consents.email.state).toBe(expected);
});
