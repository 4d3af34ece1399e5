import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { identitySecret, linkTokenSecret, makeLinkToken } from "../../src/identity";
import { hex, hmac, seal } from "../../src/lib/crypto";
import { forgetCachedShop } from "../../src/shops";
import { signedText } from "../../src/storefront/proxy";
import { mintShop, type MintedShop } from "../helpers/api";
import { newVisitor, objectOf, send, type SentEvent } from "../helpers/beacon";
import { MINUTE, SECOND, travel, useFakeClock } from "../helpers/clock";
import { askProxy, proxied, proxySignature, tokenFor } from "./sign";

useFakeClock();

const address = () => `${crypto.randomUUID()}@example.com`;
const customerId = () => String(7_000_000_000_000 + Math.floor(Math.random() * 1e12));
const identified = (data: Record<string, unknown>): SentEvent => ({ type: "identified", data });
const view: SentEvent = { type: "page_viewed", url: "https://shop.example/boots" };

async function say(shop: MintedShop, visitor: string, ...events: SentEvent[]): Promise<void> {
  expect((await send(shop.domain, visitor, events)).status).toBe(204);
  expect(await objectOf(shop, visitor).flush()).toBe(true);
}

const contactOf = async (shop: MintedShop, visitor: string) =>
  (await shop.full.get(`/v1/visitors/${visitor}`)).body.contactId;

async function customer(shop: MintedShop) {
  const id = customerId();
  const made = await shop.full.post("/v1/contacts", { email: address(), shopifyCustomerId: id });
  return { id, contact: String(made.body.id) };
}

describe("what Shopify signs of a proxied request", () => {
  const given: [string, string][] = [
    ["shop", "shop-name.myshopify.com"],
    ["extra", "1"],
    ["extra", "2"],
    ["path_prefix", "/apps/awesome_reviews"],
    ["timestamp", "1317327555"],
  ];
  for (const [name, more, signature] of [
    [
      "a customer",
      [["logged_in_customer_id", "1"]],
      "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb",
    ],
    ["nobody", [["logged_in_customer_id", ""]], "e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb"],
    ["no such parameter", [], "a9718877bea71c2484f91608a7eaea1532bdf71f5c56825065fa4ccabe549ef3"],
  ] as const)
    it(`is the published signature with ${name}`, async () => {
      const params = new URLSearchParams([...given, ...more.map(([k, v]): [string, string] => [k, v])]);
      params.append("signature", signature);
      expect(hex(await hmac("hush", signedText(params)))).toBe(signature);
    });
});

