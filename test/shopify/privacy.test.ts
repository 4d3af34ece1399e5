import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { enforceRetention } from "../../src/jobs/retention";
import { handleInboxRow } from "../../src/shopify";
import { getShopOrThrow } from "../../src/shops";
import { api, type MintedShop, mintShop, operator } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, travel, useFakeClock } from "../helpers/clock";
import { seedContact, seedOrder } from "../helpers/seed";
import { deliverWebhook, postWebhook } from "../helpers/webhook";
import * as bodies from "./bodies";
import { all, one, receive } from "./deliver";

useFakeClock();
afterEach(() => vi.restoreAllMocks());

interface Named {
  id?: number;
  email?: string;
  phone?: string;
}

const ask = (shop: MintedShop, topic: string, customer: Named | null, orders: number[] = []) =>
  deliverWebhook(shop.domain, topic, {
    shop_id: 1,
    shop_domain: shop.domain,
    customer,
    [topic === "customers/redact" ? "orders_to_redact" : "orders_requested"]: orders,
  });

const redact = (shop: MintedShop, customer: Named | null, orders: number[] = []) =>
  ask(shop, "customers/redact", customer, orders);

const requests = async (shop: MintedShop, query = "") =>
  (await shop.full.get(`/v1/privacy-requests${query}`)).body.items;

const customer = (id: number, email: string | null, more: Record<string, unknown> = {}) =>
  bodies.customer({ id, email, default_address: bodies.address({ phone: null }), ...more });

const found = async (shop: MintedShop, query: string) => (await shop.full.get(`/v1/contacts?${query}`)).body.items;

const bodiesWith = async (shop: MintedShop, text: string): Promise<number> =>
  (
    await one<{ n: number }>(
      "select count(*) as n from webhook_inbox where shop = ? and instr(body, ?) > 0",
      shop.key,
      text,
    )
  )?.n ?? 0;

test.each<[string, Named]>([
  ["e-mail address", { email: "Only.Me@named.example" }],
  ["customer id", { id: 7_300_001 }],
  ["phone number", { phone: "+49 30 5550 1234" }],
])("a customer named by nothing but the %s is redacted", async (_, named) => {
  const shop = await mintShop();
  await deliverWebhook(
    shop.domain,
    "customers/create",
    customer(7_300_001, "only.me@named.example", { phone: "+493055501234" }),
  );
  expect(await found(shop, "email=only.me@named.example")).toHaveLength(1);
  expect(await redact(shop, named)).toBe("handled");
  expect(await found(shop, "email=only.me@named.example")).toEqual([]);
  expect(await bodiesWith(shop, "7300001")).toBe(0);
  expect(await requests(shop)).toMatchObject([{ state: "done", kind: "customer_redact" }]);
});

test("a browser that had only claimed the address goes with its visits", async () => {
  const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
  const visitor = newVisitor();
  await send(shop.domain, visitor, [
    { type: "page_viewed", url: "https://shop.example/" },
    { type: "identified", url: "https://shop.example/", data: { email: "claimed@named.example" } },
  ]);
  await objectOf(shop, visitor).flush();
  expect((await shop.full.get(`/v1/visitors/${visitor}`)).status).toBe(200);
  await redact(shop, { email: "claimed@named.example" });
  expect((await shop.full.get(`/v1/visitors/${visitor}`)).status).toBe(404);
});

test("who is known only through the named orders goes, the orders stay as figures", async () => {
  const shop = await mintShop();
  const guest = (id: number, email: string) =>
    bodies.order({ id, email, contact_email: email, customer: null, cart_token: `c-${id}`, checkout_token: `k-${id}` });
  await deliverWebhook(shop.domain, "orders/create", guest(8_800_001, "guest@named.example"));
  await deliverWebhook(shop.domain, "orders/create", guest(8_800_002, "regular@named.example"));
  await deliverWebhook(shop.domain, "orders/create", guest(8_800_003, "regular@named.example"));
  await redact(shop, null, [8_800_001, 8_800_002]);
  expect(await found(shop, "email=guest@named.example")).toEqual([]);
  // Has another order, so it is more than these orders: it only loses the one that was named.
  const [regular] = await found(shop, "email=regular@named.example");
  const orders = await shop.full.get(`/v1/orders?contactId=${regular.id}`);
  expect(orders.body.items.map((order: { shopifyId: string }) => order.shopifyId)).toEqual(["8800003"]);
  const [anonymous] = await all<{ contact: number | null; total: number; cart_token: string | null }>(
    "select contact, total, cart_token from orders where shop = ? and external_id = '8800001'",
    shop.key,
  );
  expect(anonymous).toEqual({ contact: null, total: 11_500, cart_token: null });
  expect(await bodiesWith(shop, "guest@named.example")).toBe(0);
});

