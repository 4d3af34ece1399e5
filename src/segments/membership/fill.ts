import { z } from "zod";

import { isConflict, sql } from "../../db/client";
import { mustHold } from "../../db/guard";
import type { Shop } from "../../shops";
import { kindsOf, type SubjectKind } from "../compile";
import { commitStatements, readTurn, type Turn } from "./commit";
import type { Limits } from "./evaluate";
import { type Fault, verdictOn } from "./fault";
import { pieceAtOnce, type Position } from "./fill-at-once";
import { readPiece, SLOW_MS } from "./fill-piece";
import { customFieldsOf, readDefinitions, type ReadSegment, SEGMENT_COLUMNS, type StoredSegment } from "./load";
import { isClocked } from "./prepared";
import { takeOut } from "./take-out";

/** People looked at one by one where time moves the definition. */
const EACH = 5_000;

/** Where others keep getting ahead, fewer people at a time are looked at. */
const FEWEST = 250;

/** Pieces of one run at most, and how long it takes on new ones, ms. */
const PIECES_A_RUN = 40;
const RUN_MS = 5_000;

const Input = z.object({ segment: z.int(), version: z.int() });
const Cursor = z.tuple([z.enum(["contact", "visitor"]), z.int()]);

interface FillJob {
  id: string;
  input: string;
  cursor: string | null;
}

/** Goes on with every fill of the shop, a piece of each in turn. Returns whether any is left. */
export async function continueFills(env: Env, shop: Shop, now: number, limits: Limits): Promise<boolean> {
  const started = Date.now();
  let each = EACH;
  for (let piece = 0; piece < PIECES_A_RUN && Date.now() - started < RUN_MS; piece++) {
    const { results } = await sql(
      env.DB,
      `select id, input, cursor from jobs where state = 'running' and kind = 'segments.fill' and shop = ?
       order by updated_at, key limit 20`,
      shop.key,
    ).all<FillJob>();
    if (results.length === 0) return false;
    for (const job of results) {
      const isDone = await onePiece(env.DB, shop, job, now, limits, each);
      each = isDone ? Math.min(EACH, 2 * each) : Math.max(FEWEST, Math.floor(each / 2));
    }
  }
  return true;
}

/** False when somebody else wrote meanwhile: the next piece looks again. */
async function onePiece(
  db: D1Database,
  shop: Shop,
  job: FillJob,
  now: number,
  limits: Limits,
  each: number,
): Promise<boolean> {
  const input = Input.parse(JSON.parse(job.input));
  const [turns, stored] = await db.batch([
    readTurn(db, shop.key),
    sql(
      db,
      `select ${SEGMENT_COLUMNS} from segments where key = ? and shop = ? and version = ? and deleted_at is null
         and state in ('live', 'filling')`,
      input.segment,
      shop.key,
      input.version,
    ),
  ]);
  const { read, broken } = readDefinitions(
    shop,
    (stored?.results ?? []) as StoredSegment[],
    await customFieldsOf(db, shop.key),
  );
  for (const { segment, problem } of broken) await takeOut(db, segment.key, "paused", problem, now);
  const [segment] = read;
  if (!segment) {
    await sql(db, "update jobs set state = 'done', updated_at = ? where id = ?", now, job.id).run();
    return true;
  }
  try {
    const fault = await (tellsNobody(segment)
      ? fillAtOnce(db, shop, segment, job, now)
      : fillByLooking(db, shop, segment, job, (turns?.results ?? [])[0] as Turn, now, limits, each));
    if (fault) await takeOut(db, segment.key, fault.state, fault.problem, now);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    const { state, problem } = verdictOn(error);
    await takeOut(db, segment.key, state, problem, now);
    return true;
  }
}

/** Whether the database can do it alone: nobody is told, and time changes nothing. */
function tellsNobody(segment: ReadSegment): boolean {
  return segment.state === "filling" && segment.announces !== 1 && !isClocked(segment);
}

async function fillAtOnce(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  job: FillJob,
  now: number,
): Promise<Fault | null> {
  const { kind, after } = positionOf(job, segment);
  const { statements, upTo } = await pieceAtOnce(db, shop, segment, { kind, after }, now);
  const results = await db.batch([stillAt(db, job), ...statements, ...advance(db, segment, job, kind, upTo, now)]);
  const ms = Math.max(...results.map(({ meta }) => meta.duration));
  return ms > SLOW_MS ? { state: "slow", problem: `takes ${Math.round(ms)} ms for everybody` } : null;
}

async function fillByLooking(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  job: FillJob,
  turn: Turn,
  now: number,
  limits: Limits,
  each: number,
): Promise<Fault | null> {
  const found = await readPiece(db, shop, segment, positionOf(job, segment), now, limits, each);
  if ("problem" in found) return found;
  const announced = segment.state === "live" || segment.announces === 1;
  const changes = found.changes.map((change) => ({ ...change, announced }));
  await db.batch([
    ...commitStatements(db, shop, turn, changes, found.rechecks, now),
    stillAt(db, job),
    ...advance(db, segment, job, found.kind, found.upTo, now),
  ]);
  return null;
}

/** Fails (`isConflict`) when another run has carried the job on. */
function stillAt(db: D1Database, { id, cursor }: FillJob): D1PreparedStatement {
  return mustHold(db, "exists (select 1 from jobs where id = ?1 and state = 'running' and cursor is ?2)", id, cursor);
}

/** The job and the segment behind a piece. */
function advance(
  db: D1Database,
  segment: ReadSegment,
  job: FillJob,
  kind: SubjectKind,
  upTo: number | null,
  now: number,
): D1PreparedStatement[] {
  const kinds = kindsOf(segment.parsed);
  const next = kinds[kinds.indexOf(kind) + 1];
  const at = upTo === null ? (next === undefined ? null : ([next, 0] as const)) : ([kind, upTo] as const);
  return [
    sql(
      db,
      `update jobs set cursor = ?2, state = ?3, progress = (select size from segments where key = ?4), updated_at = ?5
       where id = ?1`,
      job.id,
      at === null ? job.cursor : JSON.stringify(at),
      at === null ? "done" : "running",
      segment.key,
      now,
    ),
    at === null
      ? sql(
          db,
          `update segments set state = 'live', filled_kind = null, filled_to = null, filled_at = ?2 where key = ?1`,
          segment.key,
          now,
        )
      : sql(
          db,
          `update segments set filled_kind = ?2, filled_to = ?3 where key = ?1 and state = 'filling'`,
          segment.key,
          at[0],
          at[1],
        ),
  ];
}

function positionOf({ cursor }: FillJob, { parsed }: ReadSegment): Position {
  if (cursor === null) return { kind: kindsOf(parsed)[0] ?? "contact", after: 0 };
  const [kind, after] = Cursor.parse(JSON.parse(cursor));
  return { kind, after };
}
