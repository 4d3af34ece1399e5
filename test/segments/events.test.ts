import { describe, expect, test } from "vitest";

import { DAY, HOUR, MINUTE, T0, useFakeClock } from "../helpers/clock";
import {
  insert,
  seedCart,
  seedContact,
  seedItem,
  seedOrder,
  seedProduct,
  seedVisit,
  seedVisitor,
} from "../helpers/seed";
import { SegmentTest } from "./ask";

useFakeClock();

const WORD_FOR_WORD = {
  did: "order_placed",
  count: { gte: 2 },
  window: { inLast: { n: 30, unit: "day" } },
  where: [{ field: "items.tag", op: "has_any", value: ["X"] }],
};

interface Bought {
  at: number;
  products: string[];
  order?: Record<string, string | number | null>;
}

/** A shop whose contacts bought these things: product `x` and `xx` carry the tag X. */
async function shopWith(people: Record<string, Bought[]>) {
  const shop = await SegmentTest.make();
  for (const [id, tags] of [
    ["x", ["X"]],
    ["xx", ["x", "Sale"]],
    ["y", ["Y"]],
    ["z", []],
  ] as const) {
    await seedProduct(shop.key, id, { tags: JSON.stringify(tags), vendor: `Vendor ${id}`, category: `Category ${id}` });
  }
  const names: Record<string, string> = {};
  for (const [name, orders] of Object.entries(people)) {
    const contact = await seedContact(shop.key, { first_name: name });
    names[`contact:${contact.key}`] = name;
    for (const { at, products, order } of orders) {
      const made = await seedOrder(shop.key, { contact: contact.key, placed_at: at, ...order });
      for (const [line, id] of products.entries()) {
        await seedItem(made.key, line, { product_id: id, title: `Product ${id}`, price: 1000, discounted_price: 1000 });
      }
    }
  }
  return { shop, names };
}

