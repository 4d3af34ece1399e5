import { z } from "zod";

import { react } from "./reactions";

const WebhookMessage = z.object({ shop: z.int(), inbox: z.int() });
const ReactionMessage = z.object({ shop: z.int(), outbox: z.int() });

/**
 * Handles the messages of either queue. A row remembers its own failures and the clock brings it back, so a message is
 * always acknowledged: it is a nudge, never the only copy.
 */
export async function consume(batch: MessageBatch, env: Env, now: () => number): Promise<void> {
  const shops = new Set<number>();
  for (const message of batch.messages) {
    await guarded(async () => {
      const webhook = WebhookMessage.safeParse(message.body);
      const reaction = ReactionMessage.safeParse(message.body);
      if (webhook.success) {
        shops.add(webhook.data.shop);
        const { handleInboxRow } = await import("../shopify");
        await handleInboxRow(env, webhook.data.inbox, now());
      } else if (reaction.success) {
        shops.add(reaction.data.shop);
        await react(env, reaction.data.outbox, now());
      }
    });
    message.ack();
  }
  for (const shop of shops) await guarded(() => nudgeReactions(env, shop, now()));
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(JSON.stringify({ feature: "queue", error: error instanceof Error ? error.message : "unknown" }));
  }
}

/** Rows that were just written go on at once, those that wait for another attempt do not; the clock would bring them in half a minute. */
async function nudgeReactions(env: Env, shop: number, now: number): Promise<void> {
  const { results } = await env.DB.prepare(
    "select key from outbox where shop = ? and next_attempt_at <= ? order by key limit 100",
  )
    .bind(shop, now)
    .all<{ key: number }>();
  if (results.length === 0) return;
  await env.REACTIONS.sendBatch(results.map(({ key }) => ({ body: { shop, outbox: key } })));
}
