import type { Asked, Outcome } from "../../segments/oracle/outcome.ts";
import { bundle, removeFolder, scratchFolder, Served } from "../harness.ts";
import { atLeast, atMost, type BenchOptions, type Row, shown } from "../row.ts";

/** How often everything is asked at least, and how many cases there are at least. */
const LEAST = 20;
const CASES = 20_000;

/**
 * Random segments of random shops: the compiled SQL about everyone, its pages and counts, and each subject asked one by
 * one, against the naive evaluator of test/segments/oracle. Everything that can be asked is dealt as one pile a turn.
 * `SEED=` repeats a run; a turn by itself is repeated by the seed that it prints.
 */
export async function oracle({ quick, detail }: BenchOptions): Promise<Row[]> {
  const first = Number(process.env["SEED"] ?? Date.now() % 1_000_000_000);
  const state = scratchFolder(2e9);
  const served = await Served.start(await bundle("test/bench/worker/oracle-worker.ts"), state);
  const coverage = new Map<string, Asked>();
  const mismatches: string[] = [];
  let [cases, subjects, shop] = [0, 0, 1];
  const isDone = () => cases >= (quick ? 1 : CASES) && least([...coverage.values()]) >= (quick ? 1 : LEAST);
  try {
    await served.migrate();
    for (let seed = first; !isDone() && mismatches.length === 0; seed++) {
      const started = Date.now();
      const response = await served.miniflare.dispatchFetch("http://bench/", {
        method: "POST",
        body: JSON.stringify({ seed, shop }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`oracle, seed ${seed}: ${response.status} ${text}`);
      const outcome: Outcome = JSON.parse(text);
      cases += outcome.cases;
      subjects += outcome.subjects;
      shop = outcome.nextShop;
      mismatches.push(...outcome.mismatches);
      for (const [name, { asked, met, unmet }] of Object.entries(outcome.coverage)) {
        const sum = coverage.get(name) ?? { asked: 0, met: 0, unmet: 0 };
        coverage.set(name, { asked: sum.asked + asked, met: sum.met + met, unmet: sum.unmet + unmet });
      }
      if (detail) console.log(`oracle: seed ${seed}, ${outcome.cases} cases in ${Date.now() - started} ms`);
    }
  } finally {
    await served.stop();
    removeFolder(state);
  }
  for (const mismatch of mismatches) console.log(`\n${mismatch}\n`);
  const asked = [...coverage.values()];
  const oneSided = [...coverage].filter(([, { met, unmet }]) => met === 0 || unmet === 0).map(([name]) => name);
  if (detail) console.log(`oracle: never both met and unmet: ${oneSided.join("; ") || "none"}`);
  return [
    atLeast(`oracle: random segments, seed ${first}`, cases, quick ? 1 : CASES, 0),
    atMost("  disagreements", mismatches.length, 0, 0),
    atLeast(
      `  times that each of ${asked.length} fields, properties and measures with its operator was asked`,
      least(asked),
      quick ? 1 : LEAST,
      0,
    ),
    shown("  memberships compared", subjects.toLocaleString("en")),
    shown("  of those asked, both met and unmet by somebody", `${asked.length - oneSided.length} of ${asked.length}`),
  ];
}

function least(asked: Asked[]): number {
  return asked.length === 0 ? 0 : Math.min(...asked.map((one) => one.asked));
}
