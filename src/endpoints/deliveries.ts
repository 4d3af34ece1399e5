import { and, desc, eq, lt } from "drizzle-orm";

import { audit } from "../api/audit";
import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { orm, sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { iso } from "../lib/time";
import type { Delivery } from "./schemas";
import { sendDeliveries } from "./send";
import { endpointDeliveries } from "./tables";

type DeliveryRow = typeof endpointDeliveries.$inferSelect;

/** What was sent to an endpoint, and what waits, newest first. */
export async function listDeliveries(
  ctx: Ctx,
  endpoint: number,
  filter: { state?: DeliveryRow["state"] | undefined; limit: number; cursor?: string | undefined },
): Promise<Page<Delivery>> {
  const before = keyFrom("webhook-deliveries", filter.cursor);
  const rows = await orm(ctx.db)
    .select()
    .from(endpointDeliveries)
    .where(
      and(
        eq(endpointDeliveries.endpoint, endpoint),
        filter.state === undefined ? undefined : eq(endpointDeliveries.state, filter.state),
        before === null ? undefined : lt(endpointDeliveries.key, before),
      ),
    )
    .orderBy(desc(endpointDeliveries.key))
    .limit(filter.limit + 1);
  return pageOf("webhook-deliveries", rows, filter.limit, (row) => [row.key], showDelivery);
}

function showDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    status: row.status,
    error: row.error,
    payload: row.body,
    nextAttemptAt: row.state === "pending" ? iso(row.nextAttemptAt) : null,
    createdAt: iso(row.createdAt),
    doneAt: iso(row.doneAt),
  };
}

async function readDelivery(ctx: Ctx, endpoint: number, id: string): Promise<DeliveryRow> {
  const row = await orm(ctx.db)
    .select()
    .from(endpointDeliveries)
    .where(and(eq(endpointDeliveries.id, id), eq(endpointDeliveries.endpoint, endpoint)))
    .get();
  if (!row) throw new AppError("not_found");
  return row;
}

/** Sends an event of the type `test` at once and tells what came back. */
export async function sendTest(ctx: Ctx, endpoint: { key: number; id: string }): Promise<Delivery> {
  const id = newId("whd", ctx.now);
  const payload = {
    type: "test",
    timestamp: iso(ctx.now),
    data: { shopId: ctx.shop.id, shop: ctx.shop.domain, endpointId: endpoint.id },
  };
  const row = await sql(
    ctx.db,
    `insert into endpoint_deliveries (id, shop, endpoint, type, natural_key, body, state, next_attempt_at, created_at)
     values (?1, ?2, ?3, 'test', ?1, ?4, 'pending', ?5, ?5) returning key`,
    id,
    ctx.shop.key,
    endpoint.key,
    JSON.stringify(payload),
    ctx.now,
  ).first<{ key: number }>();
  if (row) await sendDeliveries(ctx.env, ctx.shop.key, [row.key], () => ctx.now);
  return showDelivery(await readDelivery(ctx, endpoint.key, id));
}

/** Sends a delivery once more, with the same `webhook-id`. Throws `not_found`. */
export async function redeliver(ctx: Ctx, endpoint: number, id: string): Promise<void> {
  const row = await readDelivery(ctx, endpoint, id);
  await armClock(ctx.env, ctx.shop.key, ctx.now);
  await ctx.db.batch([
    sql(
      ctx.db,
      `update endpoint_deliveries set state = 'pending', attempts = 0, next_attempt_at = ?, done_at = null
       where key = ? and shop = ?`,
      ctx.now,
      row.key,
      ctx.shop.key,
    ),
    audit(ctx, "webhook_delivery.redelivered", id),
  ]);
  ctx.later(ctx.env.CALLS.send({ shop: ctx.shop.key, calls: [row.key] }).catch(() => undefined));
}
