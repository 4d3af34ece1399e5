import { z } from "@hono/zod-openapi";

import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { checkFieldValues, SYSTEM_NAMES } from "../fields";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { checkStage } from "../lifecycle";
import { keyColumn, selectContacts } from "./list";
import { ContactFilter, FieldName, FieldValue, Tag } from "./schemas";
import { foldTag } from "./source-tags";

/** Contacts changed per batch, and batches per run. */
const CHUNK = 500;
const CHUNKS_A_RUN = 10;

export const BulkAction = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("add_tag"), tag: Tag }),
  z.strictObject({ type: z.literal("remove_tag"), tag: Tag }),
  z.strictObject({
    type: z.literal("set_stage"),
    stage: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, "is not a stage (snake_case)"),
  }),
  z.strictObject({ type: z.literal("set_field"), name: FieldName, value: FieldValue.nullable() }),
  z.strictObject({ type: z.literal("delete") }),
  z.strictObject({ type: z.literal("restore") }),
]);

export type BulkAction = z.infer<typeof BulkAction>;

/** Everything has to be asked for in so many words: a filter that was left empty by mistake changes nothing. */
const BulkFilter = ContactFilter.extend({ all: z.literal(true).optional() }).refine(
  (filter) => Object.keys(filter).length > 0,
  "names no contacts; for all of them it is { all: true }",
);

export const BulkRequest = z
  .strictObject({ shop: z.string().min(1).max(253).optional(), filter: BulkFilter, action: BulkAction })
  .openapi("BulkRequest");

export const BulkResultSchema = z
  .strictObject({
    jobId: z.string(),
    state: z.enum(["running", "done"]),
    matched: z.int().openapi({ description: "Contacts gone through so far" }),
    changed: z.int().openapi({ description: "Those that were not as asked before" }),
  })
  .openapi("BulkResult");

type BulkResult = z.infer<typeof BulkResultSchema>;

const JobInput = z.strictObject({
  filter: BulkFilter,
  action: BulkAction,
  /** Contacts newer than this were not there when it was asked. */
  upTo: z.int(),
  matched: z.int(),
  changed: z.int(),
});

/**
 * Does one thing to every contact of a filter, at most 5,000 in the first run; the rest goes on as the job
 * that the answer names (`continueContactJob`). `restore` looks into the trash, everything else outside it.
 */
export async function bulkContacts(
  ctx: Ctx,
  { filter, action }: { filter: ContactFilter; action: BulkAction },
): Promise<BulkResult> {
  if (action.type === "set_stage") await checkStage(ctx.db, ctx.shop.key, action.stage, "/action/stage");
  if (action.type === "set_field") await checkFieldAction(ctx, action);
  const job = await bulkJob(ctx, filter, action);
  await armClock(ctx.env, ctx.shop.key, ctx.now);
  await ctx.db.batch([job.statement, audit(ctx, `contact.bulk_${action.type}`, job.id, Object.keys(filter))]);
  return continueBulk(ctx.db, { id: job.id, shop: ctx.shop.key }, ctx.now);
}

/** The row of a bulk job, for the batch of what causes it; `continueBulk` carries it out. */
async function bulkJob(ctx: Ctx, filter: ContactFilter, action: BulkAction) {
  const upTo = (await sql(ctx.db, `select seq from sqlite_sequence where name = 'contacts'`).first<number>("seq")) ?? 0;
  const id = newId("job", ctx.now);
  const statement = sql(
    ctx.db,
    `insert into jobs (id, shop, kind, state, input, cursor, created_at, updated_at)
     values (?, ?, 'contacts.bulk', 'running', ?, ?, ?, ?)`,
    id,
    ctx.shop.key,
    JSON.stringify({ filter, action, upTo, matched: 0, changed: 0 }),
    String(upTo + 1),
    ctx.now,
    ctx.now,
  );
  return { id, statement };
}

/**
 * What moves every contact of a stage to another one, for the batch that deletes the stage: the job for those who are
 * not in the trash, to be carried out by `continueContactJob`, and the few in the trash at once.
 */
export async function moveStageJob(ctx: Ctx, from: string, to: string) {
  const job = await bulkJob(ctx, { stage: from }, { type: "set_stage", stage: to });
  const trashed = stageStatements(ctx.db, ctx.shop.key, to, { text: TRASHED, value: from }, ctx.now);
  return { id: job.id, kind: "contacts.bulk", statements: [job.statement, ...trashed] };
}

/** Throws `validation_failed` for a value that does not fit and for a field that nobody sets. */
async function checkFieldAction(ctx: Ctx, { name, value }: { name: string; value: unknown }): Promise<void> {
  if (SYSTEM_NAMES.includes(name)) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "/action/name", detail: "is a field that is worked out" }],
    });
  }
  await checkFieldValues(ctx.db, ctx.shop.key, { [name]: value }, () => "/action/value");
}

