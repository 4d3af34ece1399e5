import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { takeCode } from "../../src/discounts/rest";
import { api, mintShop } from "../helpers/api";
import { DAY, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import type { StandinStore } from "../helpers/standin";
import { connectedPair, path, type Pair } from "../shopify/connect/stores";
import { all, one } from "../shopify/deliver";

useFakeClock();

const SCOPE = "write_discounts";
const SCOPES = ["read_customers", "read_orders", "read_products", "read_locations", SCOPE];
const WANTED = { optionalScopes: [SCOPE] };

const stores: StandinStore[] = [];

/** The one promise that every test here has to keep. */
afterEach(async () => {
  for (const store of stores.splice(0)) {
    for (const { operation, fields } of await store.written()) {
      expect([operation, fields]).toSatisfy(
        ([name, [field]]) =>
          (name === "CreateDiscount" && field === "discountCodeBasicCreate") ||
          (name === "AddCodes" && field === "discountRedeemCodeBulkAdd") ||
          name === "Merchant",
      );
    }
  }
});

async function writable(): Promise<Pair> {
  const pair = await connectedPair({ scopes: SCOPES, currency: "EUR" }, WANTED);
  stores.push(pair.store);
  return pair;
}

const DISCOUNT = { title: "Welcome", percent: 15 };
const NEW_POOL = { name: "Welcome", discount: DISCOUNT, prefix: "HI", size: 5, lowWater: 0 };

async function poolOf({ shop }: Pair, more: Record<string, unknown> = {}) {
  const made = await shop.full.post("/v1/discount-pools", { ...NEW_POOL, ...more });
  expect(made.status).toBe(201);
  return made.body;
}

const show = async ({ shop }: Pair, id: string) => (await shop.full.get(`/v1/discount-pools/${id}`)).body;
const take = async ({ shop }: Pair, id: string, key: string, more: Record<string, unknown> = {}) =>
  (await shop.full.post(`/v1/discount-pools/${id}/codes`, { key, ...more })).body.code;

/** The clock's sweep, once the job rests. */
async function sweep({ shop }: Pair, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    travel(MINUTE);
    await continueLongJobs(env, Date.now(), shop.key);
  }
}

/** What a merchant does in the admin, by GraphQL. */
async function merchant(store: StandinStore, query: string, variables: Record<string, unknown>) {
  const answer = await fetch(`${store.origin}/admin/api/2026-10/graphql.json`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-shopify-access-token": await store.permanentToken() },
    body: JSON.stringify({ query, variables }),
  });
  // oxlint-disable-next-line typescript/no-explicit-any -- the stand-in is ours
  return (await answer.json<any>()).data;
}

const makeAtShopify = async (store: StandinStore, code: string, endsAt: string | null = null): Promise<string> =>
  (
    await merchant(
      store,
      `mutation Merchant($d: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $d) { codeDiscountNode { id } } }`,
      {
        d: {
          title: "Theirs",
          code,
          startsAt: new Date(T0 - DAY).toISOString(),
          endsAt,
          context: { all: "ALL" },
          customerGets: { items: { all: true }, value: { percentage: 0.1 } },
        },
      },
    )
  ).discountCodeBasicCreate.codeDiscountNode.id;

/** The codes that the store knows of a discount. */
const codesAtShopify = async (store: StandinStore, id: string): Promise<string[]> =>
  (
    await merchant(
      store,
      `query Codes($id: ID!) { codeDiscountNode(id: $id) { codeDiscount { ... on DiscountCodeBasic { codes(first: 250) { nodes { code } } } } } }`,
      { id },
    )
  ).codeDiscountNode.codeDiscount.codes.nodes.map(({ code }: { code: string }) => code);

const stored = (pair: Pair) =>
  all<{ code: string; state: string }>(
    "select code, state from discount_codes where shop = ? order by key",
    pair.shop.key,
  );

