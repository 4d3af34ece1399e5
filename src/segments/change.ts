import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { parseDefinition } from "./definition";
import { compile } from "./compile";
import { fillStatements, refillLater } from "./membership/refill";
import { customFieldsOf, vocabulary } from "./membership/load";
import { takeOutStatements } from "./membership/take-out";
import { updateMembership } from "./membership/update";
import { needleOf, watchesOf } from "./membership/watches";
import { findSegment, type SegmentRow, showSegment } from "./read";
import { checkReferences, type Known, mentionsOf } from "./references";
import { asksForRfm, freshBounds } from "./rfm";
import type { Segment, SegmentPatch } from "./schemas";
import type { Audience, Definition } from "./tree";

/** Most segments of one shop: each is looked at for everybody who changes. */
const MOST_SEGMENTS = 500;

/** Adds a segment and begins to fill it; that of a small shop is live when this answers. */
export async function createSegment(
  ctx: Ctx,
  input: { name: string; audience: Audience; definition: Record<string, unknown>; announceFirst: boolean },
): Promise<Segment> {
  const { db, shop, now } = ctx;
  const id = newId("seg", now);
  await armClock(ctx.env, shop.key, now);
  await onConflictRetry(async () => {
    const parsed = await readNew(ctx, input.audience, input.definition, null);
    const scored = await scoredUntil(ctx, parsed);
    const [last] = await db.batch<{ seq: number | null; segments: number }>([
      sql(
        db,
        `select (select seq from sqlite_sequence where name = 'segments') as seq,
           (select count(*) from segments where shop = ? and deleted_at is null) as segments`,
        shop.key,
      ),
    ]);
    if ((last?.results[0]?.segments ?? 0) >= MOST_SEGMENTS) {
      throw new AppError("unprocessable", `A shop has at most ${MOST_SEGMENTS} segments`);
    }
    const key = (last?.results[0]?.seq ?? 0) + 1;
    await db.batch([
      ...stillThere(ctx, parsed),
      sql(
        db,
        `insert into segments (key, shop, id, name, audience, definition, state, announces, created_at, updated_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, 'filling', ?7, ?8, ?8)`,
        key,
        shop.key,
        id,
        input.name,
        input.audience,
        JSON.stringify(input.definition),
        input.announceFirst,
        now,
      ),
      ...watchStatements(ctx, key, parsed, scored),
      ...fillStatements(db, shop.key, { key, version: 1 }, now),
      audit(ctx, "segment.created", id),
    ]);
  });
  await updateMembership(ctx.env, shop.key, now);
  return readSegment(ctx, id);
}

/**
 * Changes a segment. Another audience or definition makes a new version, which is filled again: who is in it by the new
 * one alone, or no more, changes without being told of. Throws 422 for a definition that leads back to itself.
 */
export async function updateSegment(ctx: Ctx, row: SegmentRow, patch: SegmentPatch): Promise<Segment> {
  const { db, now } = ctx;
  await armClock(ctx.env, ctx.shop.key, now);
  await onConflictRetry(async () => {
    const before = (await findSegment(db, row.id)) ?? row;
    const audience = patch.audience ?? before.audience;
    const definition: Record<string, unknown> = patch.definition ?? JSON.parse(before.definition);
    const text = JSON.stringify(definition);
    const isNew = audience !== before.audience || text !== before.definition;
    const pauses = patch.state === "paused" || (patch.state === undefined && before.state === "paused");
    const resumes = patch.state === "live" && (before.state === "paused" || before.state === "slow");
    const statements = [
      mustHold(
        db,
        "exists (select 1 from segments where key = ?1 and version = ?2 and state = ?3 and deleted_at is null)",
        before.key,
        before.version,
        before.state,
      ),
      sql(
        db,
        `update segments set name = ?2, audience = ?3, definition = ?4, version = version + ?5, updated_at = ?6
         where key = ?1`,
        before.key,
        patch.name ?? before.name,
        audience,
        text,
        isNew,
        now,
      ),
      audit(ctx, "segment.updated", row.id, Object.keys(patch)),
    ];
    if (isNew || resumes) {
      const parsed = await readNew(ctx, audience, definition, row.id);
      statements.push(...stillThere(ctx, parsed));
      if (!pauses) {
        statements.push(
          sql(
            db,
            `update segments set state = 'filling', problem = null, filled_kind = null, filled_to = null where key = ?`,
            before.key,
          ),
          ...watchStatements(ctx, before.key, parsed, await scoredUntil(ctx, parsed)),
          ...fillStatements(db, ctx.shop.key, { key: before.key, version: before.version + (isNew ? 1 : 0) }, now),
        );
      }
    }
    if (patch.state === "paused") statements.push(...takeOutStatements(db, before.key, "paused", null, now));
    await db.batch(statements);
  });
  await updateMembership(ctx.env, ctx.shop.key, now);
  return readSegment(ctx, row.id);
}

