import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { collect } from "../../src/collect";
import { cellOf, cellsWithin, middleOf } from "../../src/lib/grid";
import { freshBounds } from "../../src/segments/rest";
import { mintShop } from "../helpers/api";
import { BROWSER, newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { seedCart, seedContact, seedItem, seedOrder, seedProduct, seedVisit, seedVisitor } from "../helpers/seed";
import { SegmentTest } from "./ask";

useFakeClock();

const BERLIN = { latitude: 52.52, longitude: 13.405 };
const POTSDAM = { latitude: 52.4, longitude: 13.06 };
const LEIPZIG = { latitude: 51.34, longitude: 12.37 };

describe("2.2: place, time zone and language of visits", () => {
  test("a place is known to a tenth of a degree, also at the date line and the poles", () => {
    expect(middleOf(cellOf(BERLIN) ?? 0)).toEqual({
      latitude: expect.closeTo(52.55),
      longitude: expect.closeTo(13.45),
    });
    const fiji = cellsWithin({ latitude: -17.8, longitude: 179.98 }, 30);
    expect(fiji).toContain(cellOf({ latitude: -17.85, longitude: -179.95 }));
    expect(fiji).not.toContain(cellOf({ latitude: -17.85, longitude: 0 }));
    expect(cellsWithin({ latitude: 90, longitude: 0 }, 20)).toContain(cellOf({ latitude: 89.95, longitude: 123.4 }));
    expect(cellsWithin(BERLIN, 0.1)).toEqual([cellOf(BERLIN)]);
    expect([cellOf({ latitude: 91, longitude: 0 }), cellOf({ latitude: 0, longitude: 181 })]).toEqual([null, null]);
  });

  test("2.2: within N km of a point, by the place of the last visit, for visitors and contacts", async () => {
    const shop = await SegmentTest.make();
    const names: Record<string, string> = {};
    const visitor = async (name: string, place: typeof BERLIN | null) => {
      const { key } = await seedVisitor(shop.key, { cell: place && cellOf(place) });
      names[`visitor:${key}`] = name;
    };
    await visitor("Berlin", BERLIN);
    await visitor("Potsdam", POTSDAM);
    await visitor("Leipzig", LEIPZIG);
    await visitor("nowhere", null);
    const contact = await seedContact(shop.key, { city: "Berlin", country: "DE" });
    names[`contact:${contact.key}`] = "moved to Leipzig";
    await seedVisitor(shop.key, { contact: contact.key, cell: cellOf(BERLIN), last_seen_at: T0 - DAY });
    await seedVisitor(shop.key, { contact: contact.key, cell: cellOf(LEIPZIG), last_seen_at: T0 });
    const near = (op: string, value?: unknown) =>
      shop.members({ all: [{ field: "location", op, ...(value ? { value } : {}) }] }, names, "both");
    expect(await near("within", { ...BERLIN, km: 40 })).toEqual(["Berlin", "Potsdam"]);
    expect(await near("within", { ...BERLIN, mi: 15 })).toEqual(["Berlin"]);
    expect(await near("within", { ...LEIPZIG, km: 5 })).toEqual(["Leipzig", "moved to Leipzig"]);
    expect(await near("not_within", { ...BERLIN, km: 40 })).toEqual(["Leipzig", "moved to Leipzig", "nowhere"]);
    expect(await near("not_set")).toEqual(["nowhere"]);
    expect(shop.problems({ all: [{ field: "location", op: "within", value: { ...BERLIN, km: 501 } }] })).toEqual({
      "/definition/all/0/value": "is not a distance up to 500 km",
    });
    expect(
      shop.problems({ all: [{ field: "location", op: "within", value: { latitude: 91, longitude: 0, km: 1 } }] }),
    ).toEqual({
      "/definition/all/0/value/latitude": "is no latitude",
    });
  });

  test("2.2, A16: place, time zone and language come from request.cf or the trusted headers, coarse", async () => {
    const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
    const stored = async (visitor: string) => {
      await objectOf(shop, visitor).flush();
      return env.DB.prepare("select cell, timezone, language from visitors where tracker = ?").bind(visitor).first();
    };
    const byHeaders = newVisitor();
    await send(shop.domain, byHeaders, [{ type: "page_viewed", url: "https://s.example/" }], {
      headers: {
        "cf-iplatitude": "52.52001",
        "cf-iplongitude": "13.40495",
        "cf-timezone": "Europe/Berlin",
        "accept-language": "de-AT,de;q=0.9,en;q=0.8",
      },
    });
    const known = { cell: cellOf(BERLIN), timezone: "Europe/Berlin", language: "de" };
    expect(await stored(byHeaders)).toEqual(known);
    // A request that tells no country tells nothing new of the place.
    await send(shop.domain, byHeaders, [{ type: "page_viewed", url: "https://s.example/" }], {
      headers: { "cf-ipcountry": "", "cf-iplatitude": "1", "cf-iplongitude": "1", "accept-language": "*" },
    });
    expect(await stored(byHeaders)).toEqual(known);
    const byCf = async (cf: Record<string, unknown>) => {
      const visitor = newVisitor();
      const body = {
        shop: shop.domain,
        visitor,
        events: [{ id: "e1", type: "page_viewed", at: T0, url: "https://s.example/" }],
      };
      const request = new Request("https://footfall.test/ff", {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "user-agent": BROWSER, "accept-language": "fil", "cf-iplatitude": "1", "cf-iplongitude": "1" },
        cf,
      });
      await collect(request, { env: { ...env, TRUST_GEO_HEADERS: "off" }, now: T0, later: () => undefined });
      return stored(visitor);
    };
    const cf = { country: "DE", latitude: "52.51960", longitude: "13.40690", timezone: "Europe/Berlin" };
    expect(await byCf({ ...cf, asn: 3320 })).toEqual({ ...known, language: "fil" });
    expect(await byCf({ ...cf, asn: 395747 })).toEqual({ cell: null, timezone: null, language: "fil" });
    expect(await byCf({ country: "DE", latitude: "x", longitude: "13.4", timezone: "<b>" })).toEqual({
      cell: null,
      timezone: null,
      language: "fil",
    });
  });

  test("2.2: how long visits take, from the first to the last event of each", async () => {
    const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
    const visitor = newVisitor();
    const view = () => send(shop.domain, visitor, [{ type: "page_viewed", url: "https://s.example/" }]);
    await view();
    travel(4 * MINUTE);
    await view();
    travel(31 * MINUTE);
    await view();
    travel(2 * MINUTE);
    await view();
    await objectOf(shop, visitor).flush();
    const row = await env.DB.prepare("select visits, visit_seconds from visitors where tracker = ?")
      .bind(visitor)
      .first();
    expect(row).toEqual({ visits: 2, visit_seconds: 360 });
    const count = async (op: string, value: number) => {
      const definition = { all: [{ field: "average_visit_duration", op, value }] };
      return (await shop.full.post("/v1/segments/preview", { audience: "visitors", definition })).body.count;
    };
    expect([await count("eq", 180), await count("gt", 180)]).toEqual([1, 0]);
  });
});