describe("D13: unique codes", () => {
  test("D13: a unique code per recipient, never reused; the same key has the same code; none left is null with the fallback", async () => {
    const pair = await writable();
    const pool = await poolOf(pair, { fallbackCode: "HELLO10", discount: { ...DISCOUNT, oncePerCustomer: true } });
    expect(pool).toMatchObject({
      state: "ready",
      problem: null,
      prefix: "HI",
      codes: { free: 5, taken: 0, refused: 0, pending: 0 },
    });
    const atShopify = await codesAtShopify(pair.store, pool.discountId);
    expect(atShopify).toHaveLength(5);
    expect(atShopify).toSatisfy((codes: string[]) => codes.every((code) => /^HI-[A-HJ-NP-Z2-9]{12}$/.test(code)));

    const keys = ["msg_1", "msg_2", "msg_3", "msg_4", "msg_5", "msg_6", "msg_7"];
    const first = await Promise.all(keys.map((key) => take(pair, pool.id, key)));
    const handed = first.filter((code) => code !== null);
    expect(handed).toHaveLength(5);
    expect(new Set(handed)).toEqual(new Set(atShopify));
    expect(await Promise.all(keys.map((key) => take(pair, pool.id, key)))).toEqual(first);
    const over = keys[first.indexOf(null)];
    expect((await pair.shop.full.post(`/v1/discount-pools/${pool.id}/codes`, { key: over })).body).toEqual({
      poolId: pool.id,
      key: over,
      code: null,
      fallbackCode: "HELLO10",
      contactId: null,
    });
    expect((await show(pair, pool.id)).codes).toEqual({ free: 0, taken: 5, refused: 0, pending: 0 });

    // As it was asked for, and for one order each.
    const [create] = (await pair.store.log()).filter(({ operation }) => operation === "CreateDiscount");
    expect(create?.variables).toMatchObject({
      discount: {
        title: "Welcome",
        usageLimit: 1,
        appliesOncePerCustomer: true,
        endsAt: null,
        customerGets: { value: { percentage: 0.15 } },
      },
    });
  });

  test("D13: one key asked for by many at once takes one code", async () => {
    const pair = await writable();
    const pool = await poolOf(pair);
    const row = await one<{ key: number }>("select key from discount_pools where id = ?", pool.id);
    const codes = await Promise.all(
      Array.from({ length: 8 }, () => takeCode(env.DB, pair.shop.key, row?.key ?? 0, "delivery", Date.now())),
    );
    expect(new Set(codes).size).toBe(1);
    expect(codes[0]).not.toBeNull();
    expect((await show(pair, pool.id)).codes).toMatchObject({ free: 4, taken: 1 });
    // Another shop's key leads nowhere.
    expect(await takeCode(env.DB, pair.shop.key + 1, row?.key ?? 0, "delivery", Date.now())).toBeNull();
    expect(await takeCode(env.DB, pair.shop.key + 1, row?.key ?? 0, "other", Date.now())).toBeNull();
  });

  test("D13: a discount that is there gets the codes, in batches of at most 250, and its end is the codes' end", async () => {
    const pair = await writable();
    const endsAt = new Date(T0 + 10 * DAY).toISOString();
    const id = await makeAtShopify(pair.store, "THEIRS", endsAt);
    const pool = await poolOf(pair, { discount: undefined, discountId: id.split("/").at(-1), prefix: "", size: 600 });
    expect(pool).toMatchObject({ discountId: id, state: "filling", endsAt, codes: { free: 250, pending: 350 } });
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ state: "ready", codes: { free: 600, pending: 0 } });
    const sent = (await pair.store.log()).filter(({ operation }) => operation === "AddCodes");
    expect(sent.map(({ variables }) => [variables?.["codes"]].flat().length)).toEqual([250, 250, 100]);
    const code = await take(pair, pool.id, "early");
    expect(code).toMatch(/^[A-HJ-NP-Z2-9]{12}$/);
    travel(11 * DAY);
    expect(await take(pair, pool.id, "late")).toBeNull();
    expect(await take(pair, pool.id, "early")).toBe(code);
  });

  test("D13: a fixed amount in the store's currency; at the low-water mark the pool is filled up again", async () => {
    const pair = await writable();
    const amount = { amount: 550, currency: "EUR" };
    const pool = await poolOf(pair, { discount: { title: "Five", amount }, size: 4, lowWater: 2 });
    const [create] = (await pair.store.log()).filter(({ operation }) => operation === "CreateDiscount");
    expect(create?.variables).toMatchObject({
      discount: { customerGets: { value: { discountAmount: { amount: "5.50", appliesOnEachItem: false } } } },
    });
    await take(pair, pool.id, "a");
    expect(await show(pair, pool.id)).toMatchObject({ state: "ready", codes: { free: 3 } });
    await take(pair, pool.id, "b");
    expect(await show(pair, pool.id)).toMatchObject({ state: "filling", codes: { free: 2, taken: 2 } });
    await take(pair, pool.id, "c");
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ state: "ready", codes: { free: 4, taken: 3 } });
    expect(
      await one("select count(*) as n from jobs where shop = ? and kind = 'discounts.fill'", pair.shop.key),
    ).toEqual({
      n: 2,
    });
  });
});

