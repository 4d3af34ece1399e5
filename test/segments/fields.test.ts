import { describe, expect, test } from "vitest";

import { DAY, HOUR, T0, useFakeClock } from "../helpers/clock";
import { insert, seedContact, seedItem, seedOrder, seedProduct, seedVisitor } from "../helpers/seed";
import { SegmentTest } from "./ask";

useFakeClock();

type Row = Record<string, string | number | null>;

/** A shop with these contacts, by name. */
async function contacts(people: Record<string, Row>, timezone = "UTC") {
  const shop = await SegmentTest.make(timezone);
  const names: Record<string, string> = {};
  const keys: Record<string, number> = {};
  for (const [name, row] of Object.entries(people)) {
    const { key } = await seedContact(shop.key, row);
    names[`contact:${key}`] = name;
    keys[name] = key;
  }
  const ask = (field: string, op: string, value?: unknown) =>
    shop.members(value === undefined ? { field, op } : { field, op, value }, names);
  return { shop, names, keys, ask };
}

describe("2.2: operators of texts", () => {
  test("2.2: contains with %, _, quotes and emoji, which are letters like others; case is folded, accents count", async () => {
    const { ask } = await contacts({
      zoe: { first_name: "ZOË", company: "100% Wool_Co" },
      zoe2: { first_name: "zoë", company: "100 Wool Co" },
      zoo: { first_name: "Zoo", company: `O'Neil "Fine" 🧶 Goods` },
      greek: { first_name: "ΟΔΥΣΣΕΥΣ", company: "Straße" },
      nobody: {},
    });
    expect(await ask("first_name", "eq", "zoë")).toEqual(["zoe", "zoe2"]);
    expect(await ask("first_name", "ne", "Zoë")).toEqual(["greek", "nobody", "zoo"]);
    expect(await ask("first_name", "in", ["ZOË", "zoo"])).toEqual(["zoe", "zoe2", "zoo"]);
    expect(await ask("first_name", "not_in", ["ZOË", "zoo"])).toEqual(["greek", "nobody"]);
    expect(await ask("first_name", "contains", "Ë")).toEqual(["zoe", "zoe2"]);
    expect(await ask("first_name", "not_contains", "ë")).toEqual(["greek", "nobody", "zoo"]);
    expect(await ask("first_name", "eq", "Οδυσσεύς")).toEqual([]);
    expect(await ask("first_name", "eq", "οδυσσευς")).toEqual(["greek"]);
    expect(await ask("first_name", "starts_with", "ZO")).toEqual(["zoe", "zoe2", "zoo"]);
    expect(await ask("first_name", "ends_with", "ευσ")).toEqual(["greek"]);
    expect(await ask("first_name", "not_starts_with", "z")).toEqual(["greek", "nobody"]);
    expect(await ask("first_name", "not_ends_with", "Ë")).toEqual(["greek", "nobody", "zoo"]);
    expect(await ask("company", "contains", "100%")).toEqual(["zoe"]);
    expect(await ask("company", "contains", "l_c")).toEqual(["zoe"]);
    expect(await ask("company", "contains", `o'neil "fine"`)).toEqual(["zoo"]);
    expect(await ask("company", "contains", "🧶 g")).toEqual(["zoo"]);
    expect(await ask("company", "contains", "strasse")).toEqual([]);
    expect(await ask("company", "contains", "ẞ")).toEqual(["greek"]);
    expect(await ask("company", "is_set")).toEqual(["greek", "zoe", "zoe2", "zoo"]);
    expect(await ask("company", "not_set")).toEqual(["nobody"]);
  });

  test("2.2: patterns of the safe subset, and the position of what is refused", async () => {
    const { ask, shop } = await contacts({ a: { company: "Acme 42 GmbH" }, b: { company: "[x] Ärzte*" }, c: {} });
    expect(await ask("company", "matches", String.raw`^acme \d\d .*h$`)).toEqual(["a"]);
    expect(await ask("company", "matches", "[q-s]Z.e")).toEqual(["b"]);
    expect(await ask("company", "matches", String.raw`^\[x\] ä.+\*$`)).toEqual(["b"]);
    expect(await ask("company", "not_matches", "acme")).toEqual(["b", "c"]);
    const refused = (value: string) => shop.problems({ field: "company", op: "matches", value });
    expect(refused("a(b|c)")).toEqual({ "/definition/value": expect.stringContaining("( at position 2") });
    expect(refused("ab{2}")).toEqual({ "/definition/value": expect.stringContaining("{ at position 3") });
    expect(refused("x".repeat(60))).toEqual({ "/definition/value": expect.stringContaining("62 bytes") });
  });

  test("2.2: a list of 500 values is one parameter", async () => {
    const { ask } = await contacts({ in: { shopify_customer_id: "499" }, out: { shopify_customer_id: "500" } });
    const value = Array.from({ length: 500 }, (_, i) => String(i));
    expect(await ask("shopify_customer_id", "in", value)).toEqual(["in"]);
  });

  test("2.2: the country of a phone number, also where a calling code is shared by area codes", async () => {
    const { ask, shop } = await contacts({
      berlin: { phone: "+4930123456" },
      toronto: { phone: "+14165550123" },
      boston: { phone: "+16175550123" },
      none: {},
    });
    expect(await ask("phone_country", "eq", "DE")).toEqual(["berlin"]);
    expect(await ask("phone_country", "in", ["Canada", "de"])).toEqual(["berlin", "toronto"]);
    expect(await ask("phone_country", "eq", "US")).toEqual(["boston"]);
    expect(await ask("phone_country", "ne", "us")).toEqual(["berlin", "none", "toronto"]);
    expect(await ask("phone_country", "eq", "Atlantis")).toEqual([]);
    expect(shop.problems({ field: "phone_country", op: "contains", value: "49" })).toHaveProperty("/definition/op");
  });

  test("2.2: e-mail domain, countries by code and by name, the European Union", async () => {
    const { ask, shop, names } = await contacts({
      ada: { email: "ada@example.com", country: "Germany" },
      bob: { email: "bob@mail.example.com", country: "us" },
      eve: { country: "Côte d'Ivoire" },
    });
    expect(await ask("email_domain", "eq", "Example.com")).toEqual(["ada"]);
    expect(await ask("email_domain", "ends_with", "example.com")).toEqual(["ada", "bob"]);
    expect(await ask("country", "eq", "DE")).toEqual(["ada"]);
    expect(await ask("country", "in", ["germany", "United States"])).toEqual(["ada", "bob"]);
    expect(await ask("country", "not_in", ["de"])).toEqual(["bob", "eve"]);
    expect(await ask("country", "eq", "CÔTE D'IVOIRE")).toEqual(["eve"]);
    expect(await ask("in_eu", "is", true)).toEqual(["ada"]);
    expect(await ask("in_eu", "is", false)).toEqual(["bob", "eve"]);
    const visitor = await seedVisitor(shop.key, { country: "FR", region: "Île-de-France", city: "Paris" });
    const all = { ...names, [`visitor:${visitor.key}`]: "someone" };
    expect(await shop.members({ field: "country", op: "eq", value: "France" }, all, "both")).toEqual(["someone"]);
    expect(await shop.members({ field: "region", op: "contains", value: "île" }, all, "visitors")).toEqual(["someone"]);
    expect(await shop.members({ field: "in_eu", op: "is", value: true }, all, "both")).toEqual(["ada", "someone"]);
    expect(await shop.members({ field: "email", op: "not_set" }, all, "both")).toEqual(["eve", "someone"]);
    const hidden = { field: "source", op: "eq", value: "anonymous_website_visitors" };
    expect(await shop.members(hidden, all, "both")).toEqual(["someone"]);
    expect(shop.problems({ field: "email", op: "is_set" }, "visitors")).toEqual({
      "/definition/field": "is not known of visitors",
    });
  });
});

