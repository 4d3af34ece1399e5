import { z } from "zod";

import { mergeContactsStatements } from "../contacts";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { type FieldRule } from "../fields/rest";
import { FIELD_TYPES } from "../fields/schemas";
import { findShop, type Shop } from "../shops";
import { Counts } from "./counts";
import { cellsOf, Layout } from "./layout";
import { identitiesOfRow } from "./look-up";
import { ImportOptions } from "./options";
import { dropFile, readWindow } from "./pieces";
import { planRows, type RowsPlan } from "./plan";
import { findImport, type ImportRow } from "./read";
import { type RawRecord, readRecords } from "./records";
import { type Problem, type Reading, readRow, type ToldRow } from "./row";

/** Rows of one batch, and of one run. */
const CHUNK = 100;
const ROWS_A_RUN = 1_000;

/** Rows whose problems are kept. */
const MOST_PROBLEMS = 10_000;
const MOST_TRIES = 5;

interface Job {
  id: string;
  shop: number;
}

interface Work {
  env: Env;
  shop: Shop;
  row: ImportRow;
  options: ImportOptions;
  layout: Layout;
  reading: Reading;
  dryRun: boolean;
  importedAt: number;
  list: number | null;
  job: Job;
}

const Input = z.object({ import: z.int(), dryRun: z.boolean() });

/**
 * A run of an import from where it stands. What rows do and where the import then stands are committed together, so a
 * run may be cut off anywhere: each row counts once.
 *
 * @returns `more` when only this run is used up
 */
export async function continueImport(env: Env, job: Job, now: number): Promise<"more" | "done"> {
  const work = await prepare(env, job, now);
  if (!work) return "done";
  let offset = work.row.offset;
  let counts = Counts.parse(JSON.parse(work.row.counts));
  let window: Awaited<ReturnType<typeof readWindow>>;
  try {
    window = await readWindow(env.DB, work.row.id, offset);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fail(work, `After row ${rowNumber(work, counts.rows)} the file is not UTF-8`, now);
  }
  const records = readRecords(window, work.row.format, work.layout.dialect, ROWS_A_RUN);
  if (records.length === 0 && window.text !== "") {
    const next = rowNumber(work, counts.rows + 1);
    return fail(work, `Row ${next} is too long, or a quotation mark in it is never closed`, now);
  }
  let from = 0;
  for (let done = 0; done < records.length;) {
    const chunk = nextChunk(work, records.slice(done, done + CHUNK), counts.rows);
    const end = records[done + chunk.size - 1]?.end ?? from;
    const next = offset + new TextEncoder().encode(window.text.slice(from, end)).length;
    const committed = await carryOut(work, chunk, { offset, next, counts }, now);
    if (!committed) return "more";
    counts = committed;
    offset = next;
    from = end;
    done += chunk.size;
  }
  if (!window.isEnd || from < window.text.length) return "more";
  await finish(work, now);
  return "done";
}

async function prepare(env: Env, job: Job, now: number): Promise<Work | null> {
  const { DB } = env;
  const stored = await sql(
    DB,
    `select j.input, i.id from jobs j join imports i on i.key = j.input ->> 'import' and i.shop = j.shop
     where j.id = ? and j.shop = ? and j.state = 'running'`,
    job.id,
    job.shop,
  ).first<{ input: string; id: string }>();
  const [row, shop] = stored ? [await findImport(DB, stored.id), await findShop(DB, job.shop)] : [null, null];
  if (!stored || !row || !shop || row.job !== job.id || row.layout === null) return null;
  const options = ImportOptions.parse(JSON.parse(row.options));
  const layout = Layout.parse(JSON.parse(row.layout));
  const list =
    options.listId === undefined
      ? null
      : await sql(
          DB,
          "select key from lists where id = ? and shop = ? and deleted_at is null",
          options.listId,
          job.shop,
        ).first<number>("key");
  return {
    env,
    shop,
    row,
    options,
    layout,
    job,
    list,
    importedAt: row.createdAt,
    dryRun: Input.parse(JSON.parse(stored.input)).dryRun,
    reading: {
      kind: options.kind,
      format: row.format,
      preset: layout.preset,
      country: options.country ?? null,
      reason: options.reason,
      rules: await fieldRules(DB, shop.key),
      now,
    },
  };
}

const Rule = z.object({ name: z.string(), type: z.enum(FIELD_TYPES), options: z.string() });
const Options = z.array(z.string());

async function fieldRules(db: D1Database, shop: number): Promise<Map<string, FieldRule>> {
  const { results } = await sql(db, "select name, type, options from fields where shop = ? and system = 0", shop).all();
  return new Map(
    z
      .array(Rule)
      .parse(results)
      .map(({ name, type, options }) => [name, { type, options: Options.parse(JSON.parse(options)) }]),
  );
}

/** As a spreadsheet counts them: the header is row 1 of a CSV. */
function rowNumber({ row }: Pick<Work, "row">, n: number): number {
  return row.format === "csv" ? n + 1 : n;
}

interface Chunk {
  /** Records that it takes up, empty lines among them. */
  size: number;
  rows: ToldRow[];
  count: number;
  failed: { row: number; problem: Problem }[];
}

/** Rows up to the first that names what an earlier one names: that one has to find what the earlier one has written. */
function nextChunk(work: Work, records: readonly RawRecord[], before: number): Chunk {
  const chunk: Chunk = { size: 0, rows: [], count: 0, failed: [] };
  const named = new Set<string>();
  for (const record of records) {
    if (record.cells.every((cell) => cell.trim() === "")) {
      chunk.size++;
      continue;
    }
    const row = rowNumber(work, before + chunk.count + 1);
    const told = parse(work, record, row);
    if ("fatal" in told) {
      chunk.failed.push({ row, problem: told.fatal });
    } else {
      const names = identitiesOfRow(told).map(({ kind, value }) => `${kind}:${value}`);
      if (names.some((name) => named.has(name))) return chunk;
      for (const name of names) named.add(name);
      chunk.rows.push(told);
    }
    chunk.size++;
    chunk.count++;
  }
  return chunk;
}

