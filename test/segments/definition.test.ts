import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { AppError } from "../../src/errors";
import { checkReferences, compile, describe as describeShop, explain, mentionsOf } from "../../src/segments";
import { DAY, HOUR, T0, useFakeClock } from "../helpers/clock";
import { insert, seedContact, seedOrder, seedVisitor } from "../helpers/seed";
import { SegmentTest } from "./ask";

useFakeClock();

const LEAF = { field: "score", op: "gt", value: 1 };

/** The leaf, nested in so many groups. */
function nested(depth: number): unknown {
  return depth === 0 ? LEAF : { all: [nested(depth - 1)] };
}

describe("2.2: definitions", () => {
  test("2.2: all, any and none, nested, and missing values below a negation", async () => {
    const shop = await SegmentTest.make();
    const names: Record<string, string> = {};
    const people: Record<string, Record<string, string | number>> = {
      ada: { city: "Berlin", score: 5 },
      bob: { city: "Paris", score: 0 },
      nobody: { score: 0 },
    };
    for (const [name, row] of Object.entries(people)) {
      names[`contact:${(await seedContact(shop.key, row)).key}`] = name;
    }
    await seedContact(shop.key, { city: "Berlin", deleted_at: T0 });
    const other = await SegmentTest.make();
    await seedContact(other.key, { city: "Berlin" });
    const city = (value: string) => ({ field: "city", op: "eq", value });
    expect(await shop.members({ any: [city("berlin"), city("paris")] }, names)).toEqual(["ada", "bob"]);
    expect(await shop.members({ none: [city("berlin")] }, names)).toEqual(["bob", "nobody"]);
    expect(await shop.members({ none: [city("berlin"), { ...city("paris"), op: "ne" }] }, names)).toEqual(["bob"]);
    expect(await shop.members({ none: [{ none: [city("berlin")] }] }, names)).toEqual(["ada"]);
    expect(await shop.members({ all: [city("berlin"), LEAF] }, names)).toEqual(["ada"]);
    expect(await shop.members({ all: [] }, names)).toEqual(["ada", "bob", "nobody"]);
    expect(await shop.members({ none: [] }, names)).toEqual(["ada", "bob", "nobody"]);
  });

  test("2.2: errors point at the leaf", async () => {
    const shop = await SegmentTest.make();
    const at = (leaf: unknown) => shop.problems({ all: [LEAF, { any: [leaf] }] });
    const leaf = "/definition/all/1/any/0";
    expect(at({ field: "nope", op: "eq", value: 1 })).toHaveProperty(`${leaf}/field`);
    expect(at({ field: "score", op: "contains", value: "1" })).toHaveProperty(`${leaf}/op`);
    expect(at({ field: "score", op: "gt", value: "1" })).toHaveProperty(`${leaf}/value`);
    expect(at({ field: "score", op: "gt", value: 1, more: 1 })).toHaveProperty(`${leaf}/more`);
    expect(at({ field: "score", op: "gt", value: 1, store: "another" })).toHaveProperty(`${leaf}/store`);
    expect(at({ field: "score", op: "gt", value: 1, store: `shop${shop.key}` })).toEqual({});
    expect(at({ field: "tags", op: "has_any", value: ["a", 1] })).toHaveProperty(`${leaf}/value/1`);
    expect(at({ field: "created_at", op: "in_last", value: { n: 1.5, unit: "day" } })).toHaveProperty(
      `${leaf}/value/n`,
    );
    expect(at({ field: "created_at", op: "on", value: "2026-02-30" })).toHaveProperty(`${leaf}/value`);
    expect(at({ field: "email", op: "is_set", value: true })).toHaveProperty(`${leaf}/value`);
    expect(at({ did: "nope" })).toHaveProperty(`${leaf}/did`);
    expect(at({ did: "order_placed", count: { gte: 1, lte: 2 } })).toHaveProperty(`${leaf}/count`);
    expect(at({ did: "order_placed", sum: { of: "name", gte: 1 } })).toHaveProperty(`${leaf}/sum/of`);
    expect(at({ did: "order_placed", count: { gte: 1 }, sum: { of: "total", gte: 1 } })).toHaveProperty(`${leaf}/sum`);
    expect(at({ did: "order_placed", window: { inLast: { n: 0, unit: "day" } } })).toHaveProperty(
      `${leaf}/window/inLast/n`,
    );
    expect(at({ did: "order_placed", window: { during: "someday" } })).toHaveProperty(`${leaf}/window/during`);
    expect(at({ did: "order_placed", where: [{ field: "items.nope", op: "eq", value: "x" }] })).toHaveProperty(
      `${leaf}/where/0/field`,
    );
    expect(at({ did: "order_placed", where: [{ field: "items.price", op: "gt", value: 1.5 }] })).toHaveProperty(
      `${leaf}/where/0/value`,
    );
    expect(at({ first: { did: "page_viewed" }, within: { n: 1, unit: "day" } })).toHaveProperty(leaf);
    expect(
      at({ first: { did: "page_viewed" }, followedBy: { did: "nope" }, within: { n: 1, unit: "month" } }),
    ).toMatchObject({ [`${leaf}/followedBy/did`]: expect.any(String), [`${leaf}/within`]: expect.any(String) });
    expect(at({ in: { segment: "x'; drop table contacts" } })).toHaveProperty(`${leaf}/in`);
    expect(at({ notIn: { list: "lst_1" }, window: { during: "today" } })).toHaveProperty(`${leaf}/window`);
    expect(at({ sample: { percent: 101 } })).toHaveProperty(`${leaf}/sample`);
    expect(at("everyone")).toHaveProperty(leaf);
    expect(at({ any: [] })).toHaveProperty(`${leaf}/any`);
    expect(at({ all: [], field: "score" })).toHaveProperty(`${leaf}/field`);
    expect(shop.problems(null)).toHaveProperty("/definition");
  });

  test("2.2: at most 5 deep and 100 leaves", async () => {
    const shop = await SegmentTest.make();
    expect(shop.problems(nested(5))).toEqual({});
    expect(Object.values(shop.problems(nested(6)))).toEqual(["is nested deeper than 5"]);
    expect(shop.problems({ any: Array.from({ length: 100 }, () => LEAF) })).toEqual({});
    expect(shop.problems({ any: Array.from({ length: 101 }, () => LEAF) })).toEqual({
      "/definition/any/100": "is one condition more than 100",
    });
  });

  test("2.2: 100 large conditions are one query that D1 runs, with one parameter", async () => {
    const shop = await SegmentTest.make();
    const contact = await seedContact(shop.key, { score: 1 });
    await seedOrder(shop.key, { contact: contact.key, placed_at: T0 - DAY });
    const window = { inLast: { n: 3, unit: "day" } };
    const many = Array.from({ length: 20 }, (_, i) => [
      {
        did: "order_placed",
        count: { gte: 1 + (i % 3) },
        window,
        where: [{ field: "items.tag", op: "has_any", value: [`t${i}`] }],
      },
      { did: "page_viewed", window, where: [{ field: "url", op: "contains", value: `p${i}` }] },
      { field: "first_name", op: "in", value: [`Zoë${i}`, "ÀÉÎÕÜ"] },
      { first: { did: "product_viewed" }, notFollowedBy: { did: "order_placed" }, within: { n: i + 1, unit: "hour" } },
      { field: "last_order_tag", op: "has_none", value: [`t${i}`] },
    ]).flat();
    const definition = { any: [{ all: [{ any: [{ none: [{ all: many }] }] }] }] };
    const { sql, values } = compile(shop.parse(definition), shop, T0, { ask: "count" });
    expect(sql.length).toBeLessThan(100_000);
    expect(values).toHaveLength(1);
    expect(await shop.members(definition, { [`contact:${contact.key}`]: "ada" })).toEqual(["ada"]);
    const fewer = { none: [{ all: many.slice(0, 60) }] };
    expect(await shop.members(fewer, { [`contact:${contact.key}`]: "ada" }, "both")).toEqual(["ada"]);
  });

  test("2.2: what is too much for one query is refused, not tried", async () => {
    const shop = await SegmentTest.make();
    const where = Array.from({ length: 10 }, (_, i) => ({ field: "items.tag", op: "has_all", value: [`a${i}`, "Ä"] }));
    const huge = { all: Array.from({ length: 100 }, () => ({ did: "order_placed", count: { gte: 2 }, where })) };
    expect(() => compile(shop.parse(huge), shop, T0, { ask: "count" })).toThrow(
      expect.objectContaining({ code: "unprocessable" }),
    );
    const letters = Array.from({ length: 200 }, (_, i) =>
      String.fromCodePoint(0x3b1 + (i % 24), 0x430 + (i % 32), 0x561 + (i % 30)),
    );
    const scripts = { any: [LEAF, { field: "city", op: "in", value: letters }] };
    expect(() => compile(shop.parse(scripts), shop, T0, { ask: "count" })).toThrow(
      expect.objectContaining({ errors: [{ pointer: "/definition/any/1", detail: expect.any(String) }] }),
    );
  });
});

