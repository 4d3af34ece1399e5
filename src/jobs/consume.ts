import { z } from "zod";

import { logFailure } from "../lib/log";
import { catchUp } from "./membership";

const Keys = z.array(z.int());

/**
 * What a message names: rows of a shop's inbox, of its outbox, runs of automations, deliveries to its endpoints or to
 * people. One that names nothing tells that the outbox may have new rows, or that somebody's membership of segments may
 * have changed, as every one may.
 */
const Message = z.object({
  shop: z.int(),
  inbox: Keys.default([]),
  outbox: Keys.default([]),
  calls: Keys.default([]),
  deliveries: Keys.default([]),
  runs: Keys.default([]),
});

type Message = z.infer<typeof Message>;

/**
 * Handles the messages of any queue. A row remembers its own failures and the clock brings it back, so a message is
 * always acknowledged: it is a nudge, never the only copy. The rows of a batch are handled together, by shop.
 */
export async function consume(batch: MessageBatch, env: Env, now: () => number): Promise<void> {
  const messages = batch.messages.flatMap(({ body }) => Message.safeParse(body).data ?? []);
  for (const [shop, ofShop] of Map.groupBy(messages, (message) => message.shop)) {
    const named = (kind: Exclude<keyof Message, "shop">) => [...new Set(ofShop.flatMap((message) => message[kind]))];
    await guarded(() => handleInbox(env, shop, named("inbox"), now));
    await guarded(() => handleOutbox(env, shop, named("outbox"), now));
    await guarded(() => moveRuns(env, shop, named("runs"), now));
    await guarded(() => makeCalls(env, shop, named("calls"), now));
    await guarded(() => sendMessages(env, shop, named("deliveries"), now));
    await guarded(async () => {
      const hasMoved = await catchUp(env, shop, now());
      if (hasMoved || ofShop.some(namesNothing)) await nudgeReactions(env, shop, now());
    });
  }
  batch.ackAll();
}

function namesNothing(message: Message): boolean {
  return Object.values(message).every((named) => typeof named === "number" || named.length === 0);
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logFailure("queue", error);
  }
}

async function handleInbox(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  if (keys.length === 0) return;
  const { handleInboxRows } = await import("../shopify");
  await guarded(() => handleInboxRows(env, shop, keys, now));
  await nudgeReactions(env, shop, now());
}

async function handleOutbox(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  if (keys.length === 0) return;
  const { react } = await import("./reactions");
  await react(env, shop, keys, now());
  await nudgeReactions(env, shop, now());
}

async function moveRuns(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  if (keys.length === 0) return;
  const { advanceRuns } = await import("../automations");
  const { more } = await advanceRuns(env, shop, keys, now());
  // What came of them is told at once; the clock finds what a lost message leaves behind.
  if (more.length > 0) await env.RUNS.send({ shop, runs: more });
  await nudgeReactions(env, shop, now());
}

async function makeCalls(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  if (keys.length === 0) return;
  const { sendDeliveries } = await import("../endpoints");
  await sendDeliveries(env, shop, keys, now);
}

async function sendMessages(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  if (keys.length === 0) return;
  const { sendDeliveries } = await import("../messages/rest");
  await sendDeliveries(env, shop, keys, now);
}

/** Rows of the outbox named in one message. */
const NUDGED_ROWS = 100;

/** Per isolate and shop: the last row of the outbox that the queue was told of. */
const nudged = new Map<number, number>();

/**
 * Rows that were just written go on at once; those that wait for another attempt are left to the clock. Each row is
 * named once by an isolate: what is still there with the next batch is under way.
 */
async function nudgeReactions(env: Env, shop: number, now: number): Promise<void> {
  for (;;) {
    const { results } = await env.DB.prepare(
      "select key from outbox where shop = ? and key > ? and next_attempt_at <= ? order by key limit ?",
    )
      .bind(shop, nudged.get(shop) ?? 0, now, NUDGED_ROWS)
      .all<{ key: number }>();
    const last = results.at(-1);
    if (!last) return;
    await env.REACTIONS.send({ shop, outbox: results.map(({ key }) => key) });
    nudged.set(shop, last.key);
    if (results.length < NUDGED_ROWS) return;
  }
}