test("who is in nothing but stored bodies is found there, whatever became of them", async () => {
  const shop = await mintShop();
  const email = "nobody@named.example";
  await deliverWebhook(shop.domain, "fulfillments/create", { id: 1, email });
  await deliverWebhook(shop.domain, "customers/update", { id: "none", email });
  const big = { id: 2, email: "NOBODY@named.example", lines: "x".repeat(2_000_000) };
  await deliverWebhook(shop.domain, "subscription_contracts/create", big);
  await deliverWebhook(shop.domain, "fulfillments/create", { id: 3, email: "not-nobody@named.example" });
  const packed = await one("select 1 from webhook_inbox where shop = ? and body like 'gzip:%'", shop.key);
  expect(packed).not.toBeNull();
  await redact(shop, { email });
  const left = await all<{ body: string }>(
    "select body from webhook_inbox where shop = ? and body is not null",
    shop.key,
  );
  expect(left.map(({ body }) => JSON.parse(body).id)).toEqual([3]);
  const [receipt] = await requests(shop);
  expect(receipt.receipt).toContainEqual({ what: "webhook_inbox", count: 3 });
});

test("a family's phone number names nobody who has an address of their own, and their waiting delivery is handled", async () => {
  const shop = await mintShop();
  const phone = "+493055509876";
  await deliverWebhook(shop.domain, "customers/create", customer(7_400_001, "one@family.example", { phone }));
  await deliverWebhook(
    shop.domain,
    "customers/create",
    customer(7_400_002, "two@family.example", { phone: null, default_address: bodies.address({ phone }) }),
  );
  const stored = await getShopOrThrow(env.DB, shop.key);
  const waiting = customer(7_400_002, "two@family.example", {
    updated_at: bodies.iso(Date.now()),
    first_name: "Second",
    default_address: bodies.address({ phone }),
  });
  await receive(
    stored,
    { topic: "customers/update", webhookId: "w-family", body: waiting, triggeredAt: Date.now() },
    Date.now(),
  );
  await redact(shop, { id: 7_400_001, email: "one@family.example", phone });
  expect(await found(shop, "email=one@family.example")).toEqual([]);
  const row = await one<{ key: number }>("select key from webhook_inbox where webhook_id = 'w-family'");
  expect(await handleInboxRow(env, row?.key ?? 0, Date.now())).toBe("handled");
  expect(await found(shop, "email=two@family.example")).toMatchObject([{ phone, firstName: "Second" }]);
});

test("another customer who still shows the address is somebody else", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key, { email: "moved@named.example", shopify_customer_id: "7500002" });
  await env.DB.prepare(
    `insert into identities (shop, kind, value, contact, evidence, created_at) values (?, 'shopify_customer', '7500002', ?, 'verified', 1)`,
  )
    .bind(shop.key, contact.key)
    .run();
  await redact(shop, { id: 7_500_001, email: "moved@named.example" });
  expect((await shop.full.get(`/v1/contacts/${contact.id}`)).status).toBe(200);
});

test("a signed request whose body belongs to another shop changes nothing, is listed, and shows nothing of theirs", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  await shop.full.post("/v1/contacts", { email: "stays@named.example" });
  for (const topic of ["customers/redact", "customers/data_request"]) {
    const forged = { shop_id: 1, shop_domain: other.domain, customer: { email: "stays@named.example" } };
    expect(await deliverWebhook(shop.domain, topic, forged)).toBe("dead");
  }
  expect(await found(shop, "email=stays@named.example")).toHaveLength(1);
  expect(await requests(shop)).toEqual([]);
  const { items } = (await shop.full.get("/v1/webhook-inbox?state=dead")).body;
  expect(items).toMatchObject([
    { topic: "customers/data_request", error: "names another shop than its header" },
    { topic: "customers/redact", error: "names another shop than its header" },
  ]);
  for (const { id } of items) {
    expect((await shop.full.get(`/v1/webhook-inbox/${id}?include=body`)).body.body).toBeNull();
  }
  // One that only does not fit is kept: it must not be lost.
  expect(
    await deliverWebhook(shop.domain, "customers/redact", { shop_domain: shop.domain, customer: { id: "x" } }),
  ).toBe("dead");
  expect(await bodiesWith(shop, '"id":"x"')).toBe(1);
});

