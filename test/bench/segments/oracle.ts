import type { Asked, Outcome } from "../../segments/oracle/outcome.ts";
import { removeFolder, scratchFolder } from "../harness.ts";
import { atLeast, atMost, type BenchOptions, type Row, shown } from "../row.ts";
import { OracleRuntime } from "./oracle-runtime.ts";

/** How often everything is asked at least, and how many cases there are at least. */
const LEAST = 20;
const CASES = 20_000;

/**
 * Random segments of random shops against the naive evaluator of test/segments/oracle: the compiled SQL about everyone,
 * its counts and pages, subjects asked alone, and the members that are stored while things happen and time passes.
 * Everything that can be asked is dealt as one pile a turn. `SEED=` repeats a run; a turn by itself is repeated by the
 * seed that it prints.
 */
export async function oracle({ quick, detail }: BenchOptions): Promise<Row[]> {
  const first = Number(process.env["SEED"] ?? Date.now() % 1_000_000_000);
  const state = scratchFolder(1e9);
  const runtime = await OracleRuntime.start(state);
  const sum: Outcome = {
    seed: first,
    cases: 0,
    subjects: 0,
    stored: 0,
    coverage: {},
    kinds: {},
    mismatches: [],
    nextShop: 1,
  };
  const [cases, least] = quick ? [1, 1] : [CASES, LEAST];
  const isDone = () => sum.cases >= cases && leastOf(sum) >= least;
  const started = Date.now();
  try {
    for (let seed = first; !isDone() && sum.mismatches.length === 0; seed++) {
      add(sum, await runtime.turn(seed, sum.nextShop));
      if (detail) console.log(`oracle: seed ${seed}, ${sum.cases} cases after ${seconds(started)} s`);
    }
  } finally {
    await runtime.stop();
    removeFolder(state);
  }
  for (const mismatch of sum.mismatches) console.log(`\n${mismatch}\n`);
  printCoverage(sum, detail);
  const asked = Object.values(sum.coverage);
  const bothWays = asked.filter(({ met, unmet }) => met > 0 && unmet > 0).length;
  return [
    atLeast(`oracle: random segments, seed ${first}, ${seconds(started)} s`, sum.cases, cases, 0),
    atMost("  disagreements", sum.mismatches.length, 0, 0),
    atLeast(
      `  times that each of ${asked.length} fields, properties and measures with its operator was asked`,
      leastAsked(sum),
      least,
      0,
    ),
    atLeast(
      `  times that each of ${Object.keys(sum.kinds).length} kinds of questions and changes was`,
      leastKind(sum),
      least,
      0,
    ),
    shown("  answers about one subject compared: queries", sum.subjects.toLocaleString("en")),
    shown("  answers about one subject compared: stored", sum.stored.toLocaleString("en")),
    shown("  of those asked, both met and unmet by somebody", `${bothWays} of ${asked.length}`),
  ];
}

const seconds = (since: number) => Math.round((Date.now() - since) / 1000);
const leastAsked = ({ coverage }: Outcome) => least(Object.values(coverage).map(({ asked }) => asked));
const leastKind = ({ kinds }: Outcome) => least(Object.values(kinds));
const leastOf = (outcome: Outcome) => Math.min(leastAsked(outcome), leastKind(outcome));

function least(numbers: number[]): number {
  return numbers.length === 0 ? 0 : Math.min(...numbers);
}

function add(sum: Outcome, { cases, subjects, stored, coverage, kinds, mismatches, nextShop }: Outcome): void {
  sum.cases += cases;
  sum.subjects += subjects;
  sum.stored += stored;
  sum.nextShop = nextShop;
  sum.mismatches.push(...mismatches);
  for (const [name, { asked, met, unmet }] of Object.entries(coverage)) {
    const before = sum.coverage[name] ?? { asked: 0, met: 0, unmet: 0 };
    sum.coverage[name] = { asked: before.asked + asked, met: before.met + met, unmet: before.unmet + unmet };
  }
  for (const [kind, times] of Object.entries(kinds)) sum.kinds[kind] = (sum.kinds[kind] ?? 0) + times;
}

/** By what is asked: how many operators it has, how often the rarest of them was asked. In detail each by itself. */
function printCoverage({ coverage, kinds }: Outcome, detail: boolean): void {
  const word = ([name]: [string, Asked]) => name.slice(0, Math.max(name.lastIndexOf(" "), 0));
  for (const [name, pairs] of Map.groupBy(Object.entries(coverage), word)) {
    const times = pairs.map(([, { asked }]) => asked);
    console.log(`oracle: ${name || "measures"}: ${pairs.length}, each at least ${Math.min(...times)} times`);
    if (detail) console.log(pairs.map(([pair, one]) => `  ${pair}: ${one.asked} (${one.met}/${one.unmet})`).join("\n"));
  }
  console.log(
    `oracle: ${Object.entries(kinds)
      .map(([kind, times]) => `${kind}: ${times}`)
      .join(", ")}`,
  );
}
