import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { findShop, forgetCachedShop } from "../../src/shops";
import { readFacts } from "../../src/storefront/installation";
import { mintShop, type MintedShop, operator } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { proxied, askProxy, tokenFor } from "./sign";

useFakeClock();

const view = { type: "page_viewed", url: "https://shop.example/" };

interface Shown {
  part: string;
  state: string;
  lastSeenAt: string | null;
  problem: string | null;
  link: string | null;
}

async function parts(shop: MintedShop): Promise<Record<string, Shown>> {
  const answer = await shop.full.get(`/v1/shops/${shop.id}/installation`);
  expect(answer.status).toBe(200);
  return Object.fromEntries(answer.body.parts.map((one: Shown) => [one.part, one]));
}

const script = (shop: MintedShop, more = "") =>
  exports.default.fetch(`https://footfall.test/ff.js?shop=${shop.domain}${more}`);

const seenRows = async (shop: MintedShop) =>
  (await env.DB.prepare("select part, at from storefront_seen where shop = ? order by part").bind(shop.key).all())
    .results;

async function delivered(shop: MintedShop, at: number): Promise<void> {
  await env.DB.prepare(
    `insert into webhook_inbox (id, shop, topic, webhook_id, triggered_at, received_at, body_hash, state, next_attempt_at)
     values (?1, ?2, 'orders/create', ?1, ?3, ?3, ?1, 'handled', ?3)`,
  )
    .bind(crypto.randomUUID(), shop.key, at)
    .run();
}