/**
 * Deletes a segment; its rows go in pieces (`continueRemoval`). Throws 409 while another one refers to it.
 */
export async function deleteSegment(ctx: Ctx, row: SegmentRow): Promise<void> {
  const { db, shop, now } = ctx;
  await armClock(ctx.env, shop.key, now);
  await onConflictRetry(async () => {
    const { results } = await referring(ctx, row.id);
    const users = results.filter(({ id }) => id !== row.id);
    if (users.length > 0) {
      throw new AppError("conflict", `Other segments refer to it: ${users.map(({ id }) => id).join(", ")}`);
    }
    await db.batch([
      notReferred(ctx, row.id),
      sql(db, "update segments set deleted_at = ?2 where key = ?1 and deleted_at is null", row.key, now),
      sql(db, "delete from segment_watches where segment = ?", row.key),
      sql(
        db,
        `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
         values (?1, ?2, 'segments.delete', 'running', ?3, ?4, ?4)`,
        newId("job", now),
        shop.key,
        JSON.stringify({ segment: row.key }),
        now,
      ),
      audit(ctx, "segment.deleted", row.id),
    ]);
  });
}

/** The first segments of the shop whose definition names this id of a segment or list. */
export async function referring(ctx: Ctx, id: string) {
  return sql(
    ctx.db,
    "select id from segments where shop = ? and deleted_at is null and instr(definition, ?) > 0 limit 10",
    ctx.shop.key,
    JSON.stringify(id),
  ).all<{ id: string }>();
}

/** Holds while no definition of the shop names the id. */
export function notReferred(ctx: Ctx, id: string): D1PreparedStatement {
  return mustHold(
    ctx.db,
    "not exists (select 1 from segments where shop = ?1 and deleted_at is null and id <> ?2 and instr(definition, ?3) > 0)",
    ctx.shop.key,
    id,
    JSON.stringify(id),
  );
}

async function readSegment(ctx: Ctx, id: string): Promise<Segment> {
  const row = await findSegment(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return showSegment(row);
}

/** Reads a definition for this shop, with everything that it refers to. */
async function readNew(ctx: Ctx, audience: Audience, definition: unknown, own: string | null): Promise<Definition> {
  const parsed = parseDefinition(
    definition,
    vocabulary(ctx.shop, audience, await customFieldsOf(ctx.db, ctx.shop.key)),
  );
  checkReferences(parsed, own, await readKnown(ctx));
  // What the database could not run is refused before anybody waits for it.
  compile(parsed, ctx.shop, ctx.now, { ask: "count" });
  return parsed;
}

/** Until when the bounds of scores are good that a definition asks about; null for one that asks about none. */
async function scoredUntil({ db, shop, now }: Ctx, parsed: Definition): Promise<number | null> {
  return asksForRfm(mentionsOf(parsed).fields) ? freshBounds(db, shop.key, now) : null;
}

/** What exists in the shop that a definition may refer to. */
export async function readKnown(ctx: Ctx): Promise<Known> {
  const { db, shop } = ctx;
  const [segments, lists] = await db.batch<{ id: string; named: string }>([
    sql(
      db,
      `select s.id, coalesce((select json_group_array(j.value) from json_tree(s.definition) j
         where j.key = 'segment' and j.type = 'text'), '[]') as named
       from segments s where s.shop = ? and s.deleted_at is null`,
      shop.key,
    ),
    sql(db, "select id, '' as named from lists where shop = ? and deleted_at is null", shop.key),
  ]);
  return {
    segments: new Map((segments?.results ?? []).map(({ id, named }) => [id, JSON.parse(named)])),
    lists: new Set((lists?.results ?? []).map(({ id }) => id)),
  };
}

/** Fails the batch (`isConflict`) when what a definition refers to has gone since it was read. */
function stillThere(ctx: Ctx, parsed: Definition): D1PreparedStatement[] {
  const { segments, lists } = mentionsOf(parsed);
  return (
    [
      ["segments", segments],
      ["lists", lists],
    ] as const
  ).flatMap(([table, ids]) =>
    ids.length === 0
      ? []
      : [
          mustHold(
            ctx.db,
            `(select count(*) from ${table} where shop = ?1 and deleted_at is null
              and id in (select value from json_each(?2))) = json_array_length(?2)`,
            ctx.shop.key,
            JSON.stringify(ids),
          ),
        ],
  );
}

function watchStatements(ctx: Ctx, segment: number, parsed: Definition, scored: number | null): D1PreparedStatement[] {
  return [
    sql(ctx.db, "delete from segment_watches where segment = ?", segment),
    ...(scored === null ? [] : [refillLater(ctx.db, ctx.shop.key, segment, scored)]),
    sql(
      ctx.db,
      `insert into segment_watches (shop, what, segment, needle)
       select ?1, value ->> 0, ?2, value ->> 1 from json_each(?3)`,
      ctx.shop.key,
      segment,
      JSON.stringify(watchesOf(parsed).map((what) => [what, needleOf(parsed, what)])),
    ),
  ];
}
