import type { Shop } from "../../shops";
import { kindsOf, type SubjectKind } from "../compile";
import { columnName, memberName, packed, type Part, partsOf, statementOf } from "./ask-together";
import { type Fault, verdictOn } from "./fault";
import type { ReadSegment } from "./load";
import { recheckAt } from "./moments";
import { questionOf } from "./prepared";

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

/** Looks at each of these subjects for each of these segments, several segments with one statement. */
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
      const kinds = kindsOf(segment.parsed).filter((kind) => subjects[kind].length > 0);
      return kinds.flatMap((kind) => partsOf(segment, kind, questionOf(segment.parsed, shop, kind)));
    } catch (error) {
      outcome.faults.push({ segment, ...verdictOn(error) });
      return [];
    }
  });
  const found = new Map<string, Verdict>();
  for (let packs = packed(parts); packs.length > 0;) {
    outcome.statements += packs.length;
    const asked = await ask(db, packs, subjects, now);
    const again: Part[] = [];
    for (const { pack, answer } of asked) {
      const [first, ...others] = pack;
      if (!first) continue;
      const tooMuch = answer instanceof Error ? null : excess(answer, subjects[first.kind].length, limits);
      // Which of them it is, each tells by itself.
      if (others.length > 0 && (answer instanceof Error || tooMuch !== null)) {
        again.push(...pack);
        continue;
      }
      if (answer instanceof Error) {
        outcome.faults.push({ segment: first.segment, ...verdictOn(answer) });
        continue;
      }
      outcome.rowsRead += answer.meta.rows_read;
      if (tooMuch !== null) outcome.faults.push({ segment: first.segment, state: "slow", problem: tooMuch });
      for (const verdict of verdictsIn(pack, answer.results, now, shop.timezone)) {
        const name = `${verdict.segment.key}:${verdict.kind}:${verdict.key}`;
        found.set(name, { ...verdict, recheck: earlier(verdict.recheck, found.get(name)?.recheck ?? null) });
      }
    }
    packs = again.map((part) => [part]);
  }
  const out = new Set(outcome.faults.map(({ segment }) => segment.key));
  outcome.verdicts = [...found.values()].filter(({ segment }) => !out.has(segment.key));
  return outcome;
}

function excess({ meta }: D1Result, subjects: number, limits: Limits): string | null {
  if (meta.rows_read <= limits.rows * subjects && meta.duration <= limits.ms) return null;
  return `reads too much to be kept up to date: ${meta.rows_read} rows in ${Math.round(meta.duration)} ms for ${subjects}`;
}

function verdictsIn(pack: Part[], rows: Row[], now: number, zone: string): Verdict[] {
  return pack.flatMap(({ segment, kind, moments }, i) =>
    rows.map((row) => {
      const columns = moments.map((_, n) => row[columnName(i, n)]);
      const recheck = recheckAt(moments, columns, now, zone);
      return { segment, kind, key: row.key, member: row[memberName(i)] === 1, recheck };
    }),
  );
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

type Row = { key: number } & Record<string, unknown>;

interface Answered {
  pack: Part[];
  answer: D1Result<Row> | Error;
}

/** All in one batch; where that fails, one by one, so that one that cannot run does not stop the others. */
async function ask(db: D1Database, packs: Part[][], subjects: Subjects, now: number): Promise<Answered[]> {
  try {
    const results = await db.batch<Row>(packs.map((pack) => statementOf(db, pack, subjects, now)));
    return packs.map((pack, i) => ({ pack, answer: results[i] ?? new Error("no answer") }));
  } catch (error) {
    if (packs.length === 1) {
      return packs.map((pack) => ({ pack, answer: error instanceof Error ? error : new Error("unknown") }));
    }
    const halves = [packs.slice(0, packs.length / 2), packs.slice(packs.length / 2)];
    return (await Promise.all(halves.map((half) => ask(db, half, subjects, now)))).flat();
  }
}