function parse({ row: { format }, layout, options, reading }: Work, record: RawRecord, row: number) {
  if (record.problem !== null) return { row, fatal: { column: "", detail: record.problem } };
  const cells = cellsOf(record, format, layout, options.mapping);
  const detail = format === "csv" ? "has more cells than there are columns" : "is no JSON object";
  return cells === null ? { row, fatal: { column: "", detail } } : readRow(cells, row, reading);
}

interface Step {
  offset: number;
  next: number;
  counts: Counts;
}

/** Commits a chunk. Null when another run is at the same import: it goes on from there. */
async function carryOut(work: Work, chunk: Chunk, step: Step, now: number): Promise<Counts | null> {
  for (let tries = 1; ; tries++) {
    const plan = await planRows(work, chunk.rows, now);
    if (plan.merges.length > 0 && !work.dryRun) {
      await merge(work, plan.merges, now);
      continue;
    }
    const counts = add(step.counts, chunk, plan);
    try {
      await work.env.DB.batch([
        ...(work.dryRun ? [] : plan.statements),
        ...problemStatements(work, chunk, plan),
        mustHold(
          work.env.DB,
          "exists (select 1 from imports where key = ? and job = ? and offset = ? and state in ('checking', 'running'))",
          work.row.key,
          work.job.id,
          step.offset,
        ),
        sql(
          work.env.DB,
          "update imports set offset = ?2, counts = ?3, updated_at = ?4 where key = ?1",
          work.row.key,
          step.next,
          JSON.stringify(counts),
          now,
        ),
        sql(work.env.DB, "update jobs set progress = ?2, updated_at = ?3 where id = ?1", work.job.id, step.next, now),
      ]);
      return counts;
    } catch (error) {
      if (!isConflict(error) || tries === MOST_TRIES) throw error;
      const here = await findImport(work.env.DB, work.row.id);
      if (here?.offset !== step.offset || here.job !== work.job.id) return null;
    }
  }
}

async function merge({ env, shop }: Work, merges: RowsPlan["merges"], now: number): Promise<void> {
  const touched = new Set<number>();
  const apart = merges.filter(({ winner, loser }) => {
    if (touched.has(winner.key) || touched.has(loser.key)) return false;
    touched.add(winner.key).add(loser.key);
    return true;
  });
  for (const { winner, loser } of apart) {
    const held = [winner, loser].map(({ key, revision }) =>
      mustHold(
        env.DB,
        "exists (select 1 from contacts where key = ? and shop = ? and revision = ? and deleted_at is null)",
        key,
        shop.key,
        revision,
      ),
    );
    await env.DB.batch([...held, ...mergeContactsStatements(env.DB, shop.key, winner, loser, now)]).catch(
      (error: unknown) => {
        if (!isConflict(error)) throw error;
      },
    );
  }
}

function add(before: Counts, chunk: Chunk, plan: RowsPlan): Counts {
  const counts = { ...before, rows: before.rows + chunk.count, failed: before.failed + chunk.failed.length };
  for (const outcome of plan.outcomes) counts[outcome]++;
  counts.suppressed += plan.suppressed;
  counts.problems +=
    chunk.failed.length + plan.problems.length + chunk.rows.reduce((sum, row) => sum + row.problems.length, 0);
  return counts;
}

function problemStatements({ env, shop, row }: Work, chunk: Chunk, plan: RowsPlan): D1PreparedStatement[] {
  const all = [
    ...chunk.failed.map(({ row: no, problem }) => ({ row: no, fatal: true, ...problem })),
    ...chunk.rows.flatMap((told) => told.problems.map((problem) => ({ row: told.row, fatal: false, ...problem }))),
    ...plan.problems,
  ].map((problem, no) => ({
    ...problem,
    no,
    column: problem.column.slice(0, 200),
    detail: problem.detail.slice(0, 300),
  }));
  if (all.length === 0) return [];
  return [
    sql(
      env.DB,
      `insert into import_errors (shop, import, row, no, "column", detail, fatal)
       select ?1, ?2, value ->> 'row', value ->> 'no', value ->> 'column', value ->> 'detail', value ->> 'fatal'
       from json_each(?3) where (select count(*) from import_errors where shop = ?1 and import = ?2) < ?4
       on conflict do nothing`,
      shop.key,
      row.key,
      JSON.stringify(all),
      MOST_PROBLEMS,
    ),
  ];
}

/** After a dry run the file stays for the import itself; after that it goes. */
async function finish({ env, row, job, dryRun }: Work, now: number): Promise<void> {
  await env.DB.batch([
    sql(
      env.DB,
      "update imports set state = ?2, updated_at = ?3 where key = ?1 and job = ?4",
      row.key,
      dryRun ? "checked" : "done",
      now,
      job.id,
    ),
    sql(env.DB, "update jobs set state = 'done', progress = total, updated_at = ?2 where id = ?1", job.id, now),
    ...(dryRun ? [] : [dropFile(env.DB, row.id)]),
  ]);
}

async function fail({ env, row, job }: Work, error: string, now: number): Promise<"done"> {
  await env.DB.batch([
    sql(env.DB, "update imports set state = 'failed', error = ?2, updated_at = ?3 where key = ?1", row.key, error, now),
    sql(env.DB, "update jobs set state = 'failed', error = ?2, updated_at = ?3 where id = ?1", job.id, error, now),
    dropFile(env.DB, row.id),
  ]);
  return "done";
}
