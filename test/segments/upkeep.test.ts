import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { audienceMembers, findAudience, updateMembership } from "../../src/segments/rest";
import { mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { seedContact, seedItem, seedOrder, seedProduct } from "../helpers/seed";
import { addSegment, catchUp, historyOf, membersOf, rows, wakeClock } from "./membership";

useFakeClock();

const OPEN = { consentMode: "opt_out", flushSeconds: 0 } as const;
const tagged = (tag: string) => ({ all: [{ field: "tags", op: "has_any", value: [tag] }] });
const run = (text: string, ...values: unknown[]) =>
  env.DB.prepare(text)
    .bind(...values)
    .run();

/** When everybody is looked at again. */
const wholeAt = async (shop: { key: number }) =>
  (await rows<{ at: number }>("select at from segment_rechecks where shop = ? and subject = 0", shop.key))[0]?.at;

describe("what concerns everybody", () => {
  test("a change of products is followed at once, and those after it together ten minutes later", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key);
    await seedProduct(shop.key, "p1");
    const order = await seedOrder(shop.key, { contact: contact.key });
    await seedItem(order.key, 0, { product_id: "p1" });
    const segment = await addSegment(shop, { all: [{ field: "any_order_tag", op: "has_any", value: ["new"] }] });
    const setTags = async (tags: string[]) => {
      await run("update products set tags = ? where shop = ?", JSON.stringify(tags), shop.key);
      await catchUp(shop);
    };
    const fills = async () =>
      (await rows("select id from jobs where kind = 'segments.fill' and shop = ?", shop.key)).length;
    expect(await fills()).toBe(1);
    await setTags(["new"]);
    expect(await membersOf(shop, segment)).toEqual([contact.id]);
    for (let i = 0; i < 5; i++) await setTags([`other ${i}`]);
    expect([await membersOf(shop, segment), await fills()]).toEqual([[contact.id], 2]);
    expect(await wholeAt(shop)).toBe(T0 + 10 * MINUTE);
    travel(10 * MINUTE);
    await wakeClock(shop);
    expect([await membersOf(shop, segment), await fills()]).toEqual([[], 3]);
    // The change of a category is one of the favourite, too.
    const favourite = await addSegment(shop, { all: [{ field: "favourite_category", op: "eq", value: "Mugs" }] });
    await run("update products set category = 'Mugs' where shop = ?", shop.key);
    await catchUp(shop);
    expect(await membersOf(shop, favourite)).toEqual([contact.id]);
  });

  test("RFM: what customers are compared with is worked out anew each day, with no request at all", async () => {
    const shop = await mintShop();
    const best = await seedContact(shop.key, { orders_count: 5, orders_total: 5000 });
    await seedContact(shop.key, { orders_count: 1, orders_total: 1000 });
    const segment = await addSegment(shop, { all: [{ field: "rfm_frequency", op: "eq", value: 4 }] });
    expect((await rows("select at from rfm_bounds where shop = ?", shop.key)).length).toBe(1);
    expect(await wholeAt(shop)).toBe(T0 + DAY);
    const before = await membersOf(shop, segment);
    for (let i = 10; i < 20; i++) await seedContact(shop.key, { orders_count: i, orders_total: i * 1000 });
    travel(DAY);
    await wakeClock(shop);
    expect(await rows("select at from rfm_bounds where shop = ?", shop.key)).toEqual([{ at: T0 + DAY }]);
    const after = await membersOf(shop, segment);
    expect(after).not.toEqual(before);
    expect(after).not.toContain(best.id);
    expect((await shop.full.get(`/v1/segments/${segment.id}`)).body.state).toBe("live");
  });
});

