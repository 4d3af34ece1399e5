import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { collect } from "../../src/collect";
import { mintShop, operator } from "../helpers/api";
import { BROWSER, newVisitor, objectOf, send } from "../helpers/beacon";
import { T0, useFakeClock } from "../helpers/clock";

useFakeClock();

const VIEW = { type: "page_viewed", url: "https://acme.example/p" };

async function stored(shop: { key: number }, visitor: string): Promise<number> {
  await objectOf(shop, visitor).flush();
  const row = await env.DB.prepare("select count(*) as n from events where shop = ?")
    .bind(shop.key)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return response.json<{ code: string; status: number; errors?: { pointer: string }[] }>();
}

describe("POST /ff", () => {
  it("A8: no consent, no event; refusal counts in every mode", async () => {
    const table: [string, string, Record<string, unknown>, Record<string, string>, boolean][] = [
      ["opt_in", "US", { consent: undefined }, {}, false],
      ["opt_in", "US", { consent: { analytics: true } }, {}, true],
      ["opt_in", "US", { consent: { analytics: false } }, {}, false],
      ["opt_out", "DE", { consent: undefined }, {}, true],
      ["opt_out", "DE", { consent: { analytics: false } }, {}, false],
      ["opt_out", "DE", { consent: undefined }, { "sec-gpc": "1" }, false],
      ["region", "DE", { consent: undefined }, {}, false],
      ["region", "US", { consent: undefined }, {}, true],
      ["region", "", { consent: undefined }, {}, false],
      ["region", "US", { consent: undefined }, { "sec-gpc": "1" }, false],
    ];
    for (const [consentMode, country, body, headers, kept] of table) {
      const shop = await mintShop({ consentMode });
      const visitor = newVisitor();
      const response = await send(shop.domain, visitor, [VIEW], {
        body,
        headers: { "cf-ipcountry": country, ...headers },
      });
      expect(response.status).toBe(204);
      expect([consentMode, country, body, await stored(shop, visitor)]).toEqual([
        consentMode,
        country,
        body,
        kept ? 1 : 0,
      ]);
    }
  });

  it("drops bots and prerendered pages without a word, and counts every drop by its reason", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await send(shop.domain, visitor, [VIEW], {
      headers: { "user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)" },
    });
    await send(shop.domain, visitor, [VIEW], { headers: { "sec-purpose": "prefetch;prerender" } });
    await send(shop.domain, visitor, [{ ...VIEW, at: T0 - 8 * 86_400_000 }]);
    expect(await stored(shop, visitor)).toBe(0);
    vi.setSystemTime(T0 + 120_000);
    await send(shop.domain, visitor, [VIEW], { body: { consent: { analytics: false } } });
    await vi.waitFor(async () => {
      const { results } = await env.DB.prepare("select reason, count from drops where shop = ? order by reason")
        .bind(shop.key)
        .all();
      expect(results).toEqual([
        { reason: "bot", count: 1 },
        { reason: "opted_out", count: 1 },
        { reason: "prerender", count: 1 },
        { reason: "stale", count: 1 },
      ]);
    });
  });

  it("E22: only listed origins may send, the pixel's sandbox with the shop's key", async () => {
    const shop = await mintShop({}, { origins: ["https://acme.example"] });
    const visitor = newVisitor();
    const from = (origin: string | null, body: Record<string, unknown> = {}) =>
      send(shop.domain, visitor, [VIEW], { headers: origin === null ? {} : { origin }, body });
    expect((await problemOf(await from(null))).code).toBe("origin_not_allowed");
    expect((await from("https://evil.example")).status).toBe(403);
    expect((await from("https://acme.example.evil.example")).status).toBe(403);
    expect((await from("null")).status).toBe(403);
    expect((await from("null", { pixel: "guess" })).status).toBe(403);
    expect((await from("null", { pixel: shop.pixelKey })).status).toBe(204);
    const listed = await from("https://acme.example");
    expect(listed.status).toBe(204);
    expect(listed.headers.get("access-control-allow-origin")).toBe("*");
    expect(listed.headers.get("access-control-allow-credentials")).toBeNull();
    expect(listed.headers.get("set-cookie")).toBeNull();
  });

  it("A8: sets the cookie itself for a listed origin of its own site: first-party, Secure, SameSite, 13 months at most", async () => {
    const shop = await mintShop({}, { origins: ["https://www.footfall.test"] });
    const visitor = newVisitor();
    const response = await send(shop.domain, visitor, [VIEW], { headers: { origin: "https://www.footfall.test" } });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://www.footfall.test");
    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toContain(`ff_v=${visitor}; Domain=footfall.test; Path=/`);
    expect(cookie).toContain("SameSite=Lax");
    expect(cookie).toContain("Secure");
    expect(Number(/Max-Age=(\d+)/.exec(cookie)?.[1])).toBeLessThanOrEqual(396 * 86_400);
    const refused = await send(shop.domain, visitor, [VIEW], {
      headers: { origin: "https://www.footfall.test" },
      body: { consent: { analytics: false } },
    });
    expect(refused.headers.get("set-cookie")).toBeNull();
  });

  it("A16: takes geo from request.cf where headers are not trusted, and never the local placeholder", async () => {
    const shop = await mintShop({ consentMode: "opt_out" });
    const own = { ...env, TRUST_GEO_HEADERS: "off" };
    const from = async (cf: Record<string, unknown> | undefined) => {
      const visitor = newVisitor();
      const body = JSON.stringify({ shop: shop.domain, visitor, events: [{ id: "e1", at: T0, ...VIEW }] });
      const request = new Request("https://footfall.test/ff", {
        method: "POST",
        body,
        headers: { "user-agent": BROWSER, "cf-ipcountry": "FR" },
        ...(cf ? { cf } : {}),
      });
      const response = await collect(request, { env: own, now: T0, later: () => undefined });
      expect(response.status).toBe(204);
      await objectOf(shop, visitor).flush();
      return env.DB.prepare("select country, region, city from visitors where tracker = ?").bind(visitor).first();
    };
    expect(await from({ country: "US", region: "Texas", city: "Austin", asn: 7922 })).toEqual({
      country: "US",
      region: "Texas",
      city: "Austin",
    });
    expect(await from({ country: "US", region: "Texas", city: "Austin", asn: 395747 })).toEqual({
      country: null,
      region: null,
      city: null,
    });
    expect(await from({ country: "T1" })).toEqual({ country: null, region: null, city: null });
    expect(await from(undefined)).toEqual({ country: null, region: null, city: null });
  });

  it("keeps times as told where the clocks agree but for the beacon's way", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await send(shop.domain, visitor, [{ ...VIEW, at: T0 - 7_000 }], { body: { sent: T0 - 400 } });
    await objectOf(shop, visitor).flush();
    const { results } = await env.DB.prepare("select at from events where shop = ?").bind(shop.key).all();
    expect(results).toEqual([{ at: T0 - 7_000 }]);
  });

  it("a page view needs its page, a cart line a picture and a price that can be; data may be large", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const status = async (event: { type: string; url?: string; data?: Record<string, unknown> }) =>
      (await send(shop.domain, visitor, [event])).status;
    expect(await status({ type: "page_viewed" })).toBe(400);
    expect(await status({ type: "page_viewed", url: "javascript:alert(1)" })).toBe(400);
    const line = { productId: "gid://shopify/Product/7", image: "javascript:alert(1)", quantity: 1 };
    const price = (amount: number) => ({ ...line, price: { amount, currency: "EUR" } });
    expect(await status({ type: "cart_updated", data: { token: "t", lines: [price(-1)] } })).toBe(400);
    expect(await status({ type: "cart_updated", data: { token: visitor, lines: [price(1)] } })).toBe(204);
    expect(
      await status({ type: "custom:large", data: { text: "x".repeat(40_000), deep: [[[[[[[[[[1]]]]]]]]]] } }),
    ).toBe(204);
    await objectOf(shop, visitor).flush();
    const cart = await env.DB.prepare("select items from carts where token = ?")
      .bind(visitor)
      .first<{ items: string }>();
    expect(JSON.parse(cart?.items ?? "")).toMatchObject([{ productId: "7", image: null }]);
  });

  it("E18: pictures and addresses of cart lines that name no host are those of the page that told them", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const line = (image: string, url: string) => ({ productId: "7", quantity: 1, image, url });
    const lines = [
      line("/cdn/mug.svg?variant=1", "/products/mug?variant=1&key=secret"),
      line("//cdn.example/a.png", "https://other.example/b"),
    ];
    const told = { type: "cart_updated", url: "https://acme.example/cart?key=k", data: { token: visitor, lines } };
    expect((await send(shop.domain, visitor, [told])).status).toBe(204);
    await objectOf(shop, visitor).flush();
    const cart = await env.DB.prepare("select items from carts where token = ?")
      .bind(visitor)
      .first<{ items: string }>();
    expect(JSON.parse(cart?.items ?? "")).toMatchObject([
      { image: "https://acme.example/cdn/mug.svg?variant=1", url: "https://acme.example/products/mug?variant=1" },
      { image: "https://cdn.example/a.png", url: "https://other.example/b" },
    ]);
  });

  it("corrects the browser's clock by `sent`; the future is now", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const ahead = 3_600_000;
    await send(
      shop.domain,
      visitor,
      [
        { ...VIEW, at: T0 + ahead - 60_000 },
        { ...VIEW, at: T0 + 5 * ahead },
      ],
      { body: { sent: T0 + ahead } },
    );
    await objectOf(shop, visitor).flush();
    const { results } = await env.DB.prepare("select at from events where shop = ? order by at").bind(shop.key).all();
    expect(results).toEqual([{ at: T0 - 60_000 }, { at: T0 }]);
  });

  it("limits beacons per address, and stores no address", async () => {
    const shop = await mintShop({ beaconsPerMinutePerAddress: 3 });
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await send(shop.domain, newVisitor(), [VIEW])).status);
    expect(statuses).toEqual([204, 204, 204, 429, 429]);
    expect(
      (await send(shop.domain, newVisitor(), [VIEW], { headers: { "cf-connecting-ip": "203.0.113.8" } })).status,
    ).toBe(204);
    vi.setSystemTime(T0 + 121_000);
    expect((await send(shop.domain, newVisitor(), [VIEW])).status).toBe(204);
  });

  it("answers 400 with pointers, 403, 404 and 413 as problem documents", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const post = (body: BodyInit) =>
      exports.default.fetch("https://footfall.test/ff", { method: "POST", body, headers: { "user-agent": BROWSER } });
    expect((await problemOf(await post("{"))).code).toBe("bad_request");
    expect((await problemOf(await post("[".repeat(60_000)))).code).toBe("bad_request");
    expect((await problemOf(await post(`"${"x".repeat(66_000)}"`))).status).toBe(413);
    const wrong = await problemOf(await send(shop.domain, visitor, [VIEW, { ...VIEW, id: "no spaces" }]));
    expect(wrong.errors?.[0]?.pointer).toBe("/events/1/id");
    const wrongData = await problemOf(
      await send(shop.domain, visitor, [{ type: "cart_updated", data: { value: { amount: 1.5, currency: "EUR" } } }]),
    );
    expect(wrongData.errors?.[0]?.pointer).toBe("/events/0/data/value/amount");
    expect((await problemOf(await send(shop.domain, visitor, [{ type: "made_up" }]))).status).toBe(400);
    expect((await problemOf(await send("unknown.example", visitor, [VIEW]))).code).toBe("shop_not_found");
    expect(await stored(shop, visitor)).toBe(0);
    await env.DB.prepare("update shops set status = 'uninstalled' where key = ?").bind(shop.key).run();
    vi.setSystemTime(T0 + 6_000);
    await send(shop.domain, visitor, [VIEW]);
    await vi.waitFor(async () => {
      expect((await problemOf(await send(shop.domain, visitor, [VIEW]))).code).toBe("shop_uninstalled");
    });
  });

  it("needs no D1 once the shop is known, and settings reach it within seconds", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await send(shop.domain, visitor, [VIEW]);
    await env.DB.exec("alter table shops rename to shops_away");
    vi.setSystemTime(T0 + 3_600_000);
    expect((await send(shop.domain, visitor, [VIEW])).status).toBe(204);
    await env.DB.exec("alter table shops_away rename to shops");
    const patched = await operator.patch(`/v1/shops/${shop.id}`, { origins: ["https://only.example"] });
    expect(patched.status).toBe(200);
    vi.setSystemTime(T0 + 3_610_000);
    await vi.waitFor(async () => expect((await send(shop.domain, visitor, [VIEW])).status).toBe(403));
  });

  it("a preflight is answered, though no tracker needs one", async () => {
    const response = await exports.default.fetch("https://footfall.test/ff", {
      method: "OPTIONS",
      headers: { origin: "https://a.example" },
    });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
  });
});

