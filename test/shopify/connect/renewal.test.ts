import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { open } from "../../../src/lib/crypto";
import { HOUR, MINUTE, travel, useFakeClock } from "../../helpers/clock";
import type { MintedShop } from "../../helpers/api";
import { connectedPair, installedPair, newPair, type Pair, path } from "./stores";

useFakeClock();

const connectionOf = (shop: MintedShop) => env.CONNECTION.getByName(String(shop.key));

async function tokenOf(shop: MintedShop): Promise<string> {
  const answer = await connectionOf(shop).accessToken();
  if (!("token" in answer)) throw new Error(answer.problem);
  return answer.token;
}

/** Moves both clocks. */
async function pass({ store }: Pair, ms: number): Promise<void> {
  travel(ms);
  await store.setNow(Date.now());
}

const tokenRequests = async ({ store }: Pair) =>
  (await store.log()).filter(({ path }) => path.endsWith("/access_token"));

const works = async ({ shop, store }: Pair) =>
  (
    await fetch(`${store.origin}/admin/api/2026-10/graphql.json`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-shopify-access-token": await tokenOf(shop) },
      body: '{"query":"{ shop { id } }"}',
    })
  ).status === 200;

describe("client credentials", () => {
  it("are asked again shortly before the token ends, once for everybody who asks at the same time", async () => {
    const pair = await connectedPair();
    const first = await tokenOf(pair.shop);
    await pass(pair, 23 * HOUR);
    expect(await tokenOf(pair.shop)).toBe(first);
    await pass(pair, 56 * MINUTE);
    await pair.store.clearLog();
    const tokens = await Promise.all(Array.from({ length: 8 }, () => tokenOf(pair.shop)));
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(first);
    expect(await tokenRequests(pair)).toHaveLength(1);
    expect(await works(pair)).toBe(true);
  });

  it("a token that Shopify refuses before its time is replaced at the next question", async () => {
    const pair = await connectedPair();
    const first = await tokenOf(pair.shop);
    await pair.store.revokeTokens();
    const answer = await pair.shop.full.post(`${path(pair.shop)}/check`);
    expect(answer.body).toMatchObject({ connected: true, problem: null });
    expect(await tokenOf(pair.shop)).not.toBe(first);
  });

  it("without an answer the old token serves as long as it lives", async () => {
    const pair = await connectedPair();
    const first = await tokenOf(pair.shop);
    await pass(pair, 24 * HOUR - 4 * MINUTE);
    await pair.store.fail({ on: "token", status: 503, times: 2 });
    expect(await tokenOf(pair.shop)).toBe(first);
    await pass(pair, 4 * MINUTE);
    expect(await connectionOf(pair.shop).accessToken()).toEqual({ problem: "unreachable" });
    expect(await works(pair)).toBe(true);
  });
});