test("a delivery is taken on once, also from a shop that has uninstalled, and never twice at a time", async () => {
  const shop = await mintShop();
  await shop.full.post("/v1/contacts", { email: "late@named.example" });
  await deliverWebhook(shop.domain, "app/uninstalled", { id: 1, domain: null, myshopify_domain: shop.domain });
  const body = JSON.stringify({ shop_domain: shop.domain, customer: { email: "late@named.example" } });
  const webhookId = crypto.randomUUID();
  for (let i = 0; i < 2; i++) {
    expect((await postWebhook({ domain: shop.domain, topic: "customers/redact", body, webhookId })).status).toBe(200);
  }
  const row = await one<{ key: number }>("select key from webhook_inbox where webhook_id = ?", webhookId);
  const outcomes = await Promise.all([0, 1, 2].map(() => handleInboxRow(env, row?.key ?? 0, Date.now())));
  expect(new Set(outcomes)).toEqual(new Set(["handled"]));
  expect(await requests(shop)).toMatchObject([{ state: "done", webhookId }]);
  expect(await all("select id from jobs where shop = ?", shop.key)).toHaveLength(1);
  expect(await found(shop, "email=late@named.example")).toEqual([]);
});

test("a data request finds the person's data for the merchant to fetch, for a month, and sends it nowhere", async () => {
  const shop = await mintShop({ consentMode: "opt_out" });
  const email = "asks@named.example";
  await deliverWebhook(shop.domain, "customers/create", customer(7_600_001, email));
  await deliverWebhook(
    shop.domain,
    "orders/create",
    bodies.order({ id: 8_600_001, email, customer: customer(7_600_001, email) }),
  );
  const guest = {
    id: 8_600_002,
    email: "asks.guest@named.example",
    customer: null,
    cart_token: "c-g",
    checkout_token: "k-g",
  };
  await deliverWebhook(shop.domain, "orders/create", bodies.order(guest));
  const visitor = newVisitor();
  await send(shop.domain, visitor, [
    { type: "page_viewed", url: "https://shop.example/mine" },
    { type: "identified", url: "https://shop.example/mine", data: { email } },
  ]);
  await deliverWebhook(shop.domain, "fulfillments/create", { id: 5, email });
  await objectOf(shop, visitor).flush();
  expect(await ask(shop, "customers/data_request", { id: 7_600_001, email }, [8_600_001, 8_600_002])).toBe("handled");

  const [request] = await requests(shop);
  expect(request).toMatchObject({ kind: "data_request", state: "done", dataUntil: expect.any(String) });
  expect(JSON.stringify(request)).not.toContain("asks");
  expect(await bodiesWith(shop, "data_request")).toBe(0);
  const path = `/v1/privacy-requests/${request.id}/data`;
  const { status, headers, body } = await shop.full.get(path);
  expect(status).toBe(200);
  expect(headers.get("cache-control")).toBe("no-store");
  // The guest who made the named order is the person too.
  expect(body.contacts.map((c: { contact: { email: string } }) => c.contact.email).sort()).toEqual([
    "asks.guest@named.example",
    email,
  ]);
  const mine = body.contacts.find((c: { contact: { email: string } }) => c.contact.email === email);
  expect(mine.orders).toMatchObject([{ shopifyId: "8600001" }]);
  expect(mine.visitors).toMatchObject([{ id: visitor }]);
  expect(mine.events.map(({ type }: { type: string }) => type)).toContain("page_viewed");
  expect(body.webhooks.map(({ topic }: { topic: string }) => topic)).toEqual([
    "customers/create",
    "orders/create",
    "orders/create",
    "fulfillments/create",
  ]);
  expect(body.webhooks[3].body).toContain(email);
  expect(body.complete).toBe(true);
  const audited = await shop.full.get(`/v1/audit-log?subjectId=${request.id}`);
  expect(audited.body.items).toMatchObject([{ action: "privacy_request.data_read" }]);

  const other = await mintShop();
  expect((await api(null).get(path)).status).toBe(401);
  expect((await shop.writeOnly.get(path)).status).toBe(403);
  expect((await other.full.get(path)).status).toBe(404);
  expect((await operator.get(path)).status).toBe(200);

  travel(31 * DAY);
  expect((await shop.full.get(path)).status).toBe(404);
  await enforceRetention(env, Date.now());
  const kept = await one<{ result: string | null }>(
    "select result from jobs where id = ?",
    request.id.replace("prv_", "job_"),
  );
  expect(kept?.result).toBeNull();
}, 30_000);

