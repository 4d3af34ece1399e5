import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { api, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { MINUTE, travel, useFakeClock } from "../helpers/clock";
import { seedContact, seedOrder, seedVisit, seedVisitor } from "../helpers/seed";
import { deliverWebhook } from "../helpers/webhook";
import { addSegment, catchUp, membersOf, rows } from "./membership";

useFakeClock();

const viewed = (product: string) => ({
  did: "product_viewed",
  where: [{ field: "product_id", op: "eq", value: product }],
});

const view = (product: string) => ({
  seq: 1,
  at: Date.now() - 1_000,
  type: "product_viewed",
  id: "e1",
  url: "https://shop.example/products/p",
  data: { productId: product },
});

describe("A1: segments of contacts and visitors", () => {
  test("A1: three anonymous and two known people saw a product: 3, 2 and 5, each with its kind", async () => {
    const shop = await mintShop();
    const anonymous: string[] = [];
    for (let i = 0; i < 3; i++) {
      const visitor = await seedVisitor(shop.key);
      anonymous.push(visitor.tracker);
      await seedVisit(shop.key, visitor.key, 1, 0, [view("P")]);
    }
    const known: string[] = [];
    for (let i = 0; i < 2; i++) {
      const contact = await seedContact(shop.key, { email: `k${i}@x.example`, first_name: "Erika" });
      const browser = await seedVisitor(shop.key, { contact: contact.key });
      known.push(contact.id);
      await seedVisit(shop.key, browser.key, 1, 0, [view("P")]);
    }
    const other = await seedVisitor(shop.key);
    await seedVisit(shop.key, other.key, 1, 0, [view("Q")]);
    for (const [audience, count] of [
      ["visitors", 3],
      ["contacts", 2],
      ["both", 5],
    ] as const) {
      const preview = await shop.full.post("/v1/segments/preview", { audience, definition: { all: [viewed("P")] } });
      expect(preview.status).toBe(200);
      expect(preview.body.count).toBe(count);
      const made = await shop.full.post("/v1/segments", { name: "P", audience, definition: { all: [viewed("P")] } });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({ state: "live", size: count, audience, version: 1, problem: null });
      const members = (await shop.full.get(`/v1/segments/${made.body.id}/members`)).body.items;
      const expected = [
        ...(audience === "visitors" ? [] : known.map((id) => ["contact", id])),
        ...(audience === "contacts" ? [] : anonymous.map((id) => ["visitor", id])),
      ];
      expect(members.map((m: { kind: string; id: string }) => [m.kind, m.id])).toEqual(expected);
      for (const member of members) expect(Object.keys(member).sort()).toEqual(["enteredAt", "id", "kind"]);
    }
    const history =
      "select count(*) as n from segment_history where segment in (select key from segments where shop = ?)";
    expect(await env.DB.prepare(history).bind(shop.key).first()).toEqual({ n: 0 });
  });
});

describe("A14, A17: what is known of visitors is asked about", () => {
  test("A14: from Instagram, viewed the product, no order", async () => {
    const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
    const land = async (address: string, product: string) => {
      const tracker = newVisitor();
      await send(shop.domain, tracker, [
        { type: "page_viewed", url: address },
        { type: "product_viewed", url: address, data: { productId: product } },
      ]);
      await objectOf(shop, tracker).flush();
      return tracker;
    };
    const instagram = "https://shop.example/?utm_source=instagram&utm_campaign=x";
    const wanted = await land(instagram, "P");
    await land(instagram, "Q");
    await land("https://shop.example/", "P");
    const buyer = await land(instagram, "P");
    const [row] = await rows<{ key: number }>("select key from visitors where tracker = ?", buyer);
    await seedOrder(shop.key, { visitor: row?.key ?? 0 });
    const definition = {
      all: [
        { field: "first_touch_source", op: "eq", value: "instagram" },
        { field: "first_touch_campaign", op: "eq", value: "x" },
        viewed("P"),
        { did: "order_placed", count: { eq: 0 } },
      ],
    };
    const segment = await addSegment(shop, definition, { audience: "visitors" });
    expect(await membersOf(shop, segment)).toEqual([wanted]);
  });

  test("A17: country, region and city of visitors", async () => {
    const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
    const from = async (headers: Record<string, string>) => {
      const tracker = newVisitor();
      await send(shop.domain, tracker, [{ type: "page_viewed", url: "https://s.example/" }], { headers });
      await objectOf(shop, tracker).flush();
      return tracker;
    };
    const berlin = await from({});
    await from({ "cf-ipcountry": "US", "cf-region": "Texas", "cf-ipcity": "Dallas" });
    const { body } = await shop.full.get("/v1/segments/catalog");
    const names = body.groups.flatMap(({ fields }: { fields: { name: string }[] }) => fields.map(({ name }) => name));
    for (const [field, value] of [
      ["country", "DE"],
      ["region", "Berlin"],
      ["city", "Berlin"],
    ]) {
      expect(names).toContain(field);
      const segment = await addSegment(shop, { all: [{ field, op: "eq", value }] }, { audience: "visitors" });
      expect(await membersOf(shop, segment), field).toEqual([berlin]);
    }
  });
});

describe("E3, E14, E17: conditions about orders", () => {
  const spent = { all: [{ field: "total_revenue", op: "gte", value: 5000 }] };

  test("E3: the same condition object is accepted by everything that asks about people", async () => {
    const shop = await mintShop();
    const rich = await seedContact(shop.key, { email: "r@x.example", orders_count: 1, orders_total: 6000 });
    await seedContact(shop.key, { email: "p@x.example", orders_count: 1, orders_total: 4000 });
    expect((await shop.full.post("/v1/segments/preview", { definition: spent })).body).toEqual({
      count: 1,
      sample: [{ kind: "contact", id: rich.id }],
    });
    const segment = await addSegment(shop, spent);
    expect(await membersOf(shop, segment)).toEqual([rich.id]);
    const { body } = await shop.full.post("/v1/segments/print", { definition: spent });
    const read = await shop.full.post("/v1/segments/parse", { text: body.text });
    const again = await shop.full.post("/v1/segments/preview", { definition: read.body.definition });
    expect(again.body.count).toBe(1);
    const patched = await shop.full.patch(`/v1/segments/${segment.id}`, { definition: { none: [spent] } });
    expect(patched.body).toMatchObject({ version: 2, state: "live", size: 1 });
    const snapshot = await shop.full.post("/v1/lists", { name: "Rich", segment: segment.id });
    expect(snapshot.body.size).toBe(1);
  });

  test("E14: opted in to marketing are exactly those who are", async () => {
    const shop = await mintShop();
    const ids: Record<string, string> = {};
    const customer = (id: number, state: string, at: number) => ({
      id,
      email: `${state}@x.example`,
      created_at: new Date(at).toISOString(),
      updated_at: new Date(at).toISOString(),
      email_marketing_consent: {
        state,
        opt_in_level: "single_opt_in",
        consent_updated_at: new Date(at).toISOString(),
      },
    });
    // Those who said no are synced like those who said yes.
    for (const [i, state] of ["subscribed", "unsubscribed", "not_subscribed"].entries()) {
      await deliverWebhook(shop.domain, "customers/create", customer(900 + i, state, Date.now() - MINUTE));
      ids[state] = (await shop.full.get(`/v1/contacts?email=${state}@x.example`)).body.items[0].id;
    }
    await shop.full.post("/v1/contacts", { email: "nobody-asked@x.example" });
    const segment = await addSegment(shop, {
      all: [{ field: "email_consent", op: "eq", value: "subscribed" }],
    });
    expect(await membersOf(shop, segment)).toEqual([ids["subscribed"]]);
    expect((await shop.full.get(`/v1/contacts/${ids["unsubscribed"]}`)).body.consents.email.state).toBe("unsubscribed");
    await shop.full.patch(`/v1/contacts/${ids["subscribed"]}`, { consents: { email: { state: "unsubscribed" } } });
    await shop.full.patch(`/v1/contacts/${ids["unsubscribed"]}`, { consents: { email: { state: "subscribed" } } });
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([ids["unsubscribed"]]);
  });

  test("E17: conditions of the store are absent before it is connected and there afterwards", async () => {
    const shop = await mintShop();
    const groups = async () =>
      (await shop.full.get("/v1/segments/catalog")).body.groups.map(({ name }: { name: string }) => name);
    const events = async () =>
      (await shop.full.get("/v1/segments/catalog")).body.events.map(({ name }: { name: string }) => name);
    expect(await groups()).not.toContain("last_order");
    expect(await events()).not.toContain("order_placed");
    await env.DB.prepare("update shops set connected_at = ? where key = ?").bind(Date.now(), shop.key).run();
    expect(await groups()).toEqual(expect.arrayContaining(["totals", "last_order", "any_order", "carts"]));
    expect(await events()).toContain("order_placed");
    const told = await mintShop();
    const before = await told.full.get("/v1/segments/catalog");
    expect(before.body.groups.filter(({ ecommerce }: { ecommerce: boolean }) => ecommerce)).toEqual([]);
    const order = { externalId: "1", email: "b@x.example", total: { amount: 100, currency: "USD" }, tags: ["Gift"] };
    expect((await told.full.post("/v1/orders", order)).status).toBe(201);
    const { body } = await told.full.get("/v1/segments/catalog");
    expect(body.events.map(({ name }: { name: string }) => name)).toContain("order_placed");
    const tags = { all: [{ did: "order_placed", where: [{ field: "order_tag", op: "has_any", value: ["gift"] }] }] };
    expect((await told.full.post("/v1/segments/preview", { definition: tags })).status).toBe(200);
  });
});

describe("definitions over REST", () => {
  test("2.2: errors point at the leaf; a segment in itself or a circle is 422, deleting what is referred to 409", async () => {
    const shop = await mintShop();
    const wrong = await shop.full.post("/v1/segments/preview", {
      definition: { all: [viewed("P"), { any: [{ field: "emial", op: "eq", value: "x" }] }] },
    });
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, "/definition/all/1/any/0/field"]);
    const a = await addSegment(shop, { all: [] });
    const b = await addSegment(shop, { all: [{ in: { segment: a.id } }] });
    const c = await addSegment(shop, { all: [{ notIn: { segment: b.id } }] });
    const circle = await shop.full.patch(`/v1/segments/${a.id}`, { definition: { all: [{ in: { segment: c.id } }] } });
    expect([circle.status, circle.body.errors[0].pointer]).toEqual([422, "/definition/all/0/in"]);
    const self = await shop.full.patch(`/v1/segments/${a.id}`, { definition: { all: [{ in: { segment: a.id } }] } });
    expect(self.status).toBe(422);
    expect((await shop.full.delete(`/v1/segments/${a.id}`)).status).toBe(409);
    expect((await shop.full.delete(`/v1/segments/${c.id}`)).status).toBe(204);
    expect((await shop.full.get(`/v1/segments/${c.id}`)).status).toBe(404);
    const gone = await shop.full.post("/v1/segments", { name: "X", definition: { all: [{ in: { segment: c.id } }] } });
    expect(gone.status).toBe(422);
    expect((await shop.full.delete(`/v1/segments/${b.id}`)).status).toBe(204);
    travel(MINUTE);
    await continueLongJobs(env, Date.now());
    expect(await rows("select id from segments where shop = ?", shop.key)).toEqual([{ id: a.id }]);
  });

  test("another shop's segment is no reference", async () => {
    const [mine, theirs] = [await mintShop(), await mintShop()];
    const segment = await addSegment(theirs, { all: [] });
    const made = await mine.full.post("/v1/segments", {
      name: "X",
      definition: { all: [{ in: { segment: segment.id } }] },
    });
    expect(made.status).toBe(422);
  });

  test("an audience is segments without segments and lists, with what it costs", async () => {
    const shop = await mintShop();
    const ids: string[] = [];
    for (const tags of [["a"], ["a", "b"], ["a", "c"], ["d"]]) {
      const body = { email: `${tags.join("")}@x.example`, tags };
      ids.push((await shop.full.post("/v1/contacts", body)).body.id);
    }
    const [a, b] = [
      await addSegment(shop, { all: [{ field: "tags", op: "has_any", value: ["a"] }] }),
      await addSegment(shop, { all: [{ field: "tags", op: "has_any", value: ["b"] }] }),
    ];
    const list = (await shop.full.post("/v1/lists", { name: "C" })).body.id;
    await shop.full.post(`/v1/lists/${list}/members`, { action: "add", filter: { tag: "c" } });
    const exclude = { segments: [b.id], lists: [list] };
    const algebra = await shop.full.post("/v1/segments/preview?explain=true", {
      include: { segments: [a.id] },
      exclude,
    });
    expect(algebra.body).toMatchObject({ count: 1, sample: [{ kind: "contact", id: ids[0] }] });
    expect(algebra.body.explanation.rowsRead).toBeGreaterThan(0);
    expect(algebra.body.explanation.steps.length).toBeGreaterThan(0);
    const same = await shop.full.post("/v1/segments/preview", {
      definition: { all: [{ field: "tags", op: "has_any", value: ["a", "d"] }] },
      exclude,
    });
    expect(same.body.count).toBe(2);
    expect((await shop.full.post("/v1/segments/preview", { exclude })).status).toBe(400);
    const unknown = await shop.full.post("/v1/segments/preview", { include: { lists: ["lst_0"] } });
    expect(unknown.status).toBe(422);
  });

  test("text and Klaviyo: what cannot be said is told of with its place", async () => {
    const shop = await mintShop();
    const read = await shop.full.post("/v1/segments/parse", { text: "number_of_orders >= 2" });
    expect(read.status).toBe(200);
    const wrong = await shop.full.post("/v1/segments/parse", { text: "number_of_orders >= 2 AND nonsense = 1" });
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, "/text"]);
    expect(wrong.body.errors[0].detail).toMatch(/^line 1, column 27/);
    const imported = await shop.full.post("/v1/segments/import/klaviyo", {
      definition: { condition_groups: [{ conditions: [{ type: "profile-nonsense" }] }] },
    });
    expect(imported.body.refused[0].pointer).toMatch(/^\/condition_groups\/0\/conditions\/0/);
  });
});

