import { sql } from "../../db/client";
import type { Shop } from "../../shops";
import { compile, type SubjectKind } from "../compile";
import type { Change, Recheck } from "./commit";
import { evaluate, type Limits, type Verdict } from "./evaluate";
import type { Fault } from "./fault";
import { isSubject, type Position } from "./fill-at-once";
import type { ReadSegment } from "./load";
import { isClocked } from "./prepared";
import { recheckChanges } from "./settle";

/** Members found by one query. */
const PAGE = 40_000;

/** A query for everyone that takes longer hurts the others. */
export const SLOW_MS = 15_000;

/** What is to be written of one piece. */
export interface Piece {
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
export async function readPiece(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  { kind, after }: Position,
  now: number,
  limits: Limits,
  each: number,
): Promise<Piece | Fault> {
  const clocked = isClocked(segment);
  const most = clocked ? each : PAGE;
  const looked = clocked
    ? await lookAtEach(db, shop, segment, { kind, after }, now, limits, each)
    : await lookAtAll(db, shop, segment, { kind, after }, now);
  if ("problem" in looked) return looked;
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
): Promise<Looked | Fault> {
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
  if (meta.duration > SLOW_MS) return { state: "slow", problem: `takes ${Math.round(meta.duration)} ms for everybody` };
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
  each: number,
): Promise<Looked | Fault> {
  const { results } = await sql(
    db,
    `select key from ${kind}s where shop = ? and ${isSubject(kind)}
       and key > ? order by key limit ?`,
    shop.key,
    after,
    each,
  ).all<{ key: number }>();
  const keys = results.map(({ key }) => key);
  const subjects = { contact: [], visitor: [], [kind]: keys };
  const { verdicts, faults } = await evaluate(db, shop, [segment], subjects, now, { ...limits, ms: SLOW_MS });
  const [first] = faults;
  if (first) return first;
  return {
    members: verdicts.filter(({ member }) => member).map(({ key }) => key),
    verdicts,
    upTo: keys.length === each ? (keys.at(-1) ?? null) : null,
  };
}