describe("what goes wrong", () => {
  test("a segment is slow only for its cost: a row that cannot be read pauses it with the reason, the others go on", async () => {
    const shop = await mintShop();
    await shop.full.post("/v1/fields", { name: "nick", label: "Nick", type: "text" });
    const contact = await seedContact(shop.key);
    const broken = await addSegment(shop, { all: [{ field: "fields.nick", op: "eq", value: "x" }] });
    const other = await addSegment(shop, tagged("a"));
    await run(
      "insert into contact_tags (shop, tag, contact, label, origin, at) values (?, 'a', ?, 'a', 'crm', 0)",
      shop.key,
      contact.key,
    );
    await run("update contacts set fields = '{' where key = ?", contact.key);
    await catchUp(shop);
    const { body } = await shop.full.get(`/v1/segments/${broken.id}`);
    expect([body.state, body.problem]).toEqual(["paused", expect.stringMatching(/^could not be looked at: /)]);
    expect(await membersOf(shop, other)).toEqual([contact.id]);
    await run('update contacts set fields = \'{"nick":"x"}\' where key = ?', contact.key);
    expect((await shop.full.patch(`/v1/segments/${broken.id}`, { state: "live" })).body).toMatchObject({
      state: "live",
      problem: null,
      size: 1,
    });
  });

  test("a database that does not answer says nothing about a segment: it is tried again", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key);
    const segment = await addSegment(shop, tagged("a"));
    await run(
      "insert into contact_tags (shop, tag, contact, label, origin, at) values (?, 'a', ?, 'a', 'crm', 0)",
      shop.key,
      contact.key,
    );
    // The first question that stands alone in its batch is the one about members.
    const failing = (message: string): Env => {
      let fails = true;
      const batch = (statements: D1PreparedStatement[]) => {
        if (statements.length > 1 || !fails) return env.DB.batch(statements);
        fails = false;
        return Promise.reject(new Error(message));
      };
      const DB = new Proxy(env.DB, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name === "batch") return batch;
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      return { ...env, DB };
    };
    const state = async () => (await shop.full.get(`/v1/segments/${segment.id}`)).body.state;
    await expect(updateMembership(failing("D1_ERROR: Network connection lost."), shop.key, T0)).rejects.toThrow(/lost/);
    expect([await state(), await membersOf(shop, segment)]).toEqual(["live", []]);
    await catchUp(shop);
    expect(await membersOf(shop, segment)).toEqual([contact.id]);
    await run("update contact_tags set removed = 1 where contact = ?", contact.key);
    await updateMembership(failing("D1_ERROR: D1 DB exceeded its CPU time limit and was reset."), shop.key, T0);
    expect([await state(), await membersOf(shop, segment)]).toEqual(["slow", [contact.id]]);
  });
});

