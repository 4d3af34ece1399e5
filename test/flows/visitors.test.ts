import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";

useFakeClock();

interface Item {
  id: string;
  type: string;
  at: string;
  visitorId?: string;
  data: Record<string, unknown>;
}

const page = (path: string) => ({ type: "page_viewed", url: `https://acme.example${path}`, title: `Page ${path}` });
const identified = (data: Record<string, unknown>) => ({ type: "identified", data });
const cart = (token: string) => ({
  type: "cart_updated",
  data: { token, value: { amount: 4200, currency: "EUR" }, lines: [{ productId: "7", title: "Mug", quantity: 2 }] },
});
const address = () => `p${crypto.randomUUID().slice(0, 8)}@example.com`;
const at = (ms: number) => new Date(ms).toISOString();

async function say(shop: MintedShop, visitor: string, ...events: Parameters<typeof send>[2]): Promise<void> {
  expect((await send(shop.domain, visitor, events)).status).toBe(204);
}

async function counts(shop: MintedShop): Promise<{ visitors: number; contacts: number }> {
  const [visitors, contacts] = await Promise.all([shop.full.get("/v1/visitors"), shop.full.get("/v1/contacts")]);
  return { visitors: visitors.body.items.length, contacts: contacts.body.items.length };
}

const timelineOf = async (shop: MintedShop, contact: string): Promise<Item[]> =>
  (await shop.full.get(`/v1/contacts/${contact}/timeline?limit=250`)).body.items;