/** A run of a bulk job from where it stands; each chunk and its new position commit together. */
export async function continueBulk(
  db: D1Database,
  job: { id: string; shop: number },
  now: number,
): Promise<BulkResult> {
  const row = await sql(db, `select input, cursor from jobs where id = ? and shop = ?`, job.id, job.shop).first<{
    input: string;
    cursor: string;
  }>();
  if (!row) throw new Error("the job is gone");
  const { filter, action, ...counts } = JobInput.parse(JSON.parse(row.input));
  let { matched, changed } = counts;
  let before = Number(row.cursor);
  for (let chunk = 0; chunk < CHUNKS_A_RUN; chunk++) {
    const selection = selectContacts(filter, action.type === "restore", 4);
    const key = keyColumn(selection);
    const { results } = await sql(
      db,
      `select c.key from ${selection.from} where ${selection.conditions.join(" and ")} and ${key} < cast(?2 as integer)
       order by ${key} desc limit ?3`,
      job.shop,
      before,
      CHUNK,
      ...selection.values,
    ).all<{ key: number }>();
    const last = results.at(-1);
    const done = results.length < CHUNK || !last;
    before = last?.key ?? before;
    matched += results.length;
    const keys = JSON.stringify(results.map((contact) => contact.key));
    const committed = await db.batch<{ changed: number }>([
      ...actionStatements(db, job.shop, action, keys, now),
      // `changes()` counts the rows of the statement just before, without those of its triggers.
      sql(
        db,
        `update jobs set state = ?2, progress = ?3, cursor = ?4, updated_at = ?5,
           input = json_set(input, '$.matched', ?3, '$.changed', (input ->> '$.changed') + changes())
         where id = ?1 returning input ->> '$.changed' as changed`,
        job.id,
        done ? "done" : "running",
        matched,
        String(before),
        now,
      ),
    ]);
    changed = committed.at(-1)?.results[0]?.changed ?? changed;
    if (done) return { jobId: job.id, state: "done", matched, changed };
  }
  return { jobId: job.id, state: "running", matched, changed };
}

const KEYS = "(select value from json_each(?2))";
const TRASHED = "(select key from contacts where shop = ?1 and deleted_at is not null and stage = ?2)";

/** The statement that counts as the change comes last. */
function actionStatements(
  db: D1Database,
  shop: number,
  action: BulkAction,
  keys: string,
  now: number,
): D1PreparedStatement[] {
  switch (action.type) {
    case "add_tag":
      return [
        sql(
          db,
          `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
           select ?1, ?3, value, ?4, 'crm', ?5, 0 from json_each(?2) where true
           on conflict do update set label = excluded.label, origin = 'crm', at = excluded.at, removed = 0
           where contact_tags.removed = 1`,
          shop,
          keys,
          foldTag(action.tag),
          action.tag,
          now,
        ),
      ];
    case "remove_tag":
      return [
        sql(
          db,
          `delete from contact_tags where shop = ?1 and tag = ?3 and contact in ${KEYS} and removed = 0`,
          shop,
          keys,
          foldTag(action.tag),
        ),
      ];
    case "set_stage":
      return stageStatements(db, shop, action.stage, { text: KEYS, value: keys }, now);
    case "set_field":
      return [
        sql(
          db,
          `update contacts set fields = json_patch(fields, ?3), updated_at = ?4, revision = revision + 1
           where shop = ?1 and key in ${KEYS} and json_patch(fields, ?3) <> json(fields)`,
          shop,
          keys,
          JSON.stringify({ [action.name]: action.value }),
          now,
        ),
      ];
    case "delete":
      return [
        sql(
          db,
          `update contacts set deleted_at = ?3, updated_at = ?3, revision = revision + 1
           where shop = ?1 and key in ${KEYS} and deleted_at is null`,
          shop,
          keys,
          now,
        ),
      ];
    case "restore":
      return [
        sql(
          db,
          `update contacts set deleted_at = null, updated_at = ?3, revision = revision + 1
           where shop = ?1 and key in ${KEYS} and deleted_at is not null`,
          shop,
          keys,
          now,
        ),
      ];
    default:
      return action satisfies never;
  }
}

/** Those that become customers get the status that `customerStatus` would give them. `keys` is SQL with one value, `?2`. */
export function stageStatements(
  db: D1Database,
  shop: number,
  stage: string,
  keys: { text: string; value: string },
  now: number,
) {
  const status = `case when ?3 != 'customer' then null when orders_count > 0 then 'paying'
    else coalesce(account_state, 'disabled') end`;
  return [
    sql(
      db,
      `insert into lifecycle_history (shop, contact, stage, status, at)
       select shop, key, ?3, ${status}, ?4 from contacts where shop = ?1 and key in ${keys.text} and stage != ?3`,
      shop,
      keys.value,
      stage,
      now,
    ),
    sql(
      db,
      `update contacts set stage = ?3, status = ${status}, updated_at = ?4
       where shop = ?1 and key in ${keys.text} and stage != ?3`,
      shop,
      keys.value,
      stage,
      now,
    ),
  ];
}
