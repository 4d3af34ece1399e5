import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { mintShop } from "../helpers/api";
import { SECOND, T0, travel, useFakeClock } from "../helpers/clock";

useFakeClock();

const clockOf = (shop: { key: number }) => env.CLOCK.getByName(String(shop.key));
const alarmOf = (shop: { key: number }) => runInDurableObject(clockOf(shop), (_, state) => state.storage.getAlarm());

it("a sweep that finds nothing leaves the alarm that a caller was promised while it ran", async () => {
  const shop = await mintShop();
  await runInDurableObject(clockOf(shop), async (clock) => {
    const sweep = clock.alarm();
    // Let the sweep get as far as its first question to the database.
    await Promise.resolve();
    await clock.arm(T0 + 30 * SECOND);
    await sweep;
  });
  expect(await alarmOf(shop)).toBe(T0 + 30 * SECOND);
});

it("an earlier sweep does not take away the later one that a caller relies on", async () => {
  const shop = await mintShop({ abandonAfterSeconds: 5 });
  expect(await clockOf(shop).arm(T0 + 30 * SECOND)).toBe(T0 + 30 * SECOND);
  travel(5 * SECOND);
  await runDurableObjectAlarm(clockOf(shop));
  expect(await alarmOf(shop)).toBe(T0 + 30 * SECOND);
  travel(26 * SECOND);
  await runDurableObjectAlarm(clockOf(shop));
  expect(await alarmOf(shop)).toBeNull();
});
