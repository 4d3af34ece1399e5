import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { getShopOrThrow } from "../../../src/shops";
import { newEventId, newVisitor, send } from "../../helpers/beacon";
import { MINUTE, travel, useFakeClock } from "../../helpers/clock";
import { order } from "../bodies";
import { connectedPair, deliverTo, installedPair, newPair, type Pair, path } from "./stores";

useFakeClock();

const connectionOf = ({ shop }: Pair) => env.CONNECTION.getByName(String(shop.key));

const uninstalled = (pair: Pair, at: number) =>
  deliverTo(pair, "app/uninstalled", { id: 1, myshopify_domain: null }, at);

const shown = async ({ shop }: Pair) => (await shop.full.get(path(shop))).body;

async function beacon({ shop }: Pair): Promise<number> {
  const events = [{ id: newEventId(), type: "page_viewed", url: "https://shop.example/" }];
  return (await send(shop.domain, newVisitor(), events)).status;
}

describe("A18: app/uninstalled", () => {
  it.each([
    ["client credentials", connectedPair],
    ["an expiring token", installedPair],
  ])(
    "with %s: confirmed by Shopify, the token goes and beacons get 403 until the store is connected again",
    async (_, make) => {
      const pair = await make();
      expect(await beacon(pair)).toBe(204);
      await pair.store.uninstall();
      travel(MINUTE);
      expect(await uninstalled(pair, Date.now())).toBe("handled");
      expect((await pair.shop.full.get(`/v1/shops/${pair.shop.id}`)).body).toMatchObject({
        status: "uninstalled",
        uninstalledAt: new Date().toISOString(),
      });
      expect(await shown(pair)).toMatchObject({ connected: false, subscriptions: [] });
      expect(await connectionOf(pair).accessToken()).toEqual({ problem: "not_connected" });
      expect(await beacon(pair)).toBe(403);

      await pair.store.install();
      travel(MINUTE);
      const accessToken = await pair.store.permanentToken();
      const { clientId, clientSecret } = pair.store;
      await pair.shop.full.put(path(pair.shop), { method: "token", accessToken, clientId, clientSecret });
      expect(await shown(pair)).toMatchObject({ connected: true, problem: null });
      expect(await beacon(pair)).toBe(204);
      expect(await deliverTo(pair, "orders/create", order(), Date.now())).toBe("handled");
    },
  );

  it("that comes late, after the store was connected again, changes nothing", async () => {
    const pair = await connectedPair();
    const left = Date.now() + 1;
    travel(MINUTE);
    const { clientId, clientSecret } = pair.store;
    await pair.shop.full.put(path(pair.shop), { method: "client_credentials", clientId, clientSecret });
    travel(MINUTE);
    await pair.store.clearLog();
    expect(await uninstalled(pair, left)).toBe("stale");
    expect(await pair.store.log()).toEqual([]);
    expect(await shown(pair)).toMatchObject({ connected: true, problem: null });
  });

  it("that Shopify does not confirm changes nothing, and one that it cannot confirm is asked for again", async () => {
    const pair = await connectedPair();
    travel(MINUTE);
    expect(await uninstalled(pair, Date.now())).toBe("stale");
    await pair.store.fail({ on: "graphql", status: 503, times: 2 });
    expect(await uninstalled(pair, Date.now() + 1)).toBe("retry");
    await pair.store.fail({ on: "graphql", status: 402 });
    expect(await uninstalled(pair, Date.now() + 2)).toBe("retry");
    expect((await getShopOrThrow(env.DB, pair.shop.key)).status).toBe("active");
    expect(await shown(pair)).toMatchObject({ connected: true });
  });

  it("leaves the secret of the store's own app: what Shopify still has to say is signed with it", async () => {
    const pair = await connectedPair();
    await pair.store.uninstall();
    travel(MINUTE);
    await uninstalled(pair, Date.now());
    expect((await getShopOrThrow(env.DB, pair.shop.key)).appSecret).not.toBeNull();
    expect(await deliverTo(pair, "themes/publish", { id: 1 }, Date.now())).toBe("unhandled");
  });
});

describe("a connect that is cut off", () => {
  it("while the store does not answer goes on by itself, without a request", async () => {
    const { shop, store } = await newPair();
    const { clientId, clientSecret } = store;
    await store.fail({ on: "ReadStore", status: 503, times: 2 });
    const answer = await shop.full.put(path(shop), { method: "client_credentials", clientId, clientSecret });
    expect(answer.body).toMatchObject({ connected: true, problem: "unreachable", checkedAt: null, subscriptions: [] });
    const pair = { shop, store };
    expect(await runDurableObjectAlarm(connectionOf(pair))).toBe(true);
    const after = await shown(pair);
    expect(after).toMatchObject({ connected: true, problem: null });
    expect(after.subscriptions.length).toBeGreaterThan(20);
    expect(await runDurableObjectAlarm(connectionOf(pair))).toBe(false);
  });

  it("that was through leaves no alarm behind", async () => {
    expect(await runDurableObjectAlarm(connectionOf(await connectedPair()))).toBe(false);
    expect(await runDurableObjectAlarm(connectionOf(await installedPair()))).toBe(false);
  });
});

describe("C3, C16: what a connection brings", () => {
  it("the fields and the stage Customer are there after it, and once however often it is made", async () => {
    const pair = await newPair();
    const count = async () => {
      const row = await env.DB.prepare(
        `select (select count(*) from fields where shop = ?1 and system = 1) as fields,
           (select count(*) from lifecycle_stages where shop = ?1) as stages,
           (select count(*) from jobs where shop = ?1 and kind = 'backfill') as imports`,
      )
        .bind(pair.shop.key)
        .first<{ fields: number; stages: number; imports: number }>();
      return row;
    };
    expect(await count()).toMatchObject({ fields: 0, imports: 0 });
    const { clientId, clientSecret } = pair.store;
    const credentials = { method: "client_credentials", clientId, clientSecret };
    await pair.shop.full.put(path(pair.shop), credentials);
    const first = await count();
    expect(first).toMatchObject({ fields: 4, imports: 1 });
    await pair.shop.full.put(path(pair.shop), credentials);
    expect(await count()).toMatchObject({ fields: first?.fields, stages: first?.stages });
    expect(await pair.store.written()).toEqual([]);
  });
});
