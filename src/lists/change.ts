import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { findSegment, notReferred, referring } from "../segments/rest";
import { findList, type ListRow, showList } from "./read";
import type { List } from "./schemas";

const MOST_LISTS = 1_000;

/** Adds an empty list. */
export async function createList(ctx: Ctx, name: string): Promise<ListRow> {
  const { db, shop, now } = ctx;
  const id = newId("lst", now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into lists (shop, id, name, created_at, updated_at) select ?1, ?2, ?3, ?4, ?4
       where (select count(*) from lists where shop = ?1 and deleted_at is null) < ?5 returning key`,
      shop.key,
      id,
      name,
      now,
      MOST_LISTS,
    ),
    audit(ctx, "list.created", id),
  ]);
  if (made?.results.length === 0) throw new AppError("unprocessable", `A shop has at most ${MOST_LISTS} lists`);
  return readRow(ctx, id);
}

export async function renameList(ctx: Ctx, row: ListRow, name: string): Promise<List> {
  await ctx.db.batch([
    sql(ctx.db, "update lists set name = ?2, updated_at = ?3 where key = ?1", row.key, name, ctx.now),
    audit(ctx, "list.updated", row.id, ["name"]),
  ]);
  return showList(await readRow(ctx, row.id));
}

/** Deletes a list; its rows go in pieces. Throws 409 while a segment refers to it. */
export async function deleteList(ctx: Ctx, row: ListRow): Promise<void> {
  const { db, shop, now } = ctx;
  await armClock(ctx.env, shop.key, now);
  await onConflictRetry(async () => {
    const { results } = await referring(ctx, row.id);
    if (results.length > 0) {
      throw new AppError("conflict", `Segments refer to it: ${results.map(({ id }) => id).join(", ")}`);
    }
    await db.batch([
      notReferred(ctx, row.id),
      sql(db, "update lists set deleted_at = ?2 where key = ?1 and deleted_at is null", row.key, now),
      sql(
        db,
        `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
         values (?1, ?2, 'lists.change', 'running', ?3, ?4, ?4)`,
        newId("job", now),
        shop.key,
        JSON.stringify({ list: row.key, action: "clear", changed: 0 }),
        now,
      ),
      audit(ctx, "list.deleted", row.id),
    ]);
  });
}

/** The segment of this id in the caller's shop; throws 422 for none. */
export async function segmentKey(ctx: Ctx, id: string): Promise<number> {
  const segment = await findSegment(ctx.db, id);
  if (!segment || segment.shop !== ctx.shop.key) {
    throw new AppError("unprocessable", "There is no such segment", {
      errors: [{ pointer: "/segment", detail: "is no segment of this shop" }],
    });
  }
  return segment.key;
}

export async function readRow(ctx: Ctx, id: string): Promise<ListRow> {
  const row = await findList(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return row;
}
