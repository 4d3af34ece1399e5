import { audit } from "../api/audit";
import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { publicOrigin } from "../installation";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { iso } from "../lib/time";
import { findSegment } from "../segments/rest";
import { listKey } from "./begin";
import { downloadPath } from "./download";
import { dropFile } from "./pieces";
import type { NewExport, ShownExport } from "./schemas";
import { continueExport } from "./write";

/** An export as it is stored. */
export interface ExportRow {
  key: number;
  id: string;
  shop: number;
  state: ShownExport["state"];
  format: "csv" | "jsonl";
  of: string | null;
  rows: number;
  bytes: number;
  job: string;
  createdAt: number;
  updatedAt: number;
  expiresAt: number | null;
}

const COLUMNS = `key, id, shop, state, format, "of", rows, bytes, job, created_at as createdAt, updated_at as updatedAt,
  expires_at as expiresAt`;

const MOST_AT_ONCE = 5;

/** The export of this id, of any shop; null for none. The caller checks the shop. */
export async function findExport(db: D1Database, id: string): Promise<ExportRow | null> {
  return sql(db, `select ${COLUMNS} from exports where id = ?`, id).first<ExportRow>();
}

/** @param origin under which the caller reached us, for where no other is known */
export async function showExport(env: Env, row: ExportRow, origin: string): Promise<ShownExport> {
  const path = row.state === "done" && row.expiresAt !== null ? await downloadPath(env, row.id, row.expiresAt) : null;
  return {
    id: row.id,
    state: row.state,
    format: row.format,
    of: row.of,
    rows: row.rows,
    bytes: row.bytes,
    downloadUrl: path === null ? null : `${(await publicOrigin(env)) ?? origin}${path}`,
    expiresAt: iso(row.expiresAt),
    jobId: row.job,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** The shop's exports, the newest first. */
export async function listExports(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  origin: string,
): Promise<Page<ShownExport>> {
  const before = keyFrom("exports", cursor);
  const { results } = await sql(
    ctx.db,
    `select ${COLUMNS} from exports where shop = ?1 and key < ?2 order by key desc limit ?3`,
    ctx.shop.key,
    before ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<ExportRow>();
  const page = pageOf(
    "exports",
    results,
    limit,
    (row) => [row.key],
    (row) => row,
  );
  const items = await Promise.all(page.items.map((row) => showExport(ctx.env, row, origin)));
  return { items, nextCursor: page.nextCursor };
}

/** Begins an export. The first rows are written before the answer; the rest is the job that it names. */
export async function createExport(ctx: Ctx, { format, segmentId, listId }: NewExport): Promise<ExportRow> {
  const { db, env, shop, now } = ctx;
  const list = listId === undefined ? null : await listKey(ctx, listId);
  const segment = segmentId === undefined ? null : await segmentKey(ctx, segmentId);
  const id = newId("exp", now);
  const job = newId("job", now);
  await armClock(env, shop.key, now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into exports (id, shop, state, format, segment, list, "of", fields, job, created_at, updated_at)
       select ?1, ?2, 'running', ?3, ?4, ?5, ?6,
         (select json_group_array(name) from (select name from fields where shop = ?2 and system = 0 order by name)), ?7, ?8, ?8
       where (select count(*) from exports where shop = ?2 and state = 'running') < ?9 returning key`,
      id,
      shop.key,
      format,
      segment,
      list,
      segmentId ?? listId ?? null,
      job,
      now,
      MOST_AT_ONCE,
    ),
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
       select ?1, ?2, 'exports.run', 'running', json_object('export', ?3), ?4, ?4 from exports where id = ?3`,
      job,
      shop.key,
      id,
      now,
    ),
    audit(ctx, "export.created", id),
  ]);
  if (made?.results.length === 0) throw new AppError("unprocessable", `At most ${MOST_AT_ONCE} exports at once`);
  const outcome = await continueExport(env, { id: job, shop: shop.key }, now);
  // What is left need not wait until the job counts as cut off.
  if (outcome === "more") await sql(db, "update jobs set updated_at = ? where id = ?", now - 30_000, job).run();
  const row = await findExport(db, id);
  if (!row) throw new AppError("not_found");
  return row;
}

async function segmentKey(ctx: Ctx, id: string): Promise<number> {
  const segment = await findSegment(ctx.db, id);
  if (segment?.shop === ctx.shop.key) return segment.key;
  throw new AppError("unprocessable", "There is no such segment", {
    errors: [{ pointer: "/segmentId", detail: "is no segment of this shop" }],
  });
}

/** Stops an export and lets its file go. */
export async function deleteExport(ctx: Ctx, row: ExportRow): Promise<void> {
  const { db, now } = ctx;
  await db.batch([
    sql(
      db,
      "update jobs set state = 'failed', error = 'stopped', updated_at = ?2 where id = ?1 and state = 'running'",
      row.job,
      now,
    ),
    dropFile(db, row.id),
    sql(db, "delete from exports where key = ?", row.key),
    audit(ctx, "export.deleted", row.id),
  ]);
}