describe("2.2: operators of numbers, true and false, and sets", () => {
  test("2.2: six comparisons, between, and what is missing", async () => {
    const { ask, shop } = await contacts({
      a: { score: 5, orders_count: 2, orders_total: 3001, tax_exempt: 1 },
      b: { score: 0, orders_count: 0, orders_total: 0, tax_exempt: 0 },
      c: { score: -3, orders_count: 1, orders_total: 5000 },
    });
    expect(await ask("score", "eq", 5)).toEqual(["a"]);
    expect(await ask("score", "ne", 5)).toEqual(["b", "c"]);
    expect(await ask("score", "gt", 0)).toEqual(["a"]);
    expect(await ask("score", "gte", 0)).toEqual(["a", "b"]);
    expect(await ask("score", "lt", 0)).toEqual(["c"]);
    expect(await ask("score", "lte", 0)).toEqual(["b", "c"]);
    expect(await ask("score", "between", [-3, 0])).toEqual(["b", "c"]);
    expect(await ask("score", "in", [5, -3])).toEqual(["a", "c"]);
    expect(await ask("total_revenue", "gte", 3001)).toEqual(["a", "c"]);
    expect(await ask("average_order_value", "gt", 1500)).toEqual(["a", "c"]);
    expect(await ask("average_order_value", "not_set")).toEqual(["b"]);
    expect(await ask("average_order_value", "ne", 5000)).toEqual(["a", "b"]);
    expect(await ask("tax_exempt", "is", false)).toEqual(["b"]);
    expect(await ask("tax_exempt", "not_set")).toEqual(["c"]);
    expect(shop.problems({ field: "total_revenue", op: "gt", value: 19.99 })).toEqual({
      "/definition/value": expect.stringContaining("minor units"),
    });
  });

  test("2.2: tags: any, all, none, how many, folded as they are stored", async () => {
    const { ask, shop, keys } = await contacts({ vip: {}, both: {}, removed: {}, none: {} });
    const tag = (name: string, label: string, removed = 0) =>
      insert("contact_tags", {
        shop: shop.key,
        tag: label.toLowerCase(),
        contact: keys[name] ?? 0,
        label,
        origin: "crm",
        at: T0,
        removed,
      });
    await tag("vip", "VIP");
    await tag("both", "VIP");
    await tag("both", "Größe L");
    await tag("removed", "VIP", 1);
    expect(await ask("tags", "has_any", ["vip", "x"])).toEqual(["both", "vip"]);
    expect(await ask("tags", "has_all", ["Vip", "GRÖSSE L"])).toEqual([]);
    expect(await ask("tags", "has_all", ["Vip", "GRÖßE L"])).toEqual(["both"]);
    expect(await ask("tags", "has_none", ["vip"])).toEqual(["none", "removed"]);
    expect(await ask("tags", "count", { gte: 2 })).toEqual(["both"]);
    expect(await ask("tags", "count", { lte: 1 })).toEqual(["none", "removed", "vip"]);
    expect(await ask("tags", "is_empty")).toEqual(["none", "removed"]);
    expect(await ask("tags", "not_empty")).toEqual(["both", "vip"]);
    expect(await ask("tags", "contains", "ÖSS")).toEqual([]);
    expect(await ask("tags", "starts_with", "grö")).toEqual(["both"]);
  });

  test("2.2: custom fields by their type; a value of another type is missing", async () => {
    const fields = (value: unknown) => ({ fields: JSON.stringify(value) });
    const { ask, shop } = await contacts({
      a: fields({
        size: 42,
        likes: ["Tea", "Coffee"],
        club: true,
        note: "Äpfel",
        born: "1990-01-15",
        since: "2035-01-15T10:00:00+02:00",
      }),
      b: fields({ size: "42", likes: [], club: false, born: "1992-02-29" }),
      c: fields({}),
    });
    const field = (name: string, type: "text" | "number" | "date" | "boolean" | "multiselect") => ({
      name,
      label: name,
      type,
      options: [],
    });
    shop.customFields = [
      field("size", "number"),
      field("likes", "multiselect"),
      field("club", "boolean"),
      field("note", "text"),
      field("born", "date"),
      field("since", "date"),
    ];
    expect(await ask("fields.size", "gte", 42)).toEqual(["a"]);
    expect(await ask("fields.size", "not_set")).toEqual(["b", "c"]);
    expect(await ask("fields.likes", "has_any", ["tea"])).toEqual(["a"]);
    expect(await ask("fields.likes", "has_all", ["tea", "coffee"])).toEqual(["a"]);
    expect(await ask("fields.likes", "has_none", ["tea"])).toEqual(["b", "c"]);
    expect(await ask("fields.likes", "count", { eq: 0 })).toEqual(["b", "c"]);
    expect(await ask("fields.club", "is", false)).toEqual(["b"]);
    expect(await ask("fields.note", "contains", "ÄPF")).toEqual(["a"]);
    expect(await ask("fields.born", "before", "1990-01-16")).toEqual(["a"]);
    expect(await ask("fields.born", "on", "1990-01-15")).toEqual(["a"]);
    expect(await ask("fields.born", "anniversary_today")).toEqual(["a"]);
    expect(await ask("fields.born", "anniversary_month", 2)).toEqual(["b"]);
    expect(await ask("fields.since", "in_last", { n: 4, unit: "hour" })).toEqual(["a"]);
    expect(await ask("fields.since", "in_last", { n: 3, unit: "hour" })).toEqual([]);
    expect(shop.problems({ field: "fields.unknown", op: "is_set" })).toHaveProperty("/definition/field");
  });
});

