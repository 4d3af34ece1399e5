import { isConflict, sql } from "../../db/client";
import { findShop, type Shop } from "../../shops";
import type { SubjectKind } from "../compile";
import { type Evaluated, type Limits, LIMITS } from "./evaluate";
import { continueFills } from "./fill";
import {
  customFieldRows,
  type FieldRow,
  readCustomFields,
  readDefinitions,
  SEGMENT_COLUMNS,
  type StoredSegment,
} from "./load";
import { refillConcerned, refillDue } from "./refill";
import { type Marked, settle } from "./settle";
import { takeOut } from "./take-out";

/** Marked subjects looked at together, and those whose time has come. */
const MARKED = 200;
const DUE = 500;

/** Statements of one run, below the thousand that one invocation may have; what is left waits for the next run. */
const MOST_STATEMENTS = 600;

/** Runs that another one got ahead of are repeated this often. */
const MOST_CONFLICTS = 8;

interface MarkRow {
  kind: SubjectKind | "shop" | "products";
  subject: number;
  stamp: number;
}

interface DueRow {
  segment: number;
  kind: SubjectKind;
  subject: number;
}

/** What a run has done, for whoever measures it. */
export interface MembershipRun {
  /** Something is left to do now. */
  more: boolean;
  looked: number;
  rowsRead: number;
}

/**
 * Brings a shop's memberships up to date: everybody who is marked as changed, and everybody for whom the time has come.
 * Then fills go on. Repeatable at any point; two at once get in each other's way but never count anything twice.
 */
export async function updateMembership(
  env: Env,
  shopKey: number,
  now: number,
  limits: Limits = LIMITS,
): Promise<MembershipRun> {
  const run: MembershipRun = { more: false, looked: 0, rowsRead: 0 };
  const shop = await findShop(env.DB, shopKey);
  if (!shop) return run;
  let statements = 0;
  let conflicts = 0;
  for (;;) {
    if (statements > MOST_STATEMENTS) return { ...run, more: true };
    try {
      const round = await oneRound(env.DB, shop, now, limits);
      if (round.done) break;
      run.looked += round.looked;
      run.rowsRead += round.rowsRead;
      statements += round.statements;
    } catch (error) {
      if (!isConflict(error) || ++conflicts > MOST_CONFLICTS) throw error;
    }
  }
  run.more = await continueFills(env, shop, now, limits);
  return run;
}

async function oneRound(db: D1Database, shop: Shop, now: number, limits: Limits) {
  const [marks, due, stored, fields] = await db.batch([
    sql(db, "select kind, subject, stamp from segment_dirty where shop = ? limit ?", shop.key, MARKED),
    sql(
      db,
      "select segment, kind, subject from segment_rechecks where shop = ? and at <= ? order by at limit ?",
      shop.key,
      now,
      DUE,
    ),
    sql(
      db,
      `select ${SEGMENT_COLUMNS} from segments where shop = ? and deleted_at is null and state in ('live', 'filling')`,
      shop.key,
    ),
    customFieldRows(db, shop.key),
  ]);
  const marked = (marks?.results ?? []) as MarkRow[];
  const dueRows = (due?.results ?? []) as DueRow[];
  const round = { done: marked.length + dueRows.length === 0, looked: 0, rowsRead: 0, statements: 4 };
  if (round.done) return round;
  const { read, broken } = readDefinitions(
    shop,
    (stored?.results ?? []) as StoredSegment[],
    readCustomFields((fields?.results ?? []) as FieldRow[]),
  );
  for (const { segment, problem } of broken) await takeOut(db, segment.key, "paused", problem, now);
  const take = async (evaluated: Evaluated) => {
    for (const { segment, state, problem } of evaluated.faults) await takeOut(db, segment.key, state, problem, now);
    round.looked += evaluated.verdicts.length;
    round.rowsRead += evaluated.rowsRead;
    round.statements += evaluated.statements;
  };
  const people = marked.filter((row): row is Marked => row.kind === "contact" || row.kind === "visitor");
  if (people.length > 0) await take(await settle(db, shop, read, bothKinds(people), people, now, limits));
  for (const row of marked) {
    if (row.kind === "shop" || row.kind === "products")
      await refillConcerned(db, shop, { ...row, kind: row.kind }, now);
  }
  const [whole, single] = [
    dueRows.filter(({ subject }) => subject === 0),
    dueRows.filter(({ subject }) => subject > 0),
  ];
  if (whole.length > 0) await refillDue(db, shop, read, whole, now);
  for (const rows of Map.groupBy(single, ({ segment }) => segment).values()) {
    const segment = read.find(({ key }) => key === rows[0]?.segment);
    if (segment) await take(await settle(db, shop, [segment], bothKinds(rows), [], now, limits));
    else await forget(db, rows);
  }
  return round;
}

function bothKinds(rows: { kind: SubjectKind; subject: number }[]) {
  const of = (kind: SubjectKind) => rows.filter((row) => row.kind === kind).map(({ subject }) => subject);
  return { contact: of("contact"), visitor: of("visitor") };
}

/** Times of segments that nobody keeps up to date any more. */
async function forget(db: D1Database, rows: DueRow[]): Promise<void> {
  await sql(
    db,
    `delete from segment_rechecks where (segment, kind, subject) in (
       select value ->> 0, value ->> 1, value ->> 2 from json_each(?))`,
    JSON.stringify(rows.map(({ segment, kind, subject }) => [segment, kind, subject])),
  ).run();
}
