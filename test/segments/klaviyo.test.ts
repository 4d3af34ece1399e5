import { describe, expect, test } from "vitest";

import { importKlaviyo, type KlaviyoVocabulary, parseDefinition } from "../../src/segments";
import { Random } from "../helpers/random";

const SHOP: KlaviyoVocabulary = {
  audience: "contacts",
  stores: [],
  customFields: [
    { name: "birthday", label: "Birthday", type: "date", options: [] },
    { name: "shoe_size", label: "Shoe size", type: "number", options: [] },
    { name: "colours", label: "Colours", type: "multiselect", options: ["red", "blue"] },
    { name: "vip", label: "VIP", type: "boolean", options: [] },
    { name: "note", label: "Note", type: "text", options: [] },
  ],
  currency: "EUR",
  metrics: { ORD: "Placed Order", VIEW: "Viewed Product", QUIZ: "custom:quiz", OPEN: "Opened Email" },
  groups: { LIST: { list: "lst_1" }, SEG: { segment: "seg_1" } },
};

const AT = "/condition_groups/0/conditions/0";

function imported(...conditions: unknown[]) {
  return importKlaviyo({ condition_groups: conditions.map((one) => ({ conditions: [one] })) }, SHOP);
}

/** What one condition becomes. */
function one(condition: unknown): unknown {
  const { definition, refused } = imported(condition);
  expect(refused).toEqual([]);
  parseDefinition(definition, SHOP);
  const nodes = definition?.["all"];
  return Array.isArray(nodes) ? nodes[0] : undefined;
}

function refusal(condition: unknown): [string, string] {
  const { definition, refused } = imported(condition);
  expect(definition).toBeNull();
  expect(refused).toHaveLength(1);
  return [(refused[0]?.pointer ?? "").replace(AT, ""), refused[0]?.detail ?? ""];
}

const property = (name: string, filter: unknown) => ({ type: "profile-property", property: name, filter });
const custom = (name: string, filter: unknown) => property(`properties['${name}']`, filter);
const date = (operator: string, more = {}) => ({ type: "date", operator, ...more });
const placed = (more = {}) => ({
  type: "profile-metric",
  metric_id: "ORD",
  measurement: "count",
  measurement_filter: { type: "numeric", operator: "greater-than-or-equal", value: 1 },
  timeframe_filter: date("alltime"),
  metric_filters: null,
  ...more,
});
const hours = (n: number) => ({ n, unit: "hour" });