describe("A filling", () => {
  test("waits for Shopify, which adds codes in its own time; none is handed out before", async () => {
    const pair = await writable();
    await pair.store.fail({ on: "redeem-codes", times: 2 });
    const pool = await poolOf(pair, { size: 3 });
    expect(pool).toMatchObject({ state: "filling", codes: { free: 1, pending: 2 } });
    expect(await take(pair, pool.id, "a")).not.toBeNull();
    expect(await take(pair, pool.id, "b")).toBeNull();
    await sweep(pair, 3);
    expect(await take(pair, pool.id, "b")).not.toBeNull();
    expect(await show(pair, pool.id)).toMatchObject({ state: "ready" });
  });

  test("whose answers get lost sends the same again: no second discount, no code twice, none lost", async () => {
    const pair = await writable();
    await pair.store.fail({ on: "CreateDiscount", afterEffect: true, status: 502 });
    const pool = await poolOf(pair, { size: 4 });
    expect(pool).toMatchObject({ state: "filling", problem: "unreachable", discountId: null });
    await pair.store.fail({ on: "AddCodes", afterEffect: true, status: 502 });
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ problem: "unreachable", codes: { free: 1, pending: 3 } });
    await sweep(pair);
    const now = await show(pair, pool.id);
    expect(now).toMatchObject({ state: "ready", problem: null, codes: { free: 4, refused: 0, pending: 0 } });
    const log = await pair.store.log();
    expect(log.filter(({ operation }) => operation === "CreateDiscount")).toHaveLength(1);
    const codes = log.filter(({ operation }) => operation === "AddCodes").map(({ variables }) => variables?.["codes"]);
    expect(codes).toHaveLength(2);
    expect(codes[0]).toEqual(codes[1]);
    const ours = (await stored(pair)).map(({ code }) => code);
    expect((await codesAtShopify(pair.store, now.discountId)).sort()).toEqual(ours.sort());
  });

  test("that was killed while codes were on their way sends those again, though Shopify has them", async () => {
    const pair = await writable();
    await pair.store.fail({ on: "redeem-codes", times: 1 });
    const pool = await poolOf(pair, { size: 4 });
    // As a kill leaves them: sent, and the answer never written down. Shopify adds them meanwhile.
    const row = await one<{ creation: string }>(
      "select creation from discount_codes where shop = ? and state = 'sent' limit 1",
      pair.shop.key,
    );
    await merchant(pair.store, `query Q($id: ID!) { discountRedeemCodeBulkCreation(id: $id) { done } }`, {
      id: row?.creation,
    });
    await env.DB.prepare(
      "update discount_codes set state = 'sending', creation = null, sent_at = ? where shop = ? and state = 'sent'",
    )
      .bind(Date.now(), pair.shop.key)
      .run();
    await sweep(pair);
    expect((await show(pair, pool.id)).codes).toMatchObject({ free: 1, pending: 3 });
    await sweep(pair, 2);
    expect(await show(pair, pool.id)).toMatchObject({ state: "ready", codes: { free: 4, refused: 0, pending: 0 } });
    const ours = (await stored(pair)).map(({ code }) => code);
    expect((await codesAtShopify(pair.store, pool.discountId)).sort()).toEqual(ours.sort());
  });

  test("never hands out what Shopify refused, and makes others in its place", async () => {
    const pair = await writable();
    await pair.store.fail({ on: "AddCodes", status: 500 });
    const pool = await poolOf(pair, { size: 4 });
    const taken = (await stored(pair)).find(({ state }) => state === "new")?.code ?? "";
    await makeAtShopify(pair.store, taken.toLowerCase());
    await sweep(pair, 2);
    expect(await show(pair, pool.id)).toMatchObject({ state: "ready", codes: { free: 4, refused: 1, pending: 0 } });
    const handed = await Promise.all(["a", "b", "c", "d"].map((key) => take(pair, pool.id, key)));
    expect(handed).not.toContain(taken);
    expect(handed).not.toContain(null);
    expect(await one("select reason from discount_codes where code = ?", taken)).toMatchObject({
      reason: expect.stringContaining("TAKEN"),
    });
  });

  test("ends and says why when the scope, the token or the discount is gone, and goes on when it is back", async () => {
    const pair = await writable();
    const { shop, store } = pair;
    const pool = await poolOf(pair, { size: 4, lowWater: 3 });
    await store.setScopes(SCOPES.filter((scope) => scope !== SCOPE));
    await take(pair, pool.id, "a");
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ state: "problem", problem: "scope_missing", codes: { free: 3 } });
    // It rests for an hour, however many ask.
    await take(pair, pool.id, "b");
    expect(await show(pair, pool.id)).toMatchObject({ state: "problem" });
    await store.setScopes(SCOPES);
    expect((await shop.full.post(`/v1/discount-pools/${pool.id}/fill`)).body).toMatchObject({
      state: "ready",
      problem: null,
      codes: { free: 4, taken: 2 },
    });
    await shop.full.patch(`/v1/shops/${shop.id}`, { settings: { optionalScopes: [] } });
    const off = await shop.full.post(`/v1/discount-pools/${pool.id}/fill`);
    expect([off.status, off.body.detail]).toEqual([422, expect.stringContaining("settings.optionalScopes")]);
    await take(pair, pool.id, "c");
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ problem: "scope_not_wanted" });
  });

  /** Fills a ready pool up once more, in the face of what happened to its store; how it ended. */
  async function refill(pair: Pair, pool: { id: string }) {
    await take(pair, pool.id, "again");
    await sweep(pair);
    return show(pair, pool.id);
  }

  const LOW = { size: 4, lowWater: 3 };

  test.each<[string, (pair: Pair) => Promise<unknown>]>([
    ["not_connected", ({ shop }) => shop.full.delete(path(shop))],
    ["token_refused", ({ store }) => store.fail({ on: "graphql", status: 401, times: 20 })],
    ["shop_frozen", ({ store }) => store.fail({ on: "graphql", status: 402, times: 20 })],
    ["discount_not_found", ({ store }) => store.order("POST", "discounts/delete")],
    ["request_refused", ({ store }) => store.fail({ on: "AddCodes", status: 400 })],
  ])("ends as %s and rests, and hands out what it has", async (problem, happens) => {
    const pair = await writable();
    const pool = await poolOf(pair, LOW);
    await happens(pair);
    const ended = await refill(pair, pool);
    expect(ended).toMatchObject({ state: "problem", problem, codes: { free: 3, taken: 1 } });
    const [job] = (await pair.shop.full.get("/v1/jobs")).body.items;
    expect(job).toMatchObject({ kind: "discounts.fill", state: "failed", error: problem });
    await pair.store.clearLog();
    expect(await take(pair, pool.id, "another")).not.toBeNull();
    await sweep(pair, 2);
    expect((await pair.store.log()).filter(({ operation }) => operation === "AddCodes")).toEqual([]);
    expect(await show(pair, pool.id)).toMatchObject({ problem, codes: { free: 2, taken: 2 } });
  });

  test("ends as discount_ended once the discount's time is over, and hands out nothing more", async () => {
    const pair = await writable();
    const endsAt = new Date(Date.now() + DAY).toISOString();
    const pool = await poolOf(pair, { ...LOW, discount: { ...DISCOUNT, endsAt } });
    expect(await take(pair, pool.id, "in time")).not.toBeNull();
    travel(2 * DAY);
    await pair.store.setNow(Date.now());
    expect(await take(pair, pool.id, "late")).toBeNull();
    await pair.shop.full.post(`/v1/discount-pools/${pool.id}/fill`);
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ state: "problem", problem: "discount_ended" });
  });

  test("ends as discount_refused with Shopify's reason where no discount can be made", async () => {
    const pair = await writable();
    await pair.store.fail({ on: "CreateDiscount", status: 500 });
    const pool = await poolOf(pair, { size: 2 });
    // What Shopify may refuse by a rule of tomorrow, by one of today: a code of more than 255 characters.
    await env.DB.prepare("update discount_codes set code = printf('%0300d', key) where shop = ?")
      .bind(pair.shop.key)
      .run();
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({
      state: "problem",
      problem: "discount_refused",
      detail: expect.stringContaining("too long"),
      discountId: null,
      codes: { free: 0 },
    });
    expect(await take(pair, pool.id, "none")).toBeNull();
  });

  test("ends as codes_refused with Shopify's reason where it takes none of a batch", async () => {
    const pair = await writable();
    await pair.store.fail({ on: "AddCodes", status: 500 });
    const pool = await poolOf(pair, { size: 3 });
    for (const { code, state } of await stored(pair)) if (state === "new") await makeAtShopify(pair.store, code);
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({
      state: "problem",
      problem: "codes_refused",
      detail: expect.stringContaining("TAKEN"),
      codes: { free: 1, refused: 2 },
    });
  });

  test("ends where the pool is stopped: no more codes, and nothing is deleted at Shopify", async () => {
    const pair = await writable();
    const { shop, store } = pair;
    const pool = await poolOf(pair, { size: 300, lowWater: 10 });
    const code = await take(pair, pool.id, "a");
    const before = await codesAtShopify(store, pool.discountId);
    expect((await shop.full.delete(`/v1/discount-pools/${pool.id}`)).status).toBe(204);
    expect((await shop.full.delete(`/v1/discount-pools/${pool.id}`)).status).toBe(204);
    await sweep(pair);
    expect(await show(pair, pool.id)).toMatchObject({ state: "stopped", codes: { taken: 1, pending: 0 } });
    expect(await take(pair, pool.id, "b")).toBeNull();
    expect(await take(pair, pool.id, "a")).toBe(code);
    expect((await shop.full.post(`/v1/discount-pools/${pool.id}/fill`)).status).toBe(409);
    expect(await codesAtShopify(store, pool.discountId)).toEqual(before);
  });
});

