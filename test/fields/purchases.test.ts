import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { recount } from "../../src/contacts";
import { mintShop } from "../helpers/api";
import { T0, useFakeClock } from "../helpers/clock";
import { Random } from "../helpers/random";
import { insert, seedContact, seedOrder } from "../helpers/seed";

useFakeClock();

interface Bought {
  origin: "shopify" | "api";
  at: number;
  total: number;
  test: boolean;
  cancelledAt: number | null;
  refunds: { at: number; amount: number }[];
}

interface Told {
  count: { value: number; at: number } | null;
  total: { value: number; at: number } | null;
}

/** The rule in words, without a database: what was told, changed by what happened since; never less than is at hand. */
function expected(told: Told, orders: Bought[]): { orders_count: number; orders_total: number } {
  const real = orders.filter((order) => !order.test);
  const standing = real.filter((order) => order.cancelledAt === null);
  const own = {
    orders_count: standing.length,
    orders_total: standing.reduce((sum, order) => sum + order.total, 0),
  };
  if (told.count === null) return own;
  const { count, total } = told;
  const isExtra = (order: Bought, at: number) => order.origin === "api" || order.at > at;
  const lost = real.filter(
    (order) => !isExtra(order, count.at) && order.cancelledAt !== null && order.cancelledAt > count.at,
  );
  const counted = count.value + standing.filter((order) => isExtra(order, count.at)).length - lost.length;
  if (counted < own.orders_count) return own;
  if (total === null) return { orders_count: counted, orders_total: own.orders_total };
  let value = total.value;
  for (const order of standing) if (isExtra(order, total.at)) value += order.total;
  for (const order of real) {
    if (isExtra(order, total.at)) continue;
    for (const refund of order.refunds) if (refund.at > total.at) value -= refund.amount;
  }
  return { orders_count: counted, orders_total: Math.max(0, value) };
}

test("C4, C7: count and value of 200 random histories are what the rule says, whatever was told and when", async () => {
  const shop = await mintShop();
  const random = new Random(7);
  const seen = { own: 0, told: 0, partly: 0, lost: 0, refunded: 0 };
  for (let round = 0; round < 200; round++) {
    const orders = Array.from({ length: random.int(0, 5) }, (): Bought => {
      const at = T0 + random.int(0, 100);
      return {
        origin: random.pick(["shopify", "shopify", "api"]),
        at,
        total: random.int(0, 5_000),
        test: random.chance(0.1),
        cancelledAt: random.chance(0.25) ? at + random.int(0, 60) : null,
        refunds: random.chance(0.3) ? [{ at: at + random.int(0, 60), amount: random.int(1, 2_000) }] : [],
      };
    });
    const at = T0 + random.int(0, 100);
    const told: Told = {
      count: random.chance(0.7) ? { value: random.int(0, 6), at } : null,
      total: random.chance(0.7) ? { value: random.int(0, 20_000), at: T0 + random.int(0, 100) } : null,
    };
    const registers = {
      ...(told.count ? { ordersCount: [told.count.value, told.count.at, told.count.at, 1] } : {}),
      ...(told.total ? { totalSpent: [told.total.value, told.total.at, told.total.at, 1] } : {}),
    };
    const contact = await seedContact(shop.key, { shopify_values: JSON.stringify(registers) });
    for (const [n, bought] of orders.entries()) {
      const external = `${round}-${n}`;
      await seedOrder(shop.key, {
        contact: contact.key,
        origin: bought.origin,
        external_id: external,
        total: bought.total,
        test: Number(bought.test),
        placed_at: bought.at,
        cancelled_at: bought.cancelledAt,
      });
      for (const [r, refund] of bought.refunds.entries()) {
        await insert("refunds", {
          shop: shop.key,
          external_id: `${external}-${r}`,
          order_external_id: external,
          amount: refund.amount,
          currency: "USD",
          at: refund.at,
        });
      }
    }
    await env.DB.batch(recount(env.DB, shop.key, contact.key, Date.now()));
    const stored = await env.DB.prepare("select orders_count, orders_total from contacts where key = ?")
      .bind(contact.key)
      .first();
    const rule = expected(told, orders);
    expect({ round, ...stored }).toEqual({ round, ...rule });
    if (told.count === null) seen.own++;
    else seen.told++;
    if (told.count !== null && told.total === null) seen.partly++;
    if (orders.some((order) => order.cancelledAt !== null && told.count && order.cancelledAt > told.count.at))
      seen.lost++;
    if (told.total && orders.some((order) => order.refunds.length > 0)) seen.refunded++;
  }
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(15);
}, 60_000);
