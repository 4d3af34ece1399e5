import { z } from "zod";

import { sql } from "../db/client";

/** Contacts looked at per batch, and batches per run. */
const CHUNK = 1_000;
const CHUNKS_A_RUN = 10;

const Input = z.object({ name: z.string() });

/**
 * A run of the job that takes a deleted field's values from contacts: first those that are not in the trash by key,
 * then the trash. Each chunk and its new position commit together, so a run may be cut off anywhere.
 */
export async function removeFieldValues(
  db: D1Database,
  job: { id: string; shop: number },
  now: number,
): Promise<"running" | "done"> {
  const row = await sql(db, `select state, input, cursor from jobs where id = ? and shop = ?`, job.id, job.shop).first<{
    state: string;
    input: string;
    cursor: string;
  }>();
  if (row?.state !== "running") return "done";
  const path = `$."${Input.parse(JSON.parse(row.input)).name}"`;
  let after = Number(row.cursor);
  for (let chunk = 0; chunk < CHUNKS_A_RUN; chunk++) {
    const { results } = await sql(
      db,
      `select key from contacts where shop = ?1 and deleted_at is null and key > cast(?2 as integer) order by key limit ?3`,
      job.shop,
      after,
      CHUNK,
    ).all<{ key: number }>();
    const done = results.length < CHUNK;
    after = results.at(-1)?.key ?? after;
    await db.batch([
      sql(
        db,
        `update contacts set fields = json_remove(fields, ?3), updated_at = ?4, revision = revision + 1
         where +shop = ?1 and key in (select value from json_each(?2)) and json_type(fields, ?3) is not null`,
        job.shop,
        JSON.stringify(results.map(({ key }) => key)),
        path,
        now,
      ),
      ...(done
        ? [
            // The trash is small: contacts leave it after some weeks.
            sql(
              db,
              `update contacts set fields = json_remove(fields, ?2)
               where shop = ?1 and deleted_at is not null and json_type(fields, ?2) is not null`,
              job.shop,
              path,
            ),
          ]
        : []),
      sql(
        db,
        `update jobs set state = ?2, progress = progress + ?3, cursor = ?4, updated_at = ?5 where id = ?1`,
        job.id,
        done ? "done" : "running",
        results.length,
        String(after),
        now,
      ),
    ]);
    if (done) return "done";
  }
  return "running";
}