describe("The one write to Shopify", () => {
  test("is off by default: 422 names the scope and the setting, and nothing is sent", async () => {
    const plain = await mintShop();
    const refused = await plain.full.post("/v1/discount-pools", NEW_POOL);
    expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining("settings.optionalScopes")]);
    expect(refused.body.detail).toContain(SCOPE);

    const wanting = await mintShop(WANTED);
    const unconnected = await wanting.full.post("/v1/discount-pools", NEW_POOL);
    expect([unconnected.status, unconnected.body.detail]).toEqual([422, expect.stringContaining("not connected")]);
    expect(unconnected.body.detail).toContain(SCOPE);

    // Granted, and not asked for.
    const granted = await connectedPair({ scopes: SCOPES });
    const unwanted = await granted.shop.full.post("/v1/discount-pools", NEW_POOL);
    expect([unwanted.status, unwanted.body.detail]).toEqual([422, expect.stringContaining("settings.optionalScopes")]);

    // Asked for, and not granted.
    const pair = await connectedPair({ scopes: SCOPES.slice(0, -1) }, WANTED);
    const missing = await pair.shop.full.post("/v1/discount-pools", NEW_POOL);
    expect([missing.status, missing.body.detail]).toEqual([422, expect.stringContaining("not granted")]);
    expect(missing.body.detail).toContain(SCOPE);
    expect((await pair.shop.full.get(path(pair.shop))).body.missingScopes).toMatchObject([{ scope: SCOPE }]);
    for (const { store } of [granted, pair]) {
      expect(await store.written()).toEqual([]);
    }
    expect((await plain.full.get("/v1/discount-pools")).body.items).toEqual([]);
  });

  test("refuses what cannot be: an unknown or ended discount, another currency, an end in the past, none or both", async () => {
    const pair = await writable();
    const { full } = pair.shop;
    const post = async (more: Record<string, unknown>) => full.post("/v1/discount-pools", { ...NEW_POOL, ...more });
    const ended = await makeAtShopify(pair.store, "OLD", new Date(T0 - MINUTE).toISOString());
    const cases: [Record<string, unknown>, number, string][] = [
      [{ discount: undefined, discountId: "999999" }, 422, "/discountId"],
      [{ discount: undefined, discountId: ended }, 422, "/discountId"],
      [{ discount: { title: "x", amount: { amount: 5, currency: "USD" } } }, 422, "/discount/amount/currency"],
      [{ discount: { ...DISCOUNT, endsAt: new Date(T0 - 1).toISOString() } }, 422, "/discount/endsAt"],
      [{ discountId: "1" }, 400, "/discountId"],
      [{ discount: undefined }, 400, "/discountId"],
      [{ discount: { title: "x" } }, 400, "/discount"],
      [{ discount: { title: "x", amount: { amount: 0, currency: "EUR" } } }, 400, "/discount/amount"],
      [{ prefix: "no" }, 400, "/prefix"],
      [{ size: 5, lowWater: 5 }, 400, "/lowWater"],
      [{ size: 10_001 }, 400, "/size"],
    ];
    for (const [more, status, pointer] of cases) {
      const answer = await post(more);
      expect([answer.status, answer.body.errors?.[0]?.pointer], JSON.stringify(more)).toEqual([status, pointer]);
    }
    expect((await full.get("/v1/discount-pools")).body.items).toEqual([]);
    // A Shopify that does not answer is no verdict.
    await pair.store.fail({ on: "ReadDiscount", status: 500, times: 2 });
    const silent = await full
      .post("/v1/discount-pools", { ...NEW_POOL, discount: undefined, discountId: ended })
      .catch(String);
    expect(silent).toContain("503");
  });

  test("is for keys that may write, in their own shop alone", async () => {
    const pair = await writable();
    const other = await mintShop(WANTED);
    const pool = await poolOf(pair);
    const at = `/v1/discount-pools/${pool.id}`;
    const routes: [string, string, unknown?][] = [
      ["GET", "/v1/discount-pools"],
      ["POST", "/v1/discount-pools", NEW_POOL],
      ["GET", at],
      ["DELETE", at],
      ["POST", `${at}/fill`],
      ["POST", `${at}/codes`, { key: "k" }],
    ];
    for (const [method, url, body] of routes) {
      expect((await api(null).request(method, url, body)).status).toBe(401);
      const wrong = method === "GET" ? pair.shop.writeOnly : pair.shop.readOnly;
      expect((await wrong.request(method, url, body)).status).toBe(403);
      if (url !== "/v1/discount-pools") expect((await other.full.request(method, url, body)).status).toBe(404);
    }
    expect((await other.full.get("/v1/discount-pools")).body.items).toEqual([]);
    expect((await pair.shop.full.get("/v1/discount-pools?limit=1")).body).toMatchObject({
      items: [{ id: pool.id }],
      nextCursor: null,
    });
    expect((await show(pair, pool.id)).codes).toMatchObject({ free: 5, taken: 0 });
    const bad = await pair.shop.full.post(`${at}/codes`, { key: "somebody@mail.example" });
    expect(bad.status).toBe(400);
    const [theirs] = [(await other.full.post("/v1/contacts", { email: "x@y.example" })).body.id];
    expect((await pair.shop.full.post(`${at}/codes`, { key: "k", contactId: theirs })).status).toBe(400);
  });
});

describe("A contact's codes", () => {
  test("move with a merge, are in the export, and go with the erasure, also where only the key names the person", async () => {
    const pair = await writable();
    const { full } = pair.shop;
    const pool = await poolOf(pair);
    const make = async (email: string) => (await full.post("/v1/contacts", { email })).body.id;
    const [one_, two] = [await make("one@codes.example"), await make("two@codes.example")];
    const code = await take(pair, pool.id, "m-1", { contactId: two });
    await full.post(`/v1/contacts/${one_}/merge`, { from: two });
    const exported = await full.post(`/v1/contacts/${one_}/export`);
    expect(exported.body.discountCodes).toEqual([{ poolId: pool.id, code, takenAt: expect.any(String) }]);
    const kept = await take(pair, pool.id, "m-2");
    await take(pair, pool.id, `for:${one_}`);
    expect((await full.post(`/v1/contacts/${one_}/erase`)).status).toBeLessThan(300);
    await sweep(pair, 2);
    const left = await all<{ code: string }>(
      "select code from discount_codes where shop = ? and state = 'taken'",
      pair.shop.key,
    );
    expect(left).toEqual([{ code: kept }]);
    expect((await show(pair, pool.id)).codes).toMatchObject({ free: 2, taken: 1 });
  });
});