test("what a data request found goes with the person", async () => {
  const shop = await mintShop();
  await deliverWebhook(shop.domain, "customers/create", customer(7_700_001, "both@named.example"));
  await ask(shop, "customers/data_request", { id: 7_700_001 });
  const [asked] = await requests(shop);
  expect((await shop.full.get(`/v1/privacy-requests/${asked.id}/data`)).status).toBe(200);
  await redact(shop, { id: 7_700_001, email: "both@named.example" });
  expect((await shop.full.get(`/v1/privacy-requests/${asked.id}/data`)).status).toBe(404);
  expect(await requests(shop)).toMatchObject([{ kind: "customer_redact" }, { kind: "data_request", state: "done" }]);
});

test("a redaction does not swallow another request about the person that still waits", async () => {
  const shop = await mintShop();
  const stored = await getShopOrThrow(env.DB, shop.key);
  const body = { shop_domain: shop.domain, customer: { email: "waits@named.example" } };
  await receive(
    stored,
    { topic: "customers/data_request", webhookId: "w-waits", body, triggeredAt: Date.now() },
    Date.now(),
  );
  await redact(shop, { email: "waits@named.example" });
  const row = await one<{ key: number; state: string }>(
    "select key, state from webhook_inbox where webhook_id = 'w-waits'",
  );
  expect(row?.state).toBe("pending");
  expect(await handleInboxRow(env, row?.key ?? 0, Date.now())).toBe("handled");
  expect(await requests(shop)).toMatchObject([{ kind: "data_request", state: "done" }, { kind: "customer_redact" }]);
  expect(await bodiesWith(shop, "waits@named.example")).toBe(0);
});

test("one that failed goes on by the clock, without a request; past its time it shows as overdue", async () => {
  const shop = await mintShop();
  await shop.full.post("/v1/contacts", { email: "fails@named.example" });
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(crypto.subtle, "decrypt").mockRejectedValueOnce(new Error("not now"));
  await redact(shop, { email: "fails@named.example" });
  expect(logged.mock.calls.flat().join(" ")).not.toContain("fails@");
  expect(await requests(shop)).toMatchObject([{ state: "running", overdue: false, doneAt: null }]);
  travel(31 * DAY);
  expect(await requests(shop, "?state=running")).toMatchObject([{ overdue: true }]);
  expect(await continueLongJobs(env, Date.now(), shop.key)).not.toBeNull();
  expect(await requests(shop)).toMatchObject([{ state: "done", overdue: false }]);
  expect(await found(shop, "email=fails@named.example")).toEqual([]);
  travel(MINUTE);
  expect(await continueLongJobs(env, Date.now(), shop.key)).toBeNull();
});

