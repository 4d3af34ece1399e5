import { z } from "zod";

import { sql } from "../db/client";

/** Rows deleted by one statement, and statements of one run. */
const CHUNK = 5_000;
const CHUNKS_A_RUN = 20;

const Input = z.object({ segment: z.int() });

const TABLES = [
  ["segment_members", "segment, kind, subject"],
  ["segment_rechecks", "segment, kind, subject"],
  ["segment_history", "key"],
  ["segment_sizes", "segment, day"],
] as const;

/** Deletes what belonged to a deleted segment, a bounded piece a run, and the segment last. Repeatable. */
export async function continueRemoval(db: D1Database, job: { id: string }, now: number): Promise<"running" | "done"> {
  const row = await sql(db, "select input from jobs where id = ? and state = 'running'", job.id).first<{
    input: string;
  }>();
  if (!row) return "done";
  const { segment } = Input.parse(JSON.parse(row.input));
  for (let chunk = 0; chunk < CHUNKS_A_RUN; chunk++) {
    const results = await db.batch([
      ...TABLES.map(([table, primary]) =>
        sql(
          db,
          `delete from ${table} where (${primary}) in (select ${primary} from ${table} where segment = ?1 limit ?2)`,
          segment,
          CHUNK,
        ),
      ),
      sql(
        db,
        `update jobs set progress = progress + 1, updated_at = ?2 where id = ?1 and exists (
           select 1 from segment_members where segment = ?3 union all select 1 from segment_rechecks where segment = ?3
           union all select 1 from segment_history where segment = ?3) returning id`,
        job.id,
        now,
        segment,
      ),
    ]);
    if ((results.at(-1)?.results.length ?? 0) > 0) continue;
    await db.batch([
      sql(db, "delete from segments where key = ? and deleted_at is not null", segment),
      sql(db, "update jobs set state = 'done', updated_at = ? where id = ?", now, job.id),
    ]);
    return "done";
  }
  return "running";
}
