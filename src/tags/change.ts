import { audit } from "../api/audit";
import { foldTag } from "../contacts";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { newId } from "../lib/ids";
import { findTag, showTag, type TagRow } from "./read";
import type { Tag } from "./schemas";

/** What becomes of a tag: another one (or the same in another spelling), or nothing. */
interface Becomes {
  tag: string;
  label: string;
}

/**
 * Adds a tag that nobody carries yet. One that was deleted or became another before is heard from the store again.
 * Throws 409 when there is one of that name.
 */
export async function createTag(ctx: Ctx, label: string): Promise<Tag> {
  const { db, shop, now } = ctx;
  const id = newId("tag", now);
  const tag = foldTag(label);
  await refuseWhileChanging(ctx, [tag]);
  await settle(
    ctx,
    [
      sql(
        db,
        `insert into tags (shop, tag, id, label, contacts, created_at) values (?, ?, ?, ?, 0, ?)`,
        shop.key,
        tag,
        id,
        label,
        now,
      ),
      sql(db, `delete from tag_rules where shop = ? and tag = ?`, shop.key, tag),
      audit(ctx, "tag.created", id, ["label"]),
    ],
    "There is a tag of this name already",
  );
  return readTag(ctx, id);
}

/**
 * Renames a tag, here and for whatever the store goes on sending under its old name. Returns the job that tells the
 * contacts, null where nothing changed. Throws 409 when another tag has the name: that would be a merge.
 */
export async function renameTag(ctx: Ctx, row: TagRow, label: string): Promise<string | null> {
  const { db, shop } = ctx;
  if (label === row.label) return null;
  const to = { tag: foldTag(label), label };
  await refuseWhileChanging(ctx, [row.tag, to.tag]);
  const moved = to.tag !== row.tag;
  const job = changeJob(ctx, row.tag, to);
  await settle(
    ctx,
    [
      stillThere(ctx, row),
      // The count grows back as contacts move over: triggers keep it.
      sql(
        db,
        `update tags set tag = ?3, label = ?4, contacts = case when ?5 then 0 else contacts end where shop = ?1 and tag = ?2`,
        shop.key,
        row.tag,
        to.tag,
        to.label,
        moved,
      ),
      ...ruleStatements(ctx, row.tag, to),
      job.statement,
      audit(ctx, "tag.renamed", row.id, ["label"]),
    ],
    "Another tag has this name; merge them",
  );
  return job.id;
}

/** Makes one tag of two; the one that stays keeps its name. Returns the job that tells the contacts. */
export async function mergeTags(ctx: Ctx, row: TagRow, into: TagRow): Promise<string> {
  if (row.id === into.id) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "/into", detail: "is the tag itself" }],
    });
  }
  await refuseWhileChanging(ctx, [row.tag, into.tag]);
  const job = changeJob(ctx, row.tag, into);
  await settle(
    ctx,
    [
      stillThere(ctx, row),
      stillThere(ctx, into),
      ...ruleStatements(ctx, row.tag, into),
      job.statement,
      audit(ctx, "tag.merged", row.id),
    ],
    "One of the tags was changed meanwhile",
  );
  return job.id;
}

/** Deletes a tag, from every contact and from what the store goes on sending. Returns the job that tells the contacts. */
export async function deleteTag(ctx: Ctx, row: TagRow): Promise<string> {
  await refuseWhileChanging(ctx, [row.tag]);
  const job = changeJob(ctx, row.tag, null);
  await settle(
    ctx,
    [stillThere(ctx, row), ...ruleStatements(ctx, row.tag, null), job.statement, audit(ctx, "tag.deleted", row.id)],
    "The tag was changed meanwhile",
  );
  return job.id;
}

/** The tag of this id; throws 404 when it went in the meantime. */
export async function readTag(ctx: Ctx, id: string): Promise<Tag> {
  const row = await findTag(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return showTag(row);
}

/**
 * What the store's tags become from now on. Those that had become this one before go along, so that no rule leads to a
 * tag that is gone.
 */
function ruleStatements(ctx: Ctx, from: string, to: Becomes | null): D1PreparedStatement[] {
  const { db, shop, now } = ctx;
  const values = [shop.key, from, to?.tag ?? null, to?.label ?? null] as const;
  return [
    sql(db, `update tag_rules set becomes = ?3, label = ?4 where shop = ?1 and becomes = ?2`, ...values),
    sql(
      db,
      `insert into tag_rules (shop, tag, becomes, label, at) values (?1, ?2, ?3, ?4, ?5)
       on conflict do update set becomes = excluded.becomes, label = excluded.label, at = excluded.at`,
      ...values,
      now,
    ),
    // A name that is in use again is no deleted one any more.
    ...(to === null || to.tag === from
      ? []
      : [sql(db, `delete from tag_rules where shop = ?1 and tag = ?2 and becomes is null`, shop.key, to.tag)]),
  ];
}

function changeJob(ctx: Ctx, from: string, to: Becomes | null): { id: string; statement: D1PreparedStatement } {
  const id = newId("job", ctx.now);
  const input = { from, to: to?.tag ?? null, label: to?.label ?? null };
  const statement = sql(
    ctx.db,
    `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
     values (?1, ?2, 'tags.change', 'running', ?3, ?4, ?4)`,
    id,
    ctx.shop.key,
    JSON.stringify(input),
    ctx.now,
  );
  return { id, statement };
}

/** A change that is under way for a tag has to end first: two at once would undo each other. */
async function refuseWhileChanging(ctx: Ctx, tags: string[]): Promise<void> {
  const job = await sql(
    ctx.db,
    `select id from jobs where state = 'running' and shop = ?1 and kind = 'tags.change'
       and (input ->> 'from' in (select value from json_each(?2)) or input ->> 'to' in (select value from json_each(?2)))`,
    ctx.shop.key,
    JSON.stringify(tags),
  ).first<{ id: string }>();
  if (job) throw new AppError("conflict", `The tag is still being changed by ${job.id}`);
}

function stillThere(ctx: Ctx, row: TagRow): D1PreparedStatement {
  return mustHold(
    ctx.db,
    "exists (select 1 from tags where shop = ? and tag = ? and id = ?)",
    ctx.shop.key,
    row.tag,
    row.id,
  );
}

async function settle(ctx: Ctx, statements: D1PreparedStatement[], conflict: string): Promise<void> {
  try {
    await ctx.db.batch(statements);
  } catch (error) {
    if (isConflict(error)) throw new AppError("conflict", conflict);
    throw error;
  }
}
