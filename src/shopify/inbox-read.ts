import { and, desc, eq, lt, sql } from "drizzle-orm";

import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { iso } from "../lib/time";
import type { InboxEntry } from "./schemas";
import { webhookInbox } from "./tables";

export interface InboxFilter {
  state?: InboxEntry["state"] | undefined;
  topic?: string | undefined;
}

/** What lists read: bodies are large, and personal. */
const FACTS = {
  key: webhookInbox.key,
  id: webhookInbox.id,
  shop: webhookInbox.shop,
  topic: webhookInbox.topic,
  webhookId: webhookInbox.webhookId,
  eventId: webhookInbox.eventId,
  apiVersion: webhookInbox.apiVersion,
  state: webhookInbox.state,
  attempts: webhookInbox.attempts,
  error: webhookInbox.error,
  triggeredAt: webhookInbox.triggeredAt,
  receivedAt: webhookInbox.receivedAt,
  nextAttemptAt: webhookInbox.nextAttemptAt,
  handledAt: webhookInbox.handledAt,
};

type Facts = Omit<typeof webhookInbox.$inferSelect, "body" | "bodyHash">;

/** Said again as their partial indexes say it: SQLite compares the words. */
const ODD = sql`state in ('dead', 'unhandled', 'stale')`;
const BY_INDEX = { pending: sql`state = 'pending'`, dead: ODD, unhandled: ODD, stale: ODD };

/** Webhooks of the shop as they came, newest first, without their bodies. */
export async function listInbox(
  ctx: Ctx,
  filter: InboxFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<InboxEntry>> {
  const before = keyFrom("webhook-inbox", cursor);
  const rows = await orm(ctx.db)
    .select(FACTS)
    .from(webhookInbox)
    .where(
      and(
        eq(webhookInbox.shop, ctx.shop.key),
        filter.state === undefined ? undefined : eq(webhookInbox.state, filter.state),
        filter.state === undefined || filter.state === "handled" ? undefined : BY_INDEX[filter.state],
        filter.topic === undefined ? undefined : eq(webhookInbox.topic, filter.topic),
        before === null ? undefined : lt(webhookInbox.key, before),
      ),
    )
    .orderBy(desc(webhookInbox.key))
    .limit(limit + 1);
  return pageOf("webhook-inbox", rows, limit, (row) => [row.key], show);
}

/** The webhook of this id and whose it is, or null. The caller checks the shop. */
export async function findInboxEntry(
  db: D1Database,
  id: string,
): Promise<{ shop: number; key: number; entry: InboxEntry; body: string | null } | null> {
  const row = await orm(db)
    .select({ ...FACTS, body: webhookInbox.body })
    .from(webhookInbox)
    .where(eq(webhookInbox.id, id))
    .get();
  return row ? { shop: row.shop, key: row.key, entry: show(row), body: row.body } : null;
}

function show(row: Facts): InboxEntry {
  return {
    id: row.id,
    topic: row.topic,
    webhookId: row.webhookId,
    eventId: row.eventId,
    apiVersion: row.apiVersion,
    state: row.state,
    attempts: row.attempts,
    error: row.error,
    triggeredAt: iso(row.triggeredAt),
    receivedAt: iso(row.receivedAt),
    nextAttemptAt: row.state === "pending" ? iso(row.nextAttemptAt) : null,
    handledAt: iso(row.handledAt),
  };
}
