import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";

import { api, mintShop, type MintedShop, operator } from "../helpers/api";
import { seedContact, seedVisitor } from "../helpers/seed";

const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

function shopForEvents(): Promise<MintedShop> {
  return mintShop({ flushSeconds: 0, consentMode: "opt_out" }, { currency: "EUR" });
}

/** Every kind of event, with things that must be cleaned away. */
function fixture(now: number) {
  const at = (i: number) => now - 3_600_000 + i * 1_000;
  return [
    {
      id: "e1",
      type: "page_viewed",
      at: at(1),
      url: "https://shop.example/?utm_source=instagram&utm_campaign=x&secret=1&ff_id=abc#top",
      title: "Home of jane@example.com",
      referrer: "https://instagram.com/p/1?igsh=zz",
    },
    {
      id: "e2",
      type: "product_viewed",
      at: at(2),
      url: "https://shop.example/p/7",
      data: { productId: "7", note: "Ütf8 😀" },
    },
    {
      id: "e3",
      type: "cart_updated",
      at: at(3),
      url: "https://shop.example/cart",
      data: {
        token: "tok-1",
        value: { amount: 1999, currency: "EUR" },
        lines: [{ productId: "7", title: "Mug", quantity: 1, price: { amount: 1999, currency: "EUR" } }],
      },
    },
    {
      id: "e4",
      type: "custom:quiz",
      at: at(4),
      data: { score: 3, email: "jane@example.com", deep: { list: [1, "jane@example.com"] } },
    },
    { id: "e5", type: "identified", at: at(5), data: { email: "jane@example.com" } },
    { id: "e6", type: "search_submitted", at: at(6), url: "https://shop.example/search?q=mug", data: { query: "mug" } },
  ];
}

/** What is stored of a visitor's events, without ids and channel. */
async function stored(shop: MintedShop, tracker: string): Promise<string> {
  const { results } = await env.DB.prepare(
    `select t.name as type, e.at, p.url, p.title, e.data from visitors v join events e on e.shop = v.shop and e.visitor = v.key
     join event_types t on t.key = e.type left join pages p on p.key = e.page
     where v.shop = ? and v.tracker = ? order by e.at`,
  )
    .bind(shop.key, tracker)
    .all();
  return JSON.stringify(results);
}

async function settled(shop: MintedShop, tracker: string, count: number): Promise<string> {
  const { flushVisitor } = await import("../../src/visitor");
  await flushVisitor(env, { key: shop.key }, tracker);
  const rows = await stored(shop, tracker);
  expect(JSON.parse(rows).length).toBe(count);
  return rows;
}

test("B4: the same events by script and by API are stored byte for byte the same", async () => {
  const now = Date.now();
  const [byScript, byApi, byPerson] = await Promise.all([shopForEvents(), shopForEvents(), shopForEvents()]);
  const events = fixture(now);

  const browser = crypto.randomUUID();
  const beacon = await exports.default.fetch("https://footfall.test/ff", {
    method: "POST",
    headers: { "user-agent": AGENT, "content-type": "text/plain" },
    body: JSON.stringify({ shop: byScript.domain, visitor: browser, events, consent: { analytics: true } }),
  });
  expect(beacon.status).toBe(204);

  const visitorId = crypto.randomUUID();
  const told = await byApi.full.post("/v1/events", { events: events.map((event) => ({ ...event, visitorId })) });
  expect([told.status, told.body]).toEqual([202, { accepted: 6, ids: ["e1", "e2", "e3", "e4", "e5", "e6"] }]);
  const contact = await seedContact(byPerson.key);
  const named = await byPerson.full.post("/v1/events", {
    events: events.map((event) => ({ ...event, contactId: contact.id, at: new Date(event.at).toISOString() })),
  });
  expect(named.status).toBe(202);

  const rows = await settled(byScript, browser, 6);
  expect(await settled(byApi, visitorId, 6)).toBe(rows);
  expect(await settled(byPerson, `api:${contact.id}`, 6)).toBe(rows);
  expect(rows).toContain("utm_source=instagram");
  for (const gone of ["jane", "secret", "ff_id", "igsh"]) expect(rows).not.toContain(gone);
});

