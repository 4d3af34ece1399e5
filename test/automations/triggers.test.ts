import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { visits } from "../../src/automations/address";
import { abandonDueCarts } from "../../src/carts";
import { api, type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { seedCart, seedContact, seedOrder, seedProduct, seedVisitor } from "../helpers/seed";
import { catchUp } from "../segments/membership";
import { live, logOf, rows, runsOf, settle, tagsOf } from "./world";

useFakeClock();

const TAG = [{ id: "tag", type: "add_tag", tag: "in" }];

async function buy(shop: MintedShop, id: string, email: string, more: Record<string, unknown> = {}) {
  const made = await shop.full.post("/v1/orders", {
    externalId: id,
    email,
    total: { amount: 5000, currency: "USD" },
    placedAt: new Date().toISOString(),
    items: [{ productId: "p1", category: "Mugs", title: "Mug", price: { amount: 5000, currency: "USD" } }],
    ...more,
  });
  expect([made.status < 300, made.body.errors ?? null]).toEqual([true, null]);
  await settle(shop);
  return made.body.id as string;
}

async function browse(shop: MintedShop, visitor: string, ...events: Parameters<typeof send>[2]) {
  expect((await send(shop.domain, visitor, events)).status).toBe(204);
  await objectOf(shop, visitor).flush();
  await settle(shop);
}

async function abandonDue(shop: MintedShop) {
  await env.DB.batch(abandonDueCarts(env.DB, shop.key, Date.now()));
  await settle(shop);
}

const count = async (automation: { key: number }) =>
  (await rows("select 1 from runs where automation = ? and state <> 'pending'", automation.key)).length;

describe("made a purchase", () => {
  test("E19: an order lets its person in at once, however often it is told; B12: the first step is due when it happened", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    const automation = await live(shop, { triggers: [{ type: "made_purchase" }], reentry: "always", steps: TAG });
    travel(SECOND);
    await buy(shop, "o1", "a@x.example");
    travel(SECOND);
    await buy(shop, "o1", "a@x.example", { name: "#1" });
    expect(await logOf(shop, automation)).toEqual(["tag done"]);
    expect(await tagsOf(shop, contact)).toEqual(["in"]);
    const [run] = await runsOf(shop, automation);
    expect(run.log[0].scheduledAt).toBe(new Date(T0 + SECOND).toISOString());
    travel(SECOND);
    await buy(shop, "o2", "a@x.example");
    expect(await count(automation)).toBe(2);
  });

  test("E19: filters of store, product, category, total and which order it is; each kind of re-entry", async () => {
    const shop = await mintShop();
    await seedContact(shop.key, { email: "a@x.example" });
    const by = (filter: object, more: object = {}) =>
      live(shop, { triggers: [{ type: "made_purchase", ...filter }], reentry: "always", steps: TAG, ...more });
    const wanted = {
      store: await by({ store: shop.domain }),
      product: await by({ products: ["p2"] }),
      category: await by({ categories: ["mugs"] }),
      total: await by({ total: { gte: 6000 } }),
      second: await by({ nth: { eq: 2 } }),
      never: await by({}, { reentry: "never" }),
      week: await by({}, { reentry: { after: { n: 7, unit: "day" } } }),
    };
    travel(SECOND);
    await buy(shop, "o1", "a@x.example");
    travel(DAY);
    await buy(shop, "o2", "a@x.example", { total: { amount: 7000, currency: "USD" } });
    travel(7 * DAY);
    await buy(shop, "o3", "a@x.example", {
      items: [{ productId: "p2", title: "Cup", price: { amount: 1, currency: "USD" } }],
    });
    const counts = await Promise.all(Object.entries(wanted).map(async ([name, one]) => [name, await count(one)]));
    expect(Object.fromEntries(counts)).toEqual({
      store: 3,
      product: 1,
      category: 2,
      total: 1,
      second: 1,
      never: 1,
      week: 2,
    });
  });

  test("what happened before it was activated lets nobody in, and neither does a test order", async () => {
    const shop = await mintShop();
    await seedContact(shop.key, { email: "a@x.example" });
    await buy(shop, "o1", "a@x.example");
    travel(SECOND);
    const automation = await live(shop, { triggers: [{ type: "made_purchase" }], steps: TAG });
    await buy(shop, "o1", "a@x.example", { name: "#1" });
    await buy(shop, "o2", "a@x.example", { test: true });
    expect(await count(automation)).toBe(0);
  });
});

