import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { getShopOrThrow } from "../../../src/shops";
import { api, mintShop } from "../../helpers/api";
import { MINUTE, SECOND, travel, useFakeClock } from "../../helpers/clock";
import { standinStore, type StandinStore } from "../../helpers/standin";
import { connectedPair, INSTALLATION_APP, newPair, path } from "./stores";

useFakeClock();

const openSession = (token: string) =>
  exports.default.fetch("https://footfall.test/shopify/session", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });

const exchanges = async (store: StandinStore) =>
  (await store.log()).filter(({ path }) => path.endsWith("/access_token")).length;

describe("POST /shopify/session", () => {
  it("exchanges a session token for an expiring offline token; the store may be new, since Shopify vouches for it", async () => {
    const store = await standinStore(INSTALLATION_APP);
    const answer = await openSession(await store.sessionToken());
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ connected: true, method: "token_exchange", problem: null });
    const shop = await getShopOrThrow(env.DB, store.domain);
    expect(shop.connected).toBe(true);
    expect((await env.CONNECTION.getByName(String(shop.key)).state()).tokenExpiresAt).toBe(Date.now() + 60 * MINUTE);
  });

  it("at the next start of the app exchanges nothing while all is well, and again when the token is refused", async () => {
    const store = await standinStore(INSTALLATION_APP);
    await openSession(await store.sessionToken());
    await store.clearLog();
    expect((await openSession(await store.sessionToken())).status).toBe(200);
    expect(await exchanges(store)).toBe(0);
    await store.revokeTokens();
    await store.expireRefreshTokens();
    const shop = await getShopOrThrow(env.DB, store.domain);
    const { checkConnection } = await import("../../../src/shopify/connect");
    expect(await checkConnection(env, shop, Date.now())).toMatchObject({ problem: "token_refused" });
    expect(await (await openSession(await store.sessionToken())).json()).toMatchObject({ problem: null });
  });

  it("is 401 for anything but a session token that Shopify signed for this app", async () => {
    const store = await standinStore(INSTALLATION_APP);
    const stranger = await standinStore();
    const old = await store.sessionToken();
    for (const token of [
      "",
      "ffk_key",
      env.OPERATOR_TOKEN,
      await stranger.sessionToken(),
      await store.sessionToken({ aud: "another-app" }),
      await store.sessionToken({ dest: `https://${stranger.domain}` }),
      await store.sessionToken({ exp: Math.floor(Date.now() / SECOND) - 60 }),
    ]) {
      expect((await openSession(token)).status, token).toBe(401);
    }
    travel(71 * SECOND);
    expect((await openSession(old)).status).toBe(401);
    expect(await exchanges(store)).toBe(0);
  });
});

describe("a session token as bearer of the API", () => {
  it("acts in its own store alone, as a key with both scopes, and never as the operator", async () => {
    const { shop, store } = await newPair(INSTALLATION_APP);
    const other = await mintShop();
    const staff = api(await store.sessionToken());
    expect((await staff.get("/v1/contacts")).status).toBe(200);
    const made = await staff.post("/v1/contacts", { email: "mira@nordlicht.example" });
    expect(made.status).toBe(201);
    expect((await shop.full.get(`/v1/contacts/${made.body.id}`)).status).toBe(200);
    expect((await staff.get(path(shop))).status).toBe(200);
    expect((await staff.get(path(other))).status).toBe(404);
    expect((await staff.get(`/v1/contacts?shop=${other.id}`)).status).toBe(404);
    expect((await staff.get("/v1/shops")).status).toBe(403);
    expect((await staff.post("/v1/api-keys", { shop: shop.id, name: "x", scopes: ["read"] })).status).toBe(403);
    const log = await shop.full.get("/v1/audit-log");
    expect(log.body.items[0]).toMatchObject({ actor: "shopify-user:42", action: "contact.created" });
    travel(71 * SECOND);
    expect((await staff.get("/v1/contacts")).status).toBe(401);
  });

  it("of a store that is not known, or signed for another app or by another store's app, opens nothing", async () => {
    const unknown = await standinStore(INSTALLATION_APP);
    expect((await api(await unknown.sessionToken()).get("/v1/contacts")).status).toBe(401);
    // This store has an app of its own: what the installation's app signs is nothing to it, and the other way round.
    const own = await connectedPair();
    expect((await api(await own.store.sessionToken()).get("/v1/contacts")).status).toBe(200);
    const foreign = await standinStore(INSTALLATION_APP);
    const dest = { dest: `https://${own.shop.domain}`, iss: `https://${own.shop.domain}/admin` };
    expect((await api(await foreign.sessionToken(dest)).get("/v1/contacts")).status).toBe(401);
    const ordinary = await newPair(INSTALLATION_APP);
    const there = { dest: `https://${ordinary.shop.domain}`, iss: `https://${ordinary.shop.domain}/admin` };
    const byOwn = { ...there, aud: INSTALLATION_APP.clientId };
    expect((await api(await own.store.sessionToken(byOwn)).get("/v1/contacts")).status).toBe(401);
  });
});
