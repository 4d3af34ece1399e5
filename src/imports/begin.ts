import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { AppError } from "../errors";
import { createField } from "../fields/rest";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { snakeCase } from "../lib/snake-case";
import { findList } from "../lists/rest";
import { columnsIn, columnsProblem, type Layout, layoutOf } from "./layout";
import { FILE_LIFE_MS, MOST_BYTES, MOST_PARTS } from "./limits";
import { ImportOptions } from "./options";
import { dropFile, PIECE_BYTES, piecesOf, readWindow, storePiece } from "./pieces";
import { findImport, type ImportRow } from "./read";
import { dialectOf, readRecords } from "./records";
import { continueImport } from "./run";
import type { NewImport } from "./schemas";

/** Records of a JSONL file that are looked at for its columns. */
const SAMPLE = 200;

/** Imports that a shop may have under way at once. */
const MOST_AT_ONCE = 20;

/** Adds an import, which waits for its file; with the file's content it begins at once. */
export async function createImport(ctx: Ctx, { content, dryRun, shop: _shop, format, ...options }: NewImport) {
  const { db, shop, now } = ctx;
  if (options.listId !== undefined) await listKey(ctx, options.listId);
  const id = newId("imp", now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into imports (id, shop, state, format, options, created_at, updated_at)
       select ?1, ?2, 'waiting', ?3, ?4, ?5, ?5 where (select count(*) from imports
         where shop = ?2 and state in ('waiting', 'checking', 'checked', 'running') and created_at > ?6) < ?7 returning key`,
      id,
      shop.key,
      format,
      JSON.stringify(options),
      now,
      now - FILE_LIFE_MS,
      MOST_AT_ONCE,
    ),
    audit(ctx, "import.created", id),
  ]);
  if (made?.results.length === 0) throw new AppError("unprocessable", `At most ${MOST_AT_ONCE} imports at once`);
  if (content === undefined) return readRow(ctx, id);
  await storeWhole(ctx, id, new TextEncoder().encode(content));
  return startImport(ctx, await readRow(ctx, id), dryRun);
}

/** The list of this id in the caller's shop; throws 422 for none. */
export async function listKey(ctx: Ctx, id: string): Promise<number> {
  const list = await findList(ctx.db, id);
  if (list?.shop === ctx.shop.key) return list.key;
  throw new AppError("unprocessable", "There is no such list", {
    errors: [{ pointer: "/listId", detail: "is no list of this shop" }],
  });
}

async function storeWhole(ctx: Ctx, id: string, bytes: Uint8Array): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  for (let from = 0, piece = 0; from < bytes.length || piece === 0; from += PIECE_BYTES, piece++) {
    const last = from + PIECE_BYTES >= bytes.length;
    const cut = bytes.slice(from, from + PIECE_BYTES);
    statements.push(await storePiece(ctx.db, ctx.shop.key, id, { part: 1, piece, last }, cut));
  }
  await ctx.db.batch(statements);
}

/**
 * Stores a part of a file as it comes in, never more than a piece of it in memory. A part that was sent before is
 * replaced. Throws 409 once the import has begun, 413 over the limit of all parts together.
 */
export async function storePart(
  ctx: Ctx,
  row: ImportRow,
  part: number,
  body: ReadableStream<Uint8Array> | null,
): Promise<number> {
  const { db, shop } = ctx;
  if (row.state !== "waiting" && row.state !== "checked") throw new AppError("conflict", "The import has begun");
  const others = (await piecesOf(db, row.id)).filter((piece) => piece.part !== part);
  let room = MOST_BYTES - others.reduce((sum, { bytes }) => sum + bytes, 0);
  await db.batch([
    sql(db, "delete from file_pieces where owner = ? and part = ?", row.id, part),
    sql(db, "update imports set state = 'waiting', updated_at = ? where key = ?", ctx.now, row.key),
  ]);
  const buffer = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  let piece = 0;
  let total = 0;
  const store = async (last: boolean) => {
    const statement = await storePiece(db, shop.key, row.id, { part, piece: piece++, last }, buffer.slice(0, filled));
    filled = 0;
    try {
      await statement.run();
    } catch (error) {
      if (isConflict(error)) throw new AppError("conflict", "This part is being sent by somebody else");
      throw error;
    }
  };
  for await (const chunk of body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() })) {
    total += chunk.length;
    room -= chunk.length;
    if (room < 0) {
      await sql(db, "delete from file_pieces where owner = ? and part = ?", row.id, part).run();
      throw new AppError("too_large", `A file has at most ${MOST_BYTES / 1_048_576} MB; split it into several imports`);
    }
    for (let from = 0; from < chunk.length;) {
      const taken = chunk.subarray(from, from + PIECE_BYTES - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      from += taken.length;
      if (filled === PIECE_BYTES) await store(false);
    }
  }
  await store(true);
  return total;
}

/**
 * Looks at the file, settles how it is read and begins: a dry run, or the import itself. The first rows are done before
 * the answer; the rest is the job that it names. Throws 422 for a file that cannot be read.
 */
export async function startImport(ctx: Ctx, row: ImportRow, dryRun: boolean): Promise<ImportRow> {
  const { db, env, shop, now } = ctx;
  if (row.state !== "waiting" && row.state !== "checked") throw new AppError("conflict", "The import has begun before");
  const options = ImportOptions.parse(JSON.parse(row.options));
  const bytes = await wholeFile(db, row.id);
  const { layout, offset } = await look(ctx, row, options, dryRun);
  const job = newId("job", now);
  await armClock(env, shop.key, now);
  const [begun] = await db.batch([
    sql(
      db,
      `update imports set state = ?2, layout = ?3, bytes = ?4, offset = ?5, counts = ?6, job = ?7, error = null, updated_at = ?8
       where key = ?1 and state in ('waiting', 'checked') returning key`,
      row.key,
      dryRun ? "checking" : "running",
      JSON.stringify(layout),
      bytes,
      offset,
      "{}",
      job,
      now,
    ),
    sql(
      db,
      `insert into jobs (id, shop, kind, state, total, input, created_at, updated_at)
       select ?1, ?2, 'imports.run', 'running', ?3, ?4, ?5, ?5 where exists (select 1 from imports where key = ?6 and job = ?1)`,
      job,
      shop.key,
      bytes,
      JSON.stringify({ import: row.key, dryRun }),
      now,
      row.key,
    ),
    sql(db, "delete from import_errors where shop = ? and import = ?", shop.key, row.key),
    audit(ctx, dryRun ? "import.checked" : "import.started", row.id),
  ]);
  if (begun?.results.length === 0) throw new AppError("conflict", "The import has begun before");
  const outcome = await continueImport(env, { id: job, shop: shop.key }, now);
  // What is left need not wait until the job counts as cut off.
  if (outcome === "more") await sql(db, "update jobs set updated_at = ? where id = ?", now - 30_000, job).run();
  return readRow(ctx, row.id);
}

/** Bytes of the file; throws 422 while a part of it is missing or was cut off. */
async function wholeFile(db: D1Database, id: string): Promise<number> {
  const pieces = await piecesOf(db, id);
  const parts = Math.max(0, ...pieces.map(({ part }) => part));
  const complete = new Set(pieces.filter(({ last }) => last).map(({ part }) => part));
  const missing = Array.from({ length: Math.max(1, parts) }, (_, i) => i + 1).filter((part) => !complete.has(part));
  if (missing.length > 0) {
    throw new AppError("unprocessable", `These parts are missing: ${missing.slice(0, MOST_PARTS).join(", ")}`);
  }
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function look(ctx: Ctx, row: ImportRow, options: ImportOptions, dryRun: boolean) {
  const window = await readWindow(ctx.db, row.id, 0).catch((error: unknown) => {
    if (error instanceof TypeError) throw new AppError("unprocessable", "The file is not UTF-8");
    throw error;
  });
  const dialect = row.format === "csv" ? dialectOf(window) : null;
  const records = readRecords(window, row.format, dialect, row.format === "csv" ? 1 : SAMPLE);
  const columns = columnsIn(row.format, records);
  const problem = columnsProblem(columns);
  if (problem !== null) throw new AppError("unprocessable", problem);
  const { preset, targets, unknown } = layoutOf(columns, options.preset, options.mapping);
  if (
    !Object.values(targets).some((target) => ["email", "phone", "externalId", "shopifyCustomerId"].includes(target))
  ) {
    throw new AppError("unprocessable", "No column tells who it is: email, phone, externalId or shopifyCustomerId", {
      errors: unknown.slice(0, 50).map((name) => ({ pointer: "/mapping", detail: `does not know the column ${name}` })),
    });
  }
  const newFields: string[] = [];
  if (options.createFields) {
    for (const column of unknown.splice(0)) {
      const name = snakeCase(column, 64, "field");
      newFields.push(name);
      targets[column] = `fields.${name}`;
      if (!dryRun) await declare(ctx, name, column);
    }
  }
  const layout: Layout = { dialect, preset, columns, targets, unknown, newFields };
  const header = row.format === "csv" ? (records[0]?.end ?? 0) : 0;
  return { layout, offset: new TextEncoder().encode(window.text.slice(0, header)).length };
}

/** One that is there already is taken as it is. */
async function declare(ctx: Ctx, name: string, label: string): Promise<void> {
  try {
    await createField(ctx, { name, label: label.slice(0, 100), type: "text" });
  } catch (error) {
    if (!(error instanceof AppError && error.code === "conflict")) throw error;
  }
}

/** Stops an import and lets its file go. What it has done stays. */
export async function deleteImport(ctx: Ctx, row: ImportRow): Promise<void> {
  const { db, shop, now } = ctx;
  await db.batch([
    sql(
      db,
      "update jobs set state = 'failed', error = 'stopped', updated_at = ?2 where id = ?1 and state = 'running'",
      row.job ?? "",
      now,
    ),
    dropFile(db, row.id),
    sql(db, "delete from import_errors where shop = ? and import = ?", shop.key, row.key),
    sql(db, "delete from imports where key = ?", row.key),
    audit(ctx, "import.deleted", row.id),
  ]);
}

async function readRow(ctx: Ctx, id: string): Promise<ImportRow> {
  const row = await findImport(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return row;
}
