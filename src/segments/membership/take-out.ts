import { sql } from "../../db/client";

/**
 * Takes a segment out of what is kept up to date, so that it costs nothing and holds up nobody. Its members stay as
 * they were; `POST` of its state back to live fills it again.
 */
export async function takeOut(
  db: D1Database,
  segment: number,
  state: "paused" | "slow",
  problem: string | null,
  now: number,
): Promise<void> {
  await db.batch(takeOutStatements(db, segment, state, problem, now));
}

/** The statements of it, for the batch of a verb. */
export function takeOutStatements(
  db: D1Database,
  segment: number,
  state: "paused" | "slow",
  problem: string | null,
  now: number,
): D1PreparedStatement[] {
  return [
    sql(
      db,
      "update segments set state = ?2, problem = ?3, updated_at = ?4 where key = ?1 and state in ('live', 'filling')",
      segment,
      state,
      problem,
      now,
    ),
    sql(
      db,
      "delete from segment_watches where segment = ?1 and exists (select 1 from segments where key = ?1 and state = ?2)",
      segment,
      state,
    ),
    sql(
      db,
      `update jobs set state = 'done', updated_at = ?2 where kind = 'segments.fill' and state = 'running'
         and input ->> 'segment' = cast(?1 as integer)`,
      segment,
      now,
    ),
  ];
}