describe("GET /v1/shops/{id}/installation", () => {
  it("tells for each part when it was last heard of", async () => {
    const shop = await mintShop();
    expect(Object.values(await parts(shop)).map(({ state }) => state)).toEqual(
      Array.from({ length: 7 }, () => "missing"),
    );

    expect((await script(shop, "&via=embed")).status).toBe(200);
    await send(shop.domain, newVisitor(), [view]);
    travel(MINUTE);
    await send(shop.domain, newVisitor(), [{ type: "checkout_started" }], { body: { pixel: shop.pixelKey } });
    travel(MINUTE);
    await delivered(shop, Date.now());
    await askProxy(await proxied({ shop: shop.domain }));
    const asked = await parts(shop);
    expect(asked["customer"]).toMatchObject({ state: "unknown", problem: "nobody_signed_in" });
    const token = await tokenFor({ shop: shop.domain, customer: "7001" });
    const customer = newVisitor();
    await send(shop.domain, customer, [view, { type: "identified", data: { token } }]);
    await objectOf(shop, customer).flush();

    const now = await parts(shop);
    const at = (minutes: number) => new Date(T0 + minutes * MINUTE).toISOString();
    expect(now["tracker"]).toMatchObject({ state: "live", lastSeenAt: at(0), problem: null });
    expect(now["embed"]).toMatchObject({ state: "live", lastSeenAt: at(0), problem: null });
    expect(now["pixel"]).toMatchObject({ state: "live", lastSeenAt: at(1) });
    expect(now["webhooks"]).toMatchObject({ state: "live", lastSeenAt: at(2) });
    expect(now["customer"]).toMatchObject({ state: "live", lastSeenAt: at(2) });
    expect(now["embed"]?.link).toBe(
      `https://${shop.domain}/admin/themes/current/editor?context=apps&activateAppId=test-api-key/tracker`,
    );

    travel(8 * DAY);
    const later = await parts(shop);
    for (const part of ["tracker", "embed", "pixel", "webhooks", "customer"]) {
      expect([part, later[part]?.state]).toEqual([part, "silent"]);
    }
  });

  it("an e-mail address, a wrong signature and a refused beacon are no signed customer and no tracker", async () => {
    const shop = await mintShop({}, { origins: ["https://shop.example"] });
    const identified = { type: "identified", data: { email: `${crypto.randomUUID()}@x.test`, customerId: "7001" } };
    const foreign = { headers: { origin: "https://evil.example" } };
    expect((await send(shop.domain, newVisitor(), [view], foreign)).status).toBe(403);
    expect(await seenRows(shop)).toEqual([]);
    await shop.full.get(`/v1/shops/${shop.id}/drops`);
    expect((await parts(shop))["tracker"]).toMatchObject({ state: "missing", problem: "beacons_refused" });
    await send(shop.domain, newVisitor(), [identified], { headers: { origin: "https://shop.example" } });
    await expect.poll(async () => (await seenRows(shop)).map((row) => row["part"])).toEqual(["tracker"]);
  });

  it("a pasted script is told from the embed", async () => {
    const shop = await mintShop();
    await script(shop);
    const embed = async () => (await parts(shop))["embed"];
    await expect.poll(embed).toMatchObject({ state: "missing", problem: "pasted_script" });
    await script(shop, "&via=embed");
    await expect.poll(embed).toMatchObject({ state: "live", problem: "loaded_twice" });
  });

  it("writes a row in ten minutes, not one a beacon, whichever isolate it is", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await send(shop.domain, visitor, [view]);
    for (let minute = 1; minute < 10; minute++) {
      travel(MINUTE);
      await send(shop.domain, visitor, [view]);
    }
    // The write ends behind the response.
    await expect.poll(() => seenRows(shop)).toEqual([{ part: "tracker", at: T0 }]);
    // What another isolate has just written stands.
    await env.DB.prepare("update storefront_seen set at = ? where shop = ?")
      .bind(T0 + 9 * MINUTE, shop.key)
      .run();
    travel(MINUTE);
    await send(shop.domain, visitor, [view]);
    expect(await seenRows(shop)).toEqual([{ part: "tracker", at: T0 + 9 * MINUTE }]);
    travel(10 * MINUTE);
    await send(shop.domain, visitor, [view]);
    await expect.poll(() => seenRows(shop)).toEqual([{ part: "tracker", at: T0 + 20 * MINUTE }]);
  });

  it("reads a few rows, however much has come in", async () => {
    const shop = await mintShop();
    for (let i = 0; i < 60; i++) await delivered(shop, Date.now() - 60 + i);
    const found = await findShop(env.DB, shop.id);
    if (!found) throw new Error("no shop");
    let read = 0;
    const counting = new Proxy(env.DB, {
      get: (db, name) =>
        name === "batch"
          ? async (statements: D1PreparedStatement[]) => {
              const results = await db.batch(statements);
              read += results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
              return results;
            }
          : Reflect.get(db, name).bind(db),
    });
    const facts = await readFacts({ env, db: counting, shop: found, now: Date.now() });
    expect(facts.lastWebhookAt).toBe(Date.now() - 1);
    expect(read).toBeLessThan(10);
  });

  it("A18: explains after an uninstall why nothing comes in any more", async () => {
    const shop = await mintShop();
    await send(shop.domain, newVisitor(), [view]);
    await env.DB.prepare("update shops set status = 'uninstalled', uninstalled_at = ? where key = ?")
      .bind(Date.now(), shop.key)
      .run();
    forgetCachedShop(shop.domain);
    const refused = await send(shop.domain, newVisitor(), [view]);
    expect([refused.status, (await refused.json<{ code: string }>()).code]).toEqual([403, "shop_uninstalled"]);
    const answer = await shop.full.get(`/v1/shops/${shop.id}/installation`);
    expect(answer.body).toMatchObject({ status: "uninstalled" });
    for (const part of answer.body.parts) expect(part).toMatchObject({ problem: "uninstalled" });
    expect((await shop.full.get("/v1/visitors")).status).toBe(200);
  });

  it("is for those who may read this shop", async () => {
    const [shop, other] = [await mintShop(), await mintShop()];
    for (const path of [`/v1/shops/${shop.id}/installation`, `/v1/shops/${shop.id}/privacy-text`]) {
      expect((await exports.default.fetch(`https://footfall.test${path}`)).status).toBe(401);
      expect((await shop.writeOnly.get(path)).status).toBe(403);
      expect((await shop.readOnly.get(path)).status).toBe(200);
      expect((await other.full.get(path)).status).toBe(404);
      expect((await operator.get(path)).status).toBe(200);
      expect((await operator.get(path.replace(shop.id, "shp_nowhere"))).status).toBe(404);
    }
  });
});
