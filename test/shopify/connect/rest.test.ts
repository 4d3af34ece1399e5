import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { wantedTopics } from "../../../src/shopify/subscriptions/topics";
import { wantedScopes } from "../../../src/shopify/scopes";
import { api, mintShop, operator } from "../../helpers/api";
import { T0, useFakeClock } from "../../helpers/clock";
import { connectedPair, INSTALLATION_APP, newPair, path } from "./stores";

useFakeClock();

const WANTED = wantedTopics(wantedScopes({ optionalScopes: [] })).map(({ name }) => name);

async function everything(): Promise<string> {
  const { results } = await env.DB.prepare(
    "select name from sqlite_master where type = 'table' and name not like '_cf%' and name not like 'sqlite%'",
  ).all<{ name: string }>();
  const rows = await Promise.all(results.map(({ name }) => env.DB.prepare(`select * from "${name}"`).all()));
  return JSON.stringify(rows.map((table) => table.results));
}

describe("connecting with client credentials", () => {
  it("answers once Shopify has accepted them, with every subscription made and nothing secret shown or kept in clear", async () => {
    const { shop, store } = await newPair({ currency: "JPY", name: "Nordlicht" });
    const { clientId, clientSecret } = store;
    const before = await shop.full.get(path(shop));
    expect(before.body).toMatchObject({ connected: false, method: null, subscriptions: [] });
    const answer = await shop.full.put(path(shop), { method: "client_credentials", clientId, clientSecret });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      connected: true,
      method: "client_credentials",
      clientId,
      missingScopes: [],
      problem: null,
      connectedAt: new Date(T0).toISOString(),
      tokenExpiresAt: new Date(T0 + 86_399_000).toISOString(),
      checkedAt: new Date(T0).toISOString(),
    });
    expect(answer.body.subscriptions.map((one: { topic: string }) => one.topic).sort()).toEqual([...WANTED].sort());
    for (const one of answer.body.subscriptions) {
      expect(one).toMatchObject({ state: "active", problem: null, repairedAt: null });
    }
    expect((await store.subscriptions()).map(({ uri }) => uri)).toEqual(
      WANTED.map(() => "https://footfall.test/webhooks/shopify"),
    );
    expect((await shop.full.get(`/v1/shops/${shop.id}`)).body).toMatchObject({
      name: "Nordlicht",
      currency: "JPY",
      timezone: "Europe/Berlin",
      status: "active",
    });
    const held = await env.CONNECTION.getByName(String(shop.key)).accessToken();
    if (!("token" in held)) throw new Error("no token");
    const kept = await everything();
    for (const secret of [clientSecret, held.token]) {
      expect(kept).not.toContain(secret);
      expect(JSON.stringify(answer.body)).not.toContain(secret);
    }
    expect(await store.written()).toEqual([]);
  });

  it("again with the same or other credentials makes nothing twice", async () => {
    const { shop, store } = await connectedPair();
    const { clientId, clientSecret } = store;
    await store.clearLog();
    const again = await shop.full.put(path(shop), { method: "client_credentials", clientId, clientSecret });
    expect(again.body).toMatchObject({ connected: true, problem: null });
    expect(await store.subscriptions()).toHaveLength(WANTED.length);
    expect((await store.log()).filter(({ operation }) => operation === "CreateSubscription")).toEqual([]);
  });

  it("that Shopify refuses is 422 and leaves everything as it was; no answer is 503", async () => {
    const { shop, store } = await newPair();
    const { clientId, clientSecret } = store;
    const wrong = await shop.full.put(path(shop), {
      method: "client_credentials",
      clientId,
      clientSecret: "wrong-secret",
    });
    expect(wrong.status).toBe(422);
    expect(wrong.body.detail).toContain("invalid_client");
    await store.uninstall();
    const away = await shop.full.put(path(shop), { method: "client_credentials", clientId, clientSecret });
    expect(away.status).toBe(422);
    await store.install();
    expect((await shop.full.get(path(shop))).body.connected).toBe(false);
    expect(await store.subscriptions()).toEqual([]);
    const connected = await connectedPair();
    await connected.store.fail({ on: "token", status: 500 });
    await expect(
      connected.shop.full.put(path(connected.shop), {
        method: "client_credentials",
        clientId: connected.store.clientId,
        clientSecret: "wrong-secret",
      }),
    ).rejects.toThrow(/503/);
    expect((await connected.shop.full.get(path(connected.shop))).body).toMatchObject({
      connected: true,
      problem: null,
    });
  });
});

