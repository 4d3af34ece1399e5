import { checkIntake } from "../health";
import { logFailure } from "../lib/log";
import { armClock } from "./arm";
import { resealSecrets } from "./reseal";

const MINUTE_MS = 60_000;

/** Shops that have anything a clock would sweep. Reads one entry of a partial index per shop and kind. */
async function shopsWithWork(db: D1Database, now: number): Promise<number[]> {
  const { results } = await db
    .prepare(
      `select key from shops where exists (select 1 from outbox where shop = shops.key)
         or exists (select 1 from webhook_inbox where shop = shops.key and state = 'pending')
         or exists (select 1 from endpoint_deliveries where shop = shops.key and state = 'pending')
         or exists (select 1 from deliveries where shop = shops.key and state in ('queued', 'sending'))
         or exists (select 1 from jobs where shop = shops.key and state = 'running')
         or exists (select 1 from runs where shop = shops.key and due_at <= ?1)
         or exists (select 1 from automation_timers where shop = shops.key and due_at <= ?1)
         or exists (select 1 from campaigns where shop = shops.key and due_at <= ?1 and paused_at is null)
         or exists (select 1 from carts where shop = shops.key and state = 'open')
         or exists (select 1 from segment_dirty where shop = shops.key)
         or exists (select 1 from segment_rechecks where shop = shops.key and at <= ?1)`,
    )
    .bind(now)
    .all<{ key: number }>();
  return results.map(({ key }) => key);
}

/** Wakes the clock of every shop that has work, should an alarm ever have been lost. */
export async function pokeClocks(env: Env, now: number): Promise<void> {
  for (const shop of await shopsWithWork(env.DB, now)) await armClock(env, shop, now);
}

/** What cron does every minute; each part does nothing where another caller has been before. */
export async function maintain(env: Env, now: number): Promise<void> {
  await pokeClocks(env, now);
  await checkIntake(env, now);
  await resealSecrets(env);
}

let pokedAt = 0;

/** The same once a minute per isolate, behind any request: where cron does not run, requests stand in for it. */
export function pokeNowAndThen(env: Env, now: number, later: (work: Promise<unknown>) => void): void {
  if (now - pokedAt < MINUTE_MS) return;
  pokedAt = now;
  later(maintain(env, now).catch((error: unknown) => logFailure("maintain", error)));
}