describe("2.2: dates", () => {
  test("2.2: days are whole days of the shop's zone, hours are exact", async () => {
    const zone = "America/New_York";
    // T0 is 07:00 there.
    const midnight = Date.UTC(2035, 0, 15, 5);
    const { ask } = await contacts(
      {
        "first ms of the day 7 days ago": { created_at: midnight - 7 * DAY },
        "a ms before": { created_at: midnight - 7 * DAY - 1 },
        "last ms of yesterday": { created_at: midnight - 1 },
        today: { created_at: midnight },
        later: { created_at: T0 + 3 * DAY },
      },
      zone,
    );
    expect(await ask("created_at", "in_last", { n: 7, unit: "day" })).toEqual([
      "first ms of the day 7 days ago",
      "last ms of yesterday",
      "today",
    ]);
    expect(await ask("created_at", "not_in_last", { n: 7, unit: "day" })).toEqual(["a ms before", "later"]);
    expect(await ask("created_at", "in_last", { n: 7, unit: "hour" })).toEqual(["today"]);
    expect(await ask("created_at", "today")).toEqual(["today"]);
    expect(await ask("created_at", "yesterday")).toEqual(["last ms of yesterday"]);
    expect(await ask("created_at", "on", "2035-01-14")).toEqual(["last ms of yesterday"]);
    expect(await ask("created_at", "not_on", "2035-01-15")).not.toContain("today");
    expect(await ask("created_at", "before", "2035-01-08")).toEqual(["a ms before"]);
    expect(await ask("created_at", "on_or_before", "2035-01-08")).toEqual([
      "a ms before",
      "first ms of the day 7 days ago",
    ]);
    expect(await ask("created_at", "after", "2035-01-15")).toEqual(["later"]);
    expect(await ask("created_at", "on_or_after", "2035-01-15")).toEqual(["later", "today"]);
    expect(await ask("created_at", "between", ["2035-01-07", "2035-01-08"])).toEqual([
      "a ms before",
      "first ms of the day 7 days ago",
    ]);
    const ago = { from: { n: 8, unit: "day" }, to: { n: 1, unit: "day" } };
    expect(await ask("created_at", "between_ago", ago)).toEqual([
      "a ms before",
      "first ms of the day 7 days ago",
      "last ms of yesterday",
    ]);
    expect(await ask("created_at", "in_next", { n: 3, unit: "day" })).toEqual(["later"]);
    expect(await ask("created_at", "in_next", { n: 71, unit: "hour" })).toEqual([]);
    expect(await ask("created_at", "this_week")).toEqual(["later", "today"]);
    expect(await ask("created_at", "last_week")).toEqual(["first ms of the day 7 days ago", "last ms of yesterday"]);
  });

  test("2.2: anniversaries, also of instants, in the shop's zone, leap days included", async () => {
    const { ask, shop } = await contacts(
      {
        "23:30 on 14 January": { created_at: Date.UTC(2020, 0, 14, 22, 30) },
        "00:30 on 15 January": { created_at: Date.UTC(2020, 0, 14, 23, 30) },
        "23:59 on 15 January": { created_at: Date.UTC(1999, 0, 15, 22, 59) },
        "20 January": { created_at: Date.UTC(2010, 0, 20) },
        "29 February": { created_at: Date.UTC(2012, 1, 29, 10) },
      },
      "Europe/Berlin",
    );
    expect(await ask("created_at", "anniversary_today")).toEqual(["00:30 on 15 January", "23:59 on 15 January"]);
    expect(await ask("created_at", "anniversary_in_next", { n: 5, unit: "day" })).toEqual([
      "00:30 on 15 January",
      "20 January",
      "23:59 on 15 January",
    ]);
    expect(await ask("created_at", "anniversary_in_last", { n: 1, unit: "day" })).toEqual([
      "00:30 on 15 January",
      "23:30 on 14 January",
      "23:59 on 15 January",
    ]);
    expect(await ask("created_at", "anniversary_month", 2)).toEqual(["29 February"]);
    expect(await ask("created_at", "anniversary_in_last", { n: 3, unit: "week" })).toHaveLength(3);
    shop.now = Date.UTC(2035, 1, 28, 10);
    expect(await ask("created_at", "anniversary_today")).toEqual(["29 February"]);
    shop.now = Date.UTC(2036, 1, 28, 10);
    expect(await ask("created_at", "anniversary_today")).toEqual([]);
  });
});

