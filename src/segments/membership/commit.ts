import { sql } from "../../db/client";
import { mustHold } from "../../db/guard";
import type { Shop } from "../../shops";
import type { SubjectKind } from "../compile";
import { dayOf } from "../window";

/** One change of a membership. */
export interface Change {
  segment: number;
  kind: SubjectKind;
  subject: number;
  /** When somebody entered; null for who leaves. */
  enteredAt: number | null;
  /** Written into the history and told to others. */
  announced: boolean;
}

export interface Recheck {
  segment: number;
  kind: SubjectKind;
  subject: number;
  /** Null to forget it. */
  at: number | null;
}

/** Where a shop's memberships stand before a commit. */
export interface Turn {
  turn: number;
  /** The last transition of any shop. */
  lastTransition: number;
}

/** Reads where the memberships stand; first in the batch of what is decided on. */
export function readTurn(db: D1Database, shop: number): D1PreparedStatement {
  return sql(
    db,
    `select coalesce((select turn from segment_turns where shop = ?), 0) as turn,
       coalesce((select seq from sqlite_sequence where name = 'segment_history'), 0) as lastTransition`,
    shop,
  );
}

/**
 * The statements that write changes of memberships with everything that follows from them: history, events, sizes, and
 * a mark on those whom other segments ask about. They fail as a whole (`isConflict`) when somebody else wrote since the
 * turn was read, so that nothing is counted twice and no stale answer wins.
 */
export function commitStatements(
  db: D1Database,
  shop: Shop,
  { turn, lastTransition }: Turn,
  changes: Change[],
  rechecks: Recheck[],
  now: number,
): D1PreparedStatement[] {
  const guard = mustHold(db, "coalesce((select turn from segment_turns where shop = ?1), 0) = ?2", shop.key, turn);
  return [
    guard,
    ...(changes.length > 0 ? changeStatements(db, shop, lastTransition, changes, now) : []),
    ...recheckStatements(db, shop.key, rechecks),
  ];
}

function changeStatements(
  db: D1Database,
  shop: Shop,
  lastTransition: number,
  changes: Change[],
  now: number,
): D1PreparedStatement[] {
  const rows = (some: Change[]) =>
    JSON.stringify(some.map((change) => [change.segment, change.kind, change.subject, change.enteredAt]));
  const deltas = new Map<number, number>();
  for (const { segment, enteredAt } of changes) {
    deltas.set(segment, (deltas.get(segment) ?? 0) + (enteredAt === null ? -1 : 1));
  }
  const announced = changes.filter((change) => change.announced);
  const segments = JSON.stringify([...deltas.keys()]);
  return [
    ...(announced.length === 0
      ? []
      : [
          sql(
            db,
            `insert into segment_history (segment, kind, subject, entered, at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3 is not null, ?2 from json_each(?1)`,
            rows(announced),
            now,
          ),
          sql(
            db,
            `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
             select ?1, iif(h.entered, 'segment_entered', 'segment_left'), h.kind || ':' || h.subject,
               g.id || ':' || h.key, json_object('segmentId', g.id), h.at, h.at
             from json_each(?2) j cross join segments g on g.key = j.value
             join segment_history h on h.segment = g.key and h.key > ?3 order by h.key on conflict do nothing`,
            shop.key,
            segments,
            lastTransition,
          ),
        ]),
    sql(
      db,
      `insert into segment_members (segment, kind, subject, entered_at)
       select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?) where true on conflict do nothing`,
      rows(changes.filter(({ enteredAt }) => enteredAt !== null)),
    ),
    sql(
      db,
      `delete from segment_members where (segment, kind, subject) in (
         select value ->> 0, value ->> 1, value ->> 2 from json_each(?))`,
      rows(changes.filter(({ enteredAt }) => enteredAt === null)),
    ),
    sql(
      db,
      `update segments set size = size + j.value ->> 1 from json_each(?2) j where segments.key = j.value ->> 0 and shop = ?1`,
      shop.key,
      JSON.stringify([...deltas]),
    ),
    sql(
      db,
      `insert into segment_sizes (segment, day, size)
       select key, ?2, size from segments where key in (select value from json_each(?1)) and true
       on conflict do update set size = excluded.size`,
      segments,
      dayOf(now, shop.timezone),
    ),
    sql(
      db,
      `insert into segment_dirty (shop, kind, subject, stamp)
       select distinct ?1, j.value ->> 1, j.value ->> 2, random() >> 11 from json_each(?2) j
       join segments g on g.key = j.value ->> 0
       where exists (select 1 from segment_watches w where w.shop = ?1 and w.what = 'segment:' || g.id)
       on conflict do update set stamp = excluded.stamp`,
      shop.key,
      rows(changes),
    ),
    sql(
      db,
      `insert into segment_turns (shop, turn) values (?1, 1) on conflict do update set turn = turn + 1`,
      shop.key,
    ),
  ];
}

function recheckStatements(db: D1Database, shop: number, rechecks: Recheck[]): D1PreparedStatement[] {
  const kept = rechecks.filter(({ at }) => at !== null);
  const gone = rechecks.filter(({ at }) => at === null);
  const statements: D1PreparedStatement[] = [];
  if (kept.length > 0) {
    statements.push(
      sql(
        db,
        `insert into segment_rechecks (segment, kind, subject, shop, at)
         select value ->> 0, value ->> 1, value ->> 2, ?1, value ->> 3 from json_each(?2) where true
         on conflict do update set at = excluded.at where at <> excluded.at`,
        shop,
        JSON.stringify(kept.map(({ segment, kind, subject, at }) => [segment, kind, subject, at])),
      ),
    );
  }
  if (gone.length > 0) {
    statements.push(
      sql(
        db,
        `delete from segment_rechecks where (segment, kind, subject) in (
           select value ->> 0, value ->> 1, value ->> 2 from json_each(?))`,
        JSON.stringify(gone.map(({ segment, kind, subject }) => [segment, kind, subject])),
      ),
    );
  }
  return statements;
}