describe("connecting with a pasted token", () => {
  it("asks the store with it first; a refused one is 422", async () => {
    const { shop, store } = await newPair();
    const refused = await shop.full.put(path(shop), { method: "token", accessToken: "shpat_wrong0000" });
    expect(refused.status).toBe(422);
    expect((await shop.full.get(path(shop))).body.connected).toBe(false);
    const accessToken = await store.permanentToken();
    const { clientId, clientSecret } = store;
    const answer = await shop.full.put(path(shop), { method: "token", accessToken, clientId, clientSecret });
    expect(answer.body).toMatchObject({
      connected: true,
      method: "token",
      clientId,
      tokenExpiresAt: null,
      problem: null,
    });
    expect(await everything()).not.toContain(accessToken);
    expect(JSON.stringify(answer.body)).not.toContain(accessToken);
  });

  it("without the app's name the installation's app is taken for granted", async () => {
    const { shop, store } = await newPair();
    const answer = await shop.full.put(path(shop), { method: "token", accessToken: await store.permanentToken() });
    expect(answer.body).toMatchObject({ connected: true, method: "token", clientId: null });
    expect(await env.DB.prepare("select app_secret from shops where key = ?").bind(shop.key).first()).toEqual({
      app_secret: null,
    });
  });
});

describe("disconnecting", () => {
  it("takes our subscriptions and the token, and leaves those of others and what was imported", async () => {
    const { shop, store } = await connectedPair();
    await env.DB.prepare(
      "insert into shopify_subscriptions (shop, topic, external_id, state, checked_at) values (?, 'themes/publish', 'gid://shopify/WebhookSubscription/1', 'active', 0)",
    )
      .bind(shop.key)
      .run();
    const foreign = await foreignSubscription(store, "https://other.example/hook");
    const answer = await shop.full.delete(path(shop));
    expect(answer.status).toBe(204);
    expect((await store.subscriptions()).map(({ id }) => id)).toEqual([foreign]);
    expect(await env.CONNECTION.getByName(String(shop.key)).accessToken()).toEqual({ problem: "not_connected" });
    expect((await shop.full.get(path(shop))).body).toMatchObject({ connected: false, subscriptions: [] });
    expect((await shop.full.get(`/v1/shops/${shop.id}`)).body.status).toBe("active");
    expect((await shop.full.delete(path(shop))).status).toBe(204);
  });

  it("works while the store does not answer", async () => {
    const { shop, store } = await connectedPair();
    await store.fail({ on: "graphql", status: 500, times: 10 });
    expect((await shop.full.delete(path(shop))).status).toBe(204);
    expect((await shop.full.get(path(shop))).body.connected).toBe(false);
  });

  async function foreignSubscription(
    store: Awaited<ReturnType<typeof newPair>>["store"],
    uri: string,
  ): Promise<number> {
    const token = await store.permanentToken();
    await fetch(`${store.origin}/admin/api/2026-10/graphql.json`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-shopify-access-token": token },
      body: JSON.stringify({
        query: `mutation { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: { uri: "${uri}", format: JSON }) { userErrors { message } } }`,
      }),
    });
    const made = (await store.subscriptions()).find((one) => one.uri === uri);
    if (!made) throw new Error("not made");
    return made.id;
  }
});

describe("the routes of a connection", () => {
  it("answer 401 without a key, 403 to a wrong scope, 404 to another shop's key", async () => {
    const { shop } = await newPair();
    const other = await mintShop();
    const input = { method: "client_credentials", ...INSTALLATION_APP };
    const calls = [
      ["GET", path(shop), undefined],
      ["PUT", path(shop), input],
      ["DELETE", path(shop), undefined],
      ["POST", `${path(shop)}/check`, undefined],
    ] as const;
    for (const [method, address, sent] of calls) {
      expect((await api(null).request(method, address, sent)).status, method).toBe(401);
      expect((await other.full.request(method, address, sent)).status, method).toBe(404);
      const lacking = method === "GET" ? shop.writeOnly : shop.readOnly;
      expect((await lacking.request(method, address, sent)).status, method).toBe(403);
      expect((await operator.request(method, "/v1/shops/shp_none/shopify", sent)).status, method).toBe(404);
    }
  });

  it("refuse a body that fits no method, and a shop that is no store on Shopify", async () => {
    const { shop } = await newPair();
    for (const body of [
      {},
      { method: "password" },
      { method: "client_credentials", clientId: "a".repeat(10) },
      { method: "client_credentials", ...INSTALLATION_APP, more: 1 },
      { method: "client_credentials", clientId: "a b c d e f g", clientSecret: "12345678" },
      { method: "token", accessToken: "shpat_with\r\nheader: x" },
      { method: "token", accessToken: "shpat_12345678", clientId: "12345678" },
    ]) {
      expect((await shop.full.put(path(shop), body)).status, JSON.stringify(body)).toBe(400);
    }
    const site = await operator.post("/v1/shops", { domain: `site-${crypto.randomUUID()}.example` });
    const answer = await operator.put(path(site.body), { method: "client_credentials", ...INSTALLATION_APP });
    expect(answer.status).toBe(422);
    const check = await operator.post(`${path(site.body)}/check`);
    expect(check.body).toMatchObject({ connected: false });
  });
});
