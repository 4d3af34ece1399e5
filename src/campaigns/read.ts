import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { iso } from "../lib/time";
import { Definition } from "./definition";
import type { CampaignShown } from "./schemas";

/** A campaign as it is stored. */
export interface CampaignRow {
  key: number;
  id: string;
  shop: number;
  name: string;
  channel: "email" | "sms" | "whatsapp";
  state: "draft" | "scheduled" | "preparing" | "sending" | "cancelled" | "failed";
  definition: string;
  pins: string | null;
  dueAt: number | null;
  pausedAt: number | null;
  startedAt: number | null;
  winner: string | null;
  winnerAt: number | null;
  job: string | null;
  error: string | null;
  createdAt: number;
  updatedAt: number;
  /** 1 while somebody waits for it. */
  waits: number;
}

export const SELECT = `select c.key, c.id, c.shop, c.name, c.channel, c.state, c.definition, c.pins, c.due_at as dueAt,
  c.paused_at as pausedAt, c.started_at as startedAt, c.winner, c.winner_at as winnerAt, c.job, c.error,
  c.created_at as createdAt, c.updated_at as updatedAt,
  exists (select 1 from deliveries d where d.campaign = c.key and d.state in ('queued', 'sending')) as waits
  from campaigns c`;

/** The campaign of this id, of any shop; null for none. The caller checks the shop. */
export async function findCampaign(db: D1Database, id: string): Promise<CampaignRow | null> {
  return sql(db, `${SELECT} where c.id = ? and c.deleted_at is null`, id).first<CampaignRow>();
}

/** The shop's campaigns, the newest first. */
export async function listCampaigns(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<CampaignShown>> {
  const { results } = await sql(
    ctx.db,
    `${SELECT} where c.shop = ?1 and c.key < ?2 and c.deleted_at is null order by c.key desc limit ?3`,
    ctx.shop.key,
    keyFrom("campaigns", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<CampaignRow>();
  return pageOf("campaigns", results, limit, ({ key }) => [key], showCampaign);
}

/** The campaign as it is now; throws 404 when it went in the meantime. */
export async function readCampaign(ctx: Ctx, id: string): Promise<CampaignShown> {
  const row = await findCampaign(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return showCampaign(row);
}

/** What to call its state: a pause is no state of its own, and it has been sent when nobody waits any more. */
export function stateOf(row: CampaignRow): CampaignShown["state"] {
  if (row.pausedAt !== null) return "paused";
  return row.state === "sending" && row.waits === 0 ? "sent" : row.state;
}

export function showCampaign(row: CampaignRow): CampaignShown {
  return {
    id: row.id,
    name: row.name,
    channel: row.channel,
    class: "marketing",
    state: stateOf(row),
    ...Definition.parse(JSON.parse(row.definition)),
    winner: row.winner,
    winnerAt: iso(row.winnerAt),
    dueAt: iso(row.dueAt),
    startedAt: iso(row.startedAt),
    pausedAt: iso(row.pausedAt),
    jobId: row.job,
    error: row.error,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** How far it has come. */
export async function readProgress(ctx: Ctx, row: CampaignRow) {
  const { results } = await sql(
    ctx.db,
    `select state, reason, count(*) as count from deliveries where campaign = ? group by state, reason`,
    row.key,
  ).all<{ state: string; reason: string | null; count: number }>();
  const of = (...states: string[]) =>
    results.reduce((sum, { state, count }) => sum + (states.includes(state) ? count : 0), 0);
  const reasons = Map.groupBy(
    results.filter(({ reason }) => reason !== null),
    ({ reason }) => reason ?? "",
  );
  return {
    state: stateOf(row),
    audience: of("queued", "sending", "sent", "skipped", "failed", "unknown"),
    queued: of("queued", "sending"),
    sent: of("sent"),
    skipped: of("skipped"),
    failed: of("failed"),
    unknown: of("unknown"),
    reasons: [...reasons]
      .map(([reason, rows]) => ({ reason, count: rows.reduce((sum, { count }) => sum + count, 0) }))
      .sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason)),
  };
}