describe("visited URL", () => {
  test("B13: the table of addresses", () => {
    const table: [string, string, "exact" | "contains" | "starts_with", boolean][] = [
      ["https://shop.example/x", "https://shop.example/x", "exact", true],
      ["https://shop.example/x", "https://shop.example/x/", "exact", true],
      ["https://shop.example/x/", "https://shop.example/x", "exact", true],
      ["https://shop.example/x", "https://shop.example/x?utm_source=a", "exact", true],
      ["https://shop.example/x", "https://shop.example/x#top", "exact", true],
      ["https://SHOP.example/x", "https://shop.example/x", "exact", true],
      ["https://shop.example/x", "https://Shop.Example/x", "exact", true],
      ["https://shop.example/x", "http://shop.example/x", "exact", true],
      ["shop.example/x", "https://shop.example/x", "exact", true],
      ["/x", "https://anything.example/x", "exact", true],
      ["https://shop.example/x", "https://shop.example/X", "exact", false],
      ["https://shop.example/x", "https://shop.example/xy", "exact", false],
      ["https://shop.example/x", "https://other.example/x", "exact", false],
      ["https://shop.example/x?a=1", "https://shop.example/x?a=1", "exact", true],
      ["https://shop.example/x?a=1", "https://shop.example/x?a=2", "exact", false],
      ["https://shop.example/products/*", "https://shop.example/products/mug", "exact", true],
      ["https://shop.example/products/*", "https://shop.example/collections/mug", "exact", false],
      ["*/products/*", "https://any.example/de/products/mug?x=1", "exact", true],
      ["products", "https://shop.example/de/Products/mug", "contains", true],
      ["products*red", "https://shop.example/products/mug?c=red", "contains", true],
      ["products", "https://shop.example/pages", "contains", false],
      ["https://shop.example/blog", "https://shop.example/blog/one", "starts_with", true],
      ["shop.example/blog", "https://shop.example/blog/one", "starts_with", true],
      ["/blog", "https://shop.example/blog/one", "starts_with", true],
      ["/blog", "https://shop.example/my/blog", "starts_with", false],
      ["a.b", "https://shop.example/aXb", "contains", false],
    ];
    for (const [url, address, match, wanted] of table) {
      expect([url, address, match, visits({ type: "visited_url", url, match }, address)]).toEqual([
        url,
        address,
        match,
        wanted,
      ]);
    }
  });

  test("B3, B11: visited URL, a purchase and an abandoned cart each start an automation, from a browser", async () => {
    const shop = await mintShop({ abandonAfterSeconds: 3600 });
    const page = await live(shop, {
      triggers: [{ type: "visited_url", url: "/sale" }],
      steps: [{ id: "end", type: "exit" }],
    });
    const bought = await live(shop, { triggers: [{ type: "made_purchase" }], steps: [{ id: "end", type: "exit" }] });
    const left = await live(shop, { triggers: [{ type: "abandoned_cart" }], steps: [{ id: "end", type: "exit" }] });
    travel(SECOND);
    const [a, b] = [newVisitor(), newVisitor()];
    const cart = (token: string) => ({
      type: "cart_updated",
      url: "https://s.example/cart",
      data: { token, value: { amount: 900, currency: "USD" }, lines: [{ productId: "p1", quantity: 1 }] },
    });
    const viewed = (token: string) => ({ ...cart(token), type: "cart_viewed" });
    await browse(
      shop,
      a,
      { type: "page_viewed", url: "https://s.example/sale?x=1" },
      { type: "page_viewed", url: "https://s.example/" },
    );
    await browse(shop, a, cart("ca"), viewed("ca"), {
      type: "checkout_completed",
      url: "https://s.example/thanks",
      data: { cartToken: "ca", value: { amount: 900, currency: "USD" } },
    });
    await browse(shop, b, cart("cb"), viewed("cb"));
    travel(61 * MINUTE);
    await abandonDue(shop);
    expect(await Promise.all([page, bought, left].map((one) => count(one)))).toEqual([1, 1, 1]);
    const [run] = await runsOf(shop, left);
    expect(run.run).toMatchObject({ subject: { kind: "visitor", id: b }, cartToken: "cb", event: "cart_abandoned" });
  });
});

