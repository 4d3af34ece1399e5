/** Distance of the clock's alarm while it has work, ms. */
export const CLOCK_PERIOD_MS = 30_000;

/** How long before its alarm a clock still counts as armed for work that is about to be committed, ms. */
const MARGIN_MS = 10_000;

const MOST = 10_000;

/** Per isolate: until when each shop's clock is known to be armed. */
const armedUntil = new Map<number, number>();

/**
 * Makes sure that the shop's clock will sweep soon. Called before work is committed, so that a kill right after the
 * commit cannot leave it behind; costs one call per shop and isolate every 20 s.
 */
export async function armClock(env: Env, shop: number, now: number): Promise<void> {
  const until = armedUntil.get(shop);
  if (until !== undefined && now < until - MARGIN_MS && until <= now + CLOCK_PERIOD_MS) return;
  const alarm = await env.CLOCK.getByName(String(shop)).arm(now + CLOCK_PERIOD_MS);
  if (armedUntil.size >= MOST) armedUntil.clear();
  armedUntil.set(shop, alarm);
}