describe("GET /ff.js and /pixel.js", () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    exports.default.fetch(`https://footfall.test${path}`, { headers });

  it("bake in the shop and whether to wait for consent", async () => {
    const shop = await mintShop({ cartUrls: ["/basket*"], thankYouUrls: ["/thanks"] });
    const german = await get(`/ff.js?shop=${shop.domain}`, { "cf-ipcountry": "DE" });
    expect(german.headers.get("cache-control")).toMatch(/^private/);
    expect(german.headers.get("content-type")).toMatch(/^text\/javascript/);
    const script = await german.text();
    expect(script).toContain(`"s":"${shop.domain}","o":"https://footfall.test","c":1`);
    expect(script).not.toContain("__FF__");
    expect(script).toContain("basket");
    const american = await (await get(`/ff.js?shop=${shop.domain}`, { "cf-ipcountry": "US" })).text();
    expect(american).toContain('"c":0');
    const unknown = await (await get(`/ff.js?shop=${shop.domain}`)).text();
    expect(unknown).toContain('"c":1');
    const pixel = await (await get(`/pixel.js?shop=${shop.domain}`)).text();
    expect(pixel).toContain(shop.pixelKey);
    expect((await get("/ff.js?shop=nobody.example")).status).toBe(404);
    expect((await get("/ff.js")).status).toBe(404);
  });
});