describe("who is in it", () => {
  test("A6: visitors in segments stay anonymous: nothing that was planted is in any answer", async () => {
    const shop = await mintShop(OPEN);
    const visitor = newVisitor();
    const planted = "planted.person@secret.example";
    await send(
      shop.domain,
      visitor,
      [
        {
          type: "page_viewed",
          url: `https://s.example/p?email=${encodeURIComponent(planted)}&name=Plantagenet`,
          title: `Hello ${planted}`,
          referrer: `https://mail.example/?to=${planted}`,
        },
        { type: "product_viewed", url: "https://s.example/p", data: { productId: "P", note: planted } },
        {
          type: "cart_updated",
          data: {
            token: "c1",
            value: { amount: 100, currency: "EUR" },
            lines: [{ title: "Plantagenet", quantity: 1 }],
          },
        },
      ],
      { headers: { "cf-iplatitude": "52.52", "cf-iplongitude": "13.4", "cf-timezone": "Europe/Berlin" } },
    );
    await objectOf(shop, visitor).flush();
    // The other person at this browser said who they are, and is not this one.
    const known = newVisitor();
    await send(shop.domain, known, [{ type: "identified", data: { email: planted, phone: "+4930123456" } }]);
    await objectOf(shop, known).flush();
    const definition = {
      all: [
        { did: "product_viewed" },
        { field: "location", op: "within", value: { latitude: 52.5, longitude: 13.4, km: 50 } },
      ],
    };
    const segment = await addSegment(shop, definition, { audience: "both", announceFirst: true });
    const list = (await shop.full.post("/v1/lists", { name: "L", segment: segment.id })).body.id;
    const answers = await Promise.all(
      [
        `/v1/segments/${segment.id}`,
        `/v1/segments/${segment.id}/members`,
        `/v1/segments/${segment.id}/history`,
        `/v1/segments/${segment.id}/sizes`,
        `/v1/lists/${list}/members`,
        "/v1/segments/catalog",
      ].map(async (path) => (await shop.full.get(path)).body),
    );
    answers.push((await shop.full.post("/v1/segments/preview?explain=true", { audience: "both", definition })).body);
    expect(answers[1].items).toEqual([{ kind: "visitor", id: visitor, enteredAt: expect.any(String) }]);
    expect(answers[6]).toMatchObject({ count: 1, sample: [{ kind: "visitor", id: visitor }] });
    const events = await rows("select * from outbox where shop = ? and subject like 'visitor:%'", shop.key);
    expect(events.length).toBeGreaterThan(0);
    const text = JSON.stringify([answers.slice(1), events]);
    for (const word of ["planted", "secret.example", "Plantagenet", "30123456", "203.0.113", "Chrome", "Berlin"]) {
      expect(text, word).not.toContain(word);
    }
  });

  test("A19: a visitor who becomes a contact takes memberships of lists along, once", async () => {
    const shop = await mintShop(OPEN);
    const [first, second] = [newVisitor(), newVisitor()];
    for (const visitor of [first, second]) {
      await send(shop.domain, visitor, [{ type: "page_viewed", url: "https://s.example/" }]);
      await objectOf(shop, visitor).flush();
    }
    const list = (await shop.full.post("/v1/lists", { name: "L" })).body.id;
    await shop.full.post(`/v1/lists/${list}/members`, { action: "add", visitorIds: [first, second] });
    const segment = await addSegment(shop, { all: [{ in: { list } }] }, { audience: "both" });
    for (const visitor of [first, second]) {
      await send(shop.domain, visitor, [{ type: "identified", data: { email: "one@x.example" } }]);
      await objectOf(shop, visitor).flush();
    }
    await catchUp(shop);
    const contact = (await shop.full.get("/v1/contacts?email=one@x.example")).body.items[0].id;
    const { body } = await shop.full.get(`/v1/lists/${list}/members`);
    expect(body.items.map(({ kind, id }: { kind: string; id: string }) => [kind, id])).toEqual([["contact", contact]]);
    expect((await shop.full.get(`/v1/lists/${list}`)).body.size).toBe(1);
    expect(await membersOf(shop, segment)).toEqual([contact]);
    expect(await historyOf(shop, segment)).toEqual([]);
  });

  test("D16: an audience of segments and lists without others, page by page, each member once", async () => {
    const shop = await mintShop();
    const contacts = await Promise.all(Array.from({ length: 7 }, () => seedContact(shop.key)));
    const key = (i: number) => contacts[i]?.key ?? 0;
    const id = (i: number) => contacts[i]?.id ?? "";
    const give = (tag: string, ...who: number[]) =>
      Promise.all(
        who.map((i) =>
          run(
            "insert into contact_tags (shop, tag, contact, label, origin, at) values (?1, ?2, ?3, ?2, 'crm', 0)",
            shop.key,
            tag,
            key(i),
          ),
        ),
      );
    await give("a", 0, 1, 2, 3);
    await give("b", 2);
    const [a, b] = [await addSegment(shop, tagged("a")), await addSegment(shop, tagged("b"))];
    const lists: string[] = [];
    for (const members of [[id(3), id(4), id(5), id(6)], [id(5)]]) {
      const list = (await shop.full.post("/v1/lists", { name: "L" })).body.id;
      await shop.full.post(`/v1/lists/${list}/members`, { action: "add", contactIds: members });
      lists.push(list);
    }
    await shop.full.delete(`/v1/contacts/${id(6)}`);
    const wanted = { include: [a.id, lists[0] ?? "", a.id], exclude: [b.id, lists[1] ?? ""] };
    const sets = await findAudience(env.DB, shop.key, wanted);
    expect(sets.notLive).toEqual([]);
    const found: number[][] = [];
    for (let after = 0; ;) {
      const page = await audienceMembers(env.DB, sets, "contact", { after, limit: 2 });
      found.push(page);
      if (page.length < 2) break;
      after = page.at(-1) ?? after;
    }
    expect(found).toEqual([[key(0), key(1)], [key(3), key(4)], []]);
    expect(await audienceMembers(env.DB, sets, "visitor", { after: 0, limit: 2 })).toEqual([]);
    await shop.full.patch(`/v1/segments/${b.id}`, { state: "paused" });
    expect((await findAudience(env.DB, shop.key, wanted)).notLive).toEqual([{ id: b.id, state: "paused" }]);
    const other = await mintShop();
    for (const [ids, pointers] of [
      [wanted, ["/include/0", "/include/1", "/include/2", "/exclude/0", "/exclude/1"]],
      [{ include: [], exclude: [] }, ["/include"]],
    ] as const) {
      await expect(
        findAudience(env.DB, other.key, { include: [...ids.include], exclude: [...ids.exclude] }),
      ).rejects.toMatchObject({
        code: "unprocessable",
        errors: pointers.map((pointer) => expect.objectContaining({ pointer })),
      });
    }
  });
});