describe("2.2: event counts of orders", () => {
  test("2.2: placed an order at least 2 times in the last 30 days with a product tagged X, word for word", async () => {
    const { shop, names } = await shopWith({
      twice: [
        { at: T0 - DAY, products: ["x"] },
        { at: T0 - 2 * DAY, products: ["y", "xx"] },
      ],
      once: [{ at: T0 - DAY, products: ["x"] }],
      "once of X, once of Y": [
        { at: T0 - DAY, products: ["x"] },
        { at: T0 - DAY, products: ["y"] },
      ],
      "one long ago": [
        { at: T0 - DAY, products: ["x"] },
        { at: T0 - 40 * DAY, products: ["x"] },
      ],
      never: [],
    });
    expect(await shop.members(WORD_FOR_WORD, names)).toEqual(["twice"]);
  });

  test("2.2: count 0 means did not, and lte 1 includes people with none", async () => {
    const { shop, names } = await shopWith({
      none: [],
      one: [{ at: T0 - DAY, products: ["x"] }],
      two: [
        { at: T0 - DAY, products: ["x"] },
        { at: T0 - DAY, products: ["x"] },
      ],
    });
    const counted = (count: object) => shop.members({ did: "order_placed", count }, names);
    expect(await counted({ eq: 0 })).toEqual(["none"]);
    expect(await counted({ lte: 1 })).toEqual(["none", "one"]);
    expect(await counted({ lt: 2 })).toEqual(["none", "one"]);
    expect(await counted({ ne: 1 })).toEqual(["none", "two"]);
    expect(await counted({ between: [0, 1] })).toEqual(["none", "one"]);
    expect(await counted({ gte: 0 })).toEqual(["none", "one", "two"]);
    expect(await counted({ gt: 1 })).toEqual(["two"]);
    expect(await counted({ eq: 1 })).toEqual(["one"]);
  });

  test("2.2: the boundary of a window is inclusive to the ms", async () => {
    const { shop, names } = await shopWith({
      "at the edge": [{ at: T0 - 2 * HOUR, products: ["x"] }],
      "a ms too early": [{ at: T0 - 2 * HOUR - 1, products: ["x"] }],
      now: [{ at: T0, products: ["x"] }],
      "a ms ahead": [{ at: T0 + 1, products: ["x"] }],
    });
    const window = { inLast: { n: 2, unit: "hour" } };
    expect(await shop.members({ did: "order_placed", window }, names)).toEqual(["at the edge", "now"]);
    const exact = { between: [new Date(T0 - 2 * HOUR).toISOString(), new Date(T0 - HOUR).toISOString()] };
    expect(await shop.members({ did: "order_placed", window: exact }, names)).toEqual(["at the edge"]);
    const after = { after: new Date(T0 - 2 * HOUR).toISOString() };
    expect(await shop.members({ did: "order_placed", window: after }, names)).toEqual(["a ms ahead", "now"]);
  });

  test("2.2: one order with two matching lines counts 1, but sum(items.quantity) counts lines", async () => {
    const { shop, names } = await shopWith({
      "two lines": [{ at: T0 - DAY, products: ["x", "xx"] }],
      "two orders": [
        { at: T0 - DAY, products: ["x"] },
        { at: T0 - DAY, products: ["x"] },
      ],
      "one line": [{ at: T0 - DAY, products: ["x", "y"] }],
    });
    const where = WORD_FOR_WORD.where;
    expect(await shop.members({ did: "order_placed", count: { gte: 2 }, where }, names)).toEqual(["two orders"]);
    expect(await shop.members({ did: "order_placed", sum: { of: "items.quantity", gte: 2 }, where }, names)).toEqual([
      "two lines",
      "two orders",
    ]);
    expect(
      await shop.members({ did: "order_placed", distinct: { of: "items.product_id", gte: 2 }, where }, names),
    ).toEqual(["two lines"]);
  });

  test("2.2: cancelled and test orders do not count", async () => {
    const { shop, names } = await shopWith({
      real: [{ at: T0 - DAY, products: ["x"] }],
      cancelled: [{ at: T0 - DAY, products: ["x"], order: { cancelled_at: T0 - HOUR, state: "cancelled" } }],
      test: [{ at: T0 - DAY, products: ["x"], order: { test: 1 } }],
    });
    expect(await shop.members({ did: "order_placed" }, names)).toEqual(["real"]);
    expect(await shop.members({ did: "order_cancelled" }, names)).toEqual(["cancelled"]);
    expect(await shop.members({ field: "first_order_date", op: "is_set" }, names)).toEqual(["real"]);
  });

  test("2.2: an order edited so that the tagged line goes away no longer matches", async () => {
    const { shop, names } = await shopWith({ edited: [{ at: T0 - DAY, products: ["x"] }] });
    const leaf = { did: "order_placed", where: WORD_FOR_WORD.where };
    expect(await shop.members(leaf, names)).toEqual(["edited"]);
    const { env } = await import("cloudflare:workers");
    await env.DB.prepare(
      `update order_items set current_quantity = 0 where "order" in (select key from orders where shop = ?)`,
    )
      .bind(shop.key)
      .run();
    expect(await shop.members(leaf, names)).toEqual([]);
    expect(await shop.members({ did: "order_placed" }, names)).toEqual(["edited"]);
  });

  test("2.2: conditions on lines hold on one line; a negative one on all", async () => {
    const { shop, names } = await shopWith({
      "x and y": [{ at: T0 - DAY, products: ["x", "y"] }],
      "only y": [{ at: T0 - DAY, products: ["y"] }],
      both: [{ at: T0 - DAY, products: ["xx"] }],
    });
    const placed = (...where: object[]) => shop.members({ did: "order_placed", where }, names);
    const tag = (op: string, ...value: string[]) => ({ field: "items.tag", op, value });
    expect(await placed(tag("has_any", "x"), { field: "items.vendor", op: "eq", value: "vendor y" })).toEqual([]);
    expect(await placed(tag("has_any", "x"), { field: "items.vendor", op: "eq", value: "VENDOR X" })).toEqual([
      "x and y",
    ]);
    expect(await placed(tag("has_none", "x"))).toEqual(["only y"]);
    expect(await placed(tag("has_all", "X", "sale"))).toEqual(["both"]);
    expect(await placed({ field: "items.tag", op: "count", value: { lte: 1 } })).toEqual(["only y", "x and y"]);
    expect(await placed({ field: "items.category", op: "contains", value: "gory Y" })).toEqual(["only y", "x and y"]);
    expect(await placed({ field: "items.price", op: "gt", value: 1000 })).toEqual([]);
  });

  test("2.2: first and last time, sums of money, properties of the order", async () => {
    const { shop, names } = await shopWith({
      early: [
        {
          at: T0 - 90 * DAY,
          products: ["x"],
          order: { total: 3000, shipping_method: "Express", discount_codes: '["SAVE10"]' },
        },
        { at: T0 - DAY, products: ["x"], order: { total: 2500 } },
      ],
      late: [{ at: T0 - DAY, products: ["x"], order: { total: 9000, currency: "EUR" } }],
      none: [],
    });
    const did = "order_placed";
    const last30 = { op: "in_last", value: { n: 30, unit: "day" } };
    expect(await shop.members({ did, firstAt: last30 }, names)).toEqual(["late"]);
    expect(await shop.members({ did, lastAt: last30 }, names)).toEqual(["early", "late"]);
    expect(await shop.members({ did, firstAt: { ...last30, op: "not_in_last" } }, names)).toEqual(["early", "none"]);
    expect(await shop.members({ did, sum: { of: "total", gte: 5500 } }, names)).toEqual(["early", "late"]);
    expect(await shop.members({ did, sum: { of: "total", lt: 5501 } }, names)).toEqual(["early", "none"]);
    const where = (field: string, op: string, value: unknown) =>
      shop.members({ did, where: [{ field, op, value }] }, names);
    expect(await where("shipping_method", "eq", "express")).toEqual(["early"]);
    expect(await where("discount_code", "has_any", ["save10"])).toEqual(["early"]);
    expect(await where("discount_code", "contains", "nope")).toEqual([]);
    expect(await where("total", "gte", 9000)).toEqual(["late"]);
  });

  test("2.2: refunds, payments and fulfilments are events of their own", async () => {
    const shop = await SegmentTest.make();
    const contact = await seedContact(shop.key);
    const order = { contact: contact.key, external_id: "o1", paid_at: T0 - HOUR, fulfilled_at: T0 - MINUTE };
    const made = await seedOrder(shop.key, order);
    await seedItem(made.key, 0, { product_id: "p", current_quantity: 0 });
    await insert("refunds", {
      shop: shop.key,
      external_id: "r1",
      order_external_id: "o1",
      amount: 500,
      currency: "EUR",
      at: T0,
    });
    const names = { [`contact:${contact.key}`]: "ada" };
    const window = { inLast: { n: 30, unit: "minute" } };
    expect(await shop.members({ did: "order_paid", window }, names)).toEqual([]);
    expect(await shop.members({ did: "order_fulfilled", window }, names)).toEqual(["ada"]);
    const refunded = { did: "order_refunded", window, sum: { of: "amount", gte: 500 } };
    expect(await shop.members(refunded, names)).toEqual(["ada"]);
    const items = [{ field: "items.product_id", op: "eq", value: "p" }];
    expect(await shop.members({ did: "order_refunded", where: items }, names)).toEqual(["ada"]);
    expect(await shop.members({ did: "order_placed", where: items }, names)).toEqual([]);
  });
});

