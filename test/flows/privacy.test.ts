import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";

import { continueJob } from "../../src/shopify/privacy/run";
import { type MintedShop, mintShop } from "../helpers/api";
import { objectOf, send } from "../helpers/beacon";
import { MINUTE, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook, postWebhook } from "../helpers/webhook";
import * as bodies from "../shopify/bodies";
import { all, one, receive } from "../shopify/deliver";
import { handleInboxRow } from "../../src/shopify";
import { getShopOrThrow } from "../../src/shops";
import { type Dump, dumpEverything, placesOf, traces } from "./privacy-dump";
import { plant, type Planted, somebody } from "./privacy-plant";

useFakeClock();
afterEach(() => vi.restoreAllMocks());

const SETTINGS = { consentMode: "opt_out" };

const redaction = (shop: MintedShop, p: Planted) => ({
  shop_id: 1,
  shop_domain: shop.domain,
  customer: { id: Number(p.customerId), email: p.email, phone: p.phone },
  orders_to_redact: [Number(p.orderId)],
});

/** What tells who somebody is. */
function secretsOf(person: Planted): Record<string, string> {
  return Object.fromEntries(Object.entries(person).filter(([name]) => name !== "orderId"));
}

/** Everything that the console was told from here on. */
function listen(): () => string {
  const said: unknown[] = [];
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void said.push(...args));
  }
  return () => said.map((part) => (part instanceof Error ? String(part.stack) : JSON.stringify(part))).join("\n");
}

/** Tables with a column of this name in which a row has one of these keys. */
async function tablesWith(column: string, keys: number[]): Promise<string[]> {
  const tables = await all<{ name: string }>(
    `select m.name from sqlite_master m join pragma_table_info(m.name) c on c.name = ?
     where m.type = 'table' and m.name not like '\\_cf%' escape '\\'`,
    column,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const row = await one(
      `select 1 from "${name}" where "${column}" in (select value from json_each(?)) limit 1`,
      JSON.stringify(keys),
    );
    if (row) found.push(name);
  }
  return found;
}

/** Without the titles of pages: a title is what the page's first reader was shown, so it may have named the person. */
const exportOf = async (shop: MintedShop, contact: string): Promise<unknown> => {
  const { body } = await shop.full.post(`/v1/contacts/${contact}/export`);
  const text = JSON.stringify({ ...body, exportedAt: null });
  return JSON.parse(text, (key, value: unknown) => (key === "title" ? undefined : value));
};

/** Where each of a planted person's secrets is found before anybody is redacted. */
function expectPlantedEverywhere(dump: Dump, person: Planted): void {
  const found = traces(dump, secretsOf(person));
  for (const secret of Object.keys(secretsOf(person))) expect(found[secret], secret).not.toBeUndefined();
  for (const [place, secret] of [
    ["contacts", "email"],
    ["contacts", "phone"],
    ["contacts", "street"],
    ["contacts", "field"],
    ["contacts_search", "lastName"],
    ["contacts_search_data", "firstName"],
    ["identities", "customerId"],
    ["contact_tags", "tag"],
    ["tags", "tag"],
    ["visitors", "browser"],
    ["visitors", "linkedBrowser"],
    ["events", "firstName"],
    ["pages", "firstName"],
    ["pages", "cartToken"],
    ["carts", "checkoutToken"],
    ["orders", "discountCode"],
    ["webhook_inbox", "email"],
    ["webhook_inbox", "orderEmail"],
    ["webhook_inbox", "customerId"],
    ["webhook_inbox", "browser"],
    ["outbox", "browser"],
    ["dead_letters", "browser"],
    ["jobs", "email"],
    ["jobs", "lastName"],
    ["idempotency_keys", "email"],
    ["object:VISITOR", "firstName"],
    ["object:VISITOR", "browser"],
  ] as const) {
    expect(found[secret], `${secret} in ${place}`).toContain(place);
  }
}