/** What every segment and list has, with the shop's own key. */
const named = (key: number, id: string) => ({ key, shop: key, id, name: id, created_at: T0, updated_at: T0 });

describe("2.2: membership and samples", () => {
  test("2.2: in and not in a segment or list, entered in a window; another shop's is empty", async () => {
    const shop = await SegmentTest.make();
    const id = `seg_${shop.key}`;
    const list = `lst_${shop.key}`;
    await insert("segments", {
      ...named(shop.key, id),
      audience: "both",
      definition: "{}",
      state: "live",
    });
    await insert("lists", named(shop.key, list));
    const [old, late, out] = [await seedContact(shop.key), await seedContact(shop.key), await seedContact(shop.key)];
    const visitor = await seedVisitor(shop.key);
    const member = (kind: string, subject: number, at: number) =>
      insert("segment_members", { segment: shop.key, kind, subject, entered_at: at });
    await member("contact", old.key, T0 - 10 * DAY);
    await member("contact", late.key, T0 - HOUR);
    await member("visitor", visitor.key, T0 - HOUR);
    await insert("list_members", { list: shop.key, kind: "contact", subject: out.key, added_at: T0 });
    const names = {
      [`contact:${old.key}`]: "old",
      [`contact:${late.key}`]: "late",
      [`contact:${out.key}`]: "out",
      [`visitor:${visitor.key}`]: "visitor",
    };
    expect(await shop.members({ in: { segment: id } }, names)).toEqual(["late", "old"]);
    expect(await shop.members({ in: { segment: id } }, names, "both")).toEqual(["late", "old", "visitor"]);
    expect(await shop.members({ notIn: { segment: id } }, names, "both")).toEqual(["out"]);
    const window = { inLast: { n: 2, unit: "day" } };
    expect(await shop.members({ in: { segment: id }, window }, names)).toEqual(["late"]);
    expect(await shop.members({ in: { list } }, names)).toEqual(["out"]);
    const other = await SegmentTest.make();
    await seedContact(other.key);
    expect(await other.members({ in: { segment: id } })).toEqual([]);
    await env.DB.prepare("update segments set deleted_at = ? where id = ?").bind(T0, id).run();
    expect(await shop.members({ in: { segment: id } }, names)).toEqual([]);
  });

  test("2.2: a random sample is stable, about as large as asked, and another one for another seed", async () => {
    const shop = await SegmentTest.make();
    await env.DB.prepare(
      `insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
       select ?1, 'con_' || cast(?1 as integer) || '_' || key, 'API', 1, 'lead', ?2, ?2
       from (with recursive n(key) as (select 1 union all select key + 1 from n where key < 4000) select key from n)`,
    )
      .bind(shop.key, T0)
      .run();
    const keys = async (sample: object) => {
      const { results } = await shop.run<{ key: number }>({ sample }, "contacts", { ask: "members" });
      return new Set(results.map(({ key }) => key));
    };
    const [tenth, again, other, all, nobody] = [
      await keys({ percent: 10 }),
      await keys({ percent: 10 }),
      await keys({ percent: 10, seed: "b" }),
      await keys({ percent: 100 }),
      await keys({ percent: 0 }),
    ];
    expect(again).toEqual(tenth);
    expect(tenth.size).toBeGreaterThan(320);
    expect(tenth.size).toBeLessThan(480);
    expect([...tenth].filter((key) => other.has(key)).length).toBeLessThan(90);
    const fifth = await keys({ percent: 20 });
    expect([...tenth].every((key) => fifth.has(key))).toBe(true);
    expect([all.size, nobody.size]).toEqual([4000, 0]);
  });

  test("2.2: a segment in itself, a cycle and a reference to what is gone are 422 at the leaf", async () => {
    const shop = await SegmentTest.make();
    const check = (definition: unknown, own: string | null) => {
      try {
        checkReferences(shop.parse(definition), own, {
          segments: new Map([
            ["seg_a", ["seg_b"]],
            ["seg_b", ["seg_c"]],
            ["seg_c", []],
          ]),
          lists: new Set(["lst_1"]),
        });
        return null;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "unprocessable") throw error;
        return error.errors?.[0] ?? null;
      }
    };
    const pointer = "/definition/all/0/in";
    expect(check({ all: [{ in: { segment: "seg_a" } }] }, "seg_a")).toEqual({
      pointer,
      detail: "is the segment itself",
    });
    expect(check({ all: [{ in: { segment: "seg_a" } }] }, "seg_c")).toEqual({
      pointer,
      detail: "leads back to the segment itself: seg_a > seg_b > seg_c",
    });
    expect(check({ all: [{ notIn: { segment: "seg_gone" } }] }, null)?.pointer).toBe("/definition/all/0/notIn");
    expect(check({ all: [{ in: { list: "lst_2" } }] }, null)?.detail).toBe("is no list of this shop");
    expect(check({ all: [{ in: { segment: "seg_b" } }, { in: { list: "lst_1" } }] }, "seg_a")).toBeNull();
  });
});