describe("in the middle", () => {
  test("B11, B12: each of the three stands in the middle too, and its event moves on at once; never and after a while", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    const tracker = newVisitor();
    await seedVisitor(shop.key, { tracker, contact: contact.key });
    const on = {
      page: { type: "visited_url", url: "/sale" },
      buys: { type: "made_purchase" },
      leaves: { type: "abandoned_cart" },
    };
    const made = [];
    for (const [name, element] of Object.entries(on)) {
      made.push(
        await live(shop, {
          triggers: [{ type: "manual" }],
          steps: [
            {
              id: "wait",
              type: "condition",
              on: element,
              notMet: name === "page" ? "never" : { after: { n: 1, unit: "day" } },
              else: "no",
            },
            { id: "yes", type: "add_tag", tag: `${name} yes`, next: null },
            { id: "no", type: "add_tag", tag: `${name} no`, next: null },
          ],
        }),
      );
    }
    for (const { id } of made) {
      expect((await shop.full.post(`/v1/automations/${id}/runs`, { contactIds: [contact.id] })).body.entered).toBe(1);
    }
    await settle(shop);
    travel(HOUR);
    await buy(shop, "o1", "a@x.example");
    const [, bought] = made;
    const [run] = bought ? await runsOf(shop, bought) : [];
    expect(run.log.map((line: { scheduledAt: string; outcome: string }) => [line.outcome, line.scheduledAt])).toEqual([
      ["met", new Date(T0 + HOUR).toISOString()],
      ["done", new Date(T0 + HOUR).toISOString()],
    ]);
    travel(25 * HOUR);
    await settle(shop);
    expect(await tagsOf(shop, contact)).toEqual(["buys yes", "leaves no"]);
    travel(30 * DAY);
    await settle(shop);
    expect(await tagsOf(shop, contact)).toEqual(["buys yes", "leaves no"]);
  });
});

describe("interested but gone", () => {
  test("D26: who looked at a product and nothing more; who went on to a cart is left alone", async () => {
    const shop = await mintShop();
    const automation = await live(shop, {
      triggers: [{ type: "abandoned_browse", after: { n: 1, unit: "hour" } }],
      steps: [{ id: "list", type: "exit" }],
    });
    travel(SECOND);
    const [a, b] = [newVisitor(), newVisitor()];
    const look = {
      type: "product_viewed",
      url: "https://s.example/products/mug",
      data: { productId: "p1", title: "Mug" },
    };
    await browse(shop, a, look);
    await browse(shop, b, look);
    travel(30 * MINUTE);
    await browse(shop, a, look);
    await browse(shop, b, {
      type: "cart_updated",
      url: "https://s.example/cart",
      data: { token: "cb", value: { amount: 900, currency: "USD" }, lines: [{ productId: "p1", quantity: 1 }] },
    });
    travel(45 * MINUTE);
    await settle(shop);
    expect((await runsOf(shop, automation)).filter(({ run }) => run.state !== "pending")).toEqual([]);
    travel(16 * MINUTE);
    await settle(shop);
    const runs = await runsOf(shop, automation);
    expect(runs.map(({ run }) => [run.subject.id, run.state])).toEqual([[a, "done"]]);
  });

  test("D27: a cart and a checkout are told apart; D28: without a contact point nothing is sent, and the log says so", async () => {
    const shop = await mintShop();
    const message = [{ id: "mail", type: "message", channel: "email", template: await template(shop) }];
    const cart = await live(shop, { triggers: [{ type: "abandoned_cart" }], steps: message });
    const checkout = await live(shop, { triggers: [{ type: "abandoned_checkout" }], steps: message });
    const visitor = await seedVisitor(shop.key);
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    await seedCart(shop.key, { visitor: visitor.key, token: "c1" });
    await seedCart(shop.key, { contact: contact.key, token: "c2", checkout_token: "k2" });
    travel(2 * HOUR);
    await abandonDue(shop);
    const outcomes = (await runsOf(shop, cart)).map(({ log }) => String(log[0].outcome));
    expect(new Set(outcomes)).toEqual(new Set(["queued", "skipped"]));
    expect(await logOf(shop, checkout)).toEqual(["mail queued"]);
    const sent = await rows<{ contact: number; step: string; key: string; data: string }>(
      "select contact, step, natural_key as key, data from deliveries where shop = ?",
      shop.key,
    );
    expect(sent.map((one) => [one.contact, one.step, JSON.parse(one.data).cart])).toEqual([
      [contact.key, "mail", "c2"],
      [contact.key, "mail", "c2"],
    ]);
  });
});