describe("an anonymous visitor", () => {
  it("A2, A3: ten pages and a cart, but no e-mail address: a visitor, and no contact", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    expect(await counts(shop)).toEqual({ visitors: 0, contacts: 0 });
    for (let i = 0; i < 10; i++) {
      await say(shop, visitor, page(`/${i}`));
      travel(MINUTE);
    }
    await say(shop, visitor, cart(crypto.randomUUID()));
    travel(DAY);
    await runDurableObjectAlarm(objectOf(shop, visitor));
    const listed = (await shop.full.get("/v1/visitors")).body.items;
    expect(listed).toMatchObject([{ id: visitor, contactId: null, pageViews: 10, visits: 1, returning: false }]);
    expect(listed[0].cart).toMatchObject({ state: "abandoned", contactId: null });
    expect(await counts(shop)).toEqual({ visitors: 1, contacts: 0 });
  });

  it("A6: has a number for a name, and nothing personal in what REST answers, D1 stores or the object holds", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const personal = { email: "jane@example.com", phone: "+493022222", firstName: "Janine" };
    await say(shop, visitor, { ...page("/?email=jane%40example.com"), title: "Hello jane@example.com" });
    await say(shop, visitor, { type: "custom:survey", data: { ...personal, text: "ask jane@example.com" } });
    const shown = (await shop.full.get(`/v1/visitors/${visitor}?include=hidden`)).body;
    expect(shown.label).toMatch(/^Anonymous visitor #\d+$/);
    const answers = await Promise.all(
      ["", "/timeline", "/visits"].map((part) => shop.full.get(`/v1/visitors/${visitor}${part}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const tables = ["visitors", "visits", "pages", "events", "carts", "drops"];
    const stored = await env.DB.batch(tables.map((name) => env.DB.prepare(`select * from ${name}`)));
    const held = await runInDurableObject(objectOf(shop, visitor), (_, state) => [...state.storage.kv.list()]);
    const text = JSON.stringify([shown, answers.map(({ body }) => body), stored.map(({ results }) => results), held]);
    expect(text).toContain("custom:survey");
    expect(text).not.toMatch(/jane|janine|4930222|203\.0\.113/i);
  });

  it("A5, A11, A12: the same cookie a week later is the same visitor with one visit more", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const read = async () => (await shop.full.get(`/v1/visitors/${visitor}`)).body;
    for (let i = 0; i < 5; i++) {
      await say(shop, visitor, page(`/${i}`));
      travel(i < 4 ? 5 * MINUTE : 0);
    }
    expect(await read()).toMatchObject({ visits: 1, pageViews: 5, returning: false, firstSeenAt: at(T0) });
    travel(7 * DAY);
    await say(shop, visitor, page("/back"));
    expect(await read()).toMatchObject({ id: visitor, visits: 2, pageViews: 6, returning: true, firstSeenAt: at(T0) });
    expect((await shop.full.get("/v1/visitors")).body.items).toHaveLength(1);
    const visits = (await shop.full.get(`/v1/visitors/${visitor}/visits`)).body.items;
    expect(visits.map(({ pages }: { pages: unknown[] }) => pages.length)).toEqual([1, 5]);
  });

  it("A15, A16, A17: comes from the hidden source and from exactly a country, a region and a city", async () => {
    const shop = await mintShop();
    const [berlin, nowhere] = [newVisitor(), newVisitor()];
    await say(shop, berlin, page("/"));
    await send(shop.domain, nowhere, [page("/")], {
      headers: { "cf-ipcountry": "", "cf-region": "", "cf-ipcity": "" },
    });
    const read = async (visitor: string, query = "") => (await shop.full.get(`/v1/visitors/${visitor}${query}`)).body;
    expect((await read(berlin)).geo).toEqual({ country: "DE", region: "Berlin", city: "Berlin" });
    expect((await read(nowhere)).geo).toEqual({ country: null, region: null, city: null });
    expect(await read(berlin)).not.toHaveProperty("source");
    expect((await read(berlin, "?include=hidden")).source).toBe("anonymous_website_visitors");
  });

  it("A18: any site may send until the app is uninstalled; then intake answers 403, and what was seen is still there", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await say(shop, visitor, page("/"));
    await objectOf(shop, visitor).flush();
    travel(MINUTE);
    expect(await deliverWebhook(shop.domain, "app/uninstalled", { id: 1, myshopify_domain: shop.domain })).toBe(
      "handled",
    );
    const refused = await send(shop.domain, visitor, [page("/after")]);
    expect([refused.status, (await refused.json<{ code: string }>()).code]).toEqual([403, "shop_uninstalled"]);
    expect((await shop.full.get(`/v1/shops/${shop.id}`)).body).toMatchObject({
      status: "uninstalled",
      uninstalledAt: at(T0 + MINUTE),
    });
    expect((await shop.full.get("/v1/visitors")).body.items).toMatchObject([{ id: visitor, pageViews: 1 }]);
  });
});

describe("a contact", () => {
  it("A4: who signs up is a visitor less and a contact more; with a known address no contact more", async () => {
    const shop = await mintShop();
    const email = address();
    await shop.full.post("/v1/contacts", { email });
    const [known, unknown] = [newVisitor(), newVisitor()];
    for (const visitor of [known, unknown]) await say(shop, visitor, page("/"));
    for (const visitor of [known, unknown]) await objectOf(shop, visitor).flush();
    expect(await counts(shop)).toEqual({ visitors: 2, contacts: 1 });
    await say(shop, unknown, identified({ email: address() }));
    await objectOf(shop, unknown).flush();
    expect(await counts(shop)).toEqual({ visitors: 1, contacts: 2 });
    await say(shop, known, identified({ email }));
    await objectOf(shop, known).flush();
    expect(await counts(shop)).toEqual({ visitors: 0, contacts: 2 });
    const { body } = await shop.full.get(`/v1/contacts?email=${email}`);
    expect((await shop.full.get(`/v1/visitors?contactId=${body.items[0].id}`)).body.items).toMatchObject([
      { id: known },
    ]);
  });

  it("A9: a page that a known browser views is on the contact's timeline at once, with URL, title, referrer and time", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await say(shop, visitor, identified({ email: address() }));
    await objectOf(shop, visitor).flush();
    const [contact] = (await shop.full.get("/v1/contacts")).body.items;
    travel(10 * MINUTE);
    const viewed = {
      id: "the-view",
      type: "page_viewed",
      url: "https://acme.example/products/mug",
      title: "Stoneware mug",
      referrer: "https://search.example/find?q=private",
    };
    await say(shop, visitor, viewed);
    travel(SECOND);
    expect((await timelineOf(shop, contact.id))[0]).toEqual({
      id: "the-view",
      type: "page_viewed",
      at: at(T0 + 10 * MINUTE),
      visitId: expect.stringMatching(/^vis_/),
      visitorId: visitor,
      data: { url: viewed.url, title: viewed.title, referrer: "https://search.example/find" },
    });
  });

  it("A19: seven events and a cart of the past join the existing contact with their own times, once", async () => {
    const shop = await mintShop();
    const email = address();
    const existing = (await shop.full.post("/v1/contacts", { email, firstName: "Ada" })).body.id;
    const visitor = newVisitor();
    const token = crypto.randomUUID();
    travel(DAY);
    const before = [
      { ...page("/?utm_source=instagram&utm_campaign=autumn"), referrer: "https://instagram.com/p/1" },
      page("/a"),
      { ...page("/a"), type: "product_viewed", data: { productId: "7" } },
      page("/b"),
      { type: "search_submitted", data: { query: "mug" } },
      page("/c"),
      cart(token),
    ].map((event, i) => ({ ...event, id: `past-${i}` }));
    for (const event of before) {
      await say(shop, visitor, event);
      travel(MINUTE);
    }
    expect((await shop.full.get(`/v1/carts?contactId=${existing}`)).body.items).toEqual([]);
    for (let again = 0; again < 2; again++) {
      // With what a tracker sends again when it has missed an answer.
      await say(shop, visitor, ...before, identified({ email }));
      await objectOf(shop, visitor).flush();
      travel(MINUTE);
    }
    expect(await counts(shop)).toEqual({ visitors: 0, contacts: 1 });
    const found = (await shop.full.get(`/v1/contacts?email=${email}`)).body.items;
    expect(found).toMatchObject([{ id: existing, firstName: "Ada", source: "API" }]);
    const past = (await timelineOf(shop, existing)).filter(({ id }) => id.startsWith("past-"));
    expect(past.map(({ id, at: time }) => [id, time])).toEqual(
      before.map(({ id }, i) => [id, at(T0 + DAY + i * MINUTE)]).toReversed(),
    );
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body).toMatchObject({
      contactId: existing,
      firstTouch: { source: "instagram", campaign: "autumn" },
    });
    expect((await shop.full.get(`/v1/carts?contactId=${existing}`)).body.items).toMatchObject([
      { token, state: "open", visitorId: visitor },
    ]);
  });

  it("B6, E22: the path of each visit is on the profile, and every page with its views and last visit", async () => {
    const shop = await mintShop({}, { origins: ["https://acme.example"] });
    const visitor = newVisitor();
    const from = (origin: string, path: string) =>
      send(shop.domain, visitor, [page(path)], { headers: { origin } }).then(({ status }) => status);
    const own = "https://acme.example";
    for (const path of ["/", "/a", "/b", "/a"]) {
      expect(await from(own, path)).toBe(204);
      travel(MINUTE);
    }
    expect(await from("https://evil.example", "/stolen")).toBe(403);
    travel(DAY);
    expect(await from(own, "/b")).toBe(204);
    await send(shop.domain, visitor, [identified({ email: address() })], { headers: { origin: own } });
    await vi.waitFor(async () => expect(await counts(shop)).toEqual({ visitors: 0, contacts: 1 }));
    const [contact] = (await shop.full.get("/v1/contacts")).body.items;
    const visits = (await shop.full.get(`/v1/contacts/${contact.id}/visits`)).body.items;
    const urls = (pages: { url: string }[]) => pages.map(({ url }) => new URL(url).pathname);
    expect(visits.map((visit: { pages: { url: string }[] }) => urls(visit.pages))).toEqual([
      ["/b"],
      ["/", "/a", "/b", "/a"],
    ]);
    const seen = (await shop.full.get(`/v1/contacts/${contact.id}/pages`)).body.items;
    expect(
      seen.map((row: { url: string; views: number; lastVisitAt: string }) => [row.url, row.views, row.lastVisitAt]),
    ).toEqual([
      [`${own}/b`, 2, at(T0 + 4 * MINUTE + DAY)],
      [`${own}/a`, 2, at(T0 + 3 * MINUTE)],
      [`${own}/`, 1, at(T0)],
    ]);
  });
});