describe("2.2: orders and carts", () => {
  test("2.2: tags of orders, and what else is known of them", async () => {
    const shop = await SegmentTest.make();
    const [gift, plain] = [await seedContact(shop.key), await seedContact(shop.key)];
    const names = { [`contact:${gift.key}`]: "gift", [`contact:${plain.key}`]: "plain" };
    await seedOrder(shop.key, { contact: gift.key, tags: '["Gift","VIP"]', placed_at: T0 - 2 * DAY });
    await seedOrder(shop.key, {
      contact: gift.key,
      tags: '["wholesale"]',
      placed_at: T0 - DAY,
      delivered_at: T0 - MINUTE,
      tax: 300,
      financial_status: "paid",
    });
    await seedOrder(shop.key, { contact: plain.key, name: "#7" });
    const ask = (leaf: unknown) => shop.members({ all: [leaf] }, names);
    expect(await ask({ field: "order_tags", op: "has_any", value: ["gift"] })).toEqual(["gift"]);
    expect(await ask({ field: "order_tags", op: "has_all", value: ["vip", "Wholesale"] })).toEqual(["gift"]);
    expect(await ask({ field: "last_order_order_tags", op: "has_any", value: ["gift"] })).toEqual([]);
    expect(await ask({ field: "order_tags", op: "is_empty" })).toEqual(["plain"]);
    const where = (field: string, op: string, value: unknown) => ({
      did: "order_placed",
      where: [{ field, op, value }],
    });
    expect(await ask(where("order_tag", "has_none", ["gift"]))).toEqual(["gift", "plain"]);
    expect(await ask({ ...where("order_tag", "has_none", ["gift"]), count: { gte: 2 } })).toEqual([]);
    expect(await ask(where("tax_total", "gte", 300))).toEqual(["gift"]);
    expect(await ask(where("financial_status", "eq", "PAID"))).toEqual(["gift"]);
    expect(await ask(where("order_name", "eq", "#7"))).toEqual(["plain"]);
    expect(await ask({ did: "order_delivered", window: { inLast: { n: 2, unit: "hour" } } })).toEqual(["gift"]);
  });

  test("2.2: what is in an open cart, by its lines and their products", async () => {
    const shop = await SegmentTest.make();
    await seedProduct(shop.key, "p1", { category: "Mugs", vendor: "Acme", tags: '["new"]', collections: '["Spring"]' });
    const [visitor, gone] = [await seedVisitor(shop.key), await seedVisitor(shop.key)];
    const names = { [`visitor:${visitor.key}`]: "open", [`visitor:${gone.key}`]: "gone" };
    const items = JSON.stringify([
      { productId: "p1", sku: "M-1", title: "Mug", price: { amount: 900, currency: "EUR" } },
    ]);
    await seedCart(shop.key, { visitor: visitor.key, items });
    await seedCart(shop.key, { visitor: gone.key, items, state: "abandoned" });
    for (const [field, op, value] of [
      ["product_id", "eq", "p1"],
      ["sku", "starts_with", "m-"],
      ["title", "contains", "mug"],
      ["category", "eq", "mugs"],
      ["vendor", "eq", "ACME"],
      ["tag", "has_any", ["new"]],
      ["collection", "has_all", ["spring"]],
      ["price", "lte", 900],
    ] as const) {
      const leaf = { field: `open_cart_${field}`, op, value };
      expect(await shop.members({ all: [leaf] }, names, "visitors"), field).toEqual(["open"]);
    }
  });

  test("2.2: RFM: fifths of the customers, followed order by order, and the eleven groups", async () => {
    const shop = await SegmentTest.make();
    const names: Record<string, string> = {};
    for (let i = 1; i <= 10; i++) {
      const contact = await seedContact(shop.key, { orders_count: i, orders_total: 1000 * i });
      await seedOrder(shop.key, { contact: contact.key, placed_at: T0 - (11 - i) * DAY });
      names[`contact:${contact.key}`] = `c${i}`;
    }
    const nobody = await seedContact(shop.key);
    names[`contact:${nobody.key}`] = "no order";
    const ask = (field: string, op: string, value: unknown) => shop.members({ all: [{ field, op, value }] }, names);
    expect(await ask("rfm_frequency", "gte", 1), "before anything was worked out").toEqual([]);
    await freshBounds(env.DB, shop.key, T0);
    for (const measure of ["recency", "frequency", "monetary"]) {
      expect(await ask(`rfm_${measure}`, "eq", 1), measure).toEqual(["c1", "c2"]);
      expect(await ask(`rfm_${measure}`, "eq", 5), measure).toEqual(["c10", "c9"]);
    }
    expect(await ask("rfm_group", "eq", "CHAMPIONS")).toEqual(["c10", "c9"]);
    expect(await ask("rfm_group", "eq", "loyal")).toEqual(["c7", "c8"]);
    expect(await ask("rfm_group", "eq", "needs_attention")).toEqual(["c5", "c6"]);
    expect(await ask("rfm_group", "eq", "almost_lost")).toEqual(["c3", "c4"]);
    expect(await ask("rfm_group", "eq", "dormant")).toEqual(["c1", "c2"]);
    expect(await ask("rfm_group", "eq", "prospects")).toEqual(["no order"]);
    // Who buys again is someone else at once; the bounds stay for a day.
    const first = Object.keys(names)
      .find((name) => names[name] === "c1")
      ?.slice("contact:".length);
    await seedOrder(shop.key, { contact: Number(first), placed_at: T0 });
    expect(await ask("rfm_group", "eq", "new")).toEqual(["c1"]);
    expect(await freshBounds(env.DB, shop.key, T0 + DAY - 1)).toBe(T0 + DAY);
    expect(await freshBounds(env.DB, shop.key, T0 + DAY)).toBe(T0 + 2 * DAY);
  });
});