describe("expiring tokens", () => {
  it("are refreshed one at a time, and each refresh token is used once", async () => {
    const pair = await installedPair();
    for (let hour = 0; hour < 4; hour++) {
      await pass(pair, HOUR);
      await pair.store.clearLog();
      const tokens = await Promise.all(Array.from({ length: 6 }, () => tokenOf(pair.shop)));
      expect(new Set(tokens).size).toBe(1);
      expect(await tokenRequests(pair)).toHaveLength(1);
    }
    expect(await works(pair)).toBe(true);
  });

  it("what a refresh brought is stored before anybody gets it", async () => {
    const pair = await installedPair();
    await pass(pair, HOUR);
    const token = await tokenOf(pair.shop);
    await evictDurableObject(connectionOf(pair.shop));
    await pair.store.clearLog();
    expect(await tokenOf(pair.shop)).toBe(token);
    expect(await tokenRequests(pair)).toEqual([]);
  });

  it("a kill between the refresh and its use loses nothing: the object refreshes again by itself, without a request", async () => {
    const pair = await installedPair();
    const stub = connectionOf(pair.shop);
    await pass(pair, HOUR);
    await pair.store.fail({ on: "token", hang: true, afterEffect: true });
    await pair.store.clearLog();
    const lost = stub.accessToken().then(
      () => "answered",
      () => "killed",
    );
    await vi.waitFor(async () => expect(await tokenRequests(pair)).toHaveLength(1));
    await abortAllDurableObjects();
    expect(await lost).toBe("killed");
    expect(await runDurableObjectAlarm(connectionOf(pair.shop))).toBe(true);
    expect(await tokenRequests(pair)).toHaveLength(2);
    expect(await works(pair)).toBe(true);
    expect(await runDurableObjectAlarm(connectionOf(pair.shop))).toBe(false);
  });

  it("an answer that was lost on its way is asked for again within Shopify's window", async () => {
    const pair = await installedPair();
    await pass(pair, HOUR);
    await pair.store.fail({ on: "token", status: 502, afterEffect: true });
    expect(await connectionOf(pair.shop).accessToken()).toEqual({ problem: "unreachable" });
    expect(await works(pair)).toBe(true);
  });

  it("while Shopify does not answer the object goes on trying", async () => {
    const pair = await installedPair();
    const stub = connectionOf(pair.shop);
    await pass(pair, HOUR);
    await pair.store.fail({ on: "token", status: 503, times: 3 });
    expect(await stub.accessToken()).toEqual({ problem: "unreachable" });
    for (let turn = 0; turn < 3; turn++) expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
    await pair.store.clearLog();
    await tokenOf(pair.shop);
    expect(await tokenRequests(pair)).toEqual([]);
  });

  it("a refresh that is refused is shown, not repeated at every question, and tried again later", async () => {
    const pair = await installedPair();
    await pass(pair, 2 * HOUR);
    await pair.store.expireRefreshTokens();
    expect(await connectionOf(pair.shop).accessToken()).toEqual({ problem: "token_refused" });
    await pair.store.clearLog();
    for (let turn = 0; turn < 5; turn++) {
      expect(await connectionOf(pair.shop).accessToken()).toEqual({ problem: "token_refused" });
    }
    expect(await tokenRequests(pair)).toEqual([]);
    const shown = await pair.shop.full.get(path(pair.shop));
    expect(shown.body).toMatchObject({ connected: true, problem: "token_refused" });
    await pass(pair, 10 * MINUTE);
    await connectionOf(pair.shop).accessToken();
    expect(await tokenRequests(pair)).toHaveLength(1);
  });

  it("a connect that comes during a refresh is not undone by it", async () => {
    const pair = await installedPair();
    await pass(pair, HOUR);
    await pair.store.fail({ on: "token", delayMs: 300 });
    const renewal = connectionOf(pair.shop).accessToken();
    await connectionOf(pair.shop).store({
      id: "cnn_new",
      storedAt: Date.now(),
      domain: pair.shop.domain,
      method: "token",
      app: null,
      token: "shpat_new",
      tokenExpiresAt: null,
      refreshToken: null,
      refusedAt: null,
    });
    expect(await renewal).toEqual({ token: "shpat_new" });
    expect(await tokenOf(pair.shop)).toBe("shpat_new");
  });
});

describe("a permanent token", () => {
  it("that is refused is a problem until Shopify takes it again", async () => {
    const { shop, store } = await newPair();
    await shop.full.put(path(shop), { method: "token", accessToken: await store.permanentToken() });
    await store.fail({ on: "graphql", status: 401 });
    const refused = await shop.full.post(`${path(shop)}/check`);
    expect(refused.body).toMatchObject({ connected: true, problem: "token_refused" });
    expect(await connectionOf(shop).accessToken()).toEqual({ problem: "token_refused" });
    travel(10 * MINUTE);
    expect((await shop.full.post(`${path(shop)}/check`)).body).toMatchObject({ connected: true, problem: null });
  });
});

describe("what the object keeps", () => {
  const sealedOf = (shop: MintedShop) =>
    runInDurableObject(connectionOf(shop), (_, state) => String(state.storage.kv.get("sealed")));

  it("is sealed, and sealed anew with the present key when it is touched", async () => {
    const { shop } = await connectedPair();
    const sealed = await sealedOf(shop);
    expect(sealed).not.toMatch(/shp|token/);
    expect(JSON.parse(await open([env.ENCRYPTION_KEY], sealed))).toMatchObject({ method: "client_credentials" });
    const key = btoa(String.fromCharCode(...new Uint8Array(32).fill(9)));
    const token = await tokenOf(shop);
    await evictDurableObject(connectionOf(shop));
    const before = env.ENCRYPTION_KEY;
    try {
      await runInDurableObject(connectionOf(shop), async (connection) => {
        const rotated = { ...env, ENCRYPTION_KEY: key, ENCRYPTION_KEY_PREVIOUS: before };
        Object.defineProperty(connection, "env", { value: rotated });
        expect(await connection.accessToken()).toEqual({ token });
      });
      expect(JSON.parse(await open([key], await sealedOf(shop)))).toMatchObject({ token });
    } finally {
      await evictDurableObject(connectionOf(shop));
    }
    expect(await connectionOf(shop).accessToken()).toEqual({ problem: "token_unreadable" });
  });

  it("is gone after a disconnect", async () => {
    const { shop } = await connectedPair();
    await shop.full.delete(path(shop));
    const left = await runInDurableObject(connectionOf(shop), (_, state) => [...state.storage.kv.list()]);
    expect(left).toEqual([]);
    expect(await runDurableObjectAlarm(connectionOf(shop))).toBe(false);
  });
});
