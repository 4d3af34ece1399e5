import { z } from "zod";

import { decodeCursor, keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { type CatalogueShop, describe } from "./describe";
import { customFieldsOf } from "./membership/load";
import type { Member, Segment, Transition } from "./schemas";

/** A segment as it is stored. */
export interface SegmentRow {
  key: number;
  shop: number;
  id: string;
  name: string;
  audience: Segment["audience"];
  definition: string;
  version: number;
  state: Segment["state"];
  problem: string | null;
  size: number;
  filledAt: number | null;
  createdAt: number;
  updatedAt: number;
}

const COLUMNS = `key, shop, id, name, audience, definition, version, state, problem, size, filled_at as filledAt,
  created_at as createdAt, updated_at as updatedAt`;

const Definition = z.record(z.string(), z.unknown());

/** The segment of this id, of any shop; null for none. The caller checks the shop. */
export async function findSegment(db: D1Database, id: string): Promise<SegmentRow | null> {
  return sql(db, `select ${COLUMNS} from segments where id = ? and deleted_at is null`, id).first<SegmentRow>();
}

/** A segment as the API shows it. */
export function showSegment(row: SegmentRow): Segment {
  const { id, name, audience, version, state, problem, size } = row;
  return {
    id,
    name,
    audience,
    definition: Definition.parse(JSON.parse(row.definition)),
    version,
    state,
    problem,
    size,
    filledAt: iso(row.filledAt),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** The shop's segments, the newest first. */
export async function listSegments(ctx: Ctx, { limit, cursor }: PageRequest): Promise<Page<Segment>> {
  const { results } = await sql(
    ctx.db,
    `select ${COLUMNS} from segments where shop = ?1 and key < ?2 and deleted_at is null order by key desc limit ?3`,
    ctx.shop.key,
    keyFrom("segments", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<SegmentRow>();
  return pageOf("segments", results, limit, (row) => [row.key], showSegment);
}

const ByMember = z.tuple([z.enum(["contact", "visitor"]), z.int().min(0)]);

/** The stored members, contacts first, each by when they were made. Of a visitor nothing is told but the id. */
export async function listMembers(
  ctx: Ctx,
  segment: { key: number },
  { kind, limit, cursor }: PageRequest & { kind?: "contact" | "visitor" | undefined },
): Promise<Page<Member>> {
  const [afterKind, after] = cursor === undefined ? ["", 0] : decodeCursor("members", cursor, ByMember);
  const { results } = await sql(
    ctx.db,
    `select m.kind, m.subject, m.entered_at as enteredAt,
       iif(m.kind = 'contact', (select id from contacts where key = m.subject),
         (select tracker from visitors where key = m.subject)) as id
     from segment_members m
     where m.segment = ?1 and (m.kind, m.subject) > (?2, ?3) and (?4 is null or m.kind = ?4)
     order by m.kind, m.subject limit ?5`,
    segment.key,
    afterKind,
    after,
    kind ?? null,
    limit + 1,
  ).all<{ kind: Member["kind"]; subject: number; enteredAt: number; id: string }>();
  return pageOf(
    "members",
    results,
    limit,
    (row) => [row.kind, row.subject],
    ({ kind: of, id, enteredAt }) => ({ kind: of, id, enteredAt: iso(enteredAt) }),
  );
}

/** Who entered and left after the first fill, the latest first. The id of somebody who was erased is gone. */
export async function listTransitions(
  ctx: Ctx,
  segment: { key: number },
  { limit, cursor }: PageRequest,
): Promise<Page<Transition>> {
  const { results } = await sql(
    ctx.db,
    `select h.key, h.kind, h.entered, h.at, iif(h.kind = 'contact', (select id from contacts where key = h.subject),
       (select tracker from visitors where key = h.subject)) as id
     from segment_history h where h.segment = ?1 and h.key < ?2 order by h.key desc limit ?3`,
    segment.key,
    keyFrom("transitions", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<{ key: number; kind: Transition["kind"]; entered: number; at: number; id: string | null }>();
  return pageOf(
    "transitions",
    results,
    limit,
    (row) => [row.key],
    ({ kind, id, entered, at }) => ({ kind, id, change: entered === 1 ? "entered" : "left", at: iso(at) }),
  );
}

const ByDay = z.tuple([z.string()]);

/** Its size at the end of each local day on which it changed, the latest first. */
export async function listSizes(
  ctx: Ctx,
  segment: { key: number },
  { limit, cursor }: PageRequest,
): Promise<Page<{ day: string; size: number }>> {
  const { results } = await sql(
    ctx.db,
    "select day, size from segment_sizes where segment = ? and day < ? order by day desc limit ?",
    segment.key,
    cursor === undefined ? "9999-12-31" : decodeCursor("sizes", cursor, ByDay)[0],
    limit + 1,
  ).all<{ day: string; size: number }>();
  return pageOf(
    "sizes",
    results,
    limit,
    (row) => [row.day],
    (row) => row,
  );
}

/** Everything that a segment of this shop can ask. */
export async function catalogue(ctx: Ctx) {
  const { db, shop } = ctx;
  const [orders, stages, events] = await db.batch<{ name: string }>([
    sql(db, "select id as name from orders where shop = ? limit 1", shop.key),
    sql(db, "select name from lifecycle_stages where shop = ? order by position", shop.key),
    // One seek for each type that any shop has sent, not a read of the shop's events.
    sql(
      db,
      `select t.name from event_types t where t.name >= 'custom:' and t.name < 'custom;'
         and exists (select 1 from events e where e.shop = ? and e.type = t.key) order by t.name limit 500`,
      shop.key,
    ),
  ]);
  const known: CatalogueShop = {
    connected: shop.connected,
    hasOrders: (orders?.results.length ?? 0) > 0,
    customFields: await customFieldsOf(db, shop.key),
    stages: (stages?.results ?? []).map(({ name }) => name),
    customEvents: (events?.results ?? []).map(({ name }) => name),
  };
  return describe(known);
}
