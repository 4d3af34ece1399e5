import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { HOUR, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";

/** Nobody runs an alarm here: the Worker was down whenever one was due, and what comes first is the next message. */
useFakeClock();

const money = { amount: 4200, currency: "EUR" };
const iso = (at: number) => new Date(at).toISOString();

function checkout(token: string, at: number, more: Record<string, unknown> = {}) {
  return {
    token: `co-${token}`,
    cart_token: token,
    created_at: iso(T0),
    updated_at: iso(at),
    currency: "EUR",
    total_price: "42.00",
    line_items: [{ product_id: 7, title: "Mug", quantity: 2, price: "21.00" }],
    ...more,
  };
}

function order(token: string, at: number) {
  return {
    id: 900_000 + (at % 100_000),
    name: "#1",
    cart_token: token,
    checkout_token: `co-${token}`,
    created_at: iso(at),
    updated_at: iso(at),
    currency: "EUR",
    total_price: "42.00",
    financial_status: "paid",
    email: `${token}@example.com`,
  };
}

async function all<T>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

async function cartOf(token: string) {
  const [cart] = await all<Record<string, unknown>>("select * from carts where token = ?", token);
  const effects = await all<{ type: string }>(
    "select type from outbox where natural_key = ? order by key",
    `cart:${token}`,
  );
  return { ...cart, effects: effects.map(({ type }) => type) };
}

const RECOVERED = { state: "recovered", abandoned_at: T0 + HOUR, recovered_at: T0 + 90 * MINUTE };

describe("a threshold that passed while the Worker was down", () => {
  it("B17: a purchase in the browser at 90 minutes recovers a cart that nobody had time to abandon", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const token = crypto.randomUUID();
    await send(shop.domain, visitor, [{ type: "cart_updated", data: { token, value: money } }]);
    await objectOf(shop, visitor).flush();
    travel(90 * MINUTE);
    await send(shop.domain, visitor, [{ type: "checkout_completed" }]);
    await objectOf(shop, visitor).flush();
    const cart = await cartOf(token);
    expect(cart).toMatchObject(RECOVERED);
    expect(cart.effects.toSorted()).toEqual(["cart_abandoned", "cart_recovered", "order_placed"]);
  });

  it("B17: the same with the cart and the purchase in one flush", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const token = crypto.randomUUID();
    const events = [
      { type: "cart_updated", at: T0, data: { token, value: money } },
      { type: "checkout_completed", at: T0 + 90 * MINUTE },
    ];
    vi.setSystemTime(T0 + 91 * MINUTE);
    await send(shop.domain, visitor, events);
    await objectOf(shop, visitor).flush();
    expect(await cartOf(token)).toMatchObject(RECOVERED);
  });

  it("B17: an order's webhook recovers a checkout known only from webhooks", async () => {
    const shop = await mintShop();
    const token = crypto.randomUUID();
    await deliverWebhook(shop.domain, "checkouts/create", checkout(token, T0));
    await deliverWebhook(shop.domain, "orders/create", order(token, T0 + 90 * MINUTE));
    const cart = await cartOf(token);
    expect(cart).toMatchObject(RECOVERED);
    expect(cart.effects.toSorted()).toEqual(["cart_abandoned", "cart_recovered", "order_placed"]);
  });

  it("B17: so it does when the checkout's own last body, or the order, comes first", async () => {
    const shop = await mintShop();
    const [updated, reversed] = [crypto.randomUUID(), crypto.randomUUID()];
    const at = T0 + 90 * MINUTE;
    await deliverWebhook(shop.domain, "checkouts/create", checkout(updated, T0));
    await deliverWebhook(shop.domain, "checkouts/update", checkout(updated, at, { completed_at: iso(at) }));
    await deliverWebhook(shop.domain, "orders/create", order(updated, at));
    expect(await cartOf(updated)).toMatchObject(RECOVERED);
    await deliverWebhook(shop.domain, "orders/create", { ...order(reversed, at), id: 7 });
    await deliverWebhook(shop.domain, "checkouts/create", checkout(reversed, T0));
    expect(await cartOf(reversed)).toMatchObject(RECOVERED);
  });

  it("B17: a purchase within the threshold, heard of late, leaves no abandonment behind", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const [browser, webhook] = [crypto.randomUUID(), crypto.randomUUID()];
    vi.setSystemTime(T0 + 3 * HOUR);
    await send(shop.domain, visitor, [{ type: "cart_updated", at: T0, data: { token: browser, value: money } }]);
    await objectOf(shop, visitor).flush();
    await send(shop.domain, visitor, [{ type: "checkout_completed", at: T0 + 59 * MINUTE }]);
    await objectOf(shop, visitor).flush();
    await deliverWebhook(shop.domain, "checkouts/create", checkout(webhook, T0));
    await deliverWebhook(shop.domain, "orders/create", order(webhook, T0 + 59 * MINUTE));
    for (const token of [browser, webhook]) {
      const cart = await cartOf(token);
      expect(cart).toMatchObject({ state: "purchased", abandoned_at: null });
      expect(cart.effects).toEqual(["order_placed"]);
    }
  });

  it("B17: the same person's purchase elsewhere recovers a cart whose time was up before, and settles a later one", async () => {
    const shop = await mintShop();
    const [overdue, recent] = [crypto.randomUUID(), crypto.randomUUID()];
    const email = "one@example.com";
    await deliverWebhook(shop.domain, "checkouts/create", checkout(overdue, T0, { email }));
    await deliverWebhook(shop.domain, "checkouts/create", checkout(recent, T0 + 80 * MINUTE, { email }));
    const elsewhere = { ...order(crypto.randomUUID(), T0 + 90 * MINUTE), email };
    await deliverWebhook(shop.domain, "orders/create", elsewhere);
    expect(await cartOf(overdue)).toMatchObject(RECOVERED);
    expect(await cartOf(recent)).toMatchObject({ state: "open", settled_at: T0 + 90 * MINUTE });
  });
});
