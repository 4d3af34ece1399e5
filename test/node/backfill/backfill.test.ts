import { expect, it } from "vitest";

import { importStores } from "./import.ts";

it("C1: three stores are imported exactly, in three currencies, though it is killed while connecting and twice more, downloads break off and nobody asks after it", async () => {
  const result = await importStores({
    customers: 2_000,
    orders: 6_000,
    seed: 7,
    killConnect: true,
    dropAfterBytes: 300_000,
    killAt: [0.1, 0.5],
    within: 240_000,
  });
  const { problems, kills, rows, seconds, memory } = result;
  console.log(
    `${rows.contacts} contacts, ${rows.orders} orders and ${rows.lines} lines in ${seconds.toFixed(1)} s, ` +
      `at most ${(Math.max(...memory.flat()) / 1e6).toFixed(0)} MB, killed at ${JSON.stringify(kills)}`,
  );
  expect(problems).toEqual([]);
  expect(result.jobsAtConnect).toBe(2);
  for (const { orders } of kills) expect(orders).toBeLessThan(rows.orders);
}, 300_000);
