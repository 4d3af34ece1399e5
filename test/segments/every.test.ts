import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { compile, describe as describeShop } from "../../src/segments";
import type { Wants } from "../../src/segments/operators";
import { DAY, HOUR, T0, useFakeClock } from "../helpers/clock";
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

const LENGTH = { n: 3, unit: "day" };

/** A value that each operator takes, by type where that matters. */
function valueFor(wants: Wants, type: string): unknown {
  const one = type === "number" || type === "money" ? 2 : "Ä x";
  const values: Record<Wants, unknown> = {
    nothing: undefined,
    text: "Ä x",
    texts: ["Ä x", "y"],
    pattern: "^a.*[xy]$",
    number: 2,
    numbers: [1, 2],
    number_pair: [1, 2],
    bool: true,
    point: "2035-01-14",
    point_pair: ["2035-01-01", new Date(T0).toISOString()],
    length: LENGTH,
    length_pair: { from: LENGTH, to: { n: 1, unit: "hour" } },
    held: { is: "Ä x", for: LENGTH },
    month: 1,
    count: { lte: 1 },
    area: { latitude: 52.52, longitude: 13.4, km: 25 },
  };
  return wants === "texts" && typeof one === "number" ? ["x"] : values[wants];
}

async function livelyShop() {
  const shop = await SegmentTest.make("Europe/Berlin");
  shop.customFields = (["text", "number", "date", "boolean", "radio", "multiselect"] as const).map((type) => ({
    name: type,
    label: type,
    type,
    options: ["x"],
  }));
  const fields = JSON.stringify({
    text: "ä X",
    number: 2,
    date: "2035-01-14",
    boolean: true,
    radio: "x",
    multiselect: ["x", "y"],
  });
  await seedProduct(shop.key, "p", { tags: '["Ä X", "y"]', collections: '["y"]', vendor: "ä x", category: "y" });
  const contacts = [
    await seedContact(shop.key, {
      email: "a@b.example",
      phone: "+4930123456",
      first_name: "Ä X",
      fields,
      orders_count: 2,
      orders_total: 4,
      stage: "customer",
      status: "paying",
      country: "DE",
    }),
    await seedContact(shop.key),
  ];
  const [ada] = contacts;
  const key = ada?.key ?? 0;
  const mine = await seedVisitor(shop.key, {
    contact: key,
    visits: 2,
    page_views: 4,
    device: '{"type":"mobile"}',
    first_touch: '{"source":"x"}',
    country: "FR",
  });
  const anonymous = await seedVisitor(shop.key, { country: "DE", last_touch: '{"source":"y"}' });
  for (const visitor of [mine, anonymous]) {
    const data = {
      productId: "p",
      quantity: 2,
      price: { amount: 2, currency: "EUR" },
      lines: [{ productId: "p", quantity: 2 }],
      a: { b: "Ä x" },
    };
    const types = describeShop({
      connected: true,
      hasOrders: true,
      customFields: [],
      stages: [],
      customEvents: ["custom:x"],
    });
    const events = types.events.filter(({ group }) => group === "storefront");
    await seedVisit(
      shop.key,
      visitor.key,
      1,
      0,
      events.map(({ name }, i) => ({
        seq: i + 1,
        at: T0 - DAY + i,
        type: name,
        id: `e${i}`,
        url: "https://a.example/?utm_source=x",
        data,
      })),
    );
  }
  for (const at of [T0 - 5 * DAY, T0 - DAY]) {
    const order = await seedOrder(shop.key, {
      contact: key,
      placed_at: at,
      paid_at: at,
      fulfilled_at: at,
      external_id: `o${at}-${shop.key}`,
      discount_codes: '["x"]',
      total: 2,
    });
    await seedItem(order.key, 0, { product_id: "p", title: "Ä x", quantity: 2, price: 3, discounted_price: 1 });
    await insert("refunds", {
      shop: shop.key,
      external_id: `r${at}`,
      order_external_id: `o${at}-${shop.key}`,
      amount: 2,
      currency: "EUR",
      at,
    });
  }
  const items = '[{"productId":"p","quantity":2,"price":{"amount":2,"currency":"EUR"}}]';
  await seedCart(shop.key, { contact: key, items, value: 2 });
  await seedCart(shop.key, { visitor: anonymous.key, items, state: "abandoned", abandoned_at: T0 - HOUR });
  await insert("consents", {
    contact: key,
    channel: "email",
    shop: shop.key,
    state: "subscribed",
    basis: "x",
    decided_at: T0 - DAY,
    updated_at: T0,
  });
  await insert("lifecycle_history", {
    shop: shop.key,
    contact: key,
    stage: "customer",
    status: "paying",
    at: T0 - 9 * DAY,
  });
  await insert("contact_tags", { shop: shop.key, tag: "ä x", contact: key, label: "Ä X", origin: "crm", at: T0 });
  return {
    shop,
    subjects: [
      ...contacts.map(({ key }) => ({ kind: "contact" as const, key })),
      { kind: "visitor" as const, key: anonymous.key },
    ],
  };
}

