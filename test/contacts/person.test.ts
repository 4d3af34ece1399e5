import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import { purgeTrash } from "../../src/contacts/jobs";
import { continueLongJobs } from "../../src/jobs/long";
import { getShopOrThrow } from "../../src/shops";
import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, send } from "../helpers/beacon";
import { insert, seedCart, seedContact, seedOrder } from "../helpers/seed";

const OPEN = { consentMode: "opt_out", flushSeconds: 0 };
const URL_OF = (page: string) => `https://shop.example/${page}`;

/** A contact whose browser was seen before and after it claimed the address. */
async function visited(shop: MintedShop, email: string) {
  const visitor = newVisitor();
  const at = Date.now() - 60_000;
  await send(shop.domain, visitor, [
    { type: "page_viewed", at, url: URL_OF("a"), title: "A" },
    { type: "page_viewed", at: at + 1_000, url: URL_OF("b"), title: "B" },
    { type: "page_viewed", at: at + 2_000, url: URL_OF("a"), title: "A" },
    { type: "identified", at: at + 3_000, data: { email } },
  ]);
  return vi.waitFor(async () => {
    const { body } = await shop.full.get(`/v1/contacts?email=${email}`);
    expect(body.items).toHaveLength(1);
    const linked = await shop.full.get(`/v1/visitors?contactId=${body.items[0].id}`);
    expect(linked.body.items).toHaveLength(1);
    return { contact: body.items[0], visitor, at };
  });
}

async function keyOf(id: string): Promise<number> {
  return (await env.DB.prepare("select key from contacts where id = ?").bind(id).first<number>("key")) ?? 0;
}

/** Every row of every table, as one text. */
async function everything(): Promise<string> {
  const { results } = await env.DB.prepare(
    `select name from sqlite_schema where type = 'table' and name not like 'sqlite%' and name not like '\\_%' escape '\\'
       and name not like 'd1\\_%' escape '\\'`,
  ).all<{ name: string }>();
  const rows = await env.DB.batch(results.map(({ name }) => env.DB.prepare(`select * from "${name}"`)));
  return JSON.stringify(
    rows.map(({ results: table }, i) => [results[i]?.name, table]),
    (_, value: unknown) =>
      Array.isArray(value) && value.length > 0 && value.every((byte) => typeof byte === "number")
        ? String.fromCharCode(...value)
        : value,
  );
}

