import { describe, expect, test } from "vitest";

import {
  type Audience,
  describe as describeShop,
  parseDefinition,
  parseText,
  printText,
  type TextVocabulary,
} from "../../src/segments";
import { Random } from "../helpers/random";
import { RandomDefinition } from "./text-random";

const SHOP: TextVocabulary = {
  audience: "contacts",
  stores: ["shop'1"],
  customFields: [
    { name: "birthday", label: "Birthday", type: "date", options: [] },
    { name: "shoe_size", label: "Shoe size", type: "number", options: [] },
    { name: "colours", label: "Colours", type: "multiselect", options: ["red", "blue"] },
    { name: "vip", label: "VIP", type: "boolean", options: [] },
    { name: "note", label: "Note", type: "text", options: [] },
  ],
  currency: "EUR",
  timezone: "America/New_York",
};

function read(text: string, vocabulary = SHOP) {
  const outcome = parseText(text, vocabulary);
  if ("problems" in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.definition;
}

/** The first problem, as `line:column detail`. */
function problem(text: string, vocabulary = SHOP): string {
  const outcome = parseText(text, vocabulary);
  if (!("problems" in outcome)) throw new Error(`was read: ${JSON.stringify(outcome.definition)}`);
  const [first] = outcome.problems;
  return `${first?.line}:${first?.column} ${first?.detail}`;
}

function notes(text: string): string[] {
  const outcome = parseText(text, SHOP);
  return "notes" in outcome ? outcome.notes.map(({ column, detail }) => `${column} ${detail}`) : [];
}

/** Fails with what is wrong, where the definition of a test is not one. */
function valid(definition: unknown, vocabulary = SHOP): void {
  try {
    parseDefinition(definition, vocabulary);
  } catch (error) {
    throw new Error(`${JSON.stringify(error)} in ${JSON.stringify(definition)}`, { cause: error });
  }
}

const day = (n: number) => ({ n, unit: "day" });

describe("2.1: Shopify's segment language, filter by filter", () => {
  test.each([
    ["last_order_date = 2020-05-30", { field: "last_order_date", op: "on", value: "2020-05-30" }],
    ["last_order_date != 2020-05-30", { field: "last_order_date", op: "not_on", value: "2020-05-30" }],
    ["last_order_date > '2020-05-30'", { field: "last_order_date", op: "after", value: "2020-05-30" }],
    ["first_order_date <= 2020-05-30", { field: "first_order_date", op: "on_or_before", value: "2020-05-30" }],
    ["customer_added_date < 2020-05-30", { field: "shopify_created_at", op: "before", value: "2020-05-30" }],
    ["abandoned_checkout_date >= -7d", { field: "last_cart_abandoned_at", op: "in_last", value: day(7) }],
    ["last_order_date > -7d", { field: "last_order_date", op: "in_last", value: day(6) }],
    ["last_order_date > -1d", { field: "last_order_date", op: "today" }],
    ["last_order_date > -4w", { field: "last_order_date", op: "in_last", value: day(27) }],
    ["last_order_date >= -3m", { field: "last_order_date", op: "in_last", value: { n: 3, unit: "month" } }],
    ["last_order_date >= -1y", { field: "last_order_date", op: "in_last", value: { n: 1, unit: "year" } }],
    ["last_order_date >= 30_days_ago", { field: "last_order_date", op: "in_last", value: day(30) }],
    ["last_order_date >= 12_months_ago", { field: "last_order_date", op: "in_last", value: { n: 12, unit: "month" } }],
    [
      "last_order_date > -3m",
      {
        all: [
          { field: "last_order_date", op: "in_last", value: { n: 3, unit: "month" } },
          {
            none: [
              {
                field: "last_order_date",
                op: "between_ago",
                value: { from: { n: 3, unit: "month" }, to: { n: 3, unit: "month" } },
              },
            ],
          },
        ],
      },
    ],
    [
      "last_order_date < -90d",
      {
        all: [
          { field: "last_order_date", op: "is_set" },
          { field: "last_order_date", op: "not_in_last", value: day(90) },
        ],
      },
    ],
    ["last_order_date = -7d", { field: "last_order_date", op: "between_ago", value: { from: day(7), to: day(7) } }],
    ["last_order_date = today", { field: "last_order_date", op: "today" }],
    ["last_order_date = yesterday", { field: "last_order_date", op: "yesterday" }],
    [
      "last_order_date BETWEEN -12m AND today",
      { field: "last_order_date", op: "in_last", value: { n: 12, unit: "month" } },
    ],
    [
      "last_order_date BETWEEN -30d AND -7d",
      { field: "last_order_date", op: "between_ago", value: { from: day(30), to: day(7) } },
    ],
    [
      "last_order_date BETWEEN 2020-01-01 AND -7d",
      {
        all: [
          { field: "last_order_date", op: "on_or_after", value: "2020-01-01" },
          {
            all: [
              { field: "last_order_date", op: "is_set" },
              { none: [{ field: "last_order_date", op: "in_last", value: day(6) }] },
            ],
          },
        ],
      },
    ],
    [
      "last_order_date BETWEEN 2021-01-01 AND 2021-02-01",
      { field: "last_order_date", op: "between", value: ["2021-01-01", "2021-02-01"] },
    ],
    ["last_order_date > 2020-05-30T16:00:00", { field: "last_order_date", op: "after", value: "2020-05-30T20:00:00Z" }],
    ["last_order_date IS NULL", { field: "last_order_date", op: "not_set" }],
    ["last_order_date IS NOT NULL", { field: "last_order_date", op: "is_set" }],
    ["amount_spent = 10.99", { field: "total_revenue", op: "eq", value: 1099 }],
    ["amount_spent BETWEEN 1 AND 999.99", { field: "total_revenue", op: "between", value: [100, 99_999] }],
    ["number_of_orders != 10", { field: "orders_count", op: "ne", value: 10 }],
    ["number_of_orders BETWEEN 2 AND 5", { field: "orders_count", op: "between", value: [2, 5] }],
    ["orders_placed MATCHES ()", { did: "order_placed" }],
    ["orders_placed NOT MATCHES ()", { did: "order_placed", count: { eq: 0 } }],
    ["orders_placed IS NULL", { did: "order_placed", count: { eq: 0 } }],
    ["orders_placed IS NOT NULL", { did: "order_placed" }],
    [
      "orders_placed MATCHES (count >= 5, date > 2025-01-01, location_id = 123, amount > 50)",
      {
        did: "order_placed",
        count: { gte: 5 },
        window: { after: "2025-01-01" },
        where: [
          { field: "location_id", op: "eq", value: "123" },
          { field: "total", op: "gt", value: 5000 },
        ],
      },
    ],
    ["orders_placed MATCHES (sum_amount >= 100.5)", { did: "order_placed", sum: { of: "total", gte: 10_050 } }],
    [
      "orders_placed NOT MATCHES (count > 2, date >= -30d)",
      { none: [{ did: "order_placed", count: { gt: 2 }, window: { inLast: day(30) } }] },
    ],
    [
      "products_purchased MATCHES (id IN (2012162031638, 1012132033639), date BETWEEN -12m AND today)",
      {
        did: "order_placed",
        window: { inLast: { n: 12, unit: "month" } },
        where: [{ field: "items.product_id", op: "in", value: ["2012162031638", "1012132033639"] }],
      },
    ],
    [
      "products_purchased MATCHES (tag = 'Sports wear', date >= -12m)",
      {
        did: "order_placed",
        window: { inLast: { n: 12, unit: "month" } },
        where: [{ field: "items.tag", op: "eq", value: "Sports wear" }],
      },
    ],
    [
      "products_purchased MATCHES (id = 1, quantity >= 2)",
      {
        did: "order_placed",
        where: [
          { field: "items.product_id", op: "eq", value: "1" },
          { field: "items.quantity", op: "gte", value: 2 },
        ],
      },
    ],
    [
      "products_purchased MATCHES (id = 1, sum_quantity >= 3)",
      {
        did: "order_placed",
        sum: { of: "items.quantity", gte: 3 },
        where: [{ field: "items.product_id", op: "eq", value: "1" }],
      },
    ],
    [
      "products_purchased(id: (1, 2)) = false",
      { did: "order_placed", count: { eq: 0 }, where: [{ field: "items.product_id", op: "in", value: ["1", "2"] }] },
    ],
    [
      "products_purchased(id: 1) = true",
      { did: "order_placed", where: [{ field: "items.product_id", op: "eq", value: "1" }] },
    ],
    [
      "products_purchased NOT MATCHES (date > -3m)",
      {
        none: [
          {
            all: [
              { did: "order_placed", lastAt: { op: "in_last", value: { n: 3, unit: "month" } } },
              {
                none: [
                  {
                    did: "order_placed",
                    lastAt: {
                      op: "between_ago",
                      value: { from: { n: 3, unit: "month" }, to: { n: 3, unit: "month" } },
                    },
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
    [
      "storefront.product_viewed MATCHES (id = 5, tag = 'new', count >= 3, date >= -7d)",
      {
        did: "product_viewed",
        count: { gte: 3 },
        window: { inLast: day(7) },
        where: [
          { field: "product_id", op: "eq", value: "5" },
          { field: "items.tag", op: "eq", value: "new" },
        ],
      },
    ],
    ["storefront.product_viewed = true", { did: "product_viewed" }],
    [
      "storefront_event.collection_viewed MATCHES (id IN (7, 8))",
      { did: "collection_viewed", where: [{ field: "collection_id", op: "in", value: ["7", "8"] }] },
    ],
    ["customer_tags CONTAINS 'vip'", { field: "tags", op: "has_any", value: ["vip"] }],
    ["customer_tags NOT CONTAINS '\\'VIP\\''", { field: "tags", op: "has_none", value: ["'VIP'"] }],
    ["customer_tags IS NULL", { field: "tags", op: "is_empty" }],
    ["customer_countries CONTAINS 'CA'", { field: "country", op: "eq", value: "CA" }],
    ["customer_countries NOT CONTAINS 'CA'", { field: "country", op: "ne", value: "CA" }],
    ["customer_regions IS NULL", { field: "region", op: "not_set" }],
    ["customer_cities IS NOT NULL", { field: "city", op: "is_set" }],
    ["customer_email_domain = 'example.com'", { field: "email_domain", op: "eq", value: "example.com" }],
    ["email_subscription_status = 'SUBSCRIBED'", { field: "email_consent", op: "eq", value: "subscribed" }],
    ["email_subscription_status != 'INVALID'", { field: "email_consent", op: "ne", value: "invalid" }],
    [
      "sms_subscription_status = 'NOT_SUBSCRIBED'",
      {
        any: [
          { field: "sms_consent", op: "eq", value: "not_subscribed" },
          { field: "sms_consent", op: "not_set" },
        ],
      },
    ],
    ["customer_language = 'en'", { field: "language", op: "eq", value: "en" }],
    ["customer_language != 'FR'", { field: "language", op: "ne", value: "fr" }],
    ["customer_language IS NULL", { field: "language", op: "not_set" }],
    [
      "customer_within_distance MATCHES (coordinates = '52.52, 13.4', distance_km = 50)",
      { field: "location", op: "within", value: { latitude: 52.52, longitude: 13.4, km: 50 } },
    ],
    [
      "customer_within_distance(coordinates: '-33.8,151.2', distance_mi: 25) = false",
      { field: "location", op: "not_within", value: { latitude: -33.8, longitude: 151.2, mi: 25 } },
    ],
    ["customer_within_distance IS NULL", { field: "location", op: "not_set" }],
    ["rfm_group = 'LOYAL'", { field: "rfm_group", op: "eq", value: "LOYAL" }],
    ["rfm_group != 'AT_RISK'", { field: "rfm_group", op: "ne", value: "AT_RISK" }],
    ["customer_account_status = 'ENABLED'", { field: "account_state", op: "eq", value: "enabled" }],
    [
      "anniversary(fields.birthday) BETWEEN today AND +7d",
      { field: "fields.birthday", op: "anniversary_in_next", value: day(7) },
    ],
    ["anniversary('fields.birthday') = today", { field: "fields.birthday", op: "anniversary_today" }],
    ["anniversary(date: 'fields.birthday') IS NULL", { field: "fields.birthday", op: "not_set" }],
  ])("2.1: %s", (text, definition) => {
    expect(read(text)).toEqual(definition);
    expect(read(printText(definition, SHOP))).toEqual(definition);
  });

  test.each([
    ["companies CONTAINS 1", "1:1 companies: Shopify's B2B"],
    ["score = 1 AND 1", "1:15 the name of a filter was expected"],
    ["score > 1 AND created_by_app_id = 1", "1:15 created_by_app_id: the app"],
    ["customer_language = 'fr-CA'", "1:21 languages are stored without their region"],
    ["customer_language CONTAINS 'fr'", "1:19 customer_language is asked with = and !="],
    ["customer_within_distance MATCHES (coordinates = 'Berlin', distance_km = 5)", "1:49 latitude and longitude"],
    ["customer_within_distance MATCHES (coordinates = '1,2', distance_km = 501)", "1:1 value is not a distance up to"],
    ["customer_within_distance MATCHES (distance_km = 5)", "1:26 coordinates are missing"],
    ["customer_within_distance MATCHES (postal_code = '10115')", "1:35 postal_code is neither"],
    ["predicted_spend_tier = 'HIGH'", "1:1 predicted_spend_tier"],
    ["product_subscription_status = 'PAUSED'", "1:1 product_subscription_status"],
    ["store_credit_accounts MATCHES (balance > 1)", "1:1 store_credit_accounts"],
    ["shopify_email.opened MATCHES (activity_id = 1, count > 1)", "1:1 shopify_email.opened"],
    ["anniversary('metafields.facts.birth_date') = today", "1:13 metafields.facts.birth_date: metafields"],
    ["metafields.custom.level = 'gold'", "1:1 metafields.custom.level"],
    ["customer_regions CONTAINS 'US-CA'", "1:27 regions and cities are stored by name"],
    ["customer_cities CONTAINS 'US-CA-LosAngeles'", "1:26 regions and cities"],
    ["customer_countries CONTAINS 'Canada'", "1:29 customer_countries takes a code"],
    ["orders_placed MATCHES (count > 1,\n  app_id = 1)", "2:3 the app that took an order"],
    ["products_purchased MATCHES (id NOT IN (1))", "1:32 asks Shopify for any other product"],
    ["products_purchased MATCHES (colour = 'red')", "1:29 products_purchased takes id, tag"],
    ["email_subscription_status = 'MAYBE'", "1:29 this is not one of SUBSCRIBED"],
    ["storefront.collection_viewed MATCHES (tag = 'x')", "1:39 the tags of a collection"],
  ])("2.1: refused where it stands: %s", (text, start) => {
    expect(problem(text)).toContain(start);
  });

  test("2.1: a date of a custom field may lie in the future", () => {
    const field = "fields.birthday";
    const ahead = { field, op: "in_next", value: { n: 200, unit: "year" } };
    expect(read("fields.birthday >= -7d")).toEqual({ any: [{ field, op: "in_last", value: day(7) }, ahead] });
    expect(read("fields.birthday < -7d")).toEqual({
      all: [{ field, op: "is_set" }, { none: [{ any: [{ field, op: "in_last", value: day(7) }, ahead] }] }],
    });
    expect(read("fields.birthday > today")).toEqual({ all: [ahead, { none: [{ field, op: "today" }] }] });
    expect(read("fields.birthday BETWEEN today AND +7d")).toEqual({ field, op: "in_next", value: day(7) });
  });

  test("2.1: what is not wholly the same is said", () => {
    expect(notes("score > 1 AND amount_spent > 5")).toEqual([
      "15 total_revenue is what was spent after edits and refunds",
    ]);
    expect(notes("abandoned_checkout_date = today")).toHaveLength(1);
    expect(notes("customer_countries CONTAINS 'DE'")).toHaveLength(1);
    expect(notes("orders_placed MATCHES (amount > 1)")).toEqual([
      "1 what was cancelled or taken back does not count here",
      "24 total is after edits and refunds",
    ]);
    expect(notes("last_order_date = today")).toEqual([]);
  });

  test("2.1: amounts are in the currency's own units", () => {
    expect(read("amount_spent > 500", { ...SHOP, currency: "JPY" })).toMatchObject({ value: 500 });
    expect(read("amount_spent > 1.5", { ...SHOP, currency: "KWD" })).toMatchObject({ value: 1500 });
    expect(problem("amount_spent > 1.005")).toMatch(/^1:1 value is not a whole number/);
    expect(problem("amount_spent > €5")).toMatch(/^1:16 "€"/);
    expect(problem("amount_spent > 1,000")).toMatch(/^1:17 AND, OR or the end was expected here/);
    expect(printText({ field: "total_revenue", op: "gt", value: 50 }, { currency: "JPY" })).toBe("total_revenue > 50");
    expect(printText({ field: "total_revenue", op: "gt", value: 5 }, SHOP)).toBe("total_revenue > 0.05");
  });
});

describe("2.1: clauses together", () => {
  const [a, b, c] = ["score = 1", "score = 2", "score = 3"];
  const leaf = (value: number) => ({ field: "score", op: "eq", value });

  test("2.1: AND before OR, parentheses, NOT, and groups by name", () => {
    expect(read(`${a} AND ${b} OR ${c}`)).toEqual({ any: [{ all: [leaf(1), leaf(2)] }, leaf(3)] });
    expect(read(`(${a} and ${b}) oR ${c}`)).toEqual({ any: [{ all: [leaf(1), leaf(2)] }, leaf(3)] });
    expect(read(`${a} AND (${b} OR ${c})`)).toEqual({ all: [leaf(1), { any: [leaf(2), leaf(3)] }] });
    expect(read(`((${a}))`)).toEqual(leaf(1));
    expect(read(`NOT (${a} OR ${b})`)).toEqual({ none: [{ any: [leaf(1), leaf(2)] }] });
    expect(read(`NONE (${a}, ${b} AND ${c})`)).toEqual({ none: [leaf(1), { all: [leaf(2), leaf(3)] }] });
    expect(read("ALL ()")).toEqual({ all: [] });
  });

  test("2.1: keywords and names in any case, any space, both quotes, escapes", () => {
    expect(read("Email_Subscription_Status='subscribed'\r\n\tAnd\n NUMBER_OF_ORDERS between 1 and 2")).toEqual({
      all: [
        { field: "email_consent", op: "eq", value: "subscribed" },
        { field: "orders_count", op: "between", value: [1, 2] },
      ],
    });
    expect(read(String.raw`city = "O'Fallon" OR city = 'a\\b\'c\n'`)).toEqual({
      any: [
        { field: "city", op: "eq", value: "O'Fallon" },
        { field: "city", op: "eq", value: "a\\b'c\n" },
      ],
    });
    expect(problem(String.raw`city = 'a\d'`)).toMatch(/^1:10 a backslash stands before/);
    expect(problem("score > 1\nAND city = 'open")).toBe("2:12 this quote is never closed");
  });

  test("2.1: a whole query as Shopify's editor has it", () => {
    const query = `FROM customers
SHOW customer_name, note, email_subscription_status, location, orders, amount_spent
WHERE customer_tags CONTAINS 'vip' AND products_purchased MATCHES (id = 1)
ORDER BY updated_at DESC`;
    expect(read(query)).toEqual({
      all: [
        { field: "tags", op: "has_any", value: ["vip"] },
        { did: "order_placed", where: [{ field: "items.product_id", op: "eq", value: "1" }] },
      ],
    });
    expect(problem("FROM orders SHOW x WHERE score = 1")).toMatch(/^1:6 CUSTOMERS was expected/);
  });

  test("2.1: too long, too deep, too many", () => {
    const long = `city = '${"x".repeat(10_000)}'`;
    expect(problem(long)).toMatch(/^1:10001 a text has at most 10000 characters/);
    expect(problem(`${"(".repeat(5000)}${a}`)).toMatch(/^1:22 parentheses are nested deeper than 20/);
    expect(problem(`${"NOT ".repeat(2000)}${a}`)).toMatch(/ nested deeper than 20/);
    expect(problem(`NOT NOT NOT NOT NOT NOT ${a}`)).toMatch(/is nested deeper than 5$/);
    const ids = (count: number) =>
      `customer_tags IS NULL OR products_purchased MATCHES (id IN (${Array.from({ length: count }, (_, i) => i).join(",")}))`;
    expect(read(ids(500))).toHaveProperty("any");
    expect(problem(ids(501))).toMatch(/^1:54 value has more than 500 values/);
    const many = Array.from({ length: 101 }, () => a).join(" OR ");
    expect(problem(many)).toMatch(new RegExp(`^1:${100 * (a.length + 4) + 1} .*one condition more than 100`));
  });

  test("2.2: what the definition's own rules refuse is refused where it is written", () => {
    expect(problem("score > 1 AND nope = 1")).toMatch(/^1:15 nope is no filter/);
    expect(problem("score > 1 AND\n  score CONTAINS 'x'")).toMatch(/^2:3 op is not one of/);
    expect(problem("order_placed MATCHES (items.price = 1, nope = 2)")).toMatch(/^1:40 nope is no property/);
    expect(problem("order_placed MATCHES (total > 1, items.sku > 'a')")).toMatch(/^1:44 items.sku is compared/);
    expect(problem("custom:x MATCHES (data.due >= -7d)")).toMatch(/^1:28 this cannot be asked inside MATCHES/);
    expect(problem("order_placed MATCHES (date > -3m, count > 1)")).toMatch(/^1:1 beside a count or a sum/);
    expect(problem("last_order_date > today")).toMatch(/^1:19 what has happened is never later/);
    expect(problem("last_order_date = 2026-02-30")).toMatch(/^1:1 value is not a date/);
    expect(problem("order_placed > 1")).toMatch(/^1:14 order_placed is an event/);
    expect(problem("score > 1 STORE 'other'")).toMatch(/^1:1 store is another store/);
    expect(problem("email = 'x'", { ...SHOP, audience: "visitors" })).toMatch(/^1:1 field is not known of visitors/);
    expect(problem("")).toBe("1:1 the name of a filter was expected here, not the end");
  });
});

describe("2.2: texts and definitions are the same thing", () => {
  const catalogue = describeShop({
    connected: true,
    hasOrders: true,
    customFields: SHOP.customFields,
    stages: ["lead", "customer"],
    customEvents: ["custom:Quiz.Done-1:x"],
  });

  test("2.2: the example of the vocabulary, in one line", () => {
    const text =
      "order_placed MATCHES (count >= 2, date IN LAST 30d, items.tag HAS ANY ('X')) AND product_viewed MATCHES () NOT FOLLOWED BY order_placed MATCHES () WITHIN 2h";
    const definition = {
      all: [
        {
          did: "order_placed",
          count: { gte: 2 },
          window: { inLast: day(30) },
          where: [{ field: "items.tag", op: "has_any", value: ["X"] }],
        },
        { first: { did: "product_viewed" }, notFollowedBy: { did: "order_placed" }, within: { n: 2, unit: "hour" } },
      ],
    };
    expect(read(text)).toEqual(definition);
    expect(printText(definition, SHOP)).toBe(text);
  });

  test("2.2: no field is called like an event, a keyword or one of Shopify's filters that means something else", () => {
    const fields = catalogue.groups.flatMap(({ fields }) => fields.map(({ name }) => name));
    const names = new Set(fields);
    expect(catalogue.events.filter(({ name }) => names.has(name))).toEqual([]);
    const parameters = ["date", "count", "sum", "distinct", "where", "first_at", "last_at", "anniversary"];
    const properties = catalogue.events.flatMap((event) => event.properties.map(({ name }) => name));
    expect(properties.filter((name) => parameters.includes(name))).toEqual([]);
    for (const name of fields) {
      const leaf = { field: name, op: "not_set" };
      expect(read(printText(leaf, SHOP)), name).toEqual(leaf);
      expect(read(`${name} IS NOT SET`), name).toEqual(leaf);
    }
  });

  test.each(["contacts", "both"] satisfies Audience[])(
    "2.2: any definition reads back from its text (%s)",
    (audience) => {
      const seed = Number(crypto.getRandomValues(new Uint32Array(1))[0]);
      console.log(`definitions of seed ${seed}`);
      const random = new RandomDefinition(seed, catalogue);
      const vocabulary = { ...SHOP, audience };
      let tried = 0;
      for (let i = 0; i < 1_000; i++) {
        const definition = random.node();
        valid(definition, vocabulary);
        const text = printText(definition, SHOP);
        if (text.length > 10_000) continue;
        tried++;
        expect(read(text, vocabulary), text).toEqual(definition);
        expect(printText(read(text, vocabulary), SHOP)).toBe(text);
      }
      expect(tried).toBeGreaterThan(800);
    },
  );

  test("2.1: whatever is written, there is a definition or a place where it is wrong", () => {
    const seed = Number(crypto.getRandomValues(new Uint32Array(1))[0]);
    console.log(`texts of seed ${seed}`);
    const random = new Random(seed);
    const definitions = new RandomDefinition(seed, catalogue);
    const bits =
      "( ) , = != < >= : ' \\' AND OR NOT MATCHES IN LAST NEXT BETWEEN IS NULL HAS BEEN FOR FOLLOWED BY WITHIN STORE ALL anniversary( orders_placed products_purchased score last_order_date date count sum( -7d 30d +1y 5 1e9 -0 2026-01-01 2026-13-41T99:99:99 today 'x' data.a custom:a constructor __proto__ toString WHERE FROM customers 😀 \0 \ud800".split(
        " ",
      );
    for (let i = 0; i < 2_000; i++) {
      const written = printText(definitions.node(), SHOP);
      const cut = random.int(0, written.length);
      const noise = Array.from({ length: random.int(1, 12) }, () => bits[random.int(0, bits.length - 1)]).join(
        random.chance(0.8) ? " " : "",
      );
      const text = random.chance(0.5)
        ? noise
        : `${written.slice(0, cut)} ${noise} ${written.slice(cut + random.int(0, 9))}`;
      const outcome = parseText(text, SHOP);
      if ("definition" in outcome) {
        parseDefinition(outcome.definition, SHOP);
        continue;
      }
      for (const { offset, line, column, detail } of outcome.problems) {
        expect(offset).toBeLessThanOrEqual(text.length);
        expect(
          text
            .split("\n")
            .slice(0, line - 1)
            .join("\n").length +
            (line > 1 ? 1 : 0) +
            column -
            1,
        ).toBe(offset);
        expect(detail).not.toBe("");
      }
    }
  });

  test("2.1: time grows with the length of a text, not faster", () => {
    const shapes = [
      "(",
      "NOT ",
      "'",
      "\\",
      "1",
      "-",
      "a.",
      "a",
      "5d",
      "1.",
      "2026-01-01T",
      "x=1 AND ",
      "custom:",
      "NONE(",
      " ",
      "\n",
    ];
    for (const shape of shapes) {
      const text = shape.repeat(Math.floor(10_000 / shape.length));
      const before = performance.now();
      parseText(text, SHOP);
      parseText(`score IN (${text}`.slice(0, 10_000), SHOP);
      parseText(`city = '${text}`.slice(0, 10_000), SHOP);
      expect(performance.now() - before, JSON.stringify(shape)).toBeLessThan(500);
    }
  });
});
