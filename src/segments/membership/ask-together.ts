import type { SubjectKind } from "../compile";
import type { Subjects } from "./evaluate";
import type { ReadSegment } from "./load";
import type { Moments } from "./moments";
import type { Question } from "./prepared";

/** A segment's question about subjects of one kind, or some columns of it where it has very many. */
export interface Part {
  segment: ReadSegment;
  kind: SubjectKind;
  question: Question;
  columns: string[];
  /** One for each of these columns. */
  moments: Moments[];
  /** Characters of SQL; it is all ASCII but for names of fields. */
  length: number;
}

/** Columns of one part, so that two of them fit into a statement. */
const COLUMNS = 40;

/**
 * What one statement may hold: D1 gives 100 columns, 100 parameters and 100,000 bytes, and each statement costs it about
 * as much as a simple segment does. One that fails is asked part by part, so they are not made as large as they may be.
 */
const MOST_COLUMNS = 90;
const MOST_PARTS = 25;
const MOST_LENGTH = 60_000;

export const memberName = (part: number) => `m${part}`;
export const columnName = (part: number, column: number) => `c${part}_${column}`;

export function partsOf(segment: ReadSegment, kind: SubjectKind, question: Question): Part[] {
  const { member, moments } = question;
  const starts = Array.from({ length: Math.max(1, Math.ceil(moments.length / COLUMNS)) }, (_, i) => i * COLUMNS);
  return starts.map((from) => {
    const columns = question.columns.slice(from, from + COLUMNS);
    const length = columns.reduce((sum, { length: more }) => sum + more, member.length);
    return { segment, kind, question, columns, moments: moments.slice(from, from + COLUMNS), length };
  });
}

/** The parts by statement, in their order. */
export function packed(parts: Part[]): Part[][] {
  return [...Map.groupBy(parts, ({ kind }) => kind).values()].flatMap((ofKind) => {
    const packs: Part[][] = [];
    let columns = 0;
    let length = 0;
    for (const part of ofKind) {
      columns += 1 + part.columns.length;
      length += part.length;
      const last = packs.at(-1);
      if (last && last.length < MOST_PARTS && columns <= MOST_COLUMNS && length <= MOST_LENGTH) last.push(part);
      else {
        packs.push([part]);
        columns = 1 + part.columns.length;
        length = part.length;
      }
    }
    return packs;
  });
}

/** A row for each subject: `key`, and of each part whether they are a member and its columns. */
export function statementOf(db: D1Database, pack: Part[], subjects: Subjects, now: number): D1PreparedStatement {
  const columns = pack.flatMap(({ question, columns: some }, i) => {
    // Values are never in the SQL, so this is its parameter wherever it stands.
    const own = (sql: string) => sql.replaceAll("?1", `?${i + 1}`);
    return [
      `${own(question.member)} as ${memberName(i)}`,
      ...some.map((sql, n) => `${own(sql)} as ${columnName(i, n)}`),
    ];
  });
  const [first] = pack;
  const sql = `select who.value as key, ${columns.join(", ")} from ${first?.question.subjects} who`;
  const values = pack.map(({ kind, question }) => question.document({ now, keys: subjects[kind] }));
  return db.prepare(sql).bind(...values);
}