test("a redacted customer is found in no table, no object and no stored body, and before that in all of them", async () => {
  const said = listen();
  const shop = await mintShop(SETTINGS);
  const [person, bystander] = [somebody("zyq", 87_654_321), somebody("wvk", 12_345_678)];
  const contact = await plant(shop, person);
  const other = await plant(shop, bystander);
  const states = await all<{ state: string; packed: number }>(
    "select distinct state, substr(body, 1, 5) = 'gzip:' as packed from webhook_inbox where shop = ? order by 1, 2",
    shop.key,
  );
  expect(states.map(({ state, packed }) => (packed ? `${state}, packed` : state))).toEqual(
    expect.arrayContaining(["dead", "handled", "handled, packed", "pending", "stale", "unhandled"]),
  );
  const before = await dumpEverything();
  expectPlantedEverywhere(before, person);
  expectPlantedEverywhere(before, bystander);
  expect(placesOf(before, contact)).toEqual(
    expect.arrayContaining(["audit_log", "endpoint_deliveries", "idempotency_keys", "jobs", "outbox"]),
  );
  const ofOther = await exportOf(shop, other);
  const key = (await one<{ key: number }>("select key from contacts where id = ?", contact))?.key ?? 0;
  const personas = (await all<{ key: number }>("select key from visitors where contact = ?", key)).map((v) => v.key);
  expect(personas.length).toBeGreaterThanOrEqual(3);
  expect(await tablesWith("contact", [key])).toEqual(
    expect.arrayContaining(["claims", "consents", "contact_aliases", "lifecycle_history", "orders", "carts"]),
  );
  expect(await tablesWith("visitor", personas)).toEqual(expect.arrayContaining(["link_uses", "visits", "events"]));
  const [order] = await all<{ id: string }>("select id from orders where external_id = ?", person.orderId);
  const copies = await all<{ id: string; body: string | null; topic: string }>(
    "select id, body, topic from webhook_inbox where shop = ? and body like '%zyq%'",
    shop.key,
  );
  expect(copies.length).toBeGreaterThan(10);

  expect(await deliverWebhook(shop.domain, "customers/redact", redaction(shop, person))).toBe("handled");

  const after = await dumpEverything();
  expect(traces(after, secretsOf(person))).toEqual({});
  expect(await tablesWith("contact", [key])).toEqual([]);
  expect(await tablesWith("visitor", personas)).toEqual([]);
  // Ids without a person are what docs/privacy.md lists.
  expect(placesOf(after, contact)).toEqual(["audit_log"]);
  expect(placesOf(after, person.orderId)).toEqual(["orders", "refunds"]);
  expect(said()).not.toMatch(/zyq|87654321/i);

  // The books: figures without the person.
  expect((await shop.full.get(`/v1/orders/${order?.id}`)).body).toMatchObject({
    total: { amount: 11_500, currency: "EUR" },
    contactId: null,
    cartToken: null,
    checkoutToken: null,
    discountCodes: [],
  });
  const [receipt] = (await shop.full.get("/v1/privacy-requests?kind=customer_redact")).body.items;
  expect(receipt).toMatchObject({ kind: "customer_redact", state: "done", overdue: false, shopId: shop.id });
  const counts = Object.fromEntries(receipt.receipt.map((r: { what: string; count: number }) => [r.what, r.count]));
  expect(counts).toMatchObject({
    contacts: 1,
    visitors: personas.length,
    orders: 2,
    webhook_inbox: expect.any(Number),
  });
  expect(counts["webhook_inbox"]).toBeGreaterThanOrEqual(copies.length);

  // Nobody else lost anything.
  expect(traces(after, secretsOf(bystander))).toMatchObject({ email: expect.arrayContaining(["contacts", "jobs"]) });
  expectPlantedEverywhere(after, bystander);
  expect(await exportOf(shop, other)).toEqual(ofOther);

  // A replay of what is in the inbox brings nobody back, and neither does the same delivery under a new name.
  for (const { id } of copies) {
    expect((await shop.full.post(`/v1/webhook-inbox/${id}/replay`)).status).toBe(422);
  }
  const update = copies.find(({ topic, body }) => topic === "customers/create" && body !== null);
  for (const topic of ["customers/create", "customers/update"]) {
    const webhookId = crypto.randomUUID();
    expect((await postWebhook({ domain: shop.domain, topic, body: update?.body ?? "", webhookId })).status).toBe(200);
    const row = await one<{ key: number }>("select key from webhook_inbox where webhook_id = ?", webhookId);
    if (row) await handleInboxRow(env, row.key, Date.now());
  }
  expect((await shop.full.get(`/v1/contacts?email=${person.email}`)).body.items).toEqual([]);

  // A late beacon of that browser is answered, and nothing of it is kept.
  for (const browser of [person.browser, person.linkedBrowser]) {
    const late = await send(shop.domain, browser, [{ type: "page_viewed", url: "https://shop.example/late" }]);
    expect(late.status).toBe(204);
    await objectOf(shop, browser).flush();
  }
  const { browser, linkedBrowser } = person;
  expect(traces(await dumpEverything(), { browser, linkedBrowser })).toEqual({});

  // A later order is a new statement: a new contact, who has no past.
  const again = bodies.order({
    id: 9_900_001,
    email: person.email,
    customer: null,
    cart_token: null,
    checkout_token: null,
  });
  expect(await deliverWebhook(shop.domain, "orders/create", again)).toBe("handled");
  const [anew] = (await shop.full.get(`/v1/contacts?email=${person.email}`)).body.items;
  expect(anew.id).not.toBe(contact);
  expect((await shop.full.get(`/v1/contacts/${anew.id}?include=orders,events`)).body.orders).toHaveLength(1);
}, 60_000);