test("B5: events told twice are there once", async () => {
  const shop = await shopForEvents();
  const events = fixture(Date.now()).map((event) => ({ ...event, email: "Twice@B.example" }));
  expect((await shop.full.post("/v1/events", { events })).body.accepted).toBe(6);
  expect((await shop.full.post("/v1/events", { events })).body.accepted).toBe(0);
  expect((await shop.full.post("/v1/events", { events: events.toReversed() })).body.accepted).toBe(0);
  const contacts = await shop.full.get("/v1/contacts?email=twice@b.example");
  expect(contacts.body.items.length).toBe(1);
  const [contact] = contacts.body.items;
  expect(contact).toMatchObject({ email: "twice@b.example", source: "API" });
  const timeline = await shop.full.get(`/v1/contacts/${contact.id}/timeline`);
  const ids = timeline.body.items.map(({ id }: { id: string }) => id).filter((id: string) => /^e\d$/.test(id));
  expect(ids).toEqual(["e6", "e5", "e4", "e3", "e2", "e1"]);
  expect((await shop.full.get("/v1/visitors")).body.items).toEqual([]);
  expect((await shop.full.get(`/v1/visitors?contactId=${contact.id}`)).body.items).toEqual([]);
});

test("a whole request of 500 events may be repeated", async () => {
  const shop = await shopForEvents();
  const now = Date.now();
  const events = Array.from({ length: 500 }, (_, i) => ({
    id: `n${i}`,
    type: "custom:tick",
    at: now - 1_000_000 + i,
    email: "many@b.example",
  }));
  expect((await shop.full.post("/v1/events", { events })).body.accepted).toBe(500);
  expect((await shop.full.post("/v1/events", { events })).body.accepted).toBe(0);
}, 30_000);

test("by e-mail, phone and id of the same person it is one contact; a browser named with it is theirs", async () => {
  const shop = await shopForEvents();
  const tell = async (event: object) => {
    const { status } = await shop.full.post("/v1/events", { events: [{ type: "custom:x", ...event }] });
    expect(status).toBe(202);
  };
  await tell({ email: "a@b.example", phone: "+49 30 123456" });
  await tell({ phone: "+4930123456" });
  const { results } = await env.DB.prepare("select id, verified, email, phone from contacts where shop = ?")
    .bind(shop.key)
    .all<{ id: string }>();
  expect(results).toMatchObject([{ verified: 1, email: "a@b.example", phone: "+4930123456" }]);
  const contactId = results[0]?.id;
  const visitorId = crypto.randomUUID();
  await tell({ contactId, visitorId });
  const visitor = await shop.full.get(`/v1/visitors/${visitorId}`);
  expect(visitor.body).toMatchObject({ contactId, person: 1 });
  const timeline = await shop.full.get(`/v1/contacts/${contactId}/timeline`);
  const seen = timeline.body.items.filter(({ type }: { type: string }) => type === "custom:x");
  expect(seen.map((item: { visitorId?: string }) => item.visitorId)).toEqual([visitorId, undefined, undefined]);
});

test("a browser that a server identifies becomes that contact, with all it did before", async () => {
  const shop = await shopForEvents();
  const visitorId = crypto.randomUUID();
  const events = fixture(Date.now()).map((event) => ({ ...event, visitorId }));
  await shop.full.post("/v1/events", { events: events.slice(0, 3) });
  expect((await shop.full.get(`/v1/visitors/${visitorId}`)).body.contactId).toBeNull();
  await shop.full.post("/v1/events", { events: events.slice(3) });
  const { body } = await shop.full.get(`/v1/visitors/${visitorId}`);
  expect(body.contactId).not.toBeNull();
  const timeline = await shop.full.get(`/v1/contacts/${body.contactId}/timeline`);
  const ids = timeline.body.items.map(({ id }: { id: string }) => id).filter((id: string) => /^e\d$/.test(id));
  expect(ids).toEqual(["e6", "e5", "e4", "e3", "e2", "e1"]);
  const rows = await env.DB.prepare("select count(*) as n from visitors where shop = ?").bind(shop.key).first();
  expect(rows).toEqual({ n: 1 });
});