describe("2.2: lifecycle, consent and orders of a contact", () => {
  test("2.2: has been X for N, by the history of stages and the time of a consent", async () => {
    const { ask, shop, keys } = await contacts({
      long: { stage: "customer", email: "a@example.com" },
      lately: { stage: "customer", email: "b@example.com" },
      again: { stage: "customer" },
      lead: { stage: "lead" },
    });
    const stage = (name: string, at: number, to: string, status: string | null = null) =>
      insert("lifecycle_history", { shop: shop.key, contact: keys[name] ?? 0, stage: to, status, at });
    await stage("long", T0 - 60 * DAY, "lead");
    await stage("long", T0 - 40 * DAY, "customer", "invited");
    await stage("long", T0 - 2 * DAY, "customer", "paying");
    await stage("lately", T0 - 3 * DAY, "customer");
    await stage("again", T0 - 90 * DAY, "customer");
    await stage("again", T0 - 5 * DAY, "lead");
    await stage("again", T0 - 4 * DAY, "customer");
    await stage("lead", T0 - 90 * DAY, "lead");
    const held = { is: "customer", for: { n: 30, unit: "day" } };
    expect(await ask("lifecycle_stage", "has_been", held)).toEqual(["long"]);
    expect(await ask("lifecycle_stage", "has_not_been", held)).toEqual(["again", "lately", "lead"]);
    expect(await ask("lifecycle_stage", "has_been", { is: "customer", for: { n: 72, unit: "hour" } })).toEqual([
      "again",
      "lately",
      "long",
    ]);
    expect(await ask("lifecycle_changed_at", "in_last", { n: 2, unit: "day" })).toEqual(["long"]);
    const consent = (name: string, state: string, decided: number | null) =>
      insert("consents", {
        contact: keys[name] ?? 0,
        channel: "email",
        shop: shop.key,
        state,
        basis: "api",
        decided_at: decided,
        updated_at: T0,
      });
    await consent("long", "subscribed", T0 - 40 * DAY);
    await consent("lately", "subscribed", null);
    await consent("again", "subscribed", T0 - 40 * DAY);
    expect(await ask("email_consent", "eq", "subscribed")).toEqual(["again", "lately", "long"]);
    expect(await ask("email_consent", "not_set")).toEqual(["lead"]);
    expect(await ask("email_can_receive", "is", true)).toEqual(["lately", "long"]);
    expect(await ask("email_consent", "has_been", { is: "subscribed", for: { n: 30, unit: "day" } })).toEqual([
      "again",
      "long",
    ]);
    expect(await ask("email_consent_at", "in_last", { n: 50, unit: "day" })).toEqual(["again", "long"]);
  });

  test("2.2: previous status", async () => {
    const { ask, shop, keys } = await contacts({
      a: { stage: "customer", status: "paying" },
      b: { stage: "customer", status: "invited" },
    });
    for (const [at, status] of [
      [T0 - 3 * DAY, "disabled"],
      [T0 - 2 * DAY, "enabled"],
      [T0 - 2 * DAY, "paying"],
      [T0 - DAY, "paying"],
    ] as const) {
      await insert("lifecycle_history", { shop: shop.key, contact: keys["a"] ?? 0, stage: "customer", status, at });
    }
    await insert("lifecycle_history", {
      shop: shop.key,
      contact: keys["b"] ?? 0,
      stage: "customer",
      status: "invited",
      at: T0,
    });
    expect(await ask("lifecycle_previous_status", "eq", "enabled")).toEqual(["a"]);
    expect(await ask("lifecycle_previous_status", "not_set")).toEqual(["b"]);
  });

  test("2.2: lifetime totals, last order and any order", async () => {
    const { ask, shop, keys } = await contacts({ ada: {}, bob: {}, new: {} });
    await seedProduct(shop.key, "mug", {
      tags: '["Kitchen"]',
      category: "Cups",
      vendor: "Clay",
      collections: '["Home"]',
    });
    const order = async (name: string, at: number, product: string, row: Row = {}) => {
      const made = await seedOrder(shop.key, { contact: keys[name] ?? 0, placed_at: at, ...row });
      await seedItem(made.key, 0, { product_id: product, title: product, quantity: 2, discounted_price: 1500 });
    };
    await order("ada", T0 - 20 * DAY, "mug", { shipping_method: "Express" });
    await order("ada", T0 - 10 * DAY, "hat", { discount_codes: '["SPRING"]', source_name: "pos", total: 700 });
    await order("bob", T0 - 5 * DAY, "hat");
    await order("bob", T0 - 5 * DAY, "mug", { shipping_method: "Post" });
    expect(await ask("days_since_last_order", "lte", 5)).toEqual(["bob"]);
    expect(await ask("average_days_between_orders", "eq", 10)).toEqual(["ada"]);
    expect(await ask("average_days_between_orders", "ne", 10)).toEqual(["bob", "new"]);
    expect(await ask("products_purchased", "gte", 4)).toEqual(["ada", "bob"]);
    expect(await ask("products_purchased", "eq", 0)).toEqual(["new"]);
    expect(await ask("gross_revenue", "eq", 3998)).toEqual(["bob"]);
    expect(await ask("refunds_total", "eq", 0)).toEqual(["ada", "bob", "new"]);
    expect(await ask("last_order_date", "in_last", { n: 7, unit: "day" })).toEqual(["bob"]);
    expect(await ask("first_order_date", "before", "2035-01-01")).toEqual(["ada"]);
    expect(await ask("last_order_total", "lt", 1000)).toEqual(["ada"]);
    expect(await ask("last_order_shipping_method", "eq", "post")).toEqual(["bob"]);
    expect(await ask("last_order_discount_code", "has_any", ["spring"])).toEqual(["ada"]);
    expect(await ask("last_order_product_count", "eq", 2)).toEqual(["ada", "bob"]);
    expect(await ask("last_order_product_id", "eq", "hat")).toEqual(["ada"]);
    expect(await ask("last_order_tag", "has_any", ["kitchen"])).toEqual(["bob"]);
    expect(await ask("last_order_tag", "is_empty")).toEqual(["ada", "new"]);
    expect(await ask("any_order_tag", "has_any", ["kitchen"])).toEqual(["ada", "bob"]);
    expect(await ask("any_order_collection", "contains", "hom")).toEqual(["ada", "bob"]);
    expect(await ask("any_order_product_id", "has_all", ["mug", "hat"])).toEqual(["ada", "bob"]);
    expect(await ask("any_order_vendor", "eq", "clay")).toEqual(["ada", "bob"]);
    expect(await ask("any_order_category", "has_none", ["cups"])).toEqual(["new"]);
    expect(await ask("any_order_title", "count", { gte: 2 })).toEqual(["ada", "bob"]);
    expect(await ask("any_order_tag", "count", { lte: 0 })).toEqual(["new"]);
    expect(await ask("last_order_on_sale", "is", true)).toEqual(["ada", "bob"]);
    expect(await ask("last_order_discount", "gte", 500)).toEqual([]);
    await order("new", T0 - 400 * DAY, "mug");
    await order("new", T0 - 400 * DAY, "hat");
    await seedProduct(shop.key, "hat", { category: "Hats" });
    await order("bob", T0 - 300 * DAY, "hat");
    expect(await ask("favourite_category", "eq", "hats")).toEqual(["bob"]);
    expect(await ask("favourite_category", "eq", "cups")).toEqual(["ada", "new"]);
  });

  test("2.2: visits, touches and devices of contacts and of visitors", async () => {
    const { shop, names, keys } = await contacts({ ada: {}, quiet: {} });
    const touch = (source: string) => JSON.stringify({ source, medium: "cpc", landingUrl: "https://a.example/x" });
    const mine = { contact: keys["ada"] ?? 0, channel: "browser" };
    await seedVisitor(shop.key, {
      ...mine,
      visits: 2,
      page_views: 5,
      first_seen_at: T0 - 9 * DAY,
      last_seen_at: T0 - 8 * DAY,
      first_touch: touch("google"),
      last_touch: touch("google"),
      device: '{"type":"desktop"}',
    });
    await seedVisitor(shop.key, {
      ...mine,
      visits: 1,
      page_views: 1,
      first_seen_at: T0 - DAY,
      last_seen_at: T0 - HOUR,
      first_touch: touch("news"),
      last_touch: touch("news"),
      device: '{"type":"mobile"}',
      country: "FR",
    });
    const visitor = await seedVisitor(shop.key, {
      visits: 1,
      page_views: 4,
      last_touch: touch("news"),
      device: '{"type":"mobile"}',
      country: "DE",
    });
    const all = { ...names, [`visitor:${visitor.key}`]: "anonymous" };
    const ask = (field: string, op: string, value?: unknown) =>
      shop.members(value === undefined ? { field, op } : { field, op, value }, all, "both");
    expect(await ask("visits", "gte", 3)).toEqual(["ada"]);
    expect(await ask("returning", "is", true)).toEqual(["ada"]);
    expect(await ask("returning", "is", false)).toEqual(["anonymous"]);
    expect(await ask("pages_per_visit", "gt", 2)).toEqual(["anonymous"]);
    expect(await ask("first_seen", "before", "2035-01-10")).toEqual(["ada"]);
    expect(await ask("last_seen", "in_last", { n: 2, unit: "hour" })).toEqual(["ada", "anonymous"]);
    expect(await ask("first_touch_source", "eq", "google")).toEqual(["ada"]);
    expect(await ask("last_touch_source", "eq", "NEWS")).toEqual(["ada", "anonymous"]);
    expect(await ask("first_touch_landing_page", "ends_with", "/x")).toEqual(["ada"]);
    expect(await ask("device_type", "ne", "mobile")).toEqual(["quiet"]);
    expect(await ask("ip_country", "in", ["Germany", "fr"])).toEqual(["ada", "anonymous"]);
  });
});
