import { z } from "zod";

import { isConflict, sql } from "../../db/client";
import { mustHold } from "../../db/guard";
import { newId } from "../../lib/ids";
import { reason } from "../../lib/log";
import type { Shop } from "../../shops";
import { compile, kindsOf, type SubjectKind } from "../compile";
import { type Change, commitStatements, type Recheck, readTurn, type Turn } from "./commit";
import { evaluate, isClocked, type Limits, type Verdict } from "./evaluate";
import { customFieldsOf, readDefinitions, type ReadSegment, SEGMENT_COLUMNS, type StoredSegment } from "./load";
import { recheckChanges } from "./settle";
import { takeOut } from "./take-out";

/** Members found by one query, and people looked at one by one where time moves the definition. */
const PAGE = 10_000;
const EACH = 1_000;

/** Pieces of one run. */
const PIECES_A_RUN = 12;

/** A query for everyone that takes longer hurts the others. */
const SLOW_MS = 15_000;

const Input = z.object({ segment: z.int(), version: z.int() });
const Position = z.tuple([z.enum(["contact", "visitor"]), z.int()]);

interface FillJob {
  id: string;
  input: string;
  cursor: string | null;
}

/** The job that looks at everybody for a segment, in the place of one that was doing so. */
export function fillStatements(
  db: D1Database,
  shop: number,
  segment: { key: number; version: number },
  now: number,
): D1PreparedStatement[] {
  return [
    sql(
      db,
      `update jobs set state = 'done', updated_at = ?2 where kind = 'segments.fill' and state = 'running'
         and input ->> 'segment' = cast(?1 as integer)`,
      segment.key,
      now,
    ),
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
       values (?1, ?2, 'segments.fill', 'running', ?3, ?4, ?4)`,
      newId("job", now),
      shop,
      JSON.stringify({ segment: segment.key, version: segment.version }),
      now,
    ),
  ];
}

/** Begins to look at everybody again, after a change of the shop or of its products; the segments stay live. */
export async function refill(
  db: D1Database,
  shop: Shop,
  segments: ReadSegment[],
  mark: { kind: "shop" | "products"; stamp: number },
  now: number,
): Promise<void> {
  const { results } = await sql(
    db,
    "select distinct segment from segment_watches where shop = ? and (what = 'product' or ?)",
    shop.key,
    mark.kind === "shop",
  ).all<{ segment: number }>();
  const concerned = segments.filter(({ key }) => results.some(({ segment }) => segment === key));
  await db.batch([
    ...concerned.flatMap((segment) => fillStatements(db, shop.key, segment, now)),
    sql(
      db,
      "delete from segment_dirty where shop = ? and kind = ? and subject = 0 and stamp = ?",
      shop.key,
      mark.kind,
      mark.stamp,
    ),
  ]);
}

/** Goes on with every fill of the shop, a piece of each in turn. Returns whether any is left. */
export async function continueFills(env: Env, shop: Shop, now: number, limits: Limits): Promise<boolean> {
  for (let piece = 0; piece < PIECES_A_RUN; piece++) {
    const { results } = await sql(
      env.DB,
      `select id, input, cursor from jobs where state = 'running' and kind = 'segments.fill' and shop = ?
       order by updated_at, key limit 20`,
      shop.key,
    ).all<FillJob>();
    if (results.length === 0) return false;
    for (const job of results) await onePiece(env.DB, shop, job, now, limits);
  }
  return true;
}

async function onePiece(db: D1Database, shop: Shop, job: FillJob, now: number, limits: Limits): Promise<void> {
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
    return;
  }
  try {
    const found = await readPiece(db, shop, segment, positionOf(job, segment), now, limits);
    if ("slow" in found) return await takeOut(db, segment.key, "slow", found.slow, now);
    await commitPiece(db, shop, segment, job, (turns?.results ?? [])[0] as Turn, found, now);
  } catch (error) {
    // Somebody else wrote meanwhile: the next piece looks again.
    if (!isConflict(error)) await takeOut(db, segment.key, "slow", `could not be filled: ${reason(error)}`, now);
  }
}

interface Position {
  kind: SubjectKind;
  after: number;
}

function positionOf({ cursor }: FillJob, { parsed }: ReadSegment): Position {
  if (cursor === null) return { kind: kindsOf(parsed)[0] ?? "contact", after: 0 };
  const [kind, after] = Position.parse(JSON.parse(cursor));
  return { kind, after };
}

interface Piece {
  kind: SubjectKind;
  changes: Omit<Change, "announced">[];
  rechecks: Recheck[];
  /** Up to whom everybody of this kind has been looked at; null for all. */
  upTo: number | null;
}

interface Looked {
  members: number[];
  verdicts: Verdict[];
  upTo: number | null;
}

/** One kind of subjects after a key: who of them is in it, against what is stored of them. */
async function readPiece(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  { kind, after }: Position,
  now: number,
  limits: Limits,
): Promise<Piece | { slow: string }> {
  const clocked = isClocked(segment);
  const most = clocked ? EACH : PAGE;
  const looked = clocked
    ? await lookAtEach(db, shop, segment, { kind, after }, now, limits)
    : await lookAtAll(db, shop, segment, { kind, after }, now);
  if ("slow" in looked) return looked;
  const stored = (table: string, columns: string) =>
    sql(
      db,
      `select subject, ${columns} from ${table} where segment = ?1 and kind = ?2 and subject > ?3 and subject <= ?4
       order by subject limit ?5`,
      segment.key,
      kind,
      after,
      looked.upTo ?? Number.MAX_SAFE_INTEGER,
      most,
    );
  const [members, rechecks] = await db.batch<{ subject: number; at: number }>([
    stored("segment_members", "entered_at as at"),
    stored("segment_rechecks", "at"),
  ]);
  const full = [members, rechecks].flatMap((rows) =>
    rows?.results.length === most ? [rows.results.at(-1)?.subject ?? 0] : [],
  );
  const ends = looked.upTo === null ? full : [...full, looked.upTo];
  const upTo = ends.length === 0 ? null : Math.min(...ends);
  const isHere = (key: number) => upTo === null || key <= upTo;
  const before = new Set((members?.results ?? []).map(({ subject }) => subject).filter(isHere));
  const inside = new Set(looked.members.filter(isHere));
  const timed = new Map(
    (rechecks?.results ?? []).filter(({ subject }) => isHere(subject)).map((row) => [row.subject, row.at]),
  );
  const change = (subject: number, enteredAt: number | null) => ({ segment: segment.key, kind, subject, enteredAt });
  const known = new Set(looked.verdicts.map(({ key }) => key));
  return {
    kind,
    upTo,
    changes: [
      ...[...inside].filter((key) => !before.has(key)).map((key) => change(key, now)),
      ...[...before].filter((key) => !inside.has(key)).map((key) => change(key, null)),
    ],
    rechecks: [
      ...recheckChanges(
        looked.verdicts.filter(({ key }) => isHere(key)),
        new Map([...timed].map(([key, at]) => [`${segment.key}:${kind}:${key}`, at])),
      ),
      ...[...timed.keys()]
        .filter((key) => !known.has(key))
        .map((subject): Recheck => ({ segment: segment.key, kind, subject, at: null })),
    ],
  };
}

/** By one query for all of them. */
async function lookAtAll(
  db: D1Database,
  shop: Shop,
  { parsed }: ReadSegment,
  { kind, after }: Position,
  now: number,
): Promise<Looked | { slow: string }> {
  const definition = { ...parsed, audience: kind === "contact" ? ("contacts" as const) : ("visitors" as const) };
  const { sql: text, values } = compile(definition, shop, now, {
    ask: "page",
    after: { kind, key: after },
    limit: PAGE,
  });
  const { results, meta } = await db
    .prepare(text)
    .bind(...values)
    .all<{ key: number }>();
  if (meta.duration > SLOW_MS) return { slow: `takes ${Math.round(meta.duration)} ms for everybody` };
  const members = results.map(({ key }) => key);
  return { members, verdicts: [], upTo: members.length === PAGE ? (members.at(-1) ?? null) : null };
}

/** One by one, which also tells when time will change it. */
async function lookAtEach(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  { kind, after }: Position,
  now: number,
  limits: Limits,
): Promise<Looked | { slow: string }> {
  const { results } = await sql(
    db,
    `select key from ${kind}s where shop = ? and ${kind === "contact" ? "deleted_at is null" : "contact is null"}
       and key > ? order by key limit ?`,
    shop.key,
    after,
    EACH,
  ).all<{ key: number }>();
  const keys = results.map(({ key }) => key);
  const subjects = { contact: [], visitor: [], [kind]: keys };
  const { verdicts, slow } = await evaluate(db, shop, [segment], subjects, now, { ...limits, ms: SLOW_MS });
  const [first] = slow;
  if (first) return { slow: first.problem };
  return {
    members: verdicts.filter(({ member }) => member).map(({ key }) => key),
    verdicts,
    upTo: keys.length === EACH ? (keys.at(-1) ?? null) : null,
  };
}

async function commitPiece(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  job: FillJob,
  turn: Turn,
  { kind, changes, rechecks, upTo }: Piece,
  now: number,
): Promise<void> {
  const kinds = kindsOf(segment.parsed);
  const next = kinds[kinds.indexOf(kind) + 1];
  const at = upTo === null ? (next === undefined ? null : ([next, 0] as const)) : ([kind, upTo] as const);
  const announced = segment.state === "live" || segment.announces === 1;
  await db.batch([
    ...commitStatements(
      db,
      shop,
      turn,
      changes.map((change) => ({ ...change, announced })),
      rechecks,
      now,
    ),
    mustHold(
      db,
      "exists (select 1 from jobs where id = ?1 and state = 'running' and cursor is ?2)",
      job.id,
      job.cursor,
    ),
    sql(
      db,
      `update jobs set cursor = ?2, state = ?3, progress = progress + ?4, updated_at = ?5 where id = ?1`,
      job.id,
      at === null ? job.cursor : JSON.stringify(at),
      at === null ? "done" : "running",
      changes.length,
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
  ]);
}