describe("who may", () => {
  test("no key, a wrong scope and another shop's id are refused by every route", async () => {
    const [shop, other] = [await mintShop(), await mintShop()];
    const segment = await addSegment(shop, { all: [] });
    const list = (await shop.full.post("/v1/lists", { name: "L" })).body.id;
    const definition = { all: [] };
    const routes: [method: string, path: string, body?: unknown][] = [
      ["GET", "/v1/segments"],
      ["POST", "/v1/segments", { name: "N", definition }],
      ["GET", "/v1/segments/catalog"],
      ["POST", "/v1/segments/preview", { definition }],
      ["POST", "/v1/segments/parse", { text: "number_of_orders > 1" }],
      ["POST", "/v1/segments/print", { definition }],
      ["POST", "/v1/segments/import/klaviyo", { definition: { condition_groups: [] } }],
      ["GET", `/v1/segments/${segment.id}`],
      ["PATCH", `/v1/segments/${segment.id}`, { name: "M" }],
      ["GET", `/v1/segments/${segment.id}/members`],
      ["GET", `/v1/segments/${segment.id}/history`],
      ["GET", `/v1/segments/${segment.id}/sizes`],
      ["DELETE", `/v1/segments/${segment.id}`],
      ["GET", "/v1/lists"],
      ["POST", "/v1/lists", { name: "N" }],
      ["GET", `/v1/lists/${list}`],
      ["PATCH", `/v1/lists/${list}`, { name: "M" }],
      ["GET", `/v1/lists/${list}/members`],
      ["POST", `/v1/lists/${list}/members`, { action: "add", contactIds: [] }],
      ["DELETE", `/v1/lists/${list}`],
    ];
    for (const [method, path, body] of routes) {
      const named = `${method} ${path}`;
      expect((await api(null).request(method, path, body)).status, named).toBe(401);
      const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
      expect((await wrong.request(method, path, body)).status, named).toBe(403);
      if (!/(seg|lst)_/.test(path)) continue;
      expect((await other.full.request(method, path, body)).status, named).toBe(404);
    }
    expect((await other.full.get("/v1/segments")).body.items).toEqual([]);
    expect((await other.full.get("/v1/lists")).body.items).toEqual([]);
    expect((await other.full.post("/v1/lists", { name: "N", segment: segment.id })).status).toBe(422);
  });
});