describe("2.1: Klaviyo's segment definitions", () => {
  test("2.1: groups hold together, conditions of a group hold alone", () => {
    const email = property("email", { type: "existence", operator: "is-set" });
    const vip = custom("VIP", { type: "boolean", operator: "equals", value: true });
    const { definition, refused } = importKlaviyo(
      { condition_groups: [{ conditions: [email, vip] }, { conditions: [placed()] }] },
      SHOP,
    );
    expect(refused).toEqual([]);
    expect(definition).toEqual({
      all: [
        {
          any: [
            { field: "email", op: "is_set" },
            { field: "fields.vip", op: "is", value: true },
          ],
        },
        { did: "order_placed", count: { gte: 1 } },
      ],
    });
  });

  test.each([
    [custom("Note", { type: "string", operator: "equals", value: "a" }), [{ op: "eq", value: "a" }]],
    [
      custom("Note", { type: "string", operator: "not-equals", value: "a" }),
      [{ op: "is_set" }, { op: "ne", value: "a" }],
    ],
    [custom("Note", { type: "string", operator: "contains", value: "a" }), [{ op: "contains", value: "a" }]],
    [
      custom("Note", { type: "string", operator: "not-contains", value: "a" }),
      [{ op: "is_set" }, { op: "not_contains", value: "a" }],
    ],
    [custom("Note", { type: "string", operator: "starts-with", value: "a" }), [{ op: "starts_with", value: "a" }]],
    [
      custom("Note", { type: "string", operator: "not-ends-with", value: "a" }),
      [{ op: "is_set" }, { op: "not_ends_with", value: "a" }],
    ],
    [custom("Note", { type: "string", operator: "in", value: ["a", "b"] }), [{ op: "in", value: ["a", "b"] }]],
    [
      custom("Note", { type: "string", operator: "not-in", value: ["a"] }),
      [{ op: "is_set" }, { op: "not_in", value: ["a"] }],
    ],
    [custom("Note", { type: "string", operator: "regex", value: "^a.*b$" }), [{ op: "matches", value: "^a.*b$" }]],
  ])("2.1: text %j", (condition, expected) => {
    const conditions = expected.map((leaf) => ({ field: "fields.note", ...leaf }));
    expect(one(condition)).toEqual(conditions.length > 1 ? { all: conditions } : conditions[0]);
    expect(imported(condition).notes).toEqual([{ pointer: AT, detail: expect.stringContaining("case") }]);
  });

  test.each([
    ["equals", { op: "eq", value: 42 }],
    ["greater-than", { op: "gt", value: 42 }],
    ["greater-than-or-equal", { op: "gte", value: 42 }],
    ["less-than", { op: "lt", value: 42 }],
    ["less-than-or-equal", { op: "lte", value: 42 }],
  ])("2.1: number %s", (operator, expected) => {
    const field = "fields.shoe_size";
    expect(one(custom("shoe_size", { type: "numeric", operator, value: 42 }))).toEqual({ field, ...expected });
  });

  test("2.1: between, not-equals, boolean, existence and country of a phone number", () => {
    expect(one(custom("Shoe size", { type: "numeric", operator: "between", start: 40, end: 42.5 }))).toEqual({
      field: "fields.shoe_size",
      op: "between",
      value: [40, 42.5],
    });
    expect(one(custom("Shoe size", { type: "numeric", operator: "not-equals", value: 40 }))).toEqual({
      all: [
        { field: "fields.shoe_size", op: "is_set" },
        { field: "fields.shoe_size", op: "ne", value: 40 },
      ],
    });
    expect(one(custom("VIP", { type: "boolean", operator: "equals", value: false }))).toEqual({
      field: "fields.vip",
      op: "is",
      value: false,
    });
    expect(one(property("location['country']", { type: "existence", operator: "not-set" }))).toEqual({
      field: "country",
      op: "not_set",
    });
    expect(one(property("phone_number", { type: "string", operator: "phone-country-code-in", value: ["FR"] }))).toEqual(
      { field: "phone_country", op: "in", value: ["FR"] },
    );
  });

  test.each([
    ["contains", "red", { op: "has_any", value: ["red"] }],
    ["contains-any", ["red", "blue"], { op: "has_any", value: ["red", "blue"] }],
    ["contains-all", ["red", "blue"], { op: "has_all", value: ["red", "blue"] }],
    ["contains-substring", "re", { op: "contains", value: "re" }],
    ["contains-starts-with", "re", { op: "starts_with", value: "re" }],
    ["contains-ends-with", "ed", { op: "ends_with", value: "ed" }],
  ])("2.1: list %s", (operator, value, expected) => {
    expect(one(custom("Colours", { type: "list", operator, value }))).toEqual({ field: "fields.colours", ...expected });
  });

  test.each([
    ["not-contains", "red", { op: "has_none", value: ["red"] }],
    ["not-contains-any", ["red"], { op: "has_none", value: ["red"] }],
    ["not-contains-substring", "re", { op: "not_contains", value: "re" }],
    ["length-equals", 2, { op: "count", value: { eq: 2 } }],
    ["length-greater-than", 2, { op: "count", value: { gt: 2 } }],
    ["length-less-than-or-equal", 2, { op: "count", value: { lte: 2 } }],
  ])("2.1: list %s asks for a value as well", (operator, value, expected) => {
    expect(one(custom("Colours", { type: "list", operator, value }))).toEqual({
      all: [
        { field: "fields.colours", op: "is_set" },
        { field: "fields.colours", ...expected },
      ],
    });
  });

  test.each([
    [date("before", { date: "2022-11-08T00:00:00+00:00" }), { op: "before", value: "2022-11-08T00:00:00+00:00" }],
    [
      date("between-static", { start: "2022-11-08", end: "2022-12-08" }),
      { op: "between", value: ["2022-11-08", "2022-12-08"] },
    ],
    [date("in-the-last", { unit: "day", quantity: 30 }), { op: "in_last", value: hours(720) }],
    [date("in-the-next", { unit: "week", quantity: 1 }), { op: "in_next", value: hours(168) }],
    [
      date("between", { unit: "day", start: 3, end: 7 }),
      { op: "between_ago", value: { from: hours(168), to: hours(72) } },
    ],
    [date("between", { unit: "day", start: 0, end: 7 }), { op: "in_last", value: hours(168) }],
    [date("anniversary"), { op: "anniversary_today" }],
    [date("anniversary-month"), { op: "anniversary_month" }],
    [date("calendar-month", { value: 5 }), { op: "anniversary_month", value: 5 }],
    [
      date("anniversary-next", { unit: "day", quantity: 7 }),
      { op: "anniversary_in_next", value: { n: 7, unit: "day" } },
    ],
  ])("2.1: date %j", (filter, expected) => {
    expect(one(custom("Birthday", filter))).toEqual({ field: "fields.birthday", ...expected });
  });

  test("2.1: at least so long ago", () => {
    expect(one(custom("Birthday", date("at-least", { unit: "day", quantity: 1 })))).toEqual({
      all: [
        { field: "fields.birthday", op: "is_set" },
        {
          none: [
            { field: "fields.birthday", op: "in_last", value: hours(24) },
            { field: "fields.birthday", op: "in_next", value: { n: 200, unit: "year" } },
          ],
        },
      ],
    });
  });

  test("2.1: metrics: count and sum, time, and what the event was about", () => {
    expect(
      one(
        placed({
          measurement_filter: { type: "numeric", operator: "equals", value: 0 },
          timeframe_filter: date("in-the-last", { unit: "day", quantity: 30 }),
        }),
      ),
    ).toEqual({ did: "order_placed", count: { eq: 0 }, window: { inLast: hours(720) } });
    expect(
      one(
        placed({
          measurement: "sum",
          measurement_filter: { type: "numeric", operator: "greater-than", value: 99.5 },
          timeframe_filter: date("after", { date: "2022-11-08T00:00:00Z" }),
          metric_filters: [
            { property: "Items", filter: { type: "list", operator: "contains-any", value: ["Shirt"] } },
            { property: "Discount Codes", filter: { type: "list", operator: "contains", value: "TEN" } },
            { property: "$value", filter: { type: "numeric", operator: "less-than", value: 10 } },
          ],
        }),
      ),
    ).toEqual({
      did: "order_placed",
      sum: { of: "original_total", gt: 9950 },
      window: { after: "2022-11-08T00:00:00Z" },
      where: [
        { field: "items.title", op: "has_any", value: ["Shirt"] },
        { field: "discount_code", op: "has_any", value: ["TEN"] },
        { field: "original_total", op: "lt", value: 1000 },
      ],
    });
    expect(
      one(
        placed({
          metric_id: "QUIZ",
          timeframe_filter: date("at-least", { unit: "hour", quantity: 5 }),
          metric_filters: [{ property: "score", filter: { type: "numeric", operator: "less-than", value: 3 } }],
        }),
      ),
    ).toEqual({
      did: "custom:quiz",
      count: { gte: 1 },
      window: { notInLast: hours(5) },
      where: [{ field: "data.score", op: "lt", value: 3 }],
    });
  });

  test("2.1: funnels of two steps are sequences", () => {
    const funnel = {
      type: "profile-metric-funnel",
      timeframe_filter: null,
      completion_window_seconds: "DAYS_3",
      steps: [
        { metric_id: "VIEW", metric_exists: true, metric_filters: null },
        { metric_id: "ORD", metric_exists: false, metric_filters: null },
      ],
    };
    expect(one(funnel)).toEqual({
      first: { did: "product_viewed" },
      notFollowedBy: { did: "order_placed" },
      within: { n: 3, unit: "day" },
    });
    expect(refusal({ ...funnel, completion_window_seconds: null })[0]).toBe("/completion_window_seconds");
    expect(refusal({ ...funnel, steps: [...funnel.steps, ...funnel.steps] })[0]).toBe("/steps");
  });

  test("2.1: consent, membership, region, figures", () => {
    const consent = (channel: string, can: boolean, subscription: string, filters: unknown = null) => ({
      type: "profile-marketing-consent",
      consent: { channel, can_receive_marketing: can, consent_status: { subscription, filters } },
    });
    expect(one(consent("email", true, "subscribed"))).toEqual({ field: "email_can_receive", op: "is", value: true });
    expect(one(consent("sms", false, "unsubscribed"))).toEqual({
      field: "sms_consent",
      op: "eq",
      value: "unsubscribed",
    });
    expect(refusal(consent("email", true, "never_subscribed"))[0]).toBe("/consent/consent_status/subscription");
    expect(refusal(consent("push", true, "any"))[0]).toBe("/consent/channel");
    expect(refusal(consent("email", true, "subscribed", [{ field: "is_double_opt_in" }]))[0]).toBe(
      "/consent/consent_status/filters",
    );
    const member = { type: "profile-group-membership", is_member: true, group_ids: ["LIST"] };
    expect(one({ ...member, timeframe_filter: date("in-the-last", { unit: "hour", quantity: 2 }) })).toEqual({
      in: { list: "lst_1" },
      window: { inLast: hours(2) },
    });
    expect(one({ ...member, is_member: false, group_ids: ["SEG"] })).toEqual({ notIn: { segment: "seg_1" } });
    expect(refusal({ ...member, group_ids: ["OTHER"] })[0]).toBe("/group_ids/0");
    expect(refusal({ ...member, group_ids: ["LIST", "SEG"] })[0]).toBe("/group_ids");
    const region = { type: "profile-region", region: "european_union", in_region: false };
    expect(one(region)).toEqual({ none: [{ field: "in_eu", op: "is", value: true }] });
    const figure = (dimension: string, value: number) => ({
      type: "profile-predictive-analytics",
      dimension,
      filter: { type: "numeric", operator: "greater-than", value },
    });
    expect(one(figure("historic_clv", 12.5))).toEqual({ field: "total_revenue", op: "gt", value: 1250 });
    expect(one(figure("historic_number_of_orders", 2))).toEqual({ field: "orders_count", op: "gt", value: 2 });
    expect(refusal(figure("churn_probability", 0.5))[0]).toBe("/dimension");
    expect(refusal(figure("historic_clv", 0.001))[1]).toContain("whole number");
  });

  test.each([
    [{ type: "profile-postal-code-distance", postal_code: "1" }, ""],
    [{ type: "profile-sample", percentage: 5 }, ""],
    [{ type: "profile-not-in-flow" }, ""],
    [{ type: "something-new" }, "/type"],
    ["text", ""],
    [placed({ metric_id: "NOPE" }), "/metric_id"],
    [placed({ metric_id: "OPEN" }), "/metric_id"],
    [placed({ surprise: 1 }), ""],
    [placed({ metric_id: "VIEW", measurement: "sum" }), "/measurement_filter"],
    [placed({ timeframe_filter: date("in-the-next", { unit: "day", quantity: 1 }) }), "/timeframe_filter/operator"],
    [placed({ timeframe_filter: date("flow-start") }), "/timeframe_filter"],
    [
      placed({ metric_filters: [{ property: "Locale", filter: { type: "string", operator: "equals", value: "en" } }] }),
      "/metric_filters/0/property",
    ],
    [
      placed({
        metric_filters: [{ property: "Items", filter: { type: "list", operator: "not-contains", value: "x" } }],
      }),
      "/metric_filters/0/filter/operator",
    ],
    [
      placed({
        metric_filters: ["Items", "Collections"].map((name) => ({
          property: name,
          filter: { type: "list", operator: "contains", value: "x" },
        })),
      }),
      "/metric_filters",
    ],
    [property("last_event_date", date("anniversary")), "/property"],
    [property("created", date("anniversary")), "/property"],
    [custom("Nothing", { type: "existence", operator: "is-set" }), "/property"],
    [custom("Note", { type: "numeric", operator: "equals", value: 1 }), "/filter"],
    [custom("Note", { type: "string", operator: "regex", value: "a.*" }), "/filter/value"],
    [custom("Note", { type: "string", operator: "regex", value: "^(a|b)$" }), ""],
    [custom("Note", { type: "string", operator: "equals", value: "" }), ""],
    [custom("Note", { type: "string", operator: "sounds-like", value: "a" }), "/filter"],
  ])("2.1: refused by its pointer: %j", (condition, pointer) => {
    const [at, detail] = refusal(condition);
    expect(at).toBe(pointer);
    expect(detail).not.toBe("");
  });

  test("2.1: what is refused is named, what is accepted is kept", () => {
    const good = placed();
    const bad = { type: "profile-sample" };
    const { definition, refused } = importKlaviyo(
      { condition_groups: [{ conditions: [good, bad] }, { conditions: [bad] }, { conditions: [good] }] },
      SHOP,
    );
    expect(definition).toEqual({
      all: [
        { did: "order_placed", count: { gte: 1 } },
        { did: "order_placed", count: { gte: 1 } },
      ],
    });
    expect(refused.map(({ pointer }) => pointer)).toEqual([
      "/condition_groups/0/conditions/1",
      "/condition_groups/1/conditions/0",
    ]);
  });

  test("2.1: what is no definition of Klaviyo's is refused as a whole", () => {
    for (const json of [null, 1, "x", [], {}, { condition_groups: 1 }, { condition_groups: [{ conditions: [] }] }]) {
      const { definition, refused } = importKlaviyo(json, SHOP);
      expect(definition).toBeNull();
      expect(refused.length).toBeGreaterThan(0);
    }
    expect(importKlaviyo({ condition_groups: [{ conditions: [placed()], logic: "or" }] }, SHOP).definition).toBeNull();
    expect(imported(...Array.from({ length: 101 }, () => placed())).refused).toEqual([
      { pointer: "/condition_groups", detail: "has more than 100 conditions" },
    ]);
  });

  test("2.1: a change anywhere in a condition is read, refused by its place, or read as something else", () => {
    const seed = Number(crypto.getRandomValues(new Uint32Array(1))[0]);
    console.log(`conditions of seed ${seed}`);
    const random = new Random(seed);
    const whole = placed({
      metric_filters: [{ property: "Items", filter: { type: "list", operator: "contains", value: "x" } }],
      timeframe_filter: date("between", { unit: "day", start: 1, end: 2 }),
    });
    const values = [
      null,
      "",
      "x",
      -1,
      0,
      1.5,
      1e9,
      true,
      [],
      {},
      ["a"],
      "2026-01-01",
      "count",
      "between",
      "\u0000",
    ] as const;
    for (let i = 0; i < 2_000; i++) {
      const other = () => JSON.stringify(values[random.int(0, values.length - 1)]);
      const text = JSON.stringify(whole).replaceAll(/"[^"]*":|"[^"]*"|\d+/g, (part) =>
        part.endsWith(":") || random.chance(0.9) ? part : other(),
      );
      const { definition, refused } = imported(JSON.parse(text));
      if (definition) parseDefinition(definition, SHOP);
      else
        expect(
          refused.every(({ pointer }) => pointer.startsWith(AT)),
          text,
        ).toBe(true);
    }
  });
});
