import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { checkConnection } from "../../../src/shopify/connect";
import { getShopOrThrow } from "../../../src/shops";
import { HOUR, travel, useFakeClock } from "../../helpers/clock";
import { connectedPair, deliverTo, type Pair, path } from "../connect/stores";

useFakeClock();

const OURS = "https://footfall.test/webhooks/shopify";

interface Shown {
  topic: string;
  state: string;
  problem: string | null;
  repairedAt: string | null;
  checkedAt: string;
}

async function check({ shop }: Pair): Promise<{ body: { problem: string | null; subscriptions: Shown[] } }> {
  return shop.full.post(`${path(shop)}/check`);
}

const about = (answer: { body: { subscriptions: Shown[] } }, topic: string) =>
  answer.body.subscriptions.find((one) => one.topic === topic);

/** Sends a mutation as somebody else who has the app's token. */
async function elsewhere({ store }: Pair, query: string): Promise<void> {
  const answer = await fetch(`${store.origin}/admin/api/2026-10/graphql.json`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-shopify-access-token": await store.permanentToken() },
    body: JSON.stringify({ query }),
  });
  const told = await answer.text();
  if (answer.status !== 200 || /"errors"|"message"/.test(told)) throw new Error(told);
}

const create = (topic: string, uri: string, more = "") =>
  `mutation { webhookSubscriptionCreate(topic: ${topic}, webhookSubscription: { uri: "${uri}", format: JSON ${more} }) { userErrors { message } } }`;

const update = (id: number, change: string) =>
  `mutation { webhookSubscriptionUpdate(id: "gid://shopify/WebhookSubscription/${id}", webhookSubscription: { ${change} }) { userErrors { message } } }`;

async function idOf({ store }: Pair, topic: string): Promise<number> {
  const found = (await store.subscriptions()).find((one) => one.topic === topic && one.uri === OURS);
  if (!found) throw new Error(`no ${topic}`);
  return found.id;
}

describe("subscriptions", () => {
  it("that are all there are only read", async () => {
    const pair = await connectedPair();
    await pair.store.clearLog();
    travel(6 * HOUR);
    const answer = await check(pair);
    expect(answer.body.problem).toBeNull();
    expect(about(answer, "orders/create")).toMatchObject({ checkedAt: new Date().toISOString(), repairedAt: null });
    expect((await pair.store.log()).filter(({ mutation }) => mutation)).toEqual([]);
  });

  it("that Shopify deleted are noticed, made again and shown with the time", async () => {
    const pair = await connectedPair();
    await pair.store.deleteSubscriptions("ORDERS_CREATE");
    travel(HOUR);
    const repaired = new Date().toISOString();
    expect(about(await check(pair), "orders/create")).toEqual({
      topic: "orders/create",
      state: "active",
      problem: "was deleted",
      repairedAt: repaired,
      checkedAt: repaired,
    });
    await idOf(pair, "ORDERS_CREATE");
    travel(HOUR);
    expect(about(await check(pair), "orders/create")).toMatchObject({ state: "active", repairedAt: repaired });
    await pair.store.deleteSubscriptions();
    const all = await check(pair);
    expect(all.body.subscriptions.every(({ state, problem }) => state === "active" && problem === "was deleted")).toBe(
      true,
    );
  });

  it("that somebody pointed elsewhere are left there, and made again at our address", async () => {
    const pair = await connectedPair();
    const id = await idOf(pair, "ORDERS_CREATE");
    await elsewhere(pair, update(id, 'uri: "https://other.example/hook"'));
    expect(about(await check(pair), "orders/create")).toMatchObject({
      state: "active",
      problem: "was pointed to other.example",
    });
    const live = (await pair.store.subscriptions()).filter(({ topic }) => topic === "ORDERS_CREATE");
    expect(live.map(({ uri }) => uri).sort()).toEqual([OURS, "https://other.example/hook"].sort());
    expect(live.find(({ uri }) => uri !== OURS)?.id).toBe(id);
  });

  it("that somebody narrowed by a filter are replaced by whole ones", async () => {
    const pair = await connectedPair();
    await elsewhere(pair, update(await idOf(pair, "ORDERS_UPDATED"), 'filter: "total_price:>100"'));
    expect(about(await check(pair), "orders/updated")).toMatchObject({ state: "active", problem: "was narrowed" });
    const live = (await pair.store.subscriptions()).filter(({ topic }) => topic === "ORDERS_UPDATED");
    expect(live.map(({ filter }) => filter)).toEqual([null]);
  });

  it("of others are never touched, whatever happens to ours", async () => {
    const pair = await connectedPair();
    await elsewhere(pair, create("ORDERS_CREATE", "https://other.example/hook"));
    await elsewhere(pair, create("SHOP_UPDATE", OURS));
    const others = (await pair.store.subscriptions()).filter(
      ({ uri, topic }) => uri !== OURS || topic === "SHOP_UPDATE",
    );
    expect(others).toHaveLength(2);
    await pair.store.deleteSubscriptions("ORDERS_PAID");
    await check(pair);
    await pair.shop.full.patch(`/v1/shops/${pair.shop.id}`, { settings: { optionalScopes: ["read_customer_merge"] } });
    await check(pair);
    await pair.shop.full.delete(path(pair.shop));
    expect(await pair.store.subscriptions()).toEqual(others);
  });

  it("checks at the same time make each of them once", async () => {
    const pair = await connectedPair();
    await pair.store.deleteSubscriptions();
    const shop = await getShopOrThrow(env.DB, pair.shop.key);
    const results = await Promise.all([1, 2, 3].map(() => checkConnection(env, shop, Date.now())));
    expect(results.map(({ problem }) => problem)).toEqual([null, null, null]);
    const live = (await pair.store.subscriptions()).map(({ topic }) => topic);
    expect(new Set(live).size).toBe(live.length);
    expect(about(await check(pair), "orders/create")).toMatchObject({ state: "active" });
  });

  it("while the store does not answer what is missing is shown as missing, and made later", async () => {
    const pair = await connectedPair();
    await pair.store.deleteSubscriptions("ORDERS_CREATE");
    await pair.store.fail({ on: "CreateSubscription", status: 500 });
    const away = await check(pair);
    expect(away.body.problem).toBe("unreachable");
    expect(about(away, "orders/create")).toMatchObject({ state: "missing", problem: "was deleted" });
    const back = await check(pair);
    expect(back.body.problem).toBeNull();
    expect(about(back, "orders/create")).toMatchObject({ state: "active", problem: "was deleted" });
  });

  it("follow the installation to another address", async () => {
    const pair = await connectedPair();
    const { clientId, clientSecret } = pair.store;
    await env.DB.prepare("update shopify_connections set address = 'https://former.example' where shop = ?")
      .bind(pair.shop.key)
      .run();
    await check(pair);
    expect((await pair.store.subscriptions()).some(({ uri }) => uri.startsWith("https://former.example/"))).toBe(true);
    await pair.shop.full.put(path(pair.shop), { method: "client_credentials", clientId, clientSecret });
    const uris = new Set((await pair.store.subscriptions()).map(({ uri }) => uri));
    expect(uris).toEqual(new Set([OURS]));
  });
});