describe("definitions about which the compiler and the naive evaluator once disagreed", () => {
  test("2.2: what is written in data is a date only if it looks like one", async () => {
    const shop = await SegmentTest.make();
    const names: Record<string, string> = {};
    for (const when of ["now", "helloworld", "2461000", "2035-01-14", "2035-01-14T08:00:00Z"]) {
      const { key } = await seedVisitor(shop.key);
      names[`visitor:${key}`] = when;
      await seedVisit(shop.key, key, 1, 0, [
        { seq: 1, at: T0 - MINUTE, type: "custom:quiz", id: "e1", url: null, data: { when } },
      ]);
    }
    const ask = (op: string, value: unknown) =>
      shop.members({ all: [{ did: "custom:quiz", where: [{ field: "data.when", op, value }] }] }, names, "visitors");
    const dates = ["2035-01-14", "2035-01-14T08:00:00Z"];
    expect(await ask("on_or_after", "2000-01-01")).toEqual(dates);
    expect(await ask("before", "2100-01-01")).toEqual(dates);
    expect(await ask("in_last", { n: 7, unit: "day" })).toEqual(dates);
    expect(await ask("not_on", "2035-01-14")).toEqual(["2461000", "helloworld", "now"]);
    expect(await ask("anniversary_month", 1)).toEqual(dates);
  });

  test("2.2: parameters by their whole name; the favourite of equals; orders at one moment", async () => {
    const shop = await SegmentTest.make();
    const visitor = await seedVisitor(shop.key);
    await seedVisit(shop.key, visitor.key, 1, 0, [
      { seq: 1, at: T0 - MINUTE, type: "page_viewed", id: "e1", url: "https://a.example/?xutm_source=no", data: null },
    ]);
    const source = { did: "page_viewed", where: [{ field: "utm_source", op: "is_set" }] };
    expect(await shop.members({ all: [source] }, {}, "visitors")).toEqual([]);
    const contact = await seedContact(shop.key);
    const orders = [
      await seedOrder(shop.key, { contact: contact.key, placed_at: T0 - DAY, shipping_method: "first" }),
      await seedOrder(shop.key, { contact: contact.key, placed_at: T0 - DAY, shipping_method: "second" }),
    ];
    await seedItem(orders[0]?.key ?? 0, 0, { category: "b", quantity: 2 });
    await seedItem(orders[1]?.key ?? 0, 0, { category: "a", quantity: 2 });
    const is = async (field: string, value: string) =>
      (await shop.members({ all: [{ field, op: "eq", value }] }, { [`contact:${contact.key}`]: "them" })).length === 1;
    expect([await is("favourite_category", "a"), await is("last_order_shipping_method", "second")]).toEqual([
      true,
      true,
    ]);
  });
});