describe("2.2: carts and purchases without an order", () => {
  test("2.2: a purchase that only a browser has seen is one order_placed until its order is known", async () => {
    const shop = await SegmentTest.make();
    const visitor = await seedVisitor(shop.key);
    await seedCart(shop.key, {
      visitor: visitor.key,
      token: "t1",
      state: "purchased",
      purchased_by: "browser",
      purchased_at: T0 - HOUR,
      value: 4200,
      items: JSON.stringify([{ productId: "p1", quantity: 3, price: { amount: 1400, currency: "EUR" } }]),
    });
    const names = { [`visitor:${visitor.key}`]: "anonymous" };
    const placed = {
      did: "order_placed",
      count: { eq: 1 },
      where: [{ field: "items.product_id", op: "eq", value: "p1" }],
    };
    expect(await shop.members(placed, names, "both")).toEqual(["anonymous"]);
    expect(await shop.members({ did: "order_placed", sum: { of: "total", eq: 4200 } }, names, "visitors")).toEqual([
      "anonymous",
    ]);
    expect(
      await shop.members({ did: "order_placed", sum: { of: "items.quantity", eq: 3 } }, names, "visitors"),
    ).toEqual(["anonymous"]);
    const contact = await seedContact(shop.key);
    await seedOrder(shop.key, { contact: contact.key, cart_token: "t1" });
    expect(await shop.members(placed, names, "both")).toEqual([]);
  });

  test("2.2: abandoned in a window, recovered and not recovered", async () => {
    const shop = await SegmentTest.make();
    const names: Record<string, string> = {};
    const carts: Record<string, Record<string, string | number>> = {
      abandoned: { state: "abandoned", abandoned_at: T0 - HOUR },
      "long ago": { state: "abandoned", abandoned_at: T0 - 20 * DAY },
      recovered: { state: "recovered", abandoned_at: T0 - 2 * HOUR, recovered_at: T0 - HOUR },
      open: { state: "open" },
    };
    for (const [name, row] of Object.entries(carts)) {
      const contact = await seedContact(shop.key);
      names[`contact:${contact.key}`] = name;
      await seedCart(shop.key, { contact: contact.key, ...row });
    }
    const window = { inLast: { n: 7, unit: "day" } };
    expect(await shop.members({ did: "cart_abandoned", window }, names)).toEqual(["abandoned", "recovered"]);
    const open = [{ field: "recovered", op: "is", value: false }];
    expect(await shop.members({ did: "cart_abandoned", window, where: open }, names)).toEqual(["abandoned"]);
    expect(await shop.members({ did: "cart_recovered" }, names)).toEqual(["recovered"]);
    expect(await shop.members({ field: "open_cart_value", op: "gte", value: 1999 }, names)).toEqual(["open"]);
    expect(await shop.members({ field: "abandoned_carts", op: "eq", value: 0 }, names)).toEqual(["open", "recovered"]);
    expect(
      await shop.members({ field: "last_cart_abandoned_at", op: "not_in_last", value: { n: 7, unit: "day" } }, names),
    ).toEqual(["long ago", "open"]);
  });
});

