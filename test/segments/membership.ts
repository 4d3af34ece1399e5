import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { updateMembership } from "../../src/segments/rest";
import type { MintedShop } from "../helpers/api";

export interface SegmentOf {
  id: string;
  key: number;
}

export async function rows<T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

/** Adds a segment and gives both its names. */
export async function addSegment(
  shop: MintedShop,
  definition: unknown,
  more: Record<string, unknown> = {},
): Promise<SegmentOf> {
  const made = await shop.full.post("/v1/segments", { name: "S", definition, ...more });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  const [row] = await rows<{ key: number }>("select key from segments where id = ?", made.body.id);
  return { id: made.body.id, key: row?.key ?? 0 };
}

/** Brings the shop's memberships up to date, as the queue does. */
export async function catchUp(shop: MintedShop): Promise<void> {
  while ((await updateMembership(env, shop.key, Date.now())).more);
}

/** The stored members by public id. */
export async function membersOf(shop: MintedShop, segment: SegmentOf): Promise<string[]> {
  const page = await shop.full.get(`/v1/segments/${segment.id}/members?limit=250`);
  return page.body.items.map(({ id }: { id: string }) => id).sort();
}

/** What others were told: `entered contact:12`, in order. */
export async function told(shop: MintedShop, segment: SegmentOf): Promise<string[]> {
  const events = await rows<{ type: string; subject: string }>(
    `select type, subject from outbox where shop = ? and data ->> 'segmentId' = ? order by key`,
    shop.key,
    segment.id,
  );
  return events.map(({ type, subject }) => `${type.replace("segment_", "")} ${subject}`);
}

export async function historyOf(shop: MintedShop, segment: SegmentOf) {
  const { body } = await shop.full.get(`/v1/segments/${segment.id}/history`);
  return body.items.map(({ kind, id, change }: Record<string, string>) => `${change} ${kind} ${id}`).reverse();
}

/** The shop's clock, with no request at all. */
export async function wakeClock(shop: MintedShop): Promise<void> {
  const clock = env.CLOCK.getByName(String(shop.key));
  await clock.arm(Date.now());
  await runDurableObjectAlarm(clock);
}

export function alarmOf(shop: MintedShop): Promise<number | null> {
  return runInDurableObject(env.CLOCK.getByName(String(shop.key)), (_, state) => state.storage.getAlarm());
}