async function template(shop: MintedShop): Promise<string> {
  const id = `tpl_${crypto.randomUUID().replaceAll("-", "")}`;
  await env.DB.batch([
    env.DB.prepare(
      "insert into templates (id, shop, name, channel, version, created_at, updated_at) values (?, ?, 'T', 'email', 1, 0, 0)",
    ).bind(id, shop.key),
  ]);
  return id;
}

describe("changes of people", () => {
  test("tags, lists, fields, score, stage, consent, orders from one state to another, and segments", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    await shop.full.post("/v1/fields", { label: "Size", name: "size", type: "text" });
    const list = (await shop.full.post("/v1/lists", { name: "L" })).body.id;
    const segment = (
      await shop.full.post("/v1/segments", {
        name: "S",
        definition: { all: [{ field: "tags", op: "has_any", value: ["vip"] }] },
      })
    ).body.id;
    await catchUp(shop);
    const triggers = {
      tagged: { type: "tag", tag: "VIP", change: "added" },
      untagged: { type: "tag", tag: "vip", change: "removed" },
      listed: { type: "list", list, change: "added" },
      unlisted: { type: "list", list, change: "removed" },
      sized: { type: "field_changed", field: "size", to: "L" },
      resized: { type: "field_changed", field: "size", from: "L", to: "XL" },
      scored: { type: "score_reached", score: 10 },
      staged: { type: "lifecycle_changed", stage: "qualified" },
      asked: { type: "consent_changed", channel: "email", state: "subscribed" },
      updated: { type: "order_updated", field: "state", from: "waiting", to: "completed" },
      entered: { type: "segment", segment, change: "entered" },
      left: { type: "segment", segment, change: "left" },
    };
    const made = new Map<string, Awaited<ReturnType<typeof live>>>();
    for (const [name, trigger] of Object.entries(triggers)) {
      made.set(
        name,
        await live(shop, { triggers: [trigger], reentry: "always", steps: [{ id: "end", type: "exit" }] }),
      );
    }
    travel(SECOND);
    const patch = (body: unknown) => shop.full.patch(`/v1/contacts/${contact.id}`, body);
    const members = (action: string) =>
      shop.full.post(`/v1/lists/${list}/members`, { action, contactIds: [contact.id] });
    const seen = async () => {
      await catchUp(shop);
      await settle(shop);
      const entered = await rows<{ automation: number }>(
        "select distinct automation from runs where shop = ?",
        shop.key,
      );
      const keys = new Set(entered.map(({ automation }) => automation));
      return [...made].filter(([, { key }]) => keys.has(key)).map(([name]) => name);
    };
    expect(await seen()).toEqual([]);
    await patch({ tags: ["VIP"] });
    expect(await seen()).toEqual(["tagged", "entered"]);
    await patch({ tags: [] });
    expect(await seen()).toEqual(["tagged", "untagged", "entered", "left"]);
    await members("add");
    await members("remove");
    expect(await seen()).toEqual(["tagged", "untagged", "listed", "unlisted", "entered", "left"]);
    await patch({ fields: { size: "M" } });
    await settle(shop);
    await patch({ fields: { size: "L" } });
    await settle(shop);
    await patch({ fields: { size: "XL" } });
    expect((await seen()).slice(4, 6)).toEqual(["sized", "resized"]);
    await rows("update contacts set score = 9 where key = ?", contact.key);
    await settle(shop);
    await rows("update contacts set score = 12 where key = ?", contact.key);
    await rows("update contacts set score = 15 where key = ?", contact.key);
    await patch({ lifecycle: { stage: "qualified" } });
    await patch({ consents: { email: { state: "subscribed" } } });
    const order = await seedOrder(shop.key, { contact: contact.key, state: "waiting" });
    await rows("update orders set state = 'completed' where key = ?", order.key);
    expect(await seen()).toEqual([...made.keys()]);
    for (const [name, one] of made) expect([name, await count(one)]).toEqual([name, 1]);
    expect((await api(null).get("/v1/automations")).status).toBe(401);
  });

  test("messages and answers by SMS, as the sender tells of them", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    const tell = (type: string, data: object) =>
      rows(
        `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at) values (?, ?, ?, ?, ?, ?, ?)`,
        shop.key,
        type,
        `contact:${contact.key}`,
        crypto.randomUUID(),
        JSON.stringify(data),
        Date.now(),
        Date.now(),
      );
    const end = [{ id: "end", type: "exit" }];
    const opened = await live(shop, {
      triggers: [{ type: "message", event: "opened", template: "tpl_1" }],
      steps: end,
    });
    const word = await live(shop, { triggers: [{ type: "sms_keyword", keyword: "Été" }], steps: end });
    travel(SECOND);
    await tell("message_opened", { template: "tpl_2", channel: "email" });
    await tell("message_replied", { channel: "sms", keyword: "no" });
    await settle(shop);
    expect([await count(opened), await count(word)]).toEqual([0, 0]);
    await tell("message_opened", { template: "tpl_1", channel: "email", deliveryId: "dlv_1" });
    await tell("message_replied", { channel: "sms", keyword: "ete" });
    await settle(shop);
    expect([await count(opened), await count(word)]).toEqual([1, 1]);
  });
});