describe("2.2: what browsers did", () => {
  const viewed = (seq: number, at: number, url: string, data: Record<string, unknown> = {}, type = "page_viewed") => ({
    seq,
    at,
    type,
    id: `e${seq}`,
    url,
    data,
  });

  async function browsers() {
    const shop = await SegmentTest.make();
    const contact = await seedContact(shop.key);
    const [mine, other, anonymous, quiet] = [
      await seedVisitor(shop.key, { contact: contact.key, device: '{"type":"mobile"}' }),
      await seedVisitor(shop.key, { contact: contact.key, channel: "api", tracker: `api:${contact.id}` }),
      await seedVisitor(shop.key),
      await seedVisitor(shop.key),
    ];
    await seedVisit(shop.key, mine.key, 1, 0, [
      viewed(1, T0 - 3 * DAY, "https://a.example/?utm_source=news&utm_campaign=Spring#top", {
        referrer: "https://google.com/",
      }),
      viewed(
        2,
        T0 - 3 * DAY + 1000,
        "https://a.example/p/1",
        { productId: "p1", title: "Möbel", price: { amount: 900, currency: "EUR" } },
        "product_viewed",
      ),
    ]);
    await seedVisit(shop.key, other.key, 1, 0, [
      viewed(1, T0 - DAY, "https://a.example/p/1", { productId: "p1" }, "product_viewed"),
      viewed(2, T0 - DAY + 1, "https://a.example/", { level: 7, gold: true, a: { b: "Deep" } }, "custom:level"),
    ]);
    await seedVisit(shop.key, anonymous.key, 1, 0, [
      viewed(
        1,
        T0 - HOUR,
        "https://a.example/p/2",
        { productId: "p2", price: { amount: 900, currency: "USD" } },
        "product_viewed",
      ),
      viewed(
        2,
        T0 - HOUR + 1,
        "https://a.example/cart",
        {
          value: { amount: 5000, currency: "EUR" },
          lines: [{ productId: "p2", quantity: 2 }],
        },
        "cart_updated",
      ),
    ]);
    await seedVisit(shop.key, anonymous.key, 2, 0, [viewed(3, T0 - MINUTE, "https://a.example/", {})]);
    const names = {
      [`contact:${contact.key}`]: "contact",
      [`visitor:${anonymous.key}`]: "anonymous",
      [`visitor:${quiet.key}`]: "quiet",
    };
    const ask = (leaf: object) => shop.members(leaf, names, "both");
    return { ask, shop, names };
  }

  test("2.2: counts, windows and properties, for contacts over all their browsers and for anonymous visitors", async () => {
    const { ask, shop, names } = await browsers();
    const did = "product_viewed";
    expect(await ask({ did })).toEqual(["anonymous", "contact"]);
    expect(await ask({ did, count: { gte: 2 } })).toEqual(["contact"]);
    expect(await ask({ did, count: { eq: 0 } })).toEqual(["quiet"]);
    expect(await ask({ did, window: { inLast: { n: 2, unit: "hour" } } })).toEqual(["anonymous"]);
    expect(await ask({ did, where: [{ field: "product_id", op: "in", value: ["p1", "p9"] }] })).toEqual(["contact"]);
    expect(await ask({ did, where: [{ field: "items.product_id", op: "eq", value: "p2" }] })).toEqual(["anonymous"]);
    expect(await ask({ did, where: [{ field: "product_title", op: "contains", value: "MÖB" }] })).toEqual(["contact"]);
    expect(await ask({ did, where: [{ field: "price", op: "gte", value: 1 }] })).toEqual(["contact"]);
    expect(await ask({ did, where: [{ field: "device_type", op: "eq", value: "mobile" }] })).toEqual(["contact"]);
    expect(await shop.members({ did }, names, "contacts")).toEqual(["contact"]);
    expect(await shop.members({ did }, names, "visitors")).toEqual(["anonymous"]);
  });

  test("2.2: pages by address, referrer and campaign; lines and values of carts; data of any shape", async () => {
    const { ask } = await browsers();
    const page = (field: string, op: string, value: unknown) =>
      ask({ did: "page_viewed", where: [{ field, op, value }] });
    expect(await page("url", "starts_with", "https://A.example/?")).toEqual(["contact"]);
    expect(await page("utm_source", "eq", "news")).toEqual(["contact"]);
    expect(await page("utm_campaign", "eq", "spring")).toEqual(["contact"]);
    expect(await page("utm_campaign", "not_set", undefined)).toEqual(["anonymous"]);
    expect(await page("referrer", "contains", "google")).toEqual(["contact"]);
    const cart = {
      did: "cart_updated",
      where: [
        { field: "items.quantity", op: "gte", value: 2 },
        { field: "value", op: "gt", value: 4999 },
      ],
    };
    expect(await ask(cart)).toEqual(["anonymous"]);
    const level = (field: string, op: string, value: unknown) =>
      ask({ did: "custom:level", where: [{ field, op, value }] });
    expect(await level("data.level", "gte", 7)).toEqual(["contact"]);
    expect(await level("data.level", "eq", "7")).toEqual([]);
    expect(await level("data.gold", "is", true)).toEqual(["contact"]);
    expect(await level("data.a.b", "eq", "deep")).toEqual(["contact"]);
    expect(await level("data.a.c", "ne", "deep")).toEqual(["contact"]);
  });

  test("2.2: A then B within T, and A and not B within T once T is over", async () => {
    const shop = await SegmentTest.make();
    const names: Record<string, string> = {};
    for (const [name, orderAt, viewAt] of [
      ["bought in time", T0 - 2 * DAY + HOUR, T0 - 2 * DAY],
      ["bought at the last ms", T0 - 2 * DAY + DAY, T0 - 2 * DAY],
      ["bought too late", T0 - 2 * DAY + DAY + 1, T0 - 2 * DAY],
      ["bought before", T0 - 3 * DAY, T0 - 2 * DAY],
      ["bought at once", T0 - 2 * DAY, T0 - 2 * DAY],
      ["may still buy", null, T0 - DAY],
      ["left", null, T0 - DAY - 1],
    ] as const) {
      const contact = await seedContact(shop.key);
      names[`contact:${contact.key}`] = name;
      const visitor = await seedVisitor(shop.key, { contact: contact.key });
      await seedVisit(shop.key, visitor.key, 1, 0, [viewed(1, viewAt, "https://a.example/", {}, "product_viewed")]);
      if (orderAt !== null) await seedOrder(shop.key, { contact: contact.key, placed_at: orderAt });
    }
    const first = { did: "product_viewed" };
    const within = { n: 1, unit: "day" };
    const bought = { first, followedBy: { did: "order_placed" }, within };
    expect(await shop.members(bought, names)).toEqual(["bought at the last ms", "bought in time"]);
    const left = { first, notFollowedBy: { did: "order_placed" }, within };
    expect(await shop.members(left, names)).toEqual(["bought at once", "bought before", "bought too late", "left"]);
    const recent = { ...bought, window: { inLast: { n: 1, unit: "hour" } } };
    expect(await shop.members(recent, names)).toEqual([]);
    const again = { first, followedBy: first, within };
    expect(await shop.members(again, names)).toEqual([]);
  });
});
