import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { parseEvent } from "../../../src/collect/parse";
import type { BrowserEvent } from "../../../src/collect/schemas";
import { linkTokenSecret, makeLinkToken } from "../../../src/identity/link-token";
import { identitySecret } from "../../../src/identity/secrets";
import { hex, hmac, seal } from "../../../src/lib/crypto";
import { resealSecrets } from "../../../src/jobs/reseal";
import { adminQuery } from "../../../src/shopify/admin";
import { ReadStore } from "../../../src/shopify/connect/store.queries";
import { forgetCachedShop, getShopOrThrow, type Shop } from "../../../src/shops";
import { DAY, travel, useFakeClock } from "../../helpers/clock";
import { receive } from "../deliver";
import { order } from "../bodies";
import { connectedPair, INSTALLATION_APP, installedPair, newPair, type Pair, path } from "./stores";

useFakeClock();

const shopOf = ({ shop }: Pair): Promise<Shop> => getShopOrThrow(env.DB, shop.key);

async function statusOf(pair: Pair, secret: string): Promise<number> {
  const delivery = { topic: "orders/create", body: order(), secret, webhookId: crypto.randomUUID() };
  return (await receive(await shopOf(pair), { ...delivery, triggeredAt: Date.now() }, Date.now())).status;
}

describe("E7: several stores in one installation", () => {
  it("each is asked with its own token: with an own app, with the installation's, with a pasted one", async () => {
    const own = await connectedPair({ name: "Own", currency: "EUR" });
    const common = await installedPair({ name: "Common", currency: "USD" });
    const pasted = await newPair({ name: "Pasted", currency: "JPY", ianaTimezone: "Asia/Tokyo" });
    const accessToken = await pasted.store.permanentToken();
    await pasted.shop.full.put(path(pasted.shop), { method: "token", accessToken });
    for (const [pair, name, currency, method] of [
      [own, "Own", "EUR", "client_credentials"],
      [common, "Common", "USD", "oauth"],
      [pasted, "Pasted", "JPY", "token"],
    ] as const) {
      const facts = await adminQuery(env, await shopOf(pair), ReadStore);
      expect(facts.shop).toMatchObject({ name, currencyCode: currency, myshopifyDomain: pair.shop.domain });
      expect((await pair.shop.full.get(path(pair.shop))).body).toMatchObject({ connected: true, method });
      expect(await shopOf(pair)).toMatchObject({ name, currency });
    }
    expect((await shopOf(pasted)).timezone).toBe("Asia/Tokyo");
  });

  it("a delivery counts only with a secret of the store that it names", async () => {
    const [a, b, common] = [await connectedPair(), await connectedPair(), await installedPair()];
    expect(await statusOf(a, a.store.clientSecret)).toBe(200);
    expect(await statusOf(b, b.store.clientSecret)).toBe(200);
    expect(await statusOf(common, INSTALLATION_APP.clientSecret)).toBe(200);
    expect(await statusOf(common, "test-api-secret-before")).toBe(200);
    for (const [named, secret] of [
      [b, a.store.clientSecret],
      [a, b.store.clientSecret],
      [a, INSTALLATION_APP.clientSecret],
      [a, "test-api-secret-before"],
      [common, a.store.clientSecret],
    ] as const) {
      expect(await statusOf(named, secret)).toBe(401);
    }
    const { results } = await env.DB.prepare(
      "select shop, count(*) as n from webhook_inbox where shop in (?, ?, ?) group by shop order by shop",
    )
      .bind(a.shop.key, b.shop.key, common.shop.key)
      .all();
    expect(results).toHaveLength(3);
  });

  it("while a store's own secret is replaced the one before counts for a day", async () => {
    const pair = await connectedPair();
    const { clientId, clientSecret: before } = pair.store;
    const accessToken = await pair.store.permanentToken();
    const after = "shpss_another_secret";
    await pair.shop.full.put(path(pair.shop), { method: "token", accessToken, clientId, clientSecret: after });
    expect(await statusOf(pair, after)).toBe(200);
    expect(await statusOf(pair, before)).toBe(200);
    travel(DAY);
    expect(await statusOf(pair, after)).toBe(200);
    expect(await statusOf(pair, before)).toBe(401);
  });

  it("back with the installation's app, the store's own secret counts no more", async () => {
    const pair = await connectedPair();
    await pair.shop.full.put(path(pair.shop), { method: "token", accessToken: await pair.store.permanentToken() });
    expect(await statusOf(pair, INSTALLATION_APP.clientSecret)).toBe(200);
    expect(await statusOf(pair, pair.store.clientSecret)).toBe(401);
  });
});

