import { sql } from "../../db/client";
import type { Shop } from "../../shops";
import { compile, type SubjectKind } from "../compile";
import { dayOf } from "../window";
import type { ReadSegment } from "./load";

/** People of one piece: a statement that takes a second or two, since it works out the conditions for everybody. */
const PEOPLE = 200_000;

/** Where a piece of a fill begins: behind this subject. */
export interface Position {
  kind: SubjectKind;
  after: number;
}

/** SQL of a row that can be a member. */
export function isSubject(kind: SubjectKind): string {
  return kind === "contact" ? "deleted_at is null" : "contact is null and channel = 'browser'";
}

export interface PieceAtOnce {
  /** Up to whom it looks; null for everybody that is left of this kind. */
  upTo: number | null;
  /** The statements that find members and write them in one transaction, so that nothing can come between. */
  statements: D1PreparedStatement[];
}

/**
 * A piece of a first fill that tells nobody and that time does not move: members are found and stored by the database
 * itself. Whoever decided meanwhile on what was stored before decides again (`segment_turns`). Whether the segment is
 * still to be filled is the caller's to guard in the same batch.
 */
export async function pieceAtOnce(
  db: D1Database,
  shop: Shop,
  { key, id, parsed }: ReadSegment,
  { kind, after }: Position,
  now: number,
): Promise<PieceAtOnce> {
  const people = kind === "contact" ? "contacts" : "visitors";
  const last = await sql(
    db,
    `select key from ${people} where shop = ?1 and ${isSubject(kind)} and key > ?2 order by key limit 1 offset ?3`,
    shop.key,
    after,
    PEOPLE - 1,
  ).first<{ key: number }>();
  const upTo = last?.key ?? null;
  const audience = kind === "contact" ? ("contacts" as const) : ("visitors" as const);
  const between = { after, upTo };
  const { sql: members, values } = compile({ ...parsed, audience }, shop, now, { ask: "members", between });
  // Whole numbers are written out: bound ones are reals, and the parameter is taken.
  const range = `subject > ${after}${upTo === null ? "" : ` and subject <= ${upTo}`}`;
  return {
    upTo,
    statements: [
      // Where nobody is in it yet, nothing is worked out for this.
      db
        .prepare(
          `delete from segment_members where segment = ${key} and kind = '${kind}' and ${range}
             and subject not in (select m.key from (${members}) m)`,
        )
        .bind(...values),
      db
        .prepare(
          `insert into segment_members (segment, kind, subject, entered_at)
           select ${key}, '${kind}', m.key, ${now} from (${members}) m where true on conflict do nothing`,
        )
        .bind(...values),
      sql(
        db,
        "update segments set size = (select count(*) from segment_members where segment = ?1) where key = ?1",
        key,
      ),
      sql(
        db,
        `insert into segment_sizes (segment, day, size) select key, ?2, size from segments where key = ?1 and true
         on conflict do update set size = excluded.size`,
        key,
        dayOf(now, shop.timezone),
      ),
      sql(
        db,
        `insert into segment_dirty (shop, kind, subject, stamp)
         select ?1, '${kind}', p.key, random() >> 11 from ${people} p where p.shop = ?1 and p.key > ?2
           and p.key <= coalesce(?3, p.key) and exists (select 1 from segment_watches w where w.shop = ?1 and w.what = ?4)
         on conflict do update set stamp = excluded.stamp`,
        shop.key,
        after,
        upTo,
        `segment:${id}`,
      ),
      sql(
        db,
        "insert into segment_turns (shop, turn) values (?1, 1) on conflict do update set turn = turn + 1",
        shop.key,
      ),
    ],
  };
}
