import { sql } from "../../db/client";
import type { Shop } from "../../shops";
import type { SubjectKind } from "../compile";
import { type Change, commitStatements, type Recheck, readTurn, type Turn } from "./commit";
import { evaluate, type Evaluated, type Limits, type Subjects, type Verdict } from "./evaluate";
import type { ReadSegment } from "./load";
import { isClocked } from "./prepared";

/** Somebody who is marked as changed, and the mark that goes once they have been looked at. */
export interface Marked {
  kind: SubjectKind;
  subject: number;
  stamp: number;
}

interface Stored {
  segment: number;
  kind: SubjectKind;
  subject: number;
  at: number;
}

/**
 * Looks at these subjects for these segments and commits what has changed. May run twice, and beside another run: the
 * later commit fails (`isConflict`) and is decided again.
 *
 * @param marks that go with the commit, unless they have changed meanwhile
 */
export async function settle(
  db: D1Database,
  shop: Shop,
  segments: ReadSegment[],
  asked: Subjects,
  marks: Marked[],
  now: number,
  limits: Limits,
): Promise<Evaluated> {
  const { turn, subjects, contactOf } = await readSubjects(db, shop, segments, asked);
  const [stored, evaluated] = await Promise.all([
    readStored(db, segments, subjects),
    evaluate(db, shop, segments, subjects, now, limits),
  ]);
  const changes = changesOf(evaluated.verdicts, stored.members, contactOf, now);
  const rechecks = recheckChanges(evaluated.verdicts, stored.rechecks);
  const unmark = sql(
    db,
    `delete from segment_dirty where (shop, kind, subject, stamp) in (
       select ?1, value ->> 0, value ->> 1, value ->> 2 from json_each(?2))`,
    shop.key,
    JSON.stringify(marks.map(({ kind, subject, stamp }) => [kind, subject, stamp])),
  );
  const statements = [
    ...(changes.length + rechecks.length > 0 ? commitStatements(db, shop, turn, changes, rechecks, now) : []),
    ...(marks.length > 0 ? [unmark] : []),
    turnWhileFilling(db, shop.key),
  ];
  await db.batch(statements);
  return { ...evaluated, statements: evaluated.statements + statements.length + 6 };
}

/**
 * A fill may have read somebody before the change that was settled here, and would write what it saw: it has to look
 * again, even where nothing came of the change.
 */
function turnWhileFilling(db: D1Database, shop: number): D1PreparedStatement {
  return sql(
    db,
    `insert into segment_turns (shop, turn)
     select ?1, 1 where exists (select 1 from jobs where state = 'running' and kind = 'segments.fill' and +shop = ?1)
     on conflict do update set turn = turn + 1`,
    shop,
  );
}

/** The subjects together with those whose membership may move to them, and the turn that all is decided on. */
async function readSubjects(
  db: D1Database,
  shop: Shop,
  segments: ReadSegment[],
  { contact: contacts, visitor: visitors }: Subjects,
): Promise<{ turn: Turn; subjects: Subjects; contactOf: Map<number, number> }> {
  const [turns, linked] = await db.batch<Record<string, number>>([
    readTurn(db, shop.key),
    sql(
      db,
      `select v.key as visitor, v.contact from json_each(?1) j cross join visitors v on v.key = j.value
       where v.shop = ?4 and v.contact is not null
       union select v.key, v.contact from json_each(?2) j cross join visitors v on v.contact = j.value
       where v.shop = ?4 and exists (select 1 from json_each(?3) g cross join segment_members m
         on m.segment = g.value and m.kind = 'visitor' and m.subject = v.key)`,
      JSON.stringify(visitors),
      JSON.stringify(contacts),
      JSON.stringify(segments.map(({ key }) => key)),
      shop.key,
    ),
  ]);
  const contactOf = new Map((linked?.results ?? []).map((row) => [row["visitor"] ?? 0, row["contact"] ?? 0]));
  const row = turns?.results[0];
  return {
    turn: { turn: row?.["turn"] ?? 0, lastTransition: row?.["lastTransition"] ?? 0 },
    subjects: {
      contact: [...new Set([...contacts, ...contactOf.values()])],
      visitor: [...new Set([...visitors, ...contactOf.keys()])],
    },
    contactOf,
  };
}

