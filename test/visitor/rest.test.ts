import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { api, mintShop, operator } from "../helpers/api";
import { insert, seedCart, seedContact, seedProduct, seedVisit, seedVisitor } from "../helpers/seed";

const TOUCH = {
  source: "instagram",
  medium: "paid",
  campaign: "x",
  term: null,
  content: null,
  clickId: null,
  channel: "paid_social",
  referrer: "https://instagram.com/",
  landingUrl: "https://shop.example/?utm_source=instagram",
};

test("A2: who browses without telling who they are is under /visitors, not under /contacts", async () => {
  const shop = await mintShop();
  const visitor = await seedVisitor(shop.key, { page_views: 10 });
  const visitors = await shop.full.get("/v1/visitors");
  expect(visitors.body.items.map(({ id }: { id: string }) => id)).toEqual([visitor.tracker]);
  expect(visitors.body.items[0]).toMatchObject({ contactId: null, pageViews: 10 });
  const contacts = await env.DB.prepare("select count(*) as n from contacts where shop = ?").bind(shop.key).first();
  expect(contacts).toEqual({ n: 0 });
});

test("a visitor's shape, with its cart and where it came from", async () => {
  const shop = await mintShop();
  const visitor = await seedVisitor(shop.key, {
    country: "DE",
    region: "BE",
    city: "Berlin",
    visits: 2,
    page_views: 7,
    first_seen_at: Date.UTC(2026, 0, 1),
    last_seen_at: Date.UTC(2026, 0, 9),
    first_touch: JSON.stringify(TOUCH),
    device: JSON.stringify({ type: "mobile", browser: "Safari", os: "iOS" }),
  });
  await seedProduct(shop.key, "7", { category: "Kitchen", image: "https://cdn.example/7.jpg" });
  await seedCart(shop.key, { visitor: visitor.key, state: "purchased", activity_at: Date.now() + 1 });
  const cart = await seedCart(shop.key, {
    visitor: visitor.key,
    items: JSON.stringify([{ productId: "7", title: "Mug", quantity: 2, price: { amount: 500, currency: "EUR" } }]),
  });
  const { status, body } = await shop.full.get(`/v1/visitors/${visitor.tracker}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: visitor.tracker,
    label: `Anonymous visitor #${visitor.key}`,
    person: 1,
    geo: { country: "DE", region: "BE", city: "Berlin" },
    visits: 2,
    pageViews: 7,
    returning: true,
    firstSeenAt: "2026-01-01T00:00:00.000Z",
    lastSeenAt: "2026-01-09T00:00:00.000Z",
    firstTouch: TOUCH,
    lastTouch: null,
    device: { type: "mobile", browser: "Safari", os: "iOS" },
    contactId: null,
    cart: {
      id: cart.id,
      state: "open",
      value: { amount: 1999, currency: "EUR" },
      items: [{ productId: "7", category: "Kitchen", image: "https://cdn.example/7.jpg", quantity: 2 }],
    },
  });
});

test("A15: the source is hidden from view and told on request", async () => {
  const shop = await mintShop();
  const { tracker } = await seedVisitor(shop.key);
  for (const path of ["/v1/visitors?x=1", `/v1/visitors/${tracker}?x=1`]) {
    const plain = await shop.full.get(path);
    expect(JSON.stringify(plain.body)).not.toContain('source":"anonymous');
    expect(JSON.stringify(plain.body)).not.toContain("anonymous_website_visitors");
    const hidden = await shop.full.get(`${path}&include=hidden`);
    expect((hidden.body.items?.[0] ?? hidden.body).source).toBe("anonymous_website_visitors");
  }
});

test("A17: country, region and city are the fields of a visitor's place, exactly these", async () => {
  const shop = await mintShop();
  const { tracker } = await seedVisitor(shop.key, { country: "DE" });
  const { body } = await shop.full.get(`/v1/visitors/${tracker}`);
  expect(body.geo).toEqual({ country: "DE", region: null, city: null });
});

test("A18: after an uninstall the visitors are still listed, and the shop's status explains", async () => {
  const shop = await mintShop();
  const { tracker } = await seedVisitor(shop.key);
  await env.DB.prepare("update shops set status = 'uninstalled', uninstalled_at = 5 where key = ?")
    .bind(shop.key)
    .run();
  const { status, body } = await shop.full.get("/v1/visitors");
  expect([status, body.items[0].id]).toEqual([200, tracker]);
  const shown = await shop.full.get(`/v1/shops/${shop.id}`);
  expect(shown.body).toMatchObject({ status: "uninstalled", uninstalledAt: "1970-01-01T00:00:00.005Z" });
});

test("the list leaves out contacts' visitors and server-side ones, unless a contact is named", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key);
  const anonymous = await seedVisitor(shop.key);
  const linked = await seedVisitor(shop.key, { contact: contact.key });
  await seedVisitor(shop.key, { contact: contact.key, channel: "api", tracker: `api:${contact.id}` });
  const ids = async (path: string) => (await shop.full.get(path)).body.items.map(({ id }: { id: string }) => id);
  expect(await ids("/v1/visitors")).toEqual([anonymous.tracker]);
  expect(await ids(`/v1/visitors?contactId=${contact.id}`)).toEqual([linked.tracker]);
  expect(await ids("/v1/visitors?contactId=con_nobody")).toEqual([]);
  const { status } = await shop.full.get(`/v1/visitors/api:${contact.id}`);
  expect(status).toBe(404);
});

