import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";

import { mintShop, operator } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { seedCart, seedContact, seedOrder, seedVisitor } from "../helpers/seed";
import { addSegment, alarmOf, catchUp, historyOf, membersOf, rows, told, wakeClock } from "./membership";

useFakeClock();

const viewedP = { did: "product_viewed", where: [{ field: "product_id", op: "eq", value: "P" }] };
const tagged = (tag: string) => ({ all: [{ field: "tags", op: "has_any", value: [tag] }] });
const OPEN = { consentMode: "opt_out", flushSeconds: 0 };

describe("membership follows changes", () => {
  test("A1: a beacon puts an anonymous visitor in, once, and the event says so", async () => {
    const shop = await mintShop(OPEN);
    const segment = await addSegment(shop, { all: [viewedP] }, { audience: "visitors" });
    const tracker = newVisitor();
    const view = { type: "product_viewed", url: "https://s.example/p", data: { productId: "P" } };
    expect((await send(shop.domain, tracker, [view])).status).toBe(204);
    await objectOf(shop, tracker).flush();
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([tracker]);
    await send(shop.domain, tracker, [view]);
    await objectOf(shop, tracker).flush();
    await catchUp(shop);
    expect(await historyOf(shop, segment)).toEqual([`entered visitor ${tracker}`]);
    expect((await shop.full.get(`/v1/segments/${segment.id}`)).body.size).toBe(1);
    expect((await shop.full.get(`/v1/segments/${segment.id}/sizes`)).body.items).toEqual([
      { day: new Date(T0).toISOString().slice(0, 10), size: 1 },
    ]);
  });

  test("A17: a page that a live segment asks about reaches it at once, other pages with the visit", async () => {
    const shop = await mintShop({ consentMode: "opt_out" });
    const onSale = { did: "page_viewed", where: [{ field: "url", op: "contains", value: "/Sale" }] };
    const segment = await addSegment(shop, { all: [onSale] }, { audience: "visitors" });
    expect(
      await rows("select what, needle from segment_watches where segment = ? and needle <> ''", segment.key),
    ).toEqual([{ what: "event:page_viewed", needle: "/sale" }]);
    const tracker = newVisitor();
    const stored = () => rows<{ n: number }>("select count(*) as n from visitors where tracker = ?", tracker);
    await send(shop.domain, tracker, [{ type: "page_viewed", url: "https://s.example/home" }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await stored()).toEqual([{ n: 0 }]);
    await send(shop.domain, tracker, [{ type: "page_viewed", url: "https://s.example/sale/shoes" }]);
    await vi.waitFor(async () => expect(await stored()).toEqual([{ n: 1 }]));
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([tracker]);
  });

  test("every change of a contact is followed: fields, tags, consents, stage, score, orders, carts, trash, restore", async () => {
    const shop = await mintShop();
    const contact = (await shop.full.post("/v1/contacts", { email: "a@x.example" })).body.id;
    const [row] = await rows<{ key: number }>("select key from contacts where id = ?", contact);
    const key = row?.key ?? 0;
    await shop.full.post("/v1/fields", { name: "size", label: "Size", type: "text" });
    const ask = {
      name: await addSegment(shop, { all: [{ field: "first_name", op: "eq", value: "Ada" }] }),
      tag: await addSegment(shop, tagged("vip")),
      consent: await addSegment(shop, { all: [{ field: "email_consent", op: "eq", value: "subscribed" }] }),
      stage: await addSegment(shop, { all: [{ field: "lifecycle_stage", op: "eq", value: "qualified" }] }),
      score: await addSegment(shop, { all: [{ field: "score", op: "gte", value: 10 }] }),
      field: await addSegment(shop, { all: [{ field: "fields.size", op: "eq", value: "M" }] }),
      order: await addSegment(shop, { all: [{ did: "order_placed" }] }),
      cart: await addSegment(shop, { all: [{ field: "abandoned_carts", op: "gte", value: 1 }] }),
      all: await addSegment(shop, { all: [] }),
    };
    const inside = async () => {
      await catchUp(shop);
      const found: string[] = [];
      for (const [name, segment] of Object.entries(ask)) {
        if ((await membersOf(shop, segment)).includes(contact)) found.push(name);
      }
      return found;
    };
    expect(await inside()).toEqual(["all"]);
    const patch = (body: unknown) => shop.full.patch(`/v1/contacts/${contact}`, body);
    await patch({ firstName: "Ada", tags: ["VIP"], score: 12, fields: { size: "M" } });
    expect(await inside()).toEqual(["name", "tag", "score", "field", "all"]);
    await patch({ consents: { email: { state: "subscribed" } }, lifecycle: { stage: "qualified" } });
    expect(await inside()).toEqual(["name", "tag", "consent", "stage", "score", "field", "all"]);
    await seedOrder(shop.key, { contact: key });
    await seedCart(shop.key, { contact: key, state: "abandoned" });
    expect(await inside()).toEqual(Object.keys(ask));
    await env.DB.prepare("update orders set cancelled_at = ? where contact = ?").bind(T0, key).run();
    await patch({ firstName: null, tags: [] });
    expect(await inside()).toEqual(["consent", "stage", "score", "field", "cart", "all"]);
    await shop.full.delete(`/v1/contacts/${contact}`);
    expect(await inside()).toEqual([]);
    await shop.full.post(`/v1/contacts/${contact}/restore`, {});
    expect(await inside()).toEqual(["consent", "stage", "score", "field", "cart", "all"]);
    expect(await historyOf(shop, ask.all)).toEqual([`left contact ${contact}`, `entered contact ${contact}`]);
  });

  test("a change by the operator is followed at once, with no clock and no queue", async () => {
    const shop = await mintShop();
    const segment = await addSegment(shop, tagged("vip"));
    const made = await operator.post(`/v1/contacts?shop=${shop.domain}`, { email: "op@x.example", tags: ["vip"] });
    expect(made.status).toBe(201);
    const contact: string = made.body.id;
    const stored = () =>
      rows<{ n: number }>("select count(*) as n from segment_members where segment = ?", segment.key);
    await vi.waitFor(async () => expect(await stored()).toEqual([{ n: 1 }]));
    expect((await operator.patch(`/v1/contacts/${contact}?shop=${shop.domain}`, { tags: [] })).status).toBe(200);
    await vi.waitFor(async () => expect(await stored()).toEqual([{ n: 0 }]));
    expect(await historyOf(shop, segment)).toEqual([`entered contact ${contact}`, `left contact ${contact}`]);
  });

  test("what other segments and lists ask about follows along; nothing loops", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "b@x.example" });
    const base = await addSegment(shop, tagged("a"));
    const over = await addSegment(shop, { all: [{ in: { segment: base.id } }] });
    const without = await addSegment(shop, { all: [{ notIn: { segment: over.id } }] });
    expect(await membersOf(shop, without)).toEqual([contact.id]);
    await shop.full.patch(`/v1/contacts/${contact.id}`, { tags: ["a"] });
    await catchUp(shop);
    expect([await membersOf(shop, base), await membersOf(shop, over), await membersOf(shop, without)]).toEqual([
      [contact.id],
      [contact.id],
      [],
    ]);
    expect(await told(shop, over)).toEqual([`entered contact:${contact.key}`]);
    expect(await rows("select * from segment_dirty where shop = ?", shop.key)).toEqual([]);
  });
});

