import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { csvLine } from "./cells";
import { Counts } from "./counts";
import { Layout } from "./layout";
import { ImportOptions } from "./options";
import type { ShownImport } from "./schemas";

/** An import as it is stored. */
export interface ImportRow {
  key: number;
  id: string;
  shop: number;
  state: ShownImport["state"];
  format: "csv" | "jsonl";
  options: string;
  layout: string | null;
  bytes: number;
  offset: number;
  counts: string;
  job: string | null;
  error: string | null;
  createdAt: number;
  updatedAt: number;
}

const COLUMNS = `key, id, shop, state, format, options, layout, bytes, offset, counts, job, error, created_at as createdAt,
  updated_at as updatedAt`;

/** Problems told with the import itself. */
const FIRST = 20;
/** Problems read at a time for the file of them. */
const CHUNK = 1_000;

/** The import of this id, of any shop; null for none. The caller checks the shop. */
export async function findImport(db: D1Database, id: string): Promise<ImportRow | null> {
  return sql(db, `select ${COLUMNS} from imports where id = ?`, id).first<ImportRow>();
}

interface RowProblem {
  row: number;
  no: number;
  column: string;
  detail: string;
  fatal: number;
}

function problems(db: D1Database, { shop, key }: ImportRow, after: [number, number], most: number) {
  return sql(
    db,
    `select row, no, "column", detail, fatal from import_errors
     where shop = ?1 and import = ?2 and (row, no) > (?3, ?4) order by row, no limit ?5`,
    shop,
    key,
    ...after,
    most,
  ).all<RowProblem>();
}

export async function showImport(db: D1Database, row: ImportRow): Promise<ShownImport> {
  const layout = row.layout === null ? null : Layout.parse(JSON.parse(row.layout));
  const { results } = await problems(db, row, [-1, -1], FIRST);
  return {
    id: row.id,
    state: row.state,
    format: row.format,
    options: ImportOptions.parse(JSON.parse(row.options)),
    bytes: row.bytes,
    preset: layout?.preset ?? null,
    columns: layout?.targets ?? {},
    unknownColumns: layout?.unknown ?? [],
    newFields: layout?.newFields ?? [],
    counts: Counts.parse(JSON.parse(row.counts)),
    firstErrors: results.map(({ no: _no, fatal, ...problem }) => ({ ...problem, fatal: fatal === 1 })),
    error: row.error,
    jobId: row.job,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** The shop's imports, the newest first. */
export async function listImports(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ShownImport>> {
  const before = keyFrom("imports", cursor);
  const { results } = await sql(
    ctx.db,
    `select ${COLUMNS} from imports where shop = ?1 and key < ?2 order by key desc limit ?3`,
    ctx.shop.key,
    before ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<ImportRow>();
  const page = pageOf(
    "imports",
    results,
    limit,
    (row) => [row.key],
    (row) => row,
  );
  return { items: await Promise.all(page.items.map((row) => showImport(ctx.db, row))), nextCursor: page.nextCursor };
}

/** What was wrong with an import's rows as a CSV that is safe to open in a spreadsheet. Holds none of its values. */
export function errorFile(db: D1Database, row: ImportRow): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let after: [number, number] = [-1, -1];
  return new ReadableStream({
    start: (controller) => controller.enqueue(encoder.encode(csvLine(["row", "column", "problem", "left_out"]))),
    pull: async (controller) => {
      const { results } = await problems(db, row, after, CHUNK);
      const text = results
        .map((problem) =>
          csvLine([String(problem.row), problem.column, problem.detail, problem.fatal === 1 ? "row" : "value"]),
        )
        .join("");
      if (text !== "") controller.enqueue(encoder.encode(text));
      const last = results.at(-1);
      if (last) after = [last.row, last.no];
      if (results.length < CHUNK) controller.close();
    },
  });
}
