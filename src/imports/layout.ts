import { z } from "zod";

import { detectPreset, PRESETS, type Preset, type Target, targetNamed, targetOf } from "./columns";
import type { RawRecord } from "./records";
import type { Cell } from "./row";

const TargetSchema = z.string().transform((name, context): Target => {
  const target = targetNamed(name);
  if (target === null) context.addIssue({ code: "custom", message: "is nothing a column can be about" });
  return target ?? "ignore";
});

/** How a file is read: settled when it is first looked at, so that every run of it reads the same. */
export const Layout = z.object({
  dialect: z.object({ delimiter: z.string(), newline: z.enum(["\n", "\r\n", "\r"]) }).nullable(),
  preset: z.enum(PRESETS).nullable(),
  /** Header of a CSV in order; of JSONL the keys seen at its beginning. */
  columns: z.array(z.string()),
  targets: z.record(z.string(), TargetSchema),
  unknown: z.array(z.string()),
  /** Columns that are, or would be, declared as fields. */
  newFields: z.array(z.string()),
});

export type Layout = z.infer<typeof Layout>;

const MOST_COLUMNS = 500;

/** The columns of a file, from its first records: the header of a CSV, the keys of JSONL. */
export function columnsIn(format: "csv" | "jsonl", records: readonly RawRecord[]): string[] {
  if (format === "csv") return (records[0]?.cells ?? []).map((name) => name.replace(/^\uFEFF/, "").trim());
  const names = records.flatMap(({ cells }) => (flatten(cells[0] ?? "") ?? []).map(([name]) => name));
  return [...new Set(names)];
}

/** What is wrong with columns; null for nothing. */
export function columnsProblem(columns: readonly string[]): string | null {
  if (columns.every((name) => name === "")) return "The file is empty";
  if (columns.length > MOST_COLUMNS) return `The file has more than ${MOST_COLUMNS} columns`;
  const twice = columns.find((name, i) => name !== "" && columns.indexOf(name) !== i);
  return twice === undefined ? null : `The column ${JSON.stringify(twice.slice(0, 100))} is there twice`;
}

/** What each column is about. */
export function layoutOf(
  columns: readonly string[],
  wanted: Preset | "auto" | "none",
  mapping: Readonly<Record<string, string>>,
): Pick<Layout, "preset" | "targets" | "unknown"> {
  const preset = wanted === "auto" ? detectPreset(columns) : wanted === "none" ? null : wanted;
  const targets: Record<string, Target> = {};
  const unknown: string[] = [];
  for (const column of columns) {
    if (column === "") continue;
    const target = targetOf(column, preset, mapping);
    if (target === null) unknown.push(column);
    else targets[column] = target;
  }
  return { preset, targets, unknown };
}

/** The cells of a record with what they mean; null for a record that cannot be read. */
export function cellsOf(
  record: RawRecord,
  format: "csv" | "jsonl",
  layout: Layout,
  mapping: Readonly<Record<string, string>>,
): Cell[] | null {
  if (format === "csv") {
    const extra = record.cells.slice(layout.columns.length).some((cell) => cell.trim() !== "");
    if (extra) return null;
    return layout.columns.flatMap((column, i) => {
      const target = layout.targets[column];
      return target === undefined ? [] : [{ column, target, text: record.cells[i] ?? "" }];
    });
  }
  const entries = flatten(record.cells[0] ?? "");
  return (
    entries?.flatMap(([column, text]) => {
      const target = layout.targets[column] ?? targetOf(column, layout.preset, mapping);
      return target === null ? [] : [{ column, target, text }];
    }) ?? null
  );
}

const Line = z.record(z.string(), z.unknown());

/** A line of JSONL as columns and texts: objects by dotted names, everything that is no text as JSON. Null for no object. */
function flatten(line: string): [string, string][] | null {
  try {
    const parsed = Line.safeParse(JSON.parse(line.replace(/^\uFEFF/, "")));
    return parsed.success ? entriesOf(parsed.data, "", 0) : null;
  } catch {
    return null;
  }
}

const DEEPEST = 3;

function entriesOf(value: Record<string, unknown>, prefix: string, depth: number): [string, string][] {
  return Object.entries(value).flatMap(([key, inner]): [string, string][] => {
    const name = prefix + key;
    if (inner === null || inner === undefined) return [];
    const nested = Line.safeParse(inner);
    if (nested.success && depth < DEEPEST) return entriesOf(nested.data, `${name}.`, depth + 1);
    if (typeof inner === "string") return [[name, prefix === "fields." ? JSON.stringify(inner) : inner]];
    return [[name, JSON.stringify(inner)]];
  });
}
