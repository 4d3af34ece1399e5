import { env } from "cloudflare:workers";
import { runDurableObjectAlarm } from "cloudflare:test";

import { type MintedShop, mintShop } from "../../helpers/api";
import { DAY, T0, travel } from "../../helpers/clock";
import { type StandinStore, standinSettled } from "../../helpers/standin";

export const SYNC = (shop: MintedShop) => `/v1/shops/${shop.id}/shopify/sync`;

/** A shop of this installation for a store of the stand-in, connected with a pasted token. */
export async function connected(store: StandinStore): Promise<MintedShop> {
  const shop = await mintShop({}, { domain: store.domain, currency: store.currency });
  const answer = await shop.full.put(`/v1/shops/${shop.id}/shopify`, {
    method: "token",
    accessToken: await store.permanentToken(),
  });
  if (answer.status !== 200) throw new Error(`not connected: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { ...shop, domain: store.domain };
}

/** Lets the shop's alarm go off, as it would by itself. */
export async function run(shop: MintedShop): Promise<void> {
  await runDurableObjectAlarm(env.SYNC.getByName(String(shop.key)));
}

/** Lets the shop's alarm go off again and again, as it would by itself, until the backfill has ended. */
export async function untilDone(shop: MintedShop, most = 100): Promise<void> {
  await until(shop, ({ state }) => state !== "running", most);
}

export interface Shown {
  state: string;
  progress: number;
  notes: string[];
  streams: { resource: string; stretch: string; state: string; done: number; skipped: number; error: string | null }[];
}

/** The same until something is to be seen in REST, which is returned. */
export async function until(shop: MintedShop, isSeen: (shown: Shown) => boolean, most = 100): Promise<Shown> {
  for (let tries = 0; tries < most; tries++) {
    await run(shop);
    const { body } = await shop.full.get(SYNC(shop));
    if (isSeen(body)) return body;
    await standinSettled(shop.domain);
    travel(2_000);
  }
  throw new Error(`still running: ${JSON.stringify((await shop.full.get(SYNC(shop))).body)}`);
}

export const people = (n: number, more: (i: number) => Record<string, unknown> = () => ({})) =>
  Array.from({ length: n }, (_, i) => ({
    email: `person${i}@backfill.example`,
    firstName: `Person ${i}`,
    createdAt: T0 - 200 * DAY,
    updatedAt: T0 - 100 * DAY,
    ...more(i),
  }));
