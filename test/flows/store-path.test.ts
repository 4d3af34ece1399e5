import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { HOUR, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { order } from "../shopify/bodies";

useFakeClock();

interface Item {
  type: string;
  at: string;
  data: Record<string, unknown>;
}

const EUR = (amount: number) => ({ amount, currency: "EUR" });
const iso = (at: number) => new Date(at).toISOString();
const page = (path: string) => ({ type: "page_viewed", url: `https://acme.example${path}` });
const cart = (token: string | null, amount = 4200) => ({
  type: "cart_updated",
  url: "https://acme.example/cart",
  data: { token, value: EUR(amount), lines: [{ title: "Mug", quantity: 1 }] },
});

async function say(shop: MintedShop, visitor: string, ...events: Parameters<typeof send>[2]): Promise<void> {
  expect((await send(shop.domain, visitor, events)).status).toBe(204);
}

const timelineOf = async (shop: MintedShop, visitor: string): Promise<Item[]> =>
  (await shop.full.get(`/v1/visitors/${visitor}/timeline`)).body.items;
const cartsOf = async (shop: MintedShop, visitor: string) =>
  (await shop.full.get(`/v1/carts?visitorId=${visitor}`)).body.items;

describe("the way through a store", () => {
  it("B2: one run of page, purchase and abandoned cart shows three distinct types of event, each with its time", async () => {
    const shop = await mintShop({}, { currency: "EUR" });
    const visitor = newVisitor();
    await say(shop, visitor, page("/pages/size-guide"));
    travel(MINUTE);
    await say(shop, visitor, cart("bought"));
    travel(MINUTE);
    await say(shop, visitor, {
      type: "checkout_completed",
      url: "https://acme.example/thanks",
      data: { orderId: "1" },
    });
    travel(MINUTE);
    await say(shop, visitor, cart("left", 999));
    travel(HOUR);
    await runDurableObjectAlarm(objectOf(shop, visitor));
    const keyPoints = (await timelineOf(shop, visitor)).filter(({ type }) =>
      ["page_viewed", "order_placed", "cart_abandoned"].includes(type),
    );
    expect(keyPoints.map(({ type, at }) => [type, at])).toEqual([
      ["cart_abandoned", iso(T0 + 3 * MINUTE + HOUR)],
      ["order_placed", iso(T0 + 2 * MINUTE)],
      ["page_viewed", iso(T0)],
    ]);
    expect(keyPoints.map(({ data }) => data["value"] ?? data["url"])).toEqual([
      EUR(999),
      EUR(4200),
      "https://acme.example/pages/size-guide",
    ]);
  });

  it("B15: cart, then thank-you page is one purchase, reloaded it is still one; alone it is none, but an order's webhook is", async () => {
    const shop = await mintShop({}, { currency: "EUR" });
    const [buyer, passer] = [newVisitor(), newVisitor()];
    const thanks = { type: "checkout_completed", url: "https://acme.example/thanks" };
    await say(shop, buyer, { type: "cart_viewed", url: "https://acme.example/cart" });
    for (let reload = 0; reload < 3; reload++) {
      travel(MINUTE);
      await say(shop, buyer, thanks);
    }
    await say(shop, passer, page("/"), thanks);
    const purchases = async (visitor: string) =>
      (await timelineOf(shop, visitor)).filter(({ type }) => type === "order_placed").map(({ at }) => at);
    expect(await purchases(buyer)).toEqual([iso(T0 + MINUTE)]);
    expect(await cartsOf(shop, buyer)).toMatchObject([{ state: "purchased", purchasedAt: iso(T0 + MINUTE) }]);
    expect(await purchases(passer)).toEqual([]);
    expect(await cartsOf(shop, passer)).toEqual([]);

    const body = order({
      cart_token: null,
      checkout_token: null,
      processed_at: iso(Date.now()),
      note_attributes: [{ name: "__ff_visitor", value: passer }],
    });
    expect(await deliverWebhook(shop.domain, "orders/create", body)).toBe("handled");
    const [contact] = (await shop.full.get("/v1/contacts")).body.items;
    const timeline = (await shop.full.get(`/v1/contacts/${contact.id}/timeline`)).body.items;
    expect(timeline.filter(({ type }: Item) => type === "order_placed")).toHaveLength(1);
    const orders = (await shop.full.get("/v1/orders")).body.items;
    expect(orders).toMatchObject([{ contactId: contact.id, state: "completed" }]);
  });

  it("B17: 59 minutes after the cart it is open, at 61 abandoned, at 90 bought is recovered; changed at 50 it waits on; bought at 45 never", async () => {
    const shop = await mintShop({}, { currency: "EUR" });
    const [left, changed, bought] = [newVisitor(), newVisitor(), newVisitor()];
    const all = [left, changed, bought];
    for (const visitor of all) await say(shop, visitor, cart(`cart-of-${visitor}`));
    const states = async () => {
      for (const visitor of all) await runDurableObjectAlarm(objectOf(shop, visitor));
      return Promise.all(all.map(async (visitor) => (await cartsOf(shop, visitor))[0].state));
    };
    travel(45 * MINUTE);
    await say(shop, bought, { type: "checkout_completed" });
    travel(5 * MINUTE);
    await say(shop, changed, cart(`cart-of-${changed}`, 5000));
    travel(9 * MINUTE);
    expect(await states()).toEqual(["open", "open", "purchased"]);
    travel(2 * MINUTE);
    expect(await states()).toEqual(["abandoned", "open", "purchased"]);
    travel(29 * MINUTE);
    await say(shop, left, { type: "checkout_completed" });
    expect(await states()).toEqual(["recovered", "open", "purchased"]);
    travel(21 * MINUTE);
    expect(await states()).toEqual(["recovered", "abandoned", "purchased"]);
    const types = async (visitor: string) =>
      (await timelineOf(shop, visitor)).map(({ type }) => type).filter((type) => /^(cart_(aban|rec)|order)/.test(type));
    expect(await Promise.all(all.map(types))).toEqual([
      expect.arrayContaining(["cart_abandoned", "cart_recovered", "order_placed"]),
      ["cart_abandoned"],
      ["order_placed"],
    ]);
    expect((await types(left)).length).toBe(3);
  });

  it("B9: a forwarded link ties no browser that has a person, and what is claimed by it changes nobody's fields", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/contacts", { email: "mail@b.example", firstName: "Ada" });
    const { token } = (await shop.full.post(`/v1/contacts/${made.body.id}/link-token`)).body;
    const [own, forwarded] = [newVisitor(), newVisitor()];
    await say(shop, forwarded, { type: "identified", data: { email: "friend@b.example" } });
    await objectOf(shop, forwarded).flush();
    const friend = (await shop.full.get("/v1/contacts?email=friend@b.example")).body.items[0].id;
    for (const visitor of [own, forwarded]) {
      await say(shop, visitor, page("/letter"), { type: "identified", data: { token, firstName: "Mallory" } });
      await objectOf(shop, visitor).flush();
    }
    const personOf = async (visitor: string) =>
      (await shop.full.get(`/v1/visitors/${visitor}?person=1`)).body.contactId;
    expect([await personOf(own), await personOf(forwarded)]).toEqual([made.body.id, friend]);
    expect((await shop.full.get(`/v1/contacts/${made.body.id}`)).body.firstName).toBe("Ada");
  });
});