test("a redaction that is cut off after every step, and run twice at a time, ends the same", async () => {
  const shop = await mintShop(SETTINGS);
  const person = somebody("qyx", 55_667_788);
  await plant(shop, person);
  // More rows of others than one step looks through.
  await env.DB.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000)
     insert into webhook_inbox (id, shop, topic, webhook_id, triggered_at, received_at, body_hash, body, state, next_attempt_at)
     select 'whk_many_' || i, ?1, 'products/update', 'many_' || i, 1, 1, 'many_' || i, '{"id":' || i || '}', 'handled', 1 from n`,
  )
    .bind(shop.key)
    .run();
  const stored = await getShopOrThrow(env.DB, shop.key);
  await receive(stored, { topic: "customers/update", body: { id: 3, email: person.email } }, Date.now());
  await receive(
    stored,
    { topic: "customers/redact", webhookId: "w-cut", body: redaction(shop, person), triggeredAt: Date.now() },
    Date.now(),
  );
  const row = await one<{ key: number }>("select key from webhook_inbox where webhook_id = 'w-cut'");
  // The process ends right after the request was taken on.
  vi.spyOn(crypto.subtle, "decrypt").mockRejectedValueOnce(new Error("cut off"));
  const said = listen();
  expect(await handleInboxRow(env, row?.key ?? 0, Date.now())).toBe("handled");
  expect(said()).toContain("privacy");
  const request = await one<{ id: string }>("select id from privacy_requests where webhook_id = 'w-cut'");
  const job = request?.id.replace("prv_", "job_") ?? "";
  let steps = 0;
  for (; steps < 100; steps++) {
    travel(MINUTE);
    const runs = await Promise.all([continueJob(env, job, Date.now(), 1), continueJob(env, job, Date.now(), 1)]);
    const held = await one<{ input: string }>("select input from jobs where id = ?", job);
    expect(held?.input).not.toContain(person.email);
    if (runs.includes("done")) break;
    const shown = await shop.full.get(`/v1/privacy-requests/${request?.id}`);
    expect(shown.body).toMatchObject({ state: "running", doneAt: null });
  }
  expect(steps).toBeGreaterThan(8);
  expect(traces(await dumpEverything(), secretsOf(person))).toEqual({});
  expect((await shop.full.get(`/v1/privacy-requests/${request?.id}`)).body).toMatchObject({ state: "done" });
  const left = await one<{ n: number }>(
    "select count(*) as n from webhook_inbox where shop = ? and topic = 'products/update' and body is not null",
    shop.key,
  );
  expect(left?.n).toBe(6_000);
}, 60_000);