test("the current person of a browser is shown, earlier ones by number, an erased one is 404", async () => {
  const shop = await mintShop();
  const tracker = crypto.randomUUID();
  await seedVisitor(shop.key, { tracker, person: 1, visits: 4 });
  const second = await seedVisitor(shop.key, { tracker, person: 2, visits: 9 });
  expect((await shop.full.get(`/v1/visitors/${tracker}`)).body).toMatchObject({ person: 2, visits: 9 });
  expect((await shop.full.get(`/v1/visitors/${tracker}?person=1`)).body).toMatchObject({ person: 1, visits: 4 });
  expect((await shop.full.get(`/v1/visitors/${tracker}?person=3`)).status).toBe(404);
  await env.DB.prepare("delete from visitors where key = ?").bind(second.key).run();
  await insert("erased", { shop: shop.key, hash: "of-the-second", at: 1 });
  expect((await shop.full.get(`/v1/visitors/${tracker}?person=2`)).status).toBe(404);
});

test("visitors page by key, each once, also while more come", async () => {
  const shop = await mintShop();
  const trackers: string[] = [];
  for (let i = 0; i < 12; i++) trackers.push((await seedVisitor(shop.key)).tracker);
  const seen: string[] = [];
  let cursor = "";
  for (;;) {
    const { body } = await shop.full.get(`/v1/visitors?limit=5${cursor}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    await seedVisitor(shop.key);
    if (body.nextCursor === null) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(seen).toEqual(trackers.toReversed());
});

test("B6: the path through the shop is on the profile: pages of each visit in their order", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key);
  const visitor = await seedVisitor(shop.key, { contact: contact.key });
  const page = (seq: number, at: number, url: string, type = "page_viewed") => ({
    seq,
    at,
    type,
    id: `p${seq}`,
    url,
    data: null,
  });
  await seedVisit(shop.key, visitor.key, 1, 0, [
    page(1, 1_000, "https://s.example/"),
    page(2, 2_000, "https://s.example/a"),
  ]);
  await seedVisit(shop.key, visitor.key, 1, 1, [page(3, 3_000, "https://s.example/b")]);
  await seedVisit(shop.key, visitor.key, 2, 0, [
    page(4, 9_000_000, "https://s.example/c"),
    page(5, 9_000_500, "https://s.example/c", "product_viewed"),
  ]);
  for (const path of [`/v1/contacts/${contact.id}/visits`, `/v1/visitors/${visitor.tracker}/visits`]) {
    const first = await shop.full.get(`${path}?limit=1`);
    const second = await shop.full.get(`${path}?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body.nextCursor).toBeNull();
    const [latest, earlier] = [first.body.items[0], second.body.items[0]];
    expect(latest).toMatchObject({ visitorId: visitor.tracker, events: 2, endedAt: "1970-01-01T02:30:00.500Z" });
    expect(latest.pages).toEqual([
      { url: "https://s.example/c", title: "Title of https://s.example/c", at: "1970-01-01T02:30:00.000Z" },
    ]);
    expect(earlier.pages.map(({ url }: { url: string }) => url)).toEqual([
      "https://s.example/",
      "https://s.example/a",
      "https://s.example/b",
    ]);
    expect(earlier).toMatchObject({ startedAt: "1970-01-01T00:00:01.000Z", endedAt: "1970-01-01T00:00:03.000Z" });
    const timeline = await shop.full.get(path.replace("visits", "timeline"));
    const visits = timeline.body.items.map(({ visitId }: { visitId?: string }) => visitId).filter(Boolean);
    expect(visits).toEqual([latest.id, latest.id, earlier.id, earlier.id, earlier.id]);
  }
});

test("every visitor route needs a key with the read scope and its own shop", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  const contact = await seedContact(mine.key);
  const { tracker } = await seedVisitor(mine.key, { contact: contact.key });
  const one = [
    `/v1/visitors/${tracker}`,
    `/v1/visitors/${tracker}/timeline`,
    `/v1/visitors/${tracker}/visits`,
    `/v1/contacts/${contact.id}/timeline`,
    `/v1/contacts/${contact.id}/visits`,
  ];
  for (const path of ["/v1/visitors", ...one]) {
    expect((await api(null).get(path)).status).toBe(401);
    expect((await mine.writeOnly.get(path)).status).toBe(403);
    expect((await mine.readOnly.get(path)).status).toBe(200);
    expect((await operator.get(`${path}?shop=${mine.domain}`)).status).toBe(200);
  }
  for (const path of one) {
    expect((await other.full.get(path)).status).toBe(404);
    expect((await operator.get(`${path}?shop=${other.id}`)).status).toBe(404);
  }
  expect((await other.full.get("/v1/visitors")).body.items).toEqual([]);
  expect((await operator.get("/v1/visitors")).status).toBe(400);
});

test("what is malformed is answered, never met with an error of ours", async () => {
  const shop = await mintShop();
  const { tracker } = await seedVisitor(shop.key);
  for (const path of [
    "/v1/visitors?limit=251",
    "/v1/visitors?limit=0",
    "/v1/visitors?limit=abc",
    "/v1/visitors?cursor=zzz",
    "/v1/visitors?include=everything",
    `/v1/visitors/${tracker}?person=0`,
    `/v1/visitors/${tracker}?person=1e99`,
  ]) {
    expect([path, (await shop.full.get(path)).status]).toEqual([path, 400]);
  }
  for (const id of ["nobody", "%00", "' or 1=1 --", "../contacts", crypto.randomUUID(), "ä".repeat(90)]) {
    const { status } = await shop.full.get(`/v1/visitors/${encodeURIComponent(id)}`);
    expect([id, status]).toEqual([id, 404]);
  }
});