test("requests are listed newest first, paged and filtered, each shop its own", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  for (let i = 0; i < 3; i++) await redact(shop, { email: `p${i}@named.example` });
  await ask(shop, "customers/data_request", { email: "p9@named.example" });
  const first = await shop.full.get("/v1/privacy-requests?limit=3");
  expect(first.body.items).toHaveLength(3);
  const second = await shop.full.get(`/v1/privacy-requests?limit=3&cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...second.body.items].map(({ kind }: { kind: string }) => kind)).toEqual([
    "data_request",
    "customer_redact",
    "customer_redact",
    "customer_redact",
  ]);
  expect(await requests(shop, "?kind=data_request")).toHaveLength(1);
  expect(await requests(shop, "?state=running")).toEqual([]);
  expect(await requests(other)).toEqual([]);
  const { id } = first.body.items[0];
  const path = `/v1/privacy-requests/${id}`;
  expect((await shop.readOnly.get(path)).body).toMatchObject({ id, shopId: shop.id });
  expect((await api(null).get("/v1/privacy-requests")).status).toBe(401);
  expect((await shop.writeOnly.get("/v1/privacy-requests")).status).toBe(403);
  expect((await api(null).get(path)).status).toBe(401);
  expect((await shop.writeOnly.get(path)).status).toBe(403);
  expect((await other.full.get(path)).status).toBe(404);
  expect((await shop.full.get("/v1/privacy-requests/prv_none")).status).toBe(404);
  expect((await operator.get(`/v1/privacy-requests?shop=${shop.domain}`)).body.items).toHaveLength(4);
  expect((await operator.get(path)).status).toBe(200);
});

test("an order's figures stay, whoever bought", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key, { email: "figures@named.example" });
  const order = await seedOrder(shop.key, { contact: contact.key, total: 4_200, discount_codes: '["ANNA10"]' });
  await redact(shop, { email: "figures@named.example" });
  const { body } = await shop.full.get(`/v1/orders/${order.id}`);
  expect(body).toMatchObject({ total: { amount: 4_200 }, contactId: null, discountCodes: [] });
});

test("the same redaction again, under another event, takes nobody who came since until somebody decides", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  const person = { id: 7_900_001, email: "back@named.example" };
  await deliverWebhook(shop.domain, "customers/create", customer(person.id, person.email));
  await redact(shop, person);
  expect(await found(shop, "email=back@named.example")).toEqual([]);
  // Word by word, and nobody is there: it is carried out again.
  travel(DAY);
  await redact(shop, person);
  expect(await requests(shop)).toMatchObject([{ state: "done" }, { state: "done" }]);

  travel(DAY);
  await shop.full.post("/v1/contacts", { email: person.email });
  expect(await redact(shop, person)).toBe("handled");
  const [held] = await requests(shop);
  expect(held).toMatchObject({ state: "held", doneAt: null, overdue: false, receipt: [] });
  expect(Date.parse(held.heldUntil)).toBe(Date.parse(held.dueAt) - 2 * DAY);
  expect(await found(shop, "email=back@named.example")).toHaveLength(1);
  expect((await shop.full.get("/v1/alerts?kind=privacy_request_held")).body.items).toMatchObject([
    { subject: held.id, state: "open" },
  ]);
  travel(DAY);
  await enforceRetention(env, Date.now());
  expect(await found(shop, "email=back@named.example")).toHaveLength(1);

  const path = `/v1/privacy-requests/${held.id}/decision`;
  expect((await api(null).put(path, { carryOut: false })).status).toBe(401);
  expect((await shop.readOnly.put(path, { carryOut: false })).status).toBe(403);
  expect((await other.full.put(path, { carryOut: false })).status).toBe(404);
  expect((await shop.full.put(path, {})).status).toBe(400);
  expect((await shop.full.put(path, { carryOut: false })).body).toMatchObject({ state: "dismissed", heldUntil: null });
  expect((await shop.full.put(path, { carryOut: true })).status).toBe(409);
  expect((await shop.full.get("/v1/alerts?kind=privacy_request_held")).body.items).toMatchObject([{ state: "closed" }]);
  expect(await all("select id from jobs where shop = ? and state = 'queued'", shop.key)).toEqual([]);
  expect(await found(shop, "email=back@named.example")).toHaveLength(1);

  // A genuine second request is carried out once it is confirmed.
  await redact(shop, person);
  const [again] = await requests(shop);
  const done = await shop.full.put(`/v1/privacy-requests/${again.id}/decision`, { carryOut: true });
  expect(done.body).toMatchObject({ state: "done" });
  expect(await found(shop, "email=back@named.example")).toEqual([]);
  expect(await bodiesWith(shop, "back@named.example")).toBe(0);
});

test("a held redaction that nobody decides on is carried out within the law's time", async () => {
  const shop = await mintShop();
  const person = { id: 7_900_002, email: "undecided@named.example" };
  await redact(shop, person);
  travel(DAY);
  await shop.full.post("/v1/contacts", { email: person.email });
  await redact(shop, person);
  travel(28 * DAY + MINUTE);
  await enforceRetention(env, Date.now());
  travel(MINUTE);
  await continueLongJobs(env, Date.now(), shop.key);
  expect((await requests(shop))[0]).toMatchObject({ state: "done", overdue: false });
  expect(await found(shop, "email=undecided@named.example")).toEqual([]);
});

test("a request that says something new is another one: who came back as another customer, or with other orders", async () => {
  const shop = await mintShop();
  const person = { id: 7_900_003, email: "anew@named.example" };
  await redact(shop, person);
  travel(DAY);
  await deliverWebhook(shop.domain, "customers/create", customer(7_900_004, person.email));
  // The old one again means the customer of back then.
  expect(await redact(shop, person)).toBe("handled");
  expect(await found(shop, "email=anew@named.example")).toHaveLength(1);
  await redact(shop, { id: 7_900_004, email: person.email });
  expect(await found(shop, "email=anew@named.example")).toEqual([]);
  expect((await requests(shop)).map(({ state }: { state: string }) => state)).toEqual(["done", "done", "done"]);
});
