import { describe, expect, it } from "vitest";

import type { MintedShop } from "../helpers/api";
import { T0, useFakeClock } from "../helpers/clock";
import { connectedPair, path } from "../shopify/connect/stores";
import { askProxy, proxied } from "./sign";

useFakeClock();

interface Shown {
  part: string;
}

async function part(shop: MintedShop, name: string): Promise<Shown | undefined> {
  const { body } = await shop.full.get(`/v1/shops/${shop.id}/installation`);
  return body.parts.find((one: Shown) => one.part === name);
}

describe("a connected store", () => {
  it("has a live connection, and links to the embed of its own app", async () => {
    const { shop, store } = await connectedPair();
    expect(await part(shop, "connection")).toMatchObject({
      state: "live",
      lastSeenAt: new Date(T0).toISOString(),
      problem: null,
    });
    expect(await part(shop, "webhooks")).toMatchObject({ state: "missing", problem: null, details: [] });
    expect(await part(shop, "embed")).toMatchObject({
      link: `https://${shop.domain}/admin/themes/current/editor?context=apps&activateAppId=${store.clientId}/tracker`,
    });
  });

  it("says which scopes it is missing", async () => {
    const { shop, store } = await connectedPair();
    await store.setScopes(["read_customers", "read_products", "read_locations"]);
    await shop.full.post(`${path(shop)}/check`, {});
    expect(await part(shop, "connection")).toMatchObject({
      state: "silent",
      problem: "scopes_missing",
      details: ["read_orders"],
    });
  });

  it("takes its own app's proxy, and neither the installation's nor another store's", async () => {
    const [{ shop, store }, other] = [await connectedPair(), await connectedPair()];
    const ask = async (secret: string) =>
      (await askProxy(await proxied({ shop: shop.domain, customer: "7001", secret }))).status;
    expect([await ask(store.clientSecret), await ask("test-api-secret"), await ask(other.store.clientSecret)]).toEqual([
      200, 401, 401,
    ]);
  });
});