test("one wrong event refuses all of them, by its place, and leaves nothing behind", async () => {
  const shop = await shopForEvents();
  const good = { type: "custom:x", email: "h@b.example" };
  const now = Date.now();
  for (const [wrong, pointer] of [
    [{ type: "order_placed", email: "x@b.example" }, "/events/1/type"],
    [{ type: "custom:", email: "x@b.example" }, "/events/1/type"],
    [{ type: "custom:x" }, "/events/1"],
    [{ ...good, id: "no spaces" }, "/events/1/id"],
    [{ ...good, at: "yesterday" }, "/events/1/at"],
    [{ ...good, at: now - 8 * 86_400_000 }, "/events/1/at"],
    [{ ...good, at: -1 }, "/events/1/at"],
    [{ ...good, email: "nobody" }, "/events/1/email"],
    [{ type: "custom:x", phone: "12" }, "/events/1/phone"],
    [{ type: "custom:x", contactId: "con_nobody" }, "/events/1/contactId"],
    [{ type: "custom:x", visitorId: "1" }, "/events/1/visitorId"],
    [{ ...good, data: [] }, "/events/1/data"],
    [{ ...good, data: { a: "x".repeat(70_000) } }, "/events/1/data"],
    [{ ...good, surprise: 1 }, "/events/1"],
    [
      { ...good, type: "cart_updated", data: { value: { amount: 1.5, currency: "EUR" } } },
      "/events/1/data/value/amount",
    ],
  ] as const) {
    const { status, body } = await shop.full.post("/v1/events", { events: [good, wrong] });
    expect([JSON.stringify(wrong).slice(0, 80), status]).toEqual([JSON.stringify(wrong).slice(0, 80), 400]);
    expect(body.errors[0].pointer).toBe(pointer);
  }
  for (const input of [
    {},
    { events: [] },
    { events: {} },
    [],
    "x",
    { events: Array.from({ length: 501 }, () => good) },
  ]) {
    expect((await shop.full.post("/v1/events", input)).status).toBe(400);
  }
  const rows = await env.DB.prepare(
    "select (select count(*) from contacts where shop = ?1) + (select count(*) from visitors where shop = ?1) as n",
  )
    .bind(shop.key)
    .first();
  expect(rows).toEqual({ n: 0 });
});

test("events need a key that may write, and a shop of its own that is installed", async () => {
  const [mine, other] = [await shopForEvents(), await shopForEvents()];
  const contact = await seedContact(mine.key);
  await seedVisitor(mine.key);
  const events = [{ type: "custom:x", contactId: contact.id }];
  expect((await api(null).post("/v1/events", { events })).status).toBe(401);
  expect((await mine.readOnly.post("/v1/events", { events })).status).toBe(403);
  expect((await other.full.post("/v1/events", { events })).status).toBe(400);
  expect((await mine.full.post("/v1/events", { shop: other.id, events })).status).toBe(404);
  expect((await operator.post("/v1/events", { events })).status).toBe(400);
  expect((await operator.post("/v1/events", { shop: mine.id, events })).status).toBe(202);
  await env.DB.prepare("update shops set status = 'uninstalled' where key = ?").bind(mine.key).run();
  const refused = await mine.full.post("/v1/events", { events });
  expect([refused.status, refused.body.code]).toEqual([403, "shop_uninstalled"]);
});
