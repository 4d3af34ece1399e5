import { z } from "zod";

import { audit } from "../api/audit";
import { keyColumn, selectContacts } from "../contacts/rest";
import { ContactFilter } from "../contacts/schemas";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { readRow, segmentKey } from "./change";
import type { ListRow } from "./read";
import type { ListChange } from "./schemas";

/** Members changed by one batch, and batches of one run. */
const CHUNK = 1_000;
const CHUNKS_A_RUN = 10;

type Kind = "contact" | "visitor";

const Pair = z.tuple([z.enum(["contact", "visitor"]), z.int()]);

const Input = z.object({
  list: z.int(),
  action: z.enum(["add", "remove", "clear"]),
  pairs: z.array(Pair).optional(),
  filter: ContactFilter.extend({ all: z.literal(true).optional() }).optional(),
  segment: z.int().optional(),
  changed: z.int(),
});

type Input = z.infer<typeof Input>;

export interface ListChanged {
  jobId: string;
  state: "running" | "done";
  changed: number;
  size: number;
}

/**
 * Adds to a list or takes off it: by ids, everybody of a filter, or a segment's members as they are now. At most 10,000
 * in the first run; the rest goes on as the job that the answer names. Throws 422 for an id that is nobody's here.
 */
export async function changeMembers(ctx: Ctx, list: ListRow, change: ListChange): Promise<ListChanged> {
  const { db, shop, now } = ctx;
  const { action, contactIds, visitorIds, filter, segment } = change;
  const input: Input = { list: list.key, action, changed: 0 };
  if (segment !== undefined) input.segment = await segmentKey(ctx, segment);
  else if (filter) input.filter = filter;
  else input.pairs = await pairsOf(ctx, contactIds ?? [], visitorIds ?? []);
  const id = newId("job", now);
  await armClock(ctx.env, shop.key, now);
  await db.batch([
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
       values (?1, ?2, 'lists.change', 'running', ?3, ?4, ?4)`,
      id,
      shop.key,
      JSON.stringify(input),
      now,
    ),
    audit(ctx, `list.members_${action === "add" ? "added" : "removed"}`, list.id),
  ]);
  const run = await continueListChange(db, { id, shop: shop.key }, now);
  const { size } = await readRow(ctx, list.id);
  return { jobId: id, ...run, size };
}

async function pairsOf(ctx: Ctx, contactIds: string[], visitorIds: string[]): Promise<[Kind, number][]> {
  const [contacts, visitors] = await ctx.db.batch<{ key: number; id: string }>([
    sql(
      ctx.db,
      "select c.key, c.id from json_each(?2) j cross join contacts c on c.id = j.value where c.shop = ?1 and c.deleted_at is null",
      ctx.shop.key,
      JSON.stringify(contactIds),
    ),
    // Of several people at one browser it is the one who is there now.
    sql(
      ctx.db,
      `select v.key, v.tracker as id from json_each(?2) j cross join visitors v on v.shop = ?1 and v.tracker = j.value
       where v.contact is null and v.person = (select max(person) from visitors where shop = ?1 and tracker = j.value)`,
      ctx.shop.key,
      JSON.stringify(visitorIds),
    ),
  ]);
  const missing = (ids: string[], name: string, found: { id: string }[]) => {
    const known = new Set(found.map(({ id }) => id));
    return ids.flatMap((id, i) => (known.has(id) ? [] : [{ pointer: `/${name}/${i}`, detail: "is nobody here" }]));
  };
  const errors = [
    ...missing(contactIds, "contactIds", contacts?.results ?? []),
    ...missing(visitorIds, "visitorIds", visitors?.results ?? []),
  ];
  if (errors.length > 0)
    throw new AppError("unprocessable", "Some of them are not there", { errors: errors.slice(0, 50) });
  return [
    ...(contacts?.results ?? []).map(({ key }): [Kind, number] => ["contact", key]),
    ...(visitors?.results ?? []).map(({ key }): [Kind, number] => ["visitor", key]),
  ];
}

/** A run of a change from where it stands; each chunk and its new position commit together. Repeatable. */
export async function continueListChange(
  db: D1Database,
  job: { id: string; shop: number },
  now: number,
): Promise<{ state: "running" | "done"; changed: number }> {
  let changed = 0;
  for (let chunk = 0; chunk < CHUNKS_A_RUN; chunk++) {
    const row = await sql(
      db,
      "select input, cursor from jobs where id = ? and shop = ? and state = 'running'",
      job.id,
      job.shop,
    ).first<{ input: string; cursor: string | null }>();
    if (!row) return { state: "done", changed };
    const input = Input.parse(JSON.parse(row.input));
    const { pairs, cursor } = await nextPairs(db, job.shop, input, row.cursor);
    const results = await db.batch<{ changed: number }>([
      changeStatement(db, input, JSON.stringify(pairs), now),
      // `changes()` counts the rows of the statement just before, without those of its triggers.
      sql(
        db,
        `update jobs set state = ?2, cursor = ?3, progress = progress + ?4, updated_at = ?5,
           input = json_set(input, '$.changed', (input ->> '$.changed') + changes())
         where id = ?1 returning input ->> '$.changed' as changed`,
        job.id,
        cursor === null ? "done" : "running",
        cursor,
        pairs.length,
        now,
      ),
      ...(cursor === null && input.action === "clear"
        ? [sql(db, "delete from lists where key = ? and deleted_at is not null", input.list)]
        : []),
    ]);
    changed = results[1]?.results[0]?.changed ?? changed;
    if (cursor === null) return { state: "done", changed };
  }
  return { state: "running", changed };
}

function changeStatement(db: D1Database, { list, action }: Input, pairs: string, now: number): D1PreparedStatement {
  if (action !== "add") {
    return sql(
      db,
      `delete from list_members where (list, kind, subject) in (
         select ?1, value ->> 0, value ->> 1 from json_each(?2))`,
      list,
      pairs,
    );
  }
  return sql(
    db,
    `insert into list_members (list, kind, subject, added_at)
     select ?1, value ->> 0, value ->> 1, ?3 from json_each(?2)
     where exists (select 1 from lists where key = ?1 and deleted_at is null) on conflict do nothing`,
    list,
    pairs,
    now,
  );
}

/** The next people of a change and where it then stands; null when they are the last. */
async function nextPairs(
  db: D1Database,
  shop: number,
  { list, action, pairs, filter, segment }: Input,
  cursor: string | null,
): Promise<{ pairs: [Kind, number][]; cursor: string | null }> {
  if (pairs) return { pairs, cursor: null };
  if (filter) return nextOfFilter(db, shop, filter, cursor);
  const [table, column, key] =
    action === "clear" ? ["list_members", "list", list] : ["segment_members", "segment", segment ?? 0];
  const [kind, after] = cursor === null ? ["", 0] : Pair.parse(JSON.parse(cursor));
  const { results } = await sql(
    db,
    `select kind, subject from ${table} where ${column} = ?1 and (kind, subject) > (?2, ?3) order by kind, subject limit ?4`,
    key,
    kind,
    after,
    CHUNK,
  ).all<{ kind: Kind; subject: number }>();
  const found = results.map((row): [Kind, number] => [row.kind, row.subject]);
  const last = found.at(-1);
  return { pairs: found, cursor: found.length === CHUNK && last ? JSON.stringify(last) : null };
}

async function nextOfFilter(
  db: D1Database,
  shop: number,
  filter: NonNullable<Input["filter"]>,
  cursor: string | null,
): Promise<{ pairs: [Kind, number][]; cursor: string | null }> {
  const selection = selectContacts(filter, false, 4);
  const key = keyColumn(selection);
  const { results } = await sql(
    db,
    `select c.key from ${selection.from} where ${selection.conditions.join(" and ")} and ${key} < cast(?2 as integer)
     order by ${key} desc limit ?3`,
    shop,
    cursor ?? Number.MAX_SAFE_INTEGER,
    CHUNK,
    ...selection.values,
  ).all<{ key: number }>();
  const last = results.at(-1);
  return {
    pairs: results.map((row): [Kind, number] => ["contact", row.key]),
    cursor: results.length === CHUNK && last ? String(last.key) : null,
  };
}