describe("replacing the encryption key", () => {
  const keyOf = (byte: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(byte)));

  it("values sealed with the key before are sealed anew by the sweep, whoever uses them or not", async () => {
    const pair = await connectedPair();
    const old = keyOf(3);
    const secret = { clientId: "app", current: "its-secret", previous: null, previousUntil: 0 };
    await env.DB.prepare("update shops set app_secret = ? where key = ?")
      .bind(await seal([old], JSON.stringify(secret)), pair.shop.key)
      .run();
    await env.DB.prepare("update shopify_connections set sealed_with = 'former' where shop = ?")
      .bind(pair.shop.key)
      .run();
    const rotating: Env & { ENCRYPTION_KEY_PREVIOUS: string } = { ...env, ENCRYPTION_KEY_PREVIOUS: old };
    expect(await statusOf(pair, "its-secret").catch(() => "unreadable")).toBe("unreadable");
    await resealSecrets(rotating);
    forgetCachedShop(pair.shop.domain);
    expect(await statusOf(pair, "its-secret")).toBe(200);
    const row = await env.DB.prepare(
      "select app_secret, sealed_with from shops join shopify_connections on shop = key where key = ?",
    )
      .bind(pair.shop.key)
      .first<{ app_secret: string; sealed_with: string }>();
    expect(row?.app_secret.startsWith(`${row.sealed_with}.`)).toBe(true);
    await resealSecrets(rotating);
    const again = await env.DB.prepare("select app_secret from shops where key = ?").bind(pair.shop.key).first();
    expect(again).toEqual({ app_secret: row?.app_secret });
  });

  it("what was signed with the key before counts as long as it is known", async () => {
    const shop = await shopOf(await newPair());
    const [before, after] = [keyOf(6), keyOf(7)];
    const now = Date.now();
    const signature = hex(await hmac(await identitySecret(before, shop.id), "77"));
    const expiresAt = now + DAY;
    const token = await makeLinkToken(await linkTokenSecret(before), { shop: shop.id, contact: "con_1", expiresAt });
    const event = (data: Record<string, unknown>): BrowserEvent => ({ id: "e1", type: "identified", at: now, data });
    const evidence = async (data: Record<string, unknown>, sealingKeys: [string, ...string[]]) => {
      const parsed = await parseEvent(event(data), { shop, sealingKeys, now, clockOffset: 0, country: null });
      return parsed.kind === "event" ? parsed.event.identification?.evidence : parsed.kind;
    };
    for (const data of [{ customerId: "77", signature }, { token }]) {
      expect(await evidence(data, [before])).toBe("verified");
      expect(await evidence(data, [after, before])).toBe("verified");
      expect(await evidence(data, [after])).toBeUndefined();
    }
  });

  it("what no key opens is left as it is, and stops nothing", async () => {
    const [lost, kept] = [await connectedPair(), await connectedPair()];
    const foreign = await seal([keyOf(4)], "gone");
    await env.DB.prepare("update shops set app_secret = ? where key = ?").bind(foreign, lost.shop.key).run();
    const old = keyOf(5);
    await env.DB.prepare("update shops set app_secret = ? where key = ?")
      .bind(await seal([old], "kept"), kept.shop.key)
      .run();
    const rotating: Env & { ENCRYPTION_KEY_PREVIOUS: string } = { ...env, ENCRYPTION_KEY_PREVIOUS: old };
    await resealSecrets(rotating);
    const rows = await env.DB.prepare("select app_secret from shops where key in (?, ?) order by key")
      .bind(lost.shop.key, kept.shop.key)
      .all<{ app_secret: string }>();
    expect(rows.results[0]?.app_secret).toBe(foreign);
    expect(rows.results[1]?.app_secret.slice(0, 8)).not.toBe(foreign.slice(0, 8));
  });
});
