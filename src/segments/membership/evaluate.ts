import type { Shop } from "../../shops";
import { compile, kindsOf, type SubjectKind } from "../compile";
import { type Fault, verdictOn } from "./fault";
import type { ReadSegment } from "./load";
import { momentsOf, recheckAt } from "./moments";

/** Whether somebody is a member, and when to look again because time passes; null for never. */
export interface Verdict {
  segment: ReadSegment;
  kind: SubjectKind;
  key: number;
  member: boolean;
  recheck: number | null;
}

export type Subjects = Record<SubjectKind, number[]>;

/** What one segment may cost when it is looked at for a few subjects; what costs more is taken out. */
export interface Limits {
  /** Rows read per subject. */
  rows: number;
  /** Of one statement. */
  ms: number;
}

export const LIMITS: Limits = { rows: 20_000, ms: 5_000 };

export interface Evaluated {
  verdicts: Verdict[];
  /** Segments that cost too much, or cannot be asked. */
  faults: (Fault & { segment: ReadSegment })[];
  statements: number;
  rowsRead: number;
}

/** Columns of one statement beside the first two: D1 gives at most 100. */
const COLUMNS = 40;

type Row = { key: number; member: number } & Record<string, unknown>;

interface Part {
  segment: ReadSegment;
  kind: SubjectKind;
  from: number;
  statement: D1PreparedStatement;
}

/** Whether time alone may change who is a member. */
export function isClocked(segment: ReadSegment): boolean {
  return kindsOf(segment.parsed).some((kind) => momentsOf(segment.parsed, kind).length > 0);
}

/** Looks at each of these subjects for each of these segments, with one statement for a segment and kind. */
export async function evaluate(
  db: D1Database,
  shop: Shop,
  segments: ReadSegment[],
  subjects: Subjects,
  now: number,
  limits: Limits = LIMITS,
): Promise<Evaluated> {
  const outcome: Evaluated = { verdicts: [], faults: [], statements: 0, rowsRead: 0 };
  const parts = segments.flatMap((segment) => {
    try {
      return kindsOf(segment.parsed).flatMap((kind) =>
        subjects[kind].length === 0 ? [] : partsOf(db, shop, segment, kind, subjects[kind], now),
      );
    } catch (error) {
      outcome.faults.push({ segment, ...verdictOn(error) });
      return [];
    }
  });
  outcome.statements = parts.length;
  const answers = await ask(db, parts);
  const found = new Map<string, Verdict>();
  for (const [i, part] of parts.entries()) {
    const { segment, kind, from } = part;
    const answer = answers[i];
    if (!answer || answer instanceof Error) {
      outcome.faults.push({ segment, ...verdictOn(answer) });
      continue;
    }
    const { rows_read: rowsRead, duration } = answer.meta;
    outcome.rowsRead += rowsRead;
    if (rowsRead > limits.rows * subjects[kind].length || duration > limits.ms) {
      outcome.faults.push({
        segment,
        state: "slow",
        problem: `reads too much to be kept up to date: ${rowsRead} rows in ${Math.round(duration)} ms for ${subjects[kind].length}`,
      });
    }
    const moments = momentsOf(segment.parsed, kind).slice(from, from + COLUMNS);
    for (const row of answer.results) {
      const columns = moments.map((_, n) => row[`c${n}`]);
      const recheck = recheckAt(moments, columns, now, shop.timezone);
      const name = `${segment.key}:${kind}:${row.key}`;
      const before = found.get(name);
      const earliest =
        before?.recheck == null ? recheck : recheck === null ? before.recheck : Math.min(recheck, before.recheck);
      found.set(name, { segment, kind, key: row.key, member: row.member === 1, recheck: earliest });
    }
  }
  const out = new Set(outcome.faults.map(({ segment }) => segment.key));
  outcome.verdicts = [...found.values()].filter(({ segment }) => !out.has(segment.key));
  return outcome;
}

function partsOf(
  db: D1Database,
  shop: Shop,
  segment: ReadSegment,
  kind: SubjectKind,
  keys: number[],
  now: number,
): Part[] {
  const moments = momentsOf(segment.parsed, kind);
  const starts = Array.from({ length: Math.max(1, Math.ceil(moments.length / COLUMNS)) }, (_, i) => i * COLUMNS);
  return starts.map((from) => {
    const columns = moments.slice(from, from + COLUMNS);
    const also = {
      ask: "among" as const,
      kind,
      keys,
      also: (frame: Parameters<(typeof columns)[0]["column"]>[0]) => columns.map(({ column }) => column(frame)),
    };
    const { sql: text, values } = compile(segment.parsed, shop, now, also);
    return { segment, kind, from, statement: db.prepare(text).bind(...values) };
  });
}

/** All in one batch; where that fails, one by one, so that one that cannot run does not stop the others. */
async function ask(db: D1Database, parts: Part[]): Promise<(D1Result<Row> | Error)[]> {
  if (parts.length === 0) return [];
  try {
    return await db.batch<Row>(parts.map(({ statement }) => statement));
  } catch (error) {
    if (parts.length === 1) return [error instanceof Error ? error : new Error("unknown")];
    const halves = [parts.slice(0, parts.length / 2), parts.slice(parts.length / 2)];
    return (await Promise.all(halves.map((half) => ask(db, half)))).flat();
  }
}
