import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { valueProblem } from "../../src/fields/values";
import { addSystemFields, STANDARD_FIELDS } from "../../src/fields";
import { continueLongJobs } from "../../src/jobs/long";
import { snakeCase } from "../../src/lib/snake-case";
import { api, type MintedShop, mintShop } from "../helpers/api";
import { MINUTE, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { customer, order } from "../shopify/bodies";

useFakeClock();

const SYSTEM = ["lifetime_value", "store_name", "tax_exempt", "total_order_count"];

async function connect(shop: MintedShop): Promise<void> {
  await env.DB.batch(addSystemFields(env.DB, shop.key, Date.now()));
}

const names = async (shop: MintedShop, query = "") =>
  (await shop.full.get(`/v1/fields${query}`)).body.items.map((field: { name: string }) => field.name);

const iso = (at: number) => new Date(at).toISOString();

/** Bodies as new as the clock, of one customer without a cart. */
const fresh = (more: Record<string, unknown> = {}) => customer({ updated_at: iso(Date.now()), ...more });
const placed = (id: number, more: Record<string, unknown> = {}) => {
  const now = iso(Date.now());
  const own = { created_at: now, processed_at: now, updated_at: now, customer: fresh() };
  return order({ id, cart_token: null, checkout_token: null, ...own, ...more });
};

async function deliver(shop: MintedShop, topic: string, body: Record<string, unknown>): Promise<void> {
  expect([topic, await deliverWebhook(shop.domain, topic, body)]).toEqual([topic, "handled"]);
  travel(1_000);
}

const onlyContact = async (shop: MintedShop) => {
  const { items } = (await shop.full.get("/v1/contacts")).body;
  expect(items).toHaveLength(1);
  return items[0];
};

describe("the fields of a connected store", () => {
  test("C3: before the connection absent; after it exactly four, system, not deletable; connecting again adds none", async () => {
    const shop = await mintShop();
    expect(await names(shop)).toEqual([]);
    const before = await shop.full.post("/v1/contacts", { email: "a@b.example" });
    expect(Object.keys(before.body.fields)).toEqual(["total_order_count"]);
    await connect(shop);
    await connect(shop);
    const { items } = (await shop.full.get("/v1/fields")).body;
    expect(items.map((field: { name: string; system: boolean }) => [field.name, field.system])).toEqual(
      SYSTEM.map((name) => [name, true]),
    );
    for (const { id } of items) {
      expect((await shop.full.delete(`/v1/fields/${id}`)).status).toBe(409);
      expect((await shop.full.patch(`/v1/fields/${id}`, { label: "Mine" })).status).toBe(409);
    }
    expect(await names(shop)).toEqual(SYSTEM);
    expect(Object.keys((await onlyContact(shop)).fields).toSorted()).toEqual(SYSTEM);
  });

  test("C4, C6, C7: lifetime value and store name are text, the order count a number; C5: tax-exempt is a radio of exactly yes and no", async () => {
    const shop = await mintShop();
    await connect(shop);
    const { items } = (await shop.full.get("/v1/fields")).body;
    const shapes = items.map(({ name, type, options }: Record<string, unknown>) => [name, type, options]);
    expect(shapes).toEqual([
      ["lifetime_value", "text", []],
      ["store_name", "text", []],
      ["tax_exempt", "radio", ["yes", "no"]],
      ["total_order_count", "number", []],
    ]);
  });

  test("C4: the lifetime value is an exact decimal of what was bought, and its number is there to compare", async () => {
    const shop = await mintShop({}, { currency: "EUR" });
    await connect(shop);
    await deliver(shop, "orders/create", placed(1, { total_price: "184.10", current_total_price: "184.10" }));
    await deliver(shop, "orders/create", placed(2, { total_price: "15.55", current_total_price: "15.55" }));
    expect((await onlyContact(shop)).fields.lifetime_value).toBe("199.65");
    const stored = await env.DB.prepare("select orders_total from contacts where shop = ?").bind(shop.key).first();
    expect(stored).toEqual({ orders_total: 19_965 });
    for (const [currency, written] of [
      ["JPY", "500"],
      ["KWD", "1.234"],
    ]) {
      const other = await mintShop({}, { currency });
      await connect(other);
      const money = { total_price: written, current_total_price: written, currency, presentment_currency: currency };
      const sets = { current_total_price_set: null, total_price_set: null, total_shipping_price_set: null };
      const bare = { subtotal_price: null, current_subtotal_price: null, total_tax: null, total_discounts: null };
      await deliver(other, "orders/create", placed(1, { ...money, ...sets, ...bare, line_items: [] }));
      expect((await onlyContact(other)).fields.lifetime_value).toBe(written);
    }
  });

  test("C5: tax-exempt follows Shopify", async () => {
    const shop = await mintShop();
    await connect(shop);
    for (const [told, shown] of [
      [false, "no"],
      [true, "yes"],
      [false, "no"],
    ]) {
      await deliver(shop, "customers/update", fresh({ tax_exempt: told }));
      expect((await onlyContact(shop)).fields.tax_exempt).toBe(shown);
    }
    const silent = await mintShop();
    await connect(silent);
    await silent.full.post("/v1/contacts", { email: "a@b.example" });
    expect((await onlyContact(silent)).fields).toEqual({
      lifetime_value: "0.00",
      tax_exempt: null,
      store_name: null,
      total_order_count: 0,
    });
  });

  test("C6: the store's name, as text, on the store's customers", async () => {
    const shop = await mintShop({}, { name: "Nordlicht 24" });
    await connect(shop);
    await deliver(shop, "customers/create", fresh());
    expect((await onlyContact(shop)).fields.store_name).toBe("Nordlicht 24");
  });

  test("C7: a new order is one more, a cancelled one is one less; Shopify's own figure counts, with what came after it", async () => {
    const shop = await mintShop({}, { currency: "EUR" });
    await connect(shop);
    const figures = async () => {
      const { fields, ordersCount } = await onlyContact(shop);
      expect(fields.total_order_count).toBe(ordersCount);
      return [fields.total_order_count, fields.lifetime_value];
    };
    const summary = (numberOfOrders: number, amount: string) => ({
      customerId: "gid://shopify/Customer/7101",
      numberOfOrders,
      amountSpent: { amount, currencyCode: "EUR" },
      lastOrderId: null,
      occurredAt: iso(Date.now()),
    });
    await deliver(shop, "customers/create", fresh());
    await deliver(shop, "customers/purchasing_summary", summary(4, "80.10"));
    expect(await figures()).toEqual([4, "80.10"]);
    const fifth = placed(5);
    await deliver(shop, "orders/create", fifth);
    expect(await figures()).toEqual([5, "195.10"]);
    await deliver(shop, "customers/purchasing_summary", summary(5, "195.10"));
    expect(await figures()).toEqual([5, "195.10"]);
    await deliver(shop, "orders/create", placed(6, { test: true }));
    expect(await figures()).toEqual([5, "195.10"]);
    await deliver(shop, "orders/cancelled", { ...fifth, cancelled_at: iso(Date.now()), updated_at: iso(Date.now()) });
    expect((await figures())[0]).toBe(4);
    const late = { ...summary(9, "1.00"), occurredAt: iso(Date.now() - 10 * MINUTE) };
    expect(await deliverWebhook(shop.domain, "customers/purchasing_summary", late)).toBe("stale");
    expect((await figures())[0]).toBe(4);
  });

  test("their names are the store's: no field of a merchant's takes one, and what is sent under one is left alone", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/contacts", { email: "a@b.example", fields: { total_order_count: 9, x: 1 } });
    expect(made.body.fields).toEqual({ total_order_count: 0, x: 1 });
    for (const name of SYSTEM) {
      expect((await shop.full.post("/v1/fields", { label: "Mine", name, type: "text" })).status).toBe(409);
    }
    await connect(shop);
    const { body } = await shop.full.patch(`/v1/contacts/${made.body.id}`, { fields: { lifetime_value: "9999.00" } });
    expect(body.fields.lifetime_value).toBe("0.00");
  });

  test("C8: the external id of a customer is labelled Shopify customer ID, and found under both names of the filter", async () => {
    const shop = await mintShop();
    await deliver(shop, "customers/create", fresh({ id: 7_101 }));
    const { items } = (await shop.full.get("/v1/fields/standard")).body;
    expect(items).toEqual(STANDARD_FIELDS);
    expect(items.find((field: { name: string }) => field.name === "shopifyCustomerId")).toEqual({
      name: "shopifyCustomerId",
      label: "Shopify customer ID",
      type: "text",
      source: "shopify",
    });
    for (const name of ["shopify_customer_id", "shopifyCustomerId"]) {
      const found = (await shop.full.get(`/v1/contacts?${name}=7101`)).body.items;
      expect(found).toMatchObject([{ shopifyCustomerId: "7101" }]);
      expect((await shop.full.get(`/v1/contacts?${name}=7102`)).body.items).toEqual([]);
    }
  });
});

