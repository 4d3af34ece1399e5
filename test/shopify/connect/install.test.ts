import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { hex, hmac } from "../../../src/lib/crypto";
import { getShopOrThrow } from "../../../src/shops";
import { MINUTE, SECOND, travel, useFakeClock } from "../../helpers/clock";
import { operator } from "../../helpers/api";
import { standinStore } from "../../helpers/standin";
import { approve, begin, INSTALLATION_APP, installedPair, newPair, path, visit } from "./stores";

useFakeClock();

/** A query as Shopify signs it. */
async function signed(query: Record<string, string>, secret = INSTALLATION_APP.clientSecret): Promise<string> {
  const all = { timestamp: String(Math.floor(Date.now() / SECOND)), ...query };
  const text = Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("&");
  return `${text}&hmac=${hex(await hmac(secret, text))}`;
}

const tokenRequests = async (store: { log: () => Promise<{ path: string }[]> }) =>
  (await store.log()).filter(({ path }) => path.endsWith("/access_token"));

describe("GET /shopify/install", () => {
  it("sends the browser to Shopify with the wanted scopes and a state that only this browser has", async () => {
    const { shop, store } = await newPair(INSTALLATION_APP, { optionalScopes: ["read_all_orders"] });
    const answer = await visit(`/shopify/install?shop=${shop.domain}`);
    expect(answer.status).toBe(302);
    const target = new URL(answer.headers.get("location") ?? "");
    expect(target.origin + target.pathname).toBe(`${store.origin}/admin/oauth/authorize`);
    expect(Object.fromEntries(target.searchParams)).toEqual({
      client_id: INSTALLATION_APP.clientId,
      scope: "read_customers,read_orders,read_products,read_locations,read_all_orders",
      redirect_uri: "https://footfall.test/shopify/callback",
      state: expect.stringMatching(/^[\w-]{32}$/),
    });
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^__Host-ff_install=[^;]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  it("is no open redirect: anything but a store's domain is 400, and never where the browser is sent", async () => {
    for (const shop of [
      "evil.example",
      "acme.myshopify.com.evil.example",
      "evil.example/acme.myshopify.com",
      "evil.example%23.myshopify.com",
      "acme.myshopify.com%0d%0alocation:%20https://evil.example",
      "https://acme.myshopify.com",
      "acme.myshopify.com&shop=evil.example",
      "",
    ]) {
      const answer = await visit(`/shopify/install?shop=${shop}`);
      expect(answer.status, shop).toBe(400);
      expect(answer.headers.get("location"), shop).toBeNull();
    }
    expect((await visit("/shopify/install")).status).toBe(400);
  });

  it("begun by anybody it needs a shop that exists; begun by Shopify, with a signature, it may be a new store", async () => {
    const store = await standinStore(INSTALLATION_APP);
    expect((await visit(`/shopify/install?shop=${store.domain}`)).status).toBe(404);
    expect((await visit(`/shopify/install?${await signed({ shop: store.domain }, "guess")}`)).status).toBe(401);
    const { target, cookie } = await begin(`/shopify/install?${await signed({ shop: store.domain, host: "aG9zdA" })}`);
    const none = await env.DB.prepare("select 1 from shops where domain = ?").bind(store.domain).first();
    expect(none).toBeNull();
    const back = await approve(target);
    expect((await visit(back.pathname + back.search, { cookie })).status).toBe(200);
    const shop = await getShopOrThrow(env.DB, store.domain);
    expect(shop).toMatchObject({ status: "active", connected: true, name: "Stand-in Store" });
    const shown = await operator.get(path(shop));
    expect(shown.body).toMatchObject({ method: "oauth", problem: null });
  });

  it("a signed query is good for 90 seconds", async () => {
    const store = await standinStore(INSTALLATION_APP);
    const query = await signed({ shop: store.domain });
    travel(91 * SECOND);
    expect((await visit(`/shopify/install?${query}`)).status).toBe(401);
  });

  it("opening the app of a store that is connected and well connects nothing anew", async () => {
    const { shop, store } = await installedPair();
    await store.clearLog();
    const answer = await visit(`/shopify/install?${await signed({ shop: shop.domain })}`);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/"]);
    expect(await tokenRequests(store)).toEqual([]);
  });
});

describe("a store's own app", () => {
  it("is named first, and then installed like the installation's", async () => {
    const { shop, store } = await newPair();
    const { clientId, clientSecret } = store;
    const named = await shop.full.put(path(shop), { method: "oauth", clientId, clientSecret });
    expect(named.body).toMatchObject({ connected: false });
    const { target, cookie } = await begin(`/shopify/install?shop=${shop.domain}`);
    expect(target.searchParams.get("client_id")).toBe(clientId);
    const back = await approve(target);
    expect((await visit(back.pathname + back.search, { cookie })).status).toBe(200);
    expect((await shop.full.get(path(shop))).body).toMatchObject({ connected: true, method: "oauth", clientId });
    const again = await shop.full.put(path(shop), { method: "oauth", ...INSTALLATION_APP });
    expect(again.status).toBe(409);
  });
});

describe("GET /shopify/callback", () => {
  it("turns the code into an expiring token, once everything about it is right", async () => {
    const { shop, store } = await newPair(INSTALLATION_APP);
    const { target, cookie } = await begin(`/shopify/install?shop=${shop.domain}`);
    const back = await approve(target);
    const wrong = async (change: (query: URLSearchParams) => void, headers: Record<string, string> = { cookie }) => {
      const query = new URLSearchParams(back.search);
      change(query);
      return (await visit(`${back.pathname}?${query.toString()}`, headers)).status;
    };
    expect(await wrong((query) => query.set("shop", "evil.example"))).toBe(400);
    expect(await wrong((query) => query.append("shop", shop.domain))).toBe(400);
    expect(await wrong((query) => query.set("state", "guess"))).toBe(403);
    expect(await wrong((query) => query.delete("state"))).toBe(403);
    expect(await wrong(() => undefined, {})).toBe(403);
    expect(await wrong(() => undefined, { cookie: cookie.replace(/=./, "=x") })).toBe(403);
    expect(await wrong((query) => query.set("code", "another"))).toBe(401);
    expect(await wrong((query) => query.set("timestamp", String(Number(query.get("timestamp")) + 1)))).toBe(401);
    expect(await wrong((query) => query.delete("hmac"))).toBe(401);
    expect(await tokenRequests(store)).toEqual([]);
    expect((await shop.full.get(path(shop))).body.connected).toBe(false);

    const answer = await visit(back.pathname + back.search, { cookie });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-ff_install=; Max-Age=0;/);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await answer.text()).toContain(`${shop.domain} is connected`);
    const shown = await shop.full.get(path(shop));
    expect(shown.body).toMatchObject({
      connected: true,
      method: "oauth",
      clientId: INSTALLATION_APP.clientId,
      problem: null,
      tokenExpiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    expect(await store.written()).toEqual([]);
  });

  it("of another store than the install was begun for is 403, though Shopify signed it", async () => {
    const [first, second] = [await newPair(INSTALLATION_APP), await newPair(INSTALLATION_APP)];
    const begun = await begin(`/shopify/install?shop=${first.shop.domain}`);
    const other = await begin(`/shopify/install?shop=${second.shop.domain}`);
    const back = await approve(other.target);
    expect((await visit(back.pathname + back.search, { cookie: begun.cookie })).status).toBe(403);
  });

  it("is late after 90 seconds, and an install after ten minutes", async () => {
    const { shop } = await newPair(INSTALLATION_APP);
    const { target, cookie } = await begin(`/shopify/install?shop=${shop.domain}`);
    const back = await approve(target);
    travel(91 * SECOND);
    expect((await visit(back.pathname + back.search, { cookie })).status).toBe(401);
    travel(9 * MINUTE);
    const later = await approve(target);
    expect((await visit(later.pathname + later.search, { cookie })).status).toBe(403);
  });

  it("with a code that Shopify does not take is 422, without an answer 503; the store stays as it was", async () => {
    const { shop, store } = await newPair(INSTALLATION_APP);
    const { target, cookie } = await begin(`/shopify/install?shop=${shop.domain}`);
    const back = await approve(target);
    await store.fail({ on: "token", status: 500 });
    expect((await visit(back.pathname + back.search, { cookie })).status).toBe(503);
    expect((await visit(back.pathname + back.search, { cookie })).status).toBe(200);
    expect((await visit(back.pathname + back.search, { cookie })).status).toBe(422);
    expect((await shop.full.get(path(shop))).body).toMatchObject({ connected: true, problem: null });
  });
});