describe("2.2: the catalogue, what a segment depends on, and what it costs", () => {
  const base = { hasOrders: false, customFields: [], stages: ["lead", "customer"], customEvents: ["custom:spin"] };

  test("E17: e-commerce conditions are there once a store is connected or orders were told", () => {
    const names = (shop: { connected: boolean; hasOrders: boolean }) => {
      const { groups, events } = describeShop({ ...base, ...shop });
      return [...groups.map(({ name }) => name), ...events.map(({ name }) => name)];
    };
    const without = names({ connected: false, hasOrders: false });
    expect(without).not.toEqual(expect.arrayContaining(["totals"]));
    expect(without).not.toContain("order_placed");
    expect(without).toEqual(expect.arrayContaining(["identity", "visits", "product_viewed", "custom:spin"]));
    for (const shop of [
      { connected: true, hasOrders: false },
      { connected: false, hasOrders: true },
    ]) {
      expect(names(shop)).toEqual(
        expect.arrayContaining(["totals", "last_order", "any_order", "carts", "order_placed"]),
      );
    }
  });

  test("2.2: every operator of every field is described with what it takes", () => {
    const { groups, events } = describeShop({
      ...base,
      connected: true,
      customFields: [{ name: "size", label: "Size", type: "radio", options: ["S", "M"] }],
    });
    const fields = new Map(groups.flatMap((group) => group.fields.map((field) => [field.name, field])));
    expect(fields.get("lifecycle_stage")).toMatchObject({ options: ["lead", "customer"], audiences: ["contacts"] });
    expect(fields.get("lifecycle_stage")?.operators).toContainEqual({ name: "has_been", value: "held" });
    expect(fields.get("fields.size")).toMatchObject({ options: ["S", "M"], type: "text" });
    expect(fields.get("last_seen")?.audiences).toEqual(["contacts", "visitors"]);
    const placed = events.find(({ name }) => name === "order_placed");
    expect(placed?.properties.map(({ name }) => name)).toEqual(expect.arrayContaining(["total", "items.tag"]));
  });

  test("2.2: what a segment mentions, and whether the clock alone can change it", async () => {
    const shop = await SegmentTest.make();
    const definition = {
      all: [
        LEAF,
        { did: "order_placed", window: { inLast: { n: 1, unit: "day" } } },
        { first: { did: "page_viewed" }, followedBy: { did: "cart_abandoned" }, within: { n: 1, unit: "hour" } },
        { in: { segment: "seg_1" } },
        { notIn: { list: "lst_1" } },
      ],
    };
    expect(mentionsOf(shop.parse(definition))).toEqual({
      fields: ["score"],
      events: ["cart_abandoned", "order_placed", "page_viewed"],
      segments: ["seg_1"],
      lists: ["lst_1"],
      clock: true,
    });
    const clock = (leaf: unknown) => mentionsOf(shop.parse({ all: [leaf] })).clock;
    expect(clock(LEAF)).toBe(false);
    expect(clock({ did: "order_placed", window: { after: "2026-01-01" } })).toBe(false);
    expect(
      clock({ first: { did: "page_viewed" }, notFollowedBy: { did: "order_placed" }, within: { n: 1, unit: "hour" } }),
    ).toBe(true);
    expect(clock({ field: "created_at", op: "anniversary_today" })).toBe(true);
    expect(clock({ field: "created_at", op: "before", value: "2026-01-01" })).toBe(false);
    expect(clock({ field: "days_since_last_order", op: "gt", value: 3 })).toBe(true);
  });

  test("2.2: one subject is found by key, and the plan tells", async () => {
    const shop = await SegmentTest.make();
    const contacts = await Promise.all(Array.from({ length: 20 }, () => seedContact(shop.key, { score: 2 })));
    for (const { key } of contacts) await seedOrder(shop.key, { contact: key, placed_at: T0 - HOUR });
    const definition = shop.parse({ all: [LEAF, { did: "order_placed" }] });
    const [ada] = contacts;
    const subject = { kind: "contact" as const, key: ada?.key ?? 0 };
    const one = await explain<{ member: number }>(env.DB, compile(definition, shop, T0, { ask: "subject", subject }));
    expect(one.rows).toEqual([{ member: 1 }]);
    expect(one.rowsRead).toBeLessThan(10);
    expect(one.plan.join("\n")).toContain("orders_contact");
    const all = await explain<{ count: number }>(env.DB, compile(definition, shop, T0, { ask: "count" }));
    expect(all.rows).toEqual([{ count: 20 }]);
    expect(all.rowsRead).toBeGreaterThan(20);
  });
});
