import { z } from "zod";

import { sql } from "../db/client";

/** Contacts changed per batch, and batches per run. */
const CHUNK = 500;
const CHUNKS_A_RUN = 10;

const Input = z.object({ from: z.string(), to: z.string().nullable(), label: z.string().nullable() });

/** Both rows of a contact become one: the CRM's own stays its own, and a tag that is set stays set. */
const MOVE = `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
  select shop, ?4, contact, ?5, origin, at, removed from contact_tags
  where shop = ?1 and tag = ?2 and contact in (select value from json_each(?3))
  on conflict do update set label = excluded.label,
    origin = case when 'crm' in (contact_tags.origin, excluded.origin) then 'crm' else excluded.origin end,
    at = max(contact_tags.at, excluded.at), removed = min(contact_tags.removed, excluded.removed)`;

/**
 * A run of the job that carries a renamed, merged or deleted tag over to the contacts that have it. What is done is no
 * longer found, so a run may be cut off anywhere and needs no position.
 */
export async function continueTagChange(
  db: D1Database,
  job: { id: string; shop: number },
  now: number,
): Promise<"running" | "done"> {
  const row = await sql(db, `select state, input from jobs where id = ? and shop = ?`, job.id, job.shop).first<{
    state: string;
    input: string;
  }>();
  if (row?.state !== "running") return "done";
  const { from, to, label } = Input.parse(JSON.parse(row.input));
  const isRespelt = to === from;
  for (let chunk = 0; chunk < CHUNKS_A_RUN; chunk++) {
    const { results } = await sql(
      db,
      `select contact from contact_tags where shop = ?1 and tag = ?2 and (?3 is null or label <> ?3) limit ?4`,
      job.shop,
      from,
      isRespelt ? label : null,
      CHUNK,
    ).all<{ contact: number }>();
    const done = results.length < CHUNK;
    const contacts = JSON.stringify(results.map(({ contact }) => contact));
    const these = [job.shop, from, contacts] as const;
    const where = `where shop = ?1 and tag = ?2 and contact in (select value from json_each(?3))`;
    await db.batch([
      ...(isRespelt
        ? [sql(db, `update contact_tags set label = ?4 ${where}`, ...these, label)]
        : [
            ...(to === null ? [] : [sql(db, MOVE, ...these, to, label)]),
            sql(db, `delete from contact_tags ${where}`, ...these),
          ]),
      ...(done && !isRespelt
        ? [
            sql(
              db,
              `delete from tags where shop = ?1 and tag = ?2
                 and not exists (select 1 from contact_tags where shop = ?1 and tag = ?2)`,
              job.shop,
              from,
            ),
          ]
        : []),
      sql(
        db,
        `update jobs set state = ?2, progress = progress + ?3, updated_at = ?4 where id = ?1`,
        job.id,
        done ? "done" : "running",
        results.length,
        now,
      ),
    ]);
    if (done) return "done";
  }
  return "running";
}
