import { z } from "zod";

import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { iso } from "../lib/time";
import { RunData } from "./run";
import type { AutomationShown, RunQuery, RunShown } from "./schemas";

/** An automation with the definition by which people enter. */
export interface AutomationRow {
  key: number;
  shop: number;
  id: string;
  name: string;
  state: AutomationShown["state"];
  version: number;
  definition: string;
  activatedAt: number | null;
  createdAt: number;
  updatedAt: number;
}

const COLUMNS = `a.key, a.shop, a.id, a.name, a.state, a.version, v.definition, a.activated_at as activatedAt,
  a.created_at as createdAt, a.updated_at as updatedAt
  from automations a join automation_versions v on v.automation = a.key and v.version = a.version`;

const Definition = z.record(z.string(), z.unknown());

/** The automation of this id, of any shop; null for none. The caller checks the shop. */
export async function findAutomation(db: D1Database, id: string): Promise<AutomationRow | null> {
  return sql(db, `select ${COLUMNS} where a.id = ? and a.deleted_at is null`, id).first<AutomationRow>();
}

export function showAutomation(row: AutomationRow): AutomationShown {
  const { id, name, state, version } = row;
  return {
    id,
    name,
    state,
    version,
    definition: Definition.parse(JSON.parse(row.definition)),
    activatedAt: iso(row.activatedAt),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** The shop's automations, the newest first. */
export async function listAutomations(ctx: Ctx, { limit, cursor }: PageRequest): Promise<Page<AutomationShown>> {
  const { results } = await sql(
    ctx.db,
    `select ${COLUMNS} where a.shop = ?1 and a.key < ?2 and a.deleted_at is null order by a.key desc limit ?3`,
    ctx.shop.key,
    keyFrom("automations", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<AutomationRow>();
  return pageOf("automations", results, limit, (row) => [row.key], showAutomation);
}

/** Every version, the latest first, with how many people are on it. */
export async function listVersions(ctx: Ctx, key: number, { limit, cursor }: PageRequest) {
  const { results } = await sql(
    ctx.db,
    `select v.version, v.definition, v.created_at as createdAt,
       (select count(*) from runs r where r.automation = v.automation and r.version = v.version and r.ended_at is null) as people
     from automation_versions v where v.automation = ?1 and v.version < ?2 order by v.version desc limit ?3`,
    key,
    keyFrom("versions", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<{ version: number; definition: string; createdAt: number; people: number }>();
  return pageOf(
    "versions",
    results,
    limit,
    (row) => [row.version],
    ({ version, definition, createdAt, people }) => ({
      version,
      definition: Definition.parse(JSON.parse(definition)),
      people,
      createdAt: iso(createdAt),
    }),
  );
}

interface RunRow {
  key: number;
  id: string;
  automationId: string;
  version: number;
  kind: "contact" | "visitor";
  subjectId: string | null;
  state: RunShown["state"];
  step: string | null;
  data: string;
  dueAt: number | null;
  attempts: number;
  error: string | null;
  reason: string | null;
  enteredAt: number;
  endedAt: number | null;
}

const RUN = `r.key, r.id, a.id as automationId, r.version, r.kind, r.state, r.step, r.data, r.attempts, r.error, r.reason,
  coalesce(r.due_at, r.held_at) as dueAt, r.entered_at as enteredAt, r.ended_at as endedAt,
  iif(r.kind = 'contact', (select id from contacts where key = r.subject),
    (select tracker from visitors where key = r.subject)) as subjectId
  from runs r join automations a on a.key = r.automation`;

function showRun(row: RunRow): RunShown {
  const { id, automationId, version, state, attempts, error, reason } = row;
  const { event = null, cart = null, order = null } = RunData.parse(JSON.parse(row.data));
  return {
    id,
    automationId,
    version,
    subject: { kind: row.kind, id: row.subjectId ?? "" },
    state,
    step: row.step === "" ? null : row.step,
    event,
    cartToken: cart,
    orderId: order,
    dueAt: iso(row.dueAt),
    attempts,
    error,
    reason,
    enteredAt: iso(row.enteredAt),
    endedAt: iso(row.endedAt),
  };
}

/** Runs of an automation, the newest first. */
export async function listRuns(ctx: Ctx, automation: number, query: RunQuery): Promise<Page<RunShown>> {
  const { results } = await sql(
    ctx.db,
    `select ${RUN} where r.automation = ?1 and r.key < ?2 and (?4 is null or r.state = ?4) and (?5 is null or r.step = ?5)
       and (?6 is null or (r.kind = 'contact' and r.subject = (select key from contacts where id = ?6)))
     order by r.key desc limit ?3`,
    automation,
    keyFrom("runs", query.cursor) ?? Number.MAX_SAFE_INTEGER,
    query.limit + 1,
    query.state ?? null,
    query.step ?? null,
    query.contactId ?? null,
  ).all<RunRow>();
  return pageOf("runs", results, query.limit, (row) => [row.key], showRun);
}

/** A run with everything that happened in it: why its person got what they got. Throws 404. */
export async function readRunDetail(ctx: Ctx, automation: number, id: string) {
  const row = await sql(ctx.db, `select ${RUN} where r.automation = ? and r.id = ?`, automation, id).first<RunRow>();
  if (!row) throw new AppError("not_found");
  const { results } = await sql(
    ctx.db,
    "select step, visit, outcome, detail, scheduled_at as scheduledAt, at from run_steps where run = ? order by visit limit 1000",
    row.key,
  ).all<{ step: string; visit: number; outcome: string; detail: string | null; scheduledAt: number; at: number }>();
  return {
    run: showRun(row),
    log: results.map(({ step, visit, outcome, detail, scheduledAt, at }) => ({
      step,
      visit,
      outcome,
      data: detail === null ? {} : Definition.parse(JSON.parse(detail)),
      scheduledAt: iso(scheduledAt),
      at: iso(at),
    })),
  };
}

/** How many are at each step now. */
export async function countSteps(ctx: Ctx, automation: number) {
  const { results } = await sql(
    ctx.db,
    `select step, version, sum(state = 'active') as here, sum(state = 'failed') as failed from runs
     where automation = ? and ended_at is null and state <> 'pending' group by version, step order by version desc, step limit 1000`,
    automation,
  ).all<{ step: string; version: number; here: number; failed: number }>();
  return { items: results, nextCursor: null };
}

/** Changes of a contact's score by automations, the latest first. */
export async function listScoreChanges(ctx: Ctx, contact: number) {
  const { results } = await sql(
    ctx.db,
    `select h.points, h.at, r.id as runId, s.step from score_history h
     left join runs r on r.key = cast(substr(h.natural_key, 5, instr(substr(h.natural_key, 5), ':') - 1) as integer)
     left join run_steps s on s.run = r.key
       and s.visit = cast(substr(h.natural_key, 5 + instr(substr(h.natural_key, 5), ':')) as integer)
     where h.contact = ? order by h.at desc limit 250`,
    contact,
  ).all<{ points: number; at: number; runId: string | null; step: string | null }>();
  return { items: results.map(({ at, ...rest }) => ({ ...rest, at: iso(at) })), nextCursor: null };
}