test("E22, B6: the pages that a contact saw, with counts and the last visit", async () => {
  const shop = await mintShop(OPEN);
  const { contact, at } = await visited(shop, "pages@b.example");
  const pages = await shop.full.get(`/v1/contacts/${contact.id}/pages`);
  expect(pages.body.items).toEqual([
    {
      url: URL_OF("a"),
      title: "A",
      views: 2,
      firstVisitAt: new Date(at).toISOString(),
      lastVisitAt: new Date(at + 2_000).toISOString(),
    },
    {
      url: URL_OF("b"),
      title: "B",
      views: 1,
      firstVisitAt: expect.any(String),
      lastVisitAt: new Date(at + 1_000).toISOString(),
    },
  ]);
  const first = await shop.full.get(`/v1/contacts/${contact.id}/pages?limit=1`);
  const second = await shop.full.get(`/v1/contacts/${contact.id}/pages?limit=1&cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...second.body.items]).toEqual(pages.body.items);
  expect(second.body.nextCursor).toBeNull();
});

test("a claimed link is listed and can be taken back: the history is anonymous again", async () => {
  const shop = await mintShop(OPEN);
  const { contact, visitor } = await visited(shop, "claimed@b.example");
  const links = await shop.full.get(`/v1/contacts/${contact.id}/links`);
  expect(links.body.items).toMatchObject([{ visitorId: visitor, person: 1, kind: "email", undoneAt: null }]);
  const path = `/v1/contacts/${contact.id}/links/${links.body.items[0].id}`;
  expect((await shop.full.delete(path)).status).toBe(204);
  expect((await shop.full.delete(path)).status).toBe(404);
  expect((await shop.full.get(`/v1/visitors?contactId=${contact.id}`)).body.items).toEqual([]);
  expect((await shop.full.get(`/v1/contacts/${contact.id}/pages`)).body.items).toEqual([]);
  expect((await shop.full.get(`/v1/visitors/${visitor}`)).body).toMatchObject({ contactId: null, pageViews: 3 });
  expect((await shop.full.get(`/v1/contacts/${contact.id}/links`)).body.items[0].undoneAt).not.toBeNull();
});

test("export holds everything about the person", async () => {
  const shop = await mintShop(OPEN);
  const { contact, visitor } = await visited(shop, "export@b.example");
  await shop.full.patch(`/v1/contacts/${contact.id}`, {
    externalId: "erp-7",
    consents: { email: { state: "subscribed" } },
  });
  await seedOrder(shop.key, { contact: await keyOf(contact.id) });
  await seedCart(shop.key, { contact: await keyOf(contact.id) });
  const { status, body } = await shop.full.post(`/v1/contacts/${contact.id}/export`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    contactId: contact.id,
    contact: { email: "export@b.example" },
    consents: [{ channel: "email", state: "subscribed", basis: "api", decidedAt: expect.any(String) }],
    lifecycle: expect.arrayContaining([{ stage: "lead", status: null, at: expect.any(String) }]),
    visitors: [{ id: visitor, source: "anonymous_website_visitors" }],
    complete: true,
  });
  expect(body.identities.map(({ kind }: { kind: string }) => kind).sort()).toEqual(["email", "external"]);
  expect(body.orders).toHaveLength(1);
  expect(body.carts).toHaveLength(1);
  expect(body.events.filter(({ type }: { type: string }) => type === "page_viewed")).toHaveLength(3);
  expect((await shop.full.get(`/v1/audit-log?subjectId=${contact.id}`)).body.items[0].action).toBe("contact.exported");
});

test("erasing leaves no trace of the person in any table, keeps the order's figures and everybody else", async () => {
  const shop = await mintShop(OPEN);
  const { contact, visitor } = await visited(shop, "erika.muster@b.example");
  await shop.full.patch(`/v1/contacts/${contact.id}`, {
    firstName: "Erikaqzjwvx",
    lastName: "Musterqzjwvx",
    phone: "+49301234567",
    shopifyCustomerId: "70000000001",
    address: { line1: "Geheimgasse 1" },
    tags: ["erasemetag"],
    fields: { nickname: "Rikaqzjwvx" },
  });
  const merged = await shop.full.post("/v1/contacts", { email: "erika.alt@b.example" });
  await shop.full.post(`/v1/contacts/${contact.id}/merge`, { from: merged.body.id }, { "idempotency-key": "erase-1" });
  const key = await keyOf(contact.id);
  const order = await seedOrder(shop.key, { contact: key, total: 4200, cart_token: "carttoken-erika" });
  await seedCart(shop.key, {
    contact: key,
    token: "carttoken-erika",
    checkout_url: "https://shop.example/c?key=erika",
  });
  const inbox = (id: string, body: string, state: string) =>
    insert("webhook_inbox", {
      id,
      shop: shop.key,
      topic: "orders/create",
      webhook_id: id,
      triggered_at: 1,
      received_at: 1,
      body_hash: id,
      body,
      state,
      next_attempt_at: 1,
    });
  await inbox("whk_1", '{"email":"Erika.Muster@b.example"}', "handled");
  await inbox("whk_2", '{"customer":{"id":70000000001}}', "pending");
  await inbox("whk_3", '{"customer":{"id":170000000001,"email":"not-erika.muster@b.example"}}', "pending");
  const bystander = await visited(shop, "bystander@b.example");

  const erased = await shop.full.post(`/v1/contacts/${contact.id}/erase`);
  expect(erased).toMatchObject({ status: 200, body: { state: "done" } });
  expect((await shop.full.get(`/v1/jobs/${erased.body.jobId}`)).body).toMatchObject({
    state: "done",
    kind: "contact.erase",
  });

  const rows = await everything();
  for (const trace of [
    /"erika\.muster@/i,
    /erika\.alt/i,
    /qzjwvx/i,
    /301234567/,
    /[^1]70000000001/,
    /Geheimgasse/,
    /erasemetag/,
    /carttoken-erika/,
  ]) {
    expect(rows).not.toMatch(trace);
  }
  expect(rows).not.toContain(visitor);
  expect((await shop.full.get(`/v1/contacts/${contact.id}`)).status).toBe(404);
  expect((await shop.full.get(`/v1/contacts/${merged.body.id}`)).status).toBe(404);
  expect((await shop.full.get(`/v1/visitors/${visitor}`)).status).toBe(404);
  const kept = await shop.full.get(`/v1/orders/${order.id}`);
  expect(kept.body).toMatchObject({ total: { amount: 4200 }, contactId: null, cartToken: null });
  const { results } = await env.DB.prepare(
    "select id, body is null as cleared, state from webhook_inbox where shop = ? order by id",
  )
    .bind(shop.key)
    .all();
  expect(results).toEqual([
    { id: "whk_1", cleared: 1, state: "handled" },
    { id: "whk_2", cleared: 1, state: "stale" },
    { id: "whk_3", cleared: 0, state: "pending" },
  ]);
  expect((await shop.full.get(`/v1/contacts/${bystander.contact.id}/pages`)).body.items).toHaveLength(2);

  const late = await send(shop.domain, visitor, [{ type: "page_viewed", url: URL_OF("late") }]);
  expect(late.status).toBe(204);
  expect((await shop.full.post("/v1/contacts", { email: "erika.muster@b.example" })).status).toBe(201);
});

test("an erasure that was cut off is finished by cron", async () => {
  const shop = await mintShop(OPEN);
  const { contact } = await visited(shop, "cutoff@b.example");
  await insert("jobs", {
    id: "job_cutoff",
    shop: shop.key,
    kind: "contact.erase",
    state: "running",
    input: JSON.stringify({ contact: await keyOf(contact.id) }),
    created_at: 1,
    updated_at: 1,
  });
  await continueLongJobs(env, Date.now());
  expect((await shop.full.get(`/v1/jobs/job_cutoff`)).body.state).toBe("done");
  expect(await everything()).not.toContain("cutoff@b.example");
});

test("what has been in the trash longer than the shop keeps it is erased, nothing else", async () => {
  const shop = await mintShop({ trashRetentionDays: 7 });
  const old = await shop.full.post("/v1/contacts", { email: "old-trash@b.example" });
  const fresh = await shop.full.post("/v1/contacts", { email: "fresh-trash@b.example" });
  for (const { body } of [old, fresh]) await shop.full.delete(`/v1/contacts/${body.id}`);
  const day = 86_400_000;
  await env.DB.prepare("update contacts set deleted_at = ? where id = ?")
    .bind(Date.now() - 7 * day - 1, old.body.id)
    .run();
  expect(await purgeTrash(env, await getShopOrThrow(env.DB, shop.key), Date.now())).toBe(1);
  expect((await shop.full.post(`/v1/contacts/${old.body.id}/restore`)).status).toBe(404);
  expect((await shop.full.post(`/v1/contacts/${fresh.body.id}/restore`)).status).toBe(200);
});

test("many who leave the trash together go in one erasure, which looks through the stored texts once", async () => {
  const shop = await mintShop({ trashRetentionDays: 7 });
  for (let i = 0; i < 60; i++) await seedContact(shop.key, { email: `many${i}@trash.example`, deleted_at: 1 });
  await env.DB.prepare(
    `insert into webhook_inbox (id, shop, topic, webhook_id, triggered_at, received_at, body_hash, body, state, next_attempt_at)
     select 'whk_many_' || value, ?1, 'x/y', 'w-many-' || value, 1, ?2, 'h' || value, json_object('email', 'many' || value || '@trash.example'),
       'unhandled', 1 from json_each(?3)`,
  )
    .bind(shop.key, Date.now(), JSON.stringify([0, 49, 60]))
    .run();
  const stored = await getShopOrThrow(env.DB, shop.key);
  const begun: number[] = [];
  for (let runs = 0; runs < 4; runs++) begun.push(await purgeTrash(env, stored, Date.now()));
  expect(begun).toEqual([50, 10, 0, 0]);
  const jobs = await env.DB.prepare(
    "select kind, state, json_extract(result, '$.contacts') as contacts from jobs where shop = ?",
  )
    .bind(shop.key)
    .all();
  expect(jobs.results).toEqual([
    { kind: "contacts.purge", state: "done", contacts: 50 },
    { kind: "contacts.purge", state: "done", contacts: 10 },
  ]);
  const bodies = await env.DB.prepare("select webhook_id as id from webhook_inbox where shop = ? and body is not null")
    .bind(shop.key)
    .all<{ id: string }>();
  expect(bodies.results).toEqual([{ id: "w-many-60" }]);
  const audited = await env.DB.prepare(
    "select count(*) as n from audit_log where shop = ? and action = 'contact.erased'",
  )
    .bind(shop.key)
    .first("n");
  expect(audited).toBe(60);
});

test("bulk: one action over a filter, counted, and over what is there when it is asked", async () => {
  const shop = await mintShop();
  for (let i = 0; i < 6; i++) {
    await shop.full.post("/v1/contacts", { email: `bulk${i}@b.example`, tags: i < 3 ? ["Old"] : ["new"] });
  }
  const bulk = (filter: unknown, action: unknown) => shop.full.post("/v1/contacts/bulk", { filter, action });
  const items = async (query: string) => (await shop.full.get(`/v1/contacts?${query}`)).body.items;

  const tagged = await bulk({ tag: "old" }, { type: "add_tag", tag: "Sale" });
  expect(tagged).toMatchObject({ status: 200, body: { state: "done", matched: 3, changed: 3 } });
  expect((await bulk({ all: true }, { type: "add_tag", tag: "SALE" })).body).toMatchObject({ matched: 6, changed: 3 });
  expect((await bulk({ tag: "old" }, { type: "remove_tag", tag: "old" })).body).toMatchObject({
    matched: 3,
    changed: 3,
  });
  expect(await items("tag=old")).toHaveLength(0);
  expect((await bulk({ q: "bulk1" }, { type: "set_stage", stage: "customer" })).body).toMatchObject({ changed: 1 });
  expect(await items("stage=customer&status=disabled")).toHaveLength(1);
  expect((await bulk({ tag: "new" }, { type: "delete" })).body).toMatchObject({ matched: 3, changed: 3 });
  expect(await items("")).toHaveLength(3);
  expect((await bulk({ tag: "new" }, { type: "restore" })).body).toMatchObject({ matched: 3, changed: 3 });
  expect(await items("")).toHaveLength(6);
  expect((await bulk({ tagg: "new" }, { type: "delete" })).status).toBe(400);
  expect((await bulk({}, { type: "delete" })).status).toBe(400);
  expect((await bulk({ all: true }, { type: "explode" })).status).toBe(400);
  const job = await shop.full.get(`/v1/jobs/${tagged.body.jobId}`);
  expect(job.body).toMatchObject({ state: "done", progress: 3 });
});

test("bulk: more than one run's worth goes on from cron until all are done", async () => {
  const shop = await mintShop();
  await env.DB.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 5600)
     insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
     select ?1, 'con_many_' || ?1 || '_' || i, 'Import', 1, 'lead', 1, 1 from n`,
  )
    .bind(shop.key)
    .run();
  const begun = await shop.full.post("/v1/contacts/bulk", {
    filter: { all: true },
    action: { type: "add_tag", tag: "all" },
  });
  expect(begun).toMatchObject({ status: 202, body: { state: "running", matched: 5000, changed: 5000 } });
  await shop.full.post("/v1/contacts", { email: "later@b.example" });
  await continueLongJobs(env, Date.now() + 60_000);
  expect((await shop.full.get(`/v1/jobs/${begun.body.jobId}`)).body).toMatchObject({ state: "done", progress: 5600 });
  const tagged = await env.DB.prepare("select count(*) as n from contact_tags where shop = ?")
    .bind(shop.key)
    .first("n");
  expect(tagged).toBe(5600);
}, 30_000);
