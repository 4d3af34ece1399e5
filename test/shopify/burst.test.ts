import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { consume } from "../../src/jobs/consume";
import { dueInboxRows } from "../../src/shopify";
import type { Shop } from "../../src/shops";
import { type BurstDelivery, burst, VISIBLE_STATE } from "../helpers/burst";
import { Random } from "../helpers/random";
import { all, deliver, newShop, NOW, quiet, receive } from "./deliver";

const SIZE = 300;

async function stateOf(shop: Shop) {
  const parts: Record<string, unknown[]> = {};
  for (const [name, query] of Object.entries(VISIBLE_STATE)) parts[name] = await all(query, shop.key);
  return parts;
}

/** As the queue hands them out: batches of what waits, several at once. */
async function drain(shop: Shop, random: Random): Promise<void> {
  for (;;) {
    const due = await dueInboxRows(env.DB, shop.key, NOW + 3_600_000, 200);
    if (due.length === 0) return;
    const batches: number[][] = [];
    while (due.length > 0) batches.push(due.splice(0, random.int(1, 50)));
    await Promise.all(batches.map((keys) => consume(batchOf(shop, keys), quiet, () => NOW + 3_600_000)));
  }
}

function batchOf(shop: Shop, keys: number[]): MessageBatch {
  const timestamp = new Date(NOW);
  const message = { id: "m", timestamp, attempts: 1, ack: () => undefined, retry: () => undefined };
  return {
    queue: "footfall-webhooks",
    messages: keys.map((key) => ({ ...message, body: { shop: shop.key, inbox: [key] } })),
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
    ackAll: () => undefined,
    retryAll: () => undefined,
  };
}

const inOrder = async (shop: Shop, deliveries: BurstDelivery[]) => {
  for (const { topic, body, triggeredAt } of deliveries) await deliver(shop, topic, body, triggeredAt);
};

it.each([1, 2])(
  "a burst in reverse, with storms and duplicates, ends where the newest of each in order does: %i",
  { timeout: 120_000 },
  async (seed) => {
    const random = new Random(seed);
    const { arriving, newest, distinct } = burst(SIZE, random, NOW);
    expect(arriving).toHaveLength(SIZE);
    expect(distinct).toBeLessThan(SIZE * 0.9);
    expect(newest.length).toBeLessThan(distinct * 0.8);
    const [stormy, calm] = [await newShop(), await newShop()];
    for (let from = 0; from < SIZE; from += 20) {
      const answers = await Promise.all(arriving.slice(from, from + 20).map((delivery) => receive(stormy, delivery)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      if (random.chance(0.3)) await drain(stormy, random);
    }
    expect(await all("select count(*) as n from webhook_inbox where shop = ?", stormy.key)).toEqual([{ n: distinct }]);
    await drain(stormy, random);
    await inOrder(calm, newest);
    const state = await stateOf(stormy);
    expect(state["unfinished"]).toEqual([]);
    expect(state["orders"]?.length).toBeGreaterThan(10);
    expect(state).toEqual(await stateOf(calm));
  },
);