describe("fields of a merchant's own", () => {
  test("declared, listed in pages, relabelled and deleted with the contacts' values", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/fields", { label: "Größe der Schuhe", type: "number" });
    expect(made).toMatchObject({
      status: 201,
      body: { name: "grosse_der_schuhe", label: "Größe der Schuhe", type: "number", options: [], system: false },
    });
    const choice = await shop.full.post("/v1/fields", {
      label: "Likes",
      name: "likes",
      type: "multiselect",
      options: ["tea", "coffee"],
    });
    expect((await shop.full.post("/v1/fields", { label: "Likes", type: "text" })).status).toBe(409);
    const page = (await shop.full.get("/v1/fields?limit=1")).body;
    expect(page.items).toMatchObject([{ name: "grosse_der_schuhe" }]);
    expect((await shop.full.get(`/v1/fields?limit=1&cursor=${page.nextCursor}`)).body).toMatchObject({
      items: [{ name: "likes" }],
      nextCursor: null,
    });
    expect(await names(shop, "?system=true")).toEqual([]);

    const patched = await shop.full.patch(`/v1/fields/${choice.body.id}`, {
      label: "Drinks",
      options: ["tea", "water"],
    });
    expect(patched.body).toMatchObject({ name: "likes", label: "Drinks", options: ["tea", "water"] });
    expect((await shop.full.get(`/v1/fields/${choice.body.id}`)).body).toEqual(patched.body);
    expect((await shop.full.patch(`/v1/fields/${made.body.id}`, { options: ["x"] })).status).toBe(400);

    const fields = { likes: ["tea"], other: "stays", grosse_der_schuhe: 42 };
    const contact = await shop.full.post("/v1/contacts", { email: "a@b.example", fields });
    const trashed = await shop.full.post("/v1/contacts", { email: "c@b.example", fields });
    await shop.full.delete(`/v1/contacts/${trashed.body.id}`);
    expect((await shop.full.delete(`/v1/fields/${choice.body.id}`)).status).toBe(204);
    expect(await names(shop)).toEqual(["grosse_der_schuhe"]);
    await shop.full.post(`/v1/contacts/${trashed.body.id}/restore`);
    for (const { id } of [contact.body, trashed.body]) {
      expect((await shop.full.get(`/v1/contacts/${id}`)).body.fields).toEqual({
        other: "stays",
        grosse_der_schuhe: 42,
        total_order_count: 0,
      });
    }
    const actions = await env.DB.prepare(
      "select action from audit_log where shop = ? and action like 'field.%' order by rowid",
    )
      .bind(shop.key)
      .all<{ action: string }>();
    expect(actions.results.map(({ action }) => action)).toEqual([
      "field.created",
      "field.created",
      "field.updated",
      "field.deleted",
    ]);
  });

  test("many values go in bounded pieces, by a job that goes on by itself; until then the name is not free", async () => {
    const shop = await mintShop();
    const field = await shop.full.post("/v1/fields", { label: "Size", type: "text" });
    await env.DB.prepare(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 10500)
       insert into contacts (shop, id, source, verified, stage, fields, created_at, updated_at)
       select ?1, 'con_sized_' || ?1 || '_' || i, 'Import', 1, 'lead', '{"size":"M","other":1}', 1, 1 from n`,
    )
      .bind(shop.key)
      .run();
    const count = () =>
      env.DB.prepare(
        "select sum(fields ->> '$.size' is not null) as sized, sum(fields ->> '$.other') as other from contacts where shop = ?",
      )
        .bind(shop.key)
        .first();
    const begun = await shop.full.delete(`/v1/fields/${field.body.id}`);
    expect(begun).toMatchObject({ status: 202, body: { state: "running" } });
    expect(await count()).toEqual({ sized: 500, other: 10_500 });
    expect((await shop.full.post("/v1/fields", { label: "Size", type: "text" })).status).toBe(409);
    await continueLongJobs(env, Date.now() + MINUTE);
    expect(await count()).toEqual({ sized: 0, other: 10_500 });
    const job = await shop.full.get(`/v1/jobs/${begun.body.jobId}`);
    expect(job.body).toMatchObject({ kind: "fields.delete", state: "done", progress: 10_500 });
    expect((await shop.full.post("/v1/fields", { label: "Size", type: "text" })).status).toBe(201);
  }, 60_000);

  test("a declared field takes values of its type alone, on create, update and bulk; undeclared ones take anything", async () => {
    const shop = await mintShop();
    const declare = (label: string, type: string, options?: string[]) =>
      shop.full.post("/v1/fields", { label, type, ...(options ? { options } : {}) });
    await declare("Note", "text");
    await declare("Size", "number");
    await declare("Birthday", "date");
    await declare("Member", "boolean");
    await declare("Tier", "radio", ["gold", "silver"]);
    await declare("Likes", "multiselect", ["tea", "coffee"]);
    const good = { note: "x", size: 4.5, birthday: "2024-02-29", member: false, tier: "gold", likes: ["tea"] };
    const made = await shop.full.post("/v1/contacts", {
      email: "a@b.example",
      fields: { ...good, free: [1].map(String) },
    });
    expect(made).toMatchObject({ status: 201, body: { fields: { ...good, free: ["1"] } } });
    const bad = { note: 1, size: "4", birthday: "2024-02-30", member: "yes", tier: "bronze", likes: ["tea", "tea"] };
    for (const [name, value] of Object.entries(bad)) {
      const patched = await shop.full.patch(`/v1/contacts/${made.body.id}`, { fields: { [name]: value } });
      expect([name, patched.status, patched.body.errors?.[0]?.pointer]).toEqual([name, 400, `/fields/${name}`]);
      const action = { type: "set_field", name, value };
      expect((await shop.full.post("/v1/contacts/bulk", { filter: { all: true }, action })).status).toBe(400);
    }
    const refused = await shop.full.post("/v1/contacts", { email: "b@b.example", fields: bad });
    expect([refused.status, refused.body.errors.length]).toEqual([400, 6]);
    const cleared = await shop.full.patch(`/v1/contacts/${made.body.id}`, { fields: { size: null, note: "y" } });
    expect(cleared.body.fields).toMatchObject({ note: "y", free: ["1"] });
    expect(cleared.body.fields.size).toBeUndefined();
    const action = { type: "set_field", name: "tier", value: "silver" };
    const bulk = await shop.full.post("/v1/contacts/bulk", { filter: { all: true }, action });
    expect(bulk.body).toMatchObject({ state: "done", matched: 1, changed: 1 });
    expect((await onlyContact(shop)).fields).toMatchObject({ tier: "silver", note: "y" });
  });

  test("what fits which type", () => {
    const rule = (type: Parameters<typeof valueProblem>[0]["type"]) => ({ type, options: ["a", "b"] });
    const fits = (type: Parameters<typeof valueProblem>[0]["type"], value: unknown) =>
      valueProblem(rule(type), value) === null;
    expect(
      ["2024-02-29", "2026-11-30T10:00Z", "2026-11-30T10:00:01.5+02:00"].map((text) => fits("date", text)),
    ).toEqual([true, true, true]);
    const dates = ["2023-02-29", "30.11.2026", "2026-13-01", "2026-11-30T25:00Z", "2026-11-30 10:00", "", 1];
    expect(dates.map((value) => fits("date", value))).toEqual(dates.map(() => false));
    expect([0, -1.5, Number.NaN, "1", true, ["1"]].map((value) => fits("number", value))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect([[], ["a", "b"], ["a", "a"], ["c"], "a"].map((value) => fits("multiselect", value))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test("names come from labels", () => {
    expect(
      ["Shoe size", " Äpfel & Birnen ", "1st order", "李", "a".repeat(80)].map((label) =>
        snakeCase(label, 64, "field"),
      ),
    ).toEqual(["shoe_size", "apfel_birnen", "st_order", "field", "a".repeat(64)]);
  });

  test("what is no field is refused: options, names, and more than a shop may have", async () => {
    const shop = await mintShop();
    const refused = [
      { label: "X", type: "radio" },
      { label: "X", type: "text", options: ["a"] },
      { label: "X", type: "radio", options: [] },
      { label: "X", type: "radio", options: ["a", "a"] },
      { label: "", type: "text" },
      { label: "X", type: "colour" },
      { label: "X", name: "Not Snake", type: "text" },
      { label: "X", type: "text", extra: 1 },
    ];
    for (const input of refused)
      expect([input, (await shop.full.post("/v1/fields", input)).status]).toEqual([input, 400]);
    await env.DB.prepare(
      `insert into fields (shop, name, id, label, type, created_at, updated_at)
       select ?1, 'f' || key, 'fld_many_' || ?1 || '_' || key, 'F', 'text', 1, 1
       from json_each(?2)`,
    )
      .bind(shop.key, JSON.stringify(Array.from({ length: 200 }, () => 0)))
      .run();
    expect((await shop.full.post("/v1/fields", { label: "One more", type: "text" })).status).toBe(422);
    await connect(shop);
    expect(await names(shop, "?system=true")).toEqual(SYSTEM);
  });

  test("nobody without the right sees or changes them: no key, the wrong scope, another shop", async () => {
    const [shop, other] = [await mintShop(), await mintShop()];
    const { id } = (await shop.full.post("/v1/fields", { label: "Size", type: "text" })).body;
    const requests: [string, string, unknown, number][] = [
      ["GET", "/v1/fields", undefined, 200],
      ["GET", "/v1/fields/standard", undefined, 200],
      ["POST", "/v1/fields", { label: "X", type: "text" }, 201],
      ["GET", `/v1/fields/${id}`, undefined, 404],
      ["PATCH", `/v1/fields/${id}`, { label: "Theirs" }, 404],
      ["DELETE", `/v1/fields/${id}`, undefined, 404],
    ];
    for (const [method, path, body, elsewhere] of requests) {
      const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
      expect([path, (await api(null).request(method, path, body)).status]).toEqual([path, 401]);
      expect([path, (await wrong.request(method, path, body)).status]).toEqual([path, 403]);
      expect([path, (await other.full.request(method, path, body)).status]).toEqual([path, elsewhere]);
    }
    expect((await shop.full.get(`/v1/fields/${id}`)).body.label).toBe("Size");
  });
});
