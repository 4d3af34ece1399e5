import { sql } from "../../db/client";
import { newId } from "../../lib/ids";
import type { Shop } from "../../shops";
import { mentionsOf } from "../references";
import { asksForRfm, freshBounds } from "../rfm";
import type { ReadSegment } from "./load";

/** Products may change every second, and each change may concern anybody: a segment looks at everybody so often at most. */
const REFILL_EVERY_MS = 10 * 60_000;

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

interface Concerned {
  key: number;
  version: number;
  refilledAt: number | null;
  filling: number;
}

/**
 * Begins to look at everybody again, after a change of the shop or of its products; the segments stay live. After a
 * change of products, one that did so a short time ago or is still at it waits, and then does so once for all changes.
 */
export async function refillConcerned(
  db: D1Database,
  shop: Shop,
  mark: { kind: "shop" | "products"; stamp: number },
  now: number,
): Promise<void> {
  const { results } = await sql(
    db,
    `select s.key, s.version, s.refilled_at as refilledAt, exists (select 1 from jobs j where j.state = 'running'
       and j.kind = 'segments.fill' and j.shop = s.shop and j.input ->> 'segment' = s.key) as filling
     from segments s where s.deleted_at is null and s.state in ('live', 'filling')
       and s.key in (select segment from segment_watches where shop = ? and (what = 'product' or ?))`,
    shop.key,
    mark.kind === "shop",
  ).all<Concerned>();
  await db.batch([
    ...results.flatMap((segment) => {
      const at = mark.kind === "shop" ? now : refillAt(segment, now);
      return at <= now ? refillStatements(db, shop.key, segment, now) : [refillLater(db, shop.key, segment.key, at)];
    }),
    sql(
      db,
      "delete from segment_dirty where shop = ? and kind = ? and subject = 0 and stamp = ?",
      shop.key,
      mark.kind,
      mark.stamp,
    ),
  ]);
}

function refillAt({ refilledAt, filling }: Concerned, now: number): number {
  if (refilledAt === null) return now;
  return filling === 1 ? now + REFILL_EVERY_MS : Math.max(now, refilledAt + REFILL_EVERY_MS);
}

function refillStatements(
  db: D1Database,
  shop: number,
  segment: { key: number; version: number },
  now: number,
): D1PreparedStatement[] {
  return [
    ...fillStatements(db, shop, segment, now),
    sql(db, "update segments set refilled_at = ?2 where key = ?1", segment.key, now),
  ];
}

/** Everybody is looked at again at a time, or before. */
export function refillLater(db: D1Database, shop: number, segment: number, at: number): D1PreparedStatement {
  return sql(
    db,
    `insert into segment_rechecks (segment, kind, subject, shop, at) values (?1, 'contact', 0, ?2, ?3)
     on conflict do update set at = min(at, excluded.at)`,
    segment,
    shop,
    at,
  );
}

/** Begins to look at everybody again for the segments whose time has come, with new bounds for those that need them. */
export async function refillDue(
  db: D1Database,
  shop: Shop,
  segments: ReadSegment[],
  due: { segment: number }[],
  now: number,
): Promise<void> {
  const keys = new Set(due.map(({ segment }) => segment));
  const mine = segments.filter(({ key }) => keys.has(key));
  const scored = mine.filter(({ parsed }) => asksForRfm(mentionsOf(parsed).fields));
  const until = scored.length > 0 ? await freshBounds(db, shop.key, now) : now;
  await db.batch([
    sql(
      db,
      `delete from segment_rechecks where kind = 'contact' and subject = 0
         and segment in (select value from json_each(?))`,
      JSON.stringify([...keys]),
    ),
    ...mine.flatMap((segment) => refillStatements(db, shop.key, segment, now)),
    ...scored.map(({ key }) => refillLater(db, shop.key, key, until)),
  ]);
}