describe("scopes", () => {
  const some = ["read_customers", "read_products"];

  it("that are missing are listed with what they are for; what they allow is refused, the rest works", async () => {
    const pair = await connectedPair({ scopes: some });
    const answer = await pair.shop.full.get(path(pair.shop));
    expect(answer.body.problem).toBe("scopes_missing");
    expect(answer.body.scopes).toEqual(some);
    expect(answer.body.missingScopes).toEqual([
      { scope: "read_orders", reason: expect.stringContaining("orders") },
      { scope: "read_locations", reason: expect.stringContaining("point of sale") },
    ]);
    expect(about(answer, "orders/create")).toMatchObject({ state: "refused", problem: "needs the scope read_orders" });
    expect(about(answer, "customers/update")).toMatchObject({ state: "active", problem: null });
    expect(about(answer, "customers/merge")).toBeUndefined();
  });

  it("app/scopes_update: the store is asked, and the subscriptions follow", async () => {
    const pair = await connectedPair({ scopes: some });
    await pair.store.setScopes([...some, "read_orders", "read_locations"]);
    const body = { id: "gid://shopify/App/1", previous: some, current: [], updated_at: new Date().toISOString() };
    expect(await deliverTo(pair, "app/scopes_update", body)).toBe("handled");
    const answer = await pair.shop.full.get(path(pair.shop));
    expect(answer.body).toMatchObject({ problem: null, missingScopes: [] });
    expect(about(answer, "orders/create")).toMatchObject({ state: "active" });
    await pair.store.setScopes(some);
    await pair.store.fail({ on: "graphql", status: 503, times: 2 });
    const later = { ...body, current: some };
    expect(await deliverTo(pair, "app/scopes_update", later, Date.now() + 1)).toBe("retry");
  });

  it("of the optional ones are wanted once the shop asks for them", async () => {
    const pair = await connectedPair({ scopes: [...some, "read_orders", "read_locations", "read_customer_merge"] });
    await pair.shop.full.patch(`/v1/shops/${pair.shop.id}`, {
      settings: { optionalScopes: ["read_customer_merge", "read_all_orders"] },
    });
    const answer = await check(pair);
    expect(answer.body).toMatchObject({
      problem: "scopes_missing",
      missingScopes: [{ scope: "read_all_orders", reason: expect.stringContaining("60 days") }],
    });
    expect(about(answer, "customers/merge")).toMatchObject({ state: "active" });
    await pair.shop.full.patch(`/v1/shops/${pair.shop.id}`, { settings: { optionalScopes: [] } });
    expect(about(await check(pair), "customers/merge")).toBeUndefined();
    expect((await pair.store.subscriptions()).some(({ topic }) => topic === "CUSTOMERS_MERGE")).toBe(false);
  });
});

describe("a store that is frozen or away", () => {
  it.each([
    [{ status: 402 }, "shop_frozen"],
    [{ status: 423 }, "shop_frozen"],
    [{ status: 500, times: 2 }, "unreachable"],
  ])("%j is shown as such until it answers again", async (failure, problem) => {
    const pair = await connectedPair();
    await pair.store.fail({ on: "graphql", ...failure });
    expect((await check(pair)).body.problem).toBe(problem);
    expect((await check(pair)).body.problem).toBeNull();
  });
});