test("D26: a price that goes down brings back who looked at the product, or has it in a cart", async () => {
  const shop = await mintShop();
  const drop = (more: object) =>
    live(shop, { triggers: [{ type: "price_drop", ...more }], steps: [{ id: "end", type: "exit" }] });
  const viewed = await drop({ audience: "viewed" });
  const inCart = await drop({ audience: "in_cart" });
  const halved = await drop({ audience: "viewed", percent: 50 });
  const visitor = newVisitor();
  await browse(shop, visitor, {
    type: "product_viewed",
    url: "https://s.example/p",
    data: { productId: "p1", title: "Mug" },
  });
  const contact = await seedContact(shop.key, { email: "a@x.example" });
  await seedCart(shop.key, { contact: contact.key, items: '[{"productId":"p1","quantity":1}]' });
  await seedProduct(shop.key, "p1", { price: 1000 });
  travel(SECOND);
  for (const price of [1200, 900]) {
    await rows("update products set price = ? where shop = ? and external_id = 'p1'", price, shop.key);
    await settle(shop);
  }
  expect(await Promise.all([viewed, inCart, halved].map((one) => count(one)))).toEqual([1, 1, 0]);
});

test("a product that is there again, or is running out, brings back who waits for it", async () => {
  const shop = await mintShop();
  const of = (trigger: object) =>
    live(shop, { triggers: [{ audience: "in_cart", ...trigger }], steps: [{ id: "end", type: "exit" }] });
  const back = await of({ type: "back_in_stock" });
  const low = await of({ type: "low_stock", pieces: 3 });
  const other = await of({ type: "back_in_stock", products: ["p9"] });
  const contact = await seedContact(shop.key, { email: "b@x.example" });
  await seedCart(shop.key, {
    contact: contact.key,
    items: '[{"productId":"p1","quantity":1},{"productId":"p2","quantity":1}]',
  });
  await seedProduct(shop.key, "p1", { stock: 0 });
  await seedProduct(shop.key, "p2", { stock: 0, tracks_stock: 0 });
  travel(SECOND);
  const seen: number[][] = [];
  for (const stock of [0, 8, 5, 3, 2, 0]) {
    await rows("update products set stock = ? where shop = ? and external_id in ('p1', 'p2')", stock, shop.key);
    await settle(shop);
    seen.push(await Promise.all([back, low, other].map((one) => count(one))));
  }
  expect(seen).toEqual([
    [0, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]);
});
