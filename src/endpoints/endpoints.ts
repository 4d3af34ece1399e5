import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";

import { audit } from "../api/audit";
import { keyFrom, type Page, pageOf } from "../api/page";
import { config } from "../config";
import type { Ctx } from "../context";
import { orm, sql } from "../db/client";
import { AppError } from "../errors";
import { closeAlert } from "../health";
import { seal } from "../lib/crypto";
import { newId } from "../lib/ids";
import { iso } from "../lib/time";
import type { Endpoint, EndpointPatch, NewEndpoint } from "./schemas";
import { webhookEndpoints } from "./tables";

/** Endpoints of one shop: each event costs a row and a request for every one of them. */
const MOST_ENDPOINTS = 20;

/** How long the secret before a rotation goes on signing beside the new one. */
const OVERLAP_MS = 24 * 3_600_000;

const Types = z.array(z.string());

type EndpointRow = typeof webhookEndpoints.$inferSelect;

/** A new secret in the form of Standard Webhooks: 32 random bytes. */
function newSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}

/** Makes an endpoint; its secret is in the answer and can be read nowhere else. Throws `unprocessable` above 20. */
export async function createEndpoint(ctx: Ctx, input: NewEndpoint): Promise<Endpoint & { secret: string }> {
  const id = newId("whe", ctx.now);
  const secret = newSecret();
  const [inserted] = await ctx.db.batch([
    sql(
      ctx.db,
      `insert into webhook_endpoints (id, shop, url, description, types, secret, state, created_at, updated_at)
       select ?1, ?2, ?3, ?4, ?5, ?6, 'enabled', ?7, ?7
       where (select count(*) from webhook_endpoints where shop = ?2) < ?8`,
      id,
      ctx.shop.key,
      input.url,
      input.description,
      typesText(input.types),
      await seal(config(ctx.env).sealingKeys, secret),
      ctx.now,
      MOST_ENDPOINTS,
    ),
    audit(ctx, "webhook_endpoint.created", id, ["url", "types"]),
  ]);
  if (inserted?.meta.changes !== 1)
    throw new AppError("unprocessable", `A shop has at most ${MOST_ENDPOINTS} endpoints`);
  return { ...(await readEndpoint(ctx, id)), secret };
}

function typesText(types: string[]): string {
  return JSON.stringify([...new Set(types)].sort());
}

/** The endpoint's row, or undefined. The caller checks the shop. */
export async function findEndpoint(db: D1Database, id: string): Promise<EndpointRow | undefined> {
  return orm(db).select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)).get();
}

/** Throws `not_found`. */
export async function readEndpoint(ctx: Ctx, id: string): Promise<Endpoint> {
  const row = await findEndpoint(ctx.db, id);
  if (row?.shop !== ctx.shop.key) throw new AppError("not_found");
  return showEndpoint(ctx, row);
}

/** The shop's endpoints, newest first. */
export async function listEndpoints(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Endpoint>> {
  const before = keyFrom("webhook-endpoints", cursor);
  const rows = await orm(ctx.db)
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.shop, ctx.shop.key), before === null ? undefined : lt(webhookEndpoints.key, before)))
    .orderBy(desc(webhookEndpoints.key))
    .limit(limit + 1);
  return pageOf(
    "webhook-endpoints",
    rows,
    limit,
    (row) => [row.key],
    (row) => showEndpoint(ctx, row),
  );
}

function showEndpoint(ctx: Ctx, row: EndpointRow): Endpoint {
  return {
    id: row.id,
    shopId: ctx.shop.id,
    url: row.url,
    description: row.description,
    types: Types.parse(JSON.parse(row.types)),
    state: row.state,
    failingSince: iso(row.failingSince),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** Absent keys stay as they are. Enabling forgets the failures so far and closes their alert. */
export async function updateEndpoint(ctx: Ctx, id: string, patch: EndpointPatch): Promise<Endpoint> {
  const row = await readEndpoint(ctx, id);
  const { url = row.url, description = row.description, types = row.types, state } = patch;
  await ctx.db.batch([
    sql(
      ctx.db,
      `update webhook_endpoints set url = ?3, description = ?4, types = ?5, state = coalesce(?6, state),
         failing_since = case when ?6 is null then failing_since end, updated_at = ?7 where id = ?1 and shop = ?2`,
      id,
      ctx.shop.key,
      url,
      description,
      typesText(types),
      state ?? null,
      ctx.now,
    ),
    ...(state === undefined
      ? []
      : closeAlert(ctx.db, { shop: ctx.shop.key, kind: "endpoint_failing", subject: id }, ctx.now)),
    audit(ctx, "webhook_endpoint.updated", id, Object.keys(patch)),
  ]);
  return readEndpoint(ctx, id);
}

/** Nothing more is sent to it. What the log holds of it goes with the log's retention. */
export async function deleteEndpoint(ctx: Ctx, { id, key }: Pick<EndpointRow, "id" | "key">): Promise<void> {
  const shop = ctx.shop.key;
  await ctx.db.batch([
    sql(ctx.db, "delete from webhook_endpoints where key = ? and shop = ?", key, shop),
    sql(
      ctx.db,
      `update endpoint_deliveries set state = 'failed', done_at = ?, error = 'the endpoint was deleted'
       where shop = ? and state = 'pending' and endpoint = ?`,
      ctx.now,
      shop,
      key,
    ),
    ...closeAlert(ctx.db, { shop, kind: "endpoint_failing", subject: id }, ctx.now),
    audit(ctx, "webhook_endpoint.deleted", id),
  ]);
}

/** Gives the endpoint a new secret. The one before signs beside it for a day, so that receivers can change over. */
export async function rotateSecret(ctx: Ctx, id: string): Promise<{ secret: string; previousValidUntil: string }> {
  const secret = newSecret();
  const until = ctx.now + OVERLAP_MS;
  await ctx.db.batch([
    sql(
      ctx.db,
      `update webhook_endpoints set previous_secret = secret, previous_until = ?, secret = ?, updated_at = ?
       where id = ? and shop = ?`,
      until,
      await seal(config(ctx.env).sealingKeys, secret),
      ctx.now,
      id,
      ctx.shop.key,
    ),
    audit(ctx, "webhook_endpoint.secret_rotated", id),
  ]);
  return { secret, previousValidUntil: iso(until) };
}