describe("GET /proxy/customer", () => {
  it("answers a token for who is signed in, and nothing for nobody, and no cache may keep either", async () => {
    const shop = await mintShop();
    const known = await askProxy(await proxied({ shop: shop.domain, customer: customerId() }));
    expect(known.status).toBe(200);
    expect(known.headers.get("cache-control")).toBe("private, no-store");
    expect(known.headers.get("access-control-allow-origin")).toBeNull();
    expect(await known.json()).toEqual({ token: expect.stringMatching(/^[\w-]+\.[\w-]+$/) });
    const nobody = await askProxy(await proxied({ shop: shop.domain }));
    expect([nobody.status, nobody.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
    expect(await nobody.json()).toEqual({ token: null });
  });

  it("takes the secret of before while it is rotated, and only a store's own where it has one", async () => {
    const shop = await mintShop();
    const ask = async (secret: string) =>
      (await askProxy(await proxied({ shop: shop.domain, customer: "1", secret }))).status;
    expect([await ask("test-api-secret"), await ask("test-api-secret-before"), await ask("anything")]).toEqual([
      200, 200, 401,
    ]);
    const own = { clientId: "own", current: "the-store's-own", previous: null, previousUntil: 0 };
    await env.DB.prepare("update shops set app_secret = ? where key = ?")
      .bind(await seal([env.ENCRYPTION_KEY], JSON.stringify(own)), shop.key)
      .run();
    forgetCachedShop(shop.domain);
    expect([await ask("test-api-secret"), await ask("the-store's-own")]).toEqual([401, 200]);
  });

  it("refuses what was changed, doubled, left out, too old or too new, or another shop's", async () => {
    const [shop, other] = [await mintShop(), await mintShop()];
    const good = await proxied({ shop: shop.domain, customer: "11" });
    const changed = (edit: (params: URLSearchParams) => void) => {
      const params = new URLSearchParams(good);
      edit(params);
      return askProxy(params);
    };
    const doubled = async (name: string, value: string) =>
      askProxy(await proxied({ shop: shop.domain, customer: "11", more: [[name, value]] }));
    const answers = {
      good: await askProxy(good),
      customer: await changed((p) => p.set("logged_in_customer_id", "12")),
      shop: await changed((p) => p.set("shop", other.domain)),
      unknown: await changed((p) => p.set("shop", "nobody.myshopify.com")),
      more: await changed((p) => p.append("x", "1")),
      less: await changed((p) => p.delete("path_prefix")),
      unsigned: await changed((p) => p.delete("signature")),
      upper: await changed((p) => p.set("signature", (p.get("signature") ?? "").toUpperCase())),
      short: await changed((p) => p.set("signature", "00")),
      twoSignatures: await changed((p) => p.append("signature", p.get("signature") ?? "")),
      twoShops: await doubled("shop", other.domain),
      twoTimes: await doubled("timestamp", String(Math.floor(Date.now() / 1000))),
      twoCustomers: await doubled("logged_in_customer_id", "12"),
      noTime: await changed((p) => p.delete("timestamp")),
      wordTime: await changed((p) => p.set("timestamp", "now")),
      old: await askProxy(await proxied({ shop: shop.domain, customer: "11", at: Date.now() - 92 * SECOND })),
      early: await askProxy(await proxied({ shop: shop.domain, customer: "11", at: Date.now() + 92 * SECOND })),
      late: await askProxy(await proxied({ shop: shop.domain, customer: "11", at: Date.now() - 88 * SECOND })),
    };
    const status = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, answer.status]));
    const refused = Object.keys(answers).filter((name) => !["good", "late"].includes(name));
    expect(status).toEqual({ good: 200, late: 200, ...Object.fromEntries(refused.map((name) => [name, 401])) });
    for (const name of refused) expect(await answers[name as "shop"].text()).not.toContain("token");
  });

  it("A18: refuses a shop that is uninstalled", async () => {
    const shop = await mintShop();
    await env.DB.prepare("update shops set status = 'uninstalled', uninstalled_at = 1 where key = ?")
      .bind(shop.key)
      .run();
    forgetCachedShop(shop.domain);
    const answer = await askProxy(await proxied({ shop: shop.domain, customer: "1" }));
    expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([403, "shop_uninstalled"]);
  });
});