describe("membership follows the clock", () => {
  test("falls outside of the window after waiting, with no request at all, to the millisecond", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "c@x.example" });
    await seedOrder(shop.key, { contact: contact.key, placed_at: T0 });
    const hours = await addSegment(shop, {
      all: [{ did: "order_placed", window: { inLast: { n: 2, unit: "hour" } } }],
    });
    const days = await addSegment(shop, { all: [{ did: "order_placed", window: { inLast: { n: 1, unit: "day" } } }] });
    const never = await addSegment(shop, {
      all: [{ did: "order_placed", count: { eq: 0 }, window: { inLast: { n: 2, unit: "hour" } } }],
    });
    await wakeClock(shop);
    vi.setSystemTime(T0 + 2 * HOUR);
    await wakeClock(shop);
    expect([await membersOf(shop, hours), await membersOf(shop, never)]).toEqual([[contact.id], []]);
    vi.setSystemTime(T0 + 2 * HOUR + 1);
    await wakeClock(shop);
    expect([await membersOf(shop, hours), await membersOf(shop, never)]).toEqual([[], [contact.id]]);
    const midnight = Date.parse("2035-01-17T00:00:00Z");
    vi.setSystemTime(midnight - 1);
    await wakeClock(shop);
    expect(await membersOf(shop, days)).toEqual([contact.id]);
    vi.setSystemTime(midnight);
    await wakeClock(shop);
    expect(await membersOf(shop, days)).toEqual([]);
    expect(await historyOf(shop, days)).toEqual([`left contact ${contact.id}`]);
  });

  test("the clock sleeps exactly until then", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "d@x.example" });
    await seedOrder(shop.key, { contact: contact.key, placed_at: T0 });
    await addSegment(shop, { all: [{ did: "order_placed", window: { inLast: { n: 5, unit: "hour" } } }] });
    for (let i = 0; i < 3; i++) {
      travel(30 * SECOND);
      await wakeClock(shop);
    }
    expect(await alarmOf(shop)).toBe(T0 + 5 * HOUR + 1);
    vi.setSystemTime(T0 + 5 * HOUR + 1);
    await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
    expect(await rows("select * from segment_members where subject = ?", contact.key)).toEqual([]);
    await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
  });

  test("a hundred conditions of one definition that time moves, more than one statement has columns for", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "hundred@x.example" });
    await seedOrder(shop.key, { contact: contact.key, placed_at: T0 });
    const windows = Array.from({ length: 100 }, (_, i) => ({
      did: "order_placed",
      window: { inLast: { n: i + 1, unit: "hour" } },
    }));
    const ask = { all: await addSegment(shop, { all: windows }), any: await addSegment(shop, { any: windows }) };
    const inside = async (at: number) => {
      vi.setSystemTime(at);
      await catchUp(shop);
      return [(await membersOf(shop, ask.all)).length, (await membersOf(shop, ask.any)).length];
    };
    expect(await inside(T0 + HOUR)).toEqual([1, 1]);
    expect(await inside(T0 + HOUR + 1)).toEqual([0, 1]);
    expect(await inside(T0 + 100 * HOUR)).toEqual([0, 1]);
    expect(await inside(T0 + 100 * HOUR + 1)).toEqual([0, 0]);
  });

  test("whole days change at the shop's midnight, and again when the shop moves", async () => {
    const shop = await mintShop({}, { timezone: "America/New_York" });
    const contact = await seedContact(shop.key, { email: "e@x.example" });
    await seedOrder(shop.key, { contact: contact.key, placed_at: T0 });
    const today = await addSegment(shop, { all: [{ field: "last_order_date", op: "today" }] });
    expect(await membersOf(shop, today)).toEqual([contact.id]);
    vi.setSystemTime(Date.parse("2035-01-16T00:00:01Z"));
    await wakeClock(shop);
    expect(await membersOf(shop, today)).toEqual([contact.id]);
    const { status } = await shop.full.patch(`/v1/shops/${shop.id}`, { timezone: "Asia/Tokyo" });
    expect(status).toBe(200);
    await catchUp(shop);
    expect(await membersOf(shop, today)).toEqual([]);
    await shop.full.patch(`/v1/shops/${shop.id}`, { timezone: "America/New_York" });
    await catchUp(shop);
    expect(await membersOf(shop, today)).toEqual([contact.id]);
    vi.setSystemTime(Date.parse("2035-01-16T05:00:00Z"));
    await wakeClock(shop);
    expect(await membersOf(shop, today)).toEqual([]);
  });

  test("held for a time, a birthday, days since the last order, a sequence that did not go on", async () => {
    const shop = await mintShop();
    const contact = (
      await shop.full.post("/v1/contacts", { email: "f@x.example", fields: {}, lifecycle: { stage: "qualified" } })
    ).body.id;
    const [row] = await rows<{ key: number }>("select key from contacts where id = ?", contact);
    await shop.full.post("/v1/fields", { name: "birthday", label: "Birthday", type: "date" });
    await shop.full.patch(`/v1/contacts/${contact}`, { fields: { birthday: "1990-01-20" } });
    await seedOrder(shop.key, { contact: row?.key ?? 0, placed_at: T0 });
    const ask = {
      held: await addSegment(shop, {
        all: [{ field: "lifecycle_stage", op: "has_been", value: { is: "qualified", for: { n: 3, unit: "hour" } } }],
      }),
      birthday: await addSegment(shop, {
        all: [{ field: "fields.birthday", op: "anniversary_in_next", value: { n: 2, unit: "day" } }],
      }),
      since: await addSegment(shop, { all: [{ field: "days_since_last_order", op: "gte", value: 2 }] }),
      quiet: await addSegment(shop, {
        all: [
          {
            first: { did: "order_placed" },
            notFollowedBy: { did: "order_refunded" },
            within: { n: 4, unit: "hour" },
          },
        ],
      }),
    };
    const inside = async (at: number) => {
      vi.setSystemTime(at);
      await wakeClock(shop);
      const found: string[] = [];
      for (const [name, segment] of Object.entries(ask)) {
        const { body } = await shop.full.get(`/v1/segments/${segment.id}/members`);
        if (body.items.length > 0) found.push(name);
      }
      return found;
    };
    expect(await inside(T0 + 3 * HOUR - 1)).toEqual([]);
    expect(await inside(T0 + 3 * HOUR)).toEqual(["held"]);
    expect(await inside(T0 + 4 * HOUR)).toEqual(["held"]);
    expect(await inside(T0 + 4 * HOUR + 1)).toEqual(["held", "quiet"]);
    expect(await inside(T0 + 2 * DAY - 1)).toEqual(["held", "quiet"]);
    expect(await inside(T0 + 2 * DAY)).toEqual(["held", "since", "quiet"]);
    expect(await inside(Date.parse("2035-01-18T00:00:00Z"))).toEqual(["held", "birthday", "since", "quiet"]);
    expect(await inside(Date.parse("2035-01-20T23:59:00Z"))).toEqual(["held", "birthday", "since", "quiet"]);
    expect(await inside(Date.parse("2035-01-21T00:00:00Z"))).toEqual(["held", "since", "quiet"]);
  });
});