async function readStored(
  db: D1Database,
  segments: ReadSegment[],
  subjects: Subjects,
): Promise<{ members: Map<string, number>; rechecks: Map<string, number> }> {
  const pairs = JSON.stringify([
    ...subjects.contact.map((key) => ["contact", key]),
    ...subjects.visitor.map((key) => ["visitor", key]),
  ]);
  const rows = (table: string, at: string, of: ReadSegment[]) =>
    sql(
      db,
      `select m.segment, m.kind, m.subject, m.${at} as at from json_each(?1) g cross join json_each(?2) j
       cross join ${table} m on m.segment = g.value and m.kind = j.value ->> 0 and m.subject = j.value ->> 1`,
      JSON.stringify(of.map(({ key }) => key)),
      pairs,
    );
  const [members, rechecks] = await db.batch<Stored>([
    rows("segment_members", "entered_at", segments),
    rows("segment_rechecks", "at", segments.filter(isClocked)),
  ]);
  return { members: byName(members?.results ?? []), rechecks: byName(rechecks?.results ?? []) };
}

const name = (segment: number, kind: SubjectKind, subject: number) => `${segment}:${kind}:${subject}`;

function byName(rows: Stored[]): Map<string, number> {
  return new Map(rows.map(({ segment, kind, subject, at }) => [name(segment, kind, subject), at]));
}

/**
 * What changes: who enters, who leaves. A visitor who has become a contact takes the membership along: it goes on
 * under the contact since when it began, and nobody is told of either.
 *
 * @param members since when, by name
 * @param contactOf whom visitors have become
 */
function changesOf(
  verdicts: Verdict[],
  members: ReadonlyMap<string, number>,
  contactOf: ReadonlyMap<number, number>,
  now: number,
): Change[] {
  const verdictOf = new Map(verdicts.map((verdict) => [name(verdict.segment.key, verdict.kind, verdict.key), verdict]));
  const since = new Map<string, number>();
  const left: Change[] = [];
  for (const { segment, kind, key, member } of verdicts) {
    const enteredAt = members.get(name(segment.key, kind, key));
    if (member || enteredAt === undefined) continue;
    const contact = kind === "visitor" ? contactOf.get(key) : undefined;
    const successor = contact === undefined ? "" : name(segment.key, "contact", contact);
    const moves = verdictOf.get(successor)?.member === true;
    if (moves) since.set(successor, Math.min(enteredAt, since.get(successor) ?? enteredAt));
    left.push({
      segment: segment.key,
      kind,
      subject: key,
      enteredAt: null,
      announced: !moves && isTold(segment, kind, key),
    });
  }
  const entered = verdicts.flatMap(({ segment, kind, key, member }): Change[] => {
    const own = name(segment.key, kind, key);
    if (!member || members.has(own)) return [];
    const moved = since.get(own);
    const announced = moved === undefined && isTold(segment, kind, key);
    return [{ segment: segment.key, kind, subject: key, enteredAt: moved ?? now, announced }];
  });
  return [...left, ...entered];
}

/** The first fill tells of nobody unless asked; who was looked at by it already enters and leaves like anybody. */
export function isTold(segment: ReadSegment, kind: SubjectKind, key: number): boolean {
  if (segment.state !== "filling" || segment.announces === 1) return true;
  if (segment.filledKind === null) return false;
  return kind < segment.filledKind || (kind === segment.filledKind && key <= (segment.filledTo ?? 0));
}

/** The rows that differ from what is stored. */
export function recheckChanges(verdicts: Verdict[], stored: ReadonlyMap<string, number>): Recheck[] {
  return verdicts.flatMap(({ segment, kind, key, recheck }): Recheck[] => {
    const before = stored.get(name(segment.key, kind, key)) ?? null;
    return before === recheck ? [] : [{ segment: segment.key, kind, subject: key, at: recheck }];
  });
}
