/**
 * `npm run bench`: measures, prints one table, and fails when a budget is missed. `--only=name[,name]` picks rows,
 * `--quick` takes smaller sizes, `--detail` prints what figures consist of. docs/bench.md says what each row means.
 */
import { parseArgs } from "node:util";

import { automations } from "./automations.ts";
import { burst } from "./burst.ts";
import { backfill } from "./backfill.ts";
import { kill } from "./kill.ts";
import { beacon, webhook } from "./ratio.ts";
import type { BenchOptions, Row } from "./row.ts";
import { scale } from "./scale.ts";
import { oracle } from "./segments/oracle.ts";
import { segments } from "./segments/segments.ts";
import { size } from "./size.ts";
import { writes } from "./writes.ts";

const NAMES = [
  "size",
  "beacon",
  "writes",
  "webhook",
  "burst",
  "automations",
  "scale",
  "segments",
  "oracle",
  "kill",
  "backfill",
] as const;
type Name = (typeof NAMES)[number];

const { values } = parseArgs({
  options: { only: { type: "string" }, quick: { type: "boolean" }, detail: { type: "boolean" } },
});
const asked = values.only?.split(",");

/** A quarter of an hour each and more: only when they are asked for. */
const LONG = new Set<string>(["segments", "oracle", "kill", "backfill"]);
const unknown = asked?.filter((name) => !NAMES.some((known) => known === name)) ?? [];
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(", ")}; there are ${NAMES.join(", ")}.`);
  process.exit(2);
}
const options: BenchOptions = { quick: values.quick ?? false, detail: values.detail ?? false };
// Wrangler tells which file its variables come from each time it is asked.
process.env["WRANGLER_LOG"] ??= "error";

/** What a beacon costs, once this run has measured it, for the price of a page view. */
let cpuMs: number | null = null;

const measures: Record<Name, () => Promise<Row[]>> = {
  size,
  beacon: async () => {
    const measured = await beacon(options);
    cpuMs = measured.cpuMs;
    return measured.rows;
  },
  writes: () => writes(options, cpuMs),
  webhook: () => webhook(options),
  burst: () => burst(options),
  automations: () => automations(options),
  scale: () => scale(options),
  segments: () => segments(options),
  oracle: () => oracle(options),
  kill: () => kill(options),
  backfill: () => backfill(options),
};

const table: Row[] = [];
// Tests in small have commands of their own in `npm test`; here they run when they are asked for.
for (const name of NAMES.filter((name) => asked?.includes(name) ?? !LONG.has(name))) {
  const started = Date.now();
  table.push(...(await measures[name]()));
  console.log(`${name}: measured in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

const widths = {
  what: widest((row) => row.what),
  figure: widest((row) => row.figure),
  budget: widest((row) => row.budget),
};
console.log("");
for (const { what, figure, budget, met } of table) {
  const verdict = met === null ? "" : met ? "met" : "MISSED";
  console.log(
    `${what.padEnd(widths.what)}  ${figure.padEnd(widths.figure)}  ${budget.padEnd(widths.budget)}  ${verdict}`.trimEnd(),
  );
}
const missed = table.filter((row) => row.met === false).length;
console.log(
  missed === 0 ? "\nEvery budget is met." : `\n${missed} of the budgets ${missed === 1 ? "is" : "are"} missed.`,
);
process.exitCode = missed === 0 ? 0 : 1;

function widest(of: (row: Row) => string): number {
  return Math.max(...table.map((row) => of(row).length));
}