describe("people who become others", () => {
  test("A19: a visitor's membership goes on under the contact, and the history stays", async () => {
    const shop = await mintShop(OPEN);
    const both = await addSegment(shop, { all: [viewedP] }, { audience: "both" });
    const anonymous = await addSegment(shop, { all: [viewedP] }, { audience: "visitors" });
    const tracker = newVisitor();
    await send(shop.domain, tracker, [{ type: "product_viewed", data: { productId: "P" } }]);
    await objectOf(shop, tracker).flush();
    await catchUp(shop);
    travel(MINUTE);
    await send(shop.domain, tracker, [{ type: "identified", data: { email: "g@x.example" } }]);
    await objectOf(shop, tracker).flush();
    await catchUp(shop);
    const contact = (await shop.full.get("/v1/contacts?email=g@x.example")).body.items[0].id;
    const { body } = await shop.full.get(`/v1/segments/${both.id}/members`);
    expect(body.items).toEqual([{ kind: "contact", id: contact, enteredAt: new Date(T0).toISOString() }]);
    expect(await historyOf(shop, both)).toEqual([`entered visitor ${tracker}`]);
    expect(await membersOf(shop, anonymous)).toEqual([]);
    expect(await historyOf(shop, anonymous)).toEqual([`entered visitor ${tracker}`, `left visitor ${tracker}`]);
    expect((await shop.full.get(`/v1/segments/${both.id}`)).body.size).toBe(1);
  });

  test("a merge moves memberships and lists to the survivor; an erasure takes all of it", async () => {
    const shop = await mintShop();
    const winner = await seedContact(shop.key, { email: "h@x.example" });
    const loser = await seedContact(shop.key, { email: "i@x.example" });
    const segment = await addSegment(shop, tagged("b"));
    await shop.full.patch(`/v1/contacts/${loser.id}`, { tags: ["b"] });
    await catchUp(shop);
    travel(MINUTE);
    expect((await shop.full.post(`/v1/contacts/${winner.id}/merge`, { from: loser.id })).status).toBe(200);
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([winner.id]);
    expect(await historyOf(shop, segment)).toEqual([`entered contact ${winner.id}`]);
    expect((await shop.full.get(`/v1/segments/${segment.id}`)).body.size).toBe(1);
    await shop.full.post(`/v1/contacts/${winner.id}/erase`, {});
    await catchUp(shop);
    for (const table of ["segment_members", "segment_history", "segment_rechecks"]) {
      expect(await rows(`select * from ${table} where segment = ?`, segment.key), table).toEqual([]);
    }
    expect(await rows("select * from segment_dirty where shop = ?", shop.key)).toEqual([]);
    expect((await shop.full.get(`/v1/segments/${segment.id}`)).body.size).toBe(0);
  });

  test("an erased visitor leaves nothing", async () => {
    const shop = await mintShop(OPEN);
    const segment = await addSegment(shop, { none: [] }, { audience: "visitors" });
    const visitor = await seedVisitor(shop.key);
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([visitor.tracker]);
    await objectOf(shop, visitor.tracker).erase(shop.key, "all");
    await catchUp(shop);
    expect(await rows("select * from segment_members where segment = ?", segment.key)).toEqual([]);
    expect(await rows("select * from segment_history where segment = ?", segment.key)).toEqual([]);
  });

  test("a contact whose browser is erased is no longer where only the browser put them", async () => {
    const shop = await mintShop(OPEN);
    const contact = await seedContact(shop.key, { email: "gone@x.example" });
    const visitor = await seedVisitor(shop.key, { contact: contact.key, region: "Bavaria" });
    const segment = await addSegment(shop, { all: [{ field: "ip_region", op: "eq", value: "Bavaria" }] });
    expect(await membersOf(shop, segment)).toEqual([contact.id]);
    await objectOf(shop, visitor.tracker).erase(shop.key, "all");
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([]);
  });

  test("days since the last order come and go by the clock, also as one of several numbers", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "days@x.example" });
    await seedOrder(shop.key, { contact: contact.key, placed_at: T0 });
    const segment = await addSegment(shop, { all: [{ field: "days_since_last_order", op: "in", value: [2, 5] }] });
    const inside: number[] = [];
    for (let day = 0; day < 7; day++) {
      if ((await membersOf(shop, segment)).length > 0) inside.push(day);
      travel(DAY);
      await catchUp(shop);
    }
    expect(inside).toEqual([2, 5]);
  });
});