/** Leaves of one statement, and statements of one batch. */
const TOGETHER = 6;
const STATEMENTS = 20;

/**
 * Each definition about everyone and about each one; fails where they disagree. Every answer is a column of a statement
 * of many: thousands of statements would cost the database more than what they ask.
 */
async function agree({ shop, subjects }: Awaited<ReturnType<typeof livelyShop>>, leaves: unknown[]) {
  const questions = [{ ask: "count" } as const, ...subjects.map((subject) => ({ ask: "subject", subject }) as const)];
  const packs = Array.from({ length: Math.ceil(leaves.length / TOGETHER) }, (_, i) =>
    leaves.slice(i * TOGETHER, (i + 1) * TOGETHER),
  );
  for (let from = 0; from < packs.length; from += STATEMENTS) {
    const some = packs.slice(from, from + STATEMENTS);
    const statements = some.map((pack) => {
      const compiled = pack.flatMap((leaf) => {
        const definition = shop.parse({ none: [leaf] }, "both");
        return questions.map((question) => compile(definition, shop, T0, question));
      });
      const columns = compiled.map(({ sql }, i) => `(${sql.replaceAll("?1", `?${i + 1}`)}) as a${i}`);
      return env.DB.prepare(`select ${columns.join(", ")}`).bind(...compiled.flatMap(({ values }) => values));
    });
    const answers = await env.DB.batch<Record<string, number>>(statements);
    some.forEach((pack, p) => {
      const row = answers[p]?.results[0] ?? {};
      pack.forEach((leaf, i) => {
        const [count, ...ones] = questions.map((_, q) => row[`a${i * questions.length + q}`] ?? -1);
        expect(
          ones.reduce((sum, member) => sum + member, 0),
          JSON.stringify(leaf),
        ).toBe(count);
      });
    });
  }
}

const described = (shop: SegmentTest) =>
  describeShop({ connected: true, hasOrders: true, customFields: shop.customFields, stages: [], customEvents: [] });

test("2.2: every operator of every field runs on D1, for everyone as for one", async () => {
  const lively = await livelyShop();
  const { groups } = described(lively.shop);
  const leaves = groups.flatMap(({ fields }) =>
    fields.flatMap(({ name: field, type, operators }) =>
      operators.map(({ name: op, value: wants }) => ({ field, op, value: valueFor(wants, type) })),
    ),
  );
  expect(leaves.length).toBeGreaterThan(1_000);
  await agree(lively, leaves);
});

test("2.2: every property of every event runs on D1, for everyone as for one", async () => {
  const lively = await livelyShop();
  const { events } = described(lively.shop);
  // One operator each in turn, so that every kind of test meets every kind of property.
  let turn = 0;
  const leaves = events.flatMap(({ name: did, properties, open }) => [
    { did, count: { lte: 1 } },
    ...(open
      ? [
          { did, where: [{ field: "data.a.b", op: "eq", value: "ä X" }] },
          { did, sum: { of: "data.quantity", gte: 2 } },
        ]
      : []),
    ...properties.flatMap(({ name: field, type, many, operators }) => {
      const { name: op, value: wants } = operators[turn++ % operators.length] ?? { name: "is_set", value: "nothing" };
      const leaf = { did, where: [{ field, op, value: valueFor(wants, type) }] };
      if (many) return [leaf];
      const measured = type === "number" || type === "money" ? [{ did, sum: { of: field, lt: 3 } }] : [];
      return [leaf, ...measured, { did, distinct: { of: field, gte: 1 } }];
    }),
  ]);
  expect(leaves.length).toBeGreaterThan(500);
  await agree(lively, leaves);
});