describe("a customer who is signed in to the shop", () => {
  it("A4, A19: is linked with everything the browser did before, on verified evidence", async () => {
    const shop = await mintShop();
    const { id, contact } = await customer(shop);
    const visitor = newVisitor();
    await say(shop, visitor, view);
    travel(MINUTE);
    await say(shop, visitor, identified({ token: await tokenFor({ shop: shop.domain, customer: id }) }));
    expect(await contactOf(shop, visitor)).toBe(contact);
    const row = await env.DB.prepare("select evidence from visitors where shop = ? and tracker = ?")
      .bind(shop.key, visitor)
      .first();
    expect(row).toEqual({ evidence: "verified" });
    expect((await shop.full.get(`/v1/contacts/${contact}/links`)).body.items).toEqual([]);
    const timeline = (await shop.full.get(`/v1/contacts/${contact}/timeline`)).body.items;
    expect(timeline.filter((item: { type: string }) => item.type === "page_viewed")).toHaveLength(1);
    expect(JSON.stringify(timeline)).not.toContain(id);
  });

  it("waits ten minutes for the webhook about a customer who has just signed up, and keeps nobody else waiting", async () => {
    const shop = await mintShop();
    const [late, never] = [newVisitor(), newVisitor()];
    const id = customerId();
    await send(shop.domain, late, [view, identified({ token: await tokenFor({ shop: shop.domain, customer: id }) })]);
    expect(await objectOf(shop, late).flush()).toBe(false);
    await send(shop.domain, never, [
      identified({ token: await tokenFor({ shop: shop.domain, customer: customerId() }) }),
    ]);
    expect(await objectOf(shop, never).flush()).toBe(false);
    const email = address();
    await send(shop.domain, never, [identified({ email })]);
    await objectOf(shop, never).flush();
    const [claimed] = (await shop.full.get(`/v1/contacts?email=${email}`)).body.items;
    expect(await contactOf(shop, never)).toBe(claimed.id);
    travel(9 * MINUTE);
    const made = await shop.full.post("/v1/contacts", { email: address(), shopifyCustomerId: id });
    expect(await objectOf(shop, late).flush()).toBe(true);
    expect(await contactOf(shop, late)).toBe(made.body.id);
    travel(MINUTE);
    expect(await objectOf(shop, never).flush()).toBe(true);
  });

  it("a second customer on the same browser is another person from there on", async () => {
    const shop = await mintShop();
    const [ada, bob] = [await customer(shop), await customer(shop)];
    const visitor = newVisitor();
    await say(shop, visitor, view, identified({ token: await tokenFor({ shop: shop.domain, customer: ada.id }) }));
    travel(MINUTE);
    await say(shop, visitor, identified({ token: await tokenFor({ shop: shop.domain, customer: bob.id }) }), view);
    expect(await contactOf(shop, visitor)).toBe(bob.contact);
    expect((await shop.full.get(`/v1/visitors/${visitor}?person=1`)).body.contactId).toBe(ada.contact);
  });

  it("forged ids and tokens gain nothing: no link, no contact, no person, no answer", async () => {
    const [shop, other] = [await mintShop(), await mintShop()];
    const victim = await customer(shop);
    const mine = await customer(other);
    const good = await tokenFor({ shop: shop.domain, customer: victim.id });
    const [payload = "", signature = ""] = good.split(".");
    const encode = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("=", "");
    const expired = await tokenFor({ shop: shop.domain, customer: victim.id });
    travel(16 * MINUTE);
    const secret = await identitySecret(env.ENCRYPTION_KEY, shop.id);
    const linkToken = await makeLinkToken(await linkTokenSecret(env.ENCRYPTION_KEY), {
      shop: shop.id,
      contact: victim.id,
      expiresAt: Date.now() + MINUTE,
    });
    const forgeries: Record<string, unknown>[] = [
      { customerId: victim.id },
      { customerId: victim.id, signature: hex(await hmac("guess", victim.id)) },
      { customerId: victim.id, signature: hex(await hmac(secret, mine.id)) },
      {
        customerId: victim.id,
        signature: hex(await hmac(await identitySecret(env.ENCRYPTION_KEY, other.id), victim.id)),
      },
      // The signature of the app proxy's request is no signature of a customer.
      {
        customerId: victim.id,
        signature: await proxySignature("test-api-secret", [["logged_in_customer_id", victim.id]]),
      },
      { token: expired },
      { token: await tokenFor({ shop: other.domain, customer: victim.id }) },
      { token: `${encode([victim.id, Date.now() + MINUTE])}.${signature}` },
      { token: `${payload}.${signature.slice(0, -2)}AA` },
      { token: `${payload}.` },
      { token: linkToken },
    ];
    for (const data of forgeries) {
      const visitor = newVisitor();
      await say(shop, visitor, view, identified(data));
      expect([data, await contactOf(shop, visitor)]).toEqual([data, null]);
    }
    expect((await shop.full.get("/v1/contacts")).body.items).toHaveLength(1);
    const verified = await env.DB.prepare("select count(*) as n from visitors where shop = ? and evidence is not null")
      .bind(shop.key)
      .first();
    expect(verified).toEqual({ n: 0 });
  });

  it("one's own signature makes somebody else's e-mail address no more than a claim", async () => {
    const shop = await mintShop();
    const email = address();
    const victim = await shop.full.post("/v1/contacts", { email, firstName: "Ada" });
    const attacker = newVisitor();
    const own = await tokenFor({ shop: shop.domain, customer: customerId() });
    await say(shop, attacker, view, identified({ token: own, email }));
    const row = await env.DB.prepare("select evidence from visitors where shop = ? and tracker = ?")
      .bind(shop.key, attacker)
      .first();
    expect(row).toEqual({ evidence: "claimed" });
    expect((await shop.full.get(`/v1/contacts/${victim.body.id}/links`)).body.items).toHaveLength(1);
    expect((await shop.full.get(`/v1/contacts/${victim.body.id}`)).body.firstName).toBe("Ada");
  });
});
