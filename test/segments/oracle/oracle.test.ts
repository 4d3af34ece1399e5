import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { check } from "./check";

/** What `npm test` always asks; `SEED=` asks something else. */
const SEED = Number(env.SEED || 20_350_115);
const CASES = 400;

test(
  `2.2: compiled SQL, stored members and a naive evaluator agree on random segments, seed ${SEED}`,
  { timeout: 300_000 },
  async () => {
    const { cases, subjects, stored, mismatches, coverage, kinds } = await check(env, SEED, CASES);
    const asked = Object.values(coverage);
    const put = asked.filter((one) => one.asked > 0).length;
    console.log(
      `oracle: seed ${SEED}, ${cases} cases, ${subjects} answers and ${stored} stored ones, ${put} of ${asked.length} questions`,
    );
    expect(mismatches.join("\n\n")).toBe("");
    expect(cases).toBe(CASES);
    expect(stored).toBeGreaterThan(subjects);
    for (const kind of [
      "count",
      "everyone",
      "page",
      "alone",
      "stored, filled",
      "stored, marked",
      "stored, time alone",
    ]) {
      expect(kinds[kind], kind).toBeGreaterThan(0);
    }
    // A run in which nobody or everybody is always a member proves nothing.
    expect(asked.filter(({ met, unmet }) => met > 0 && unmet > 0).length).toBeGreaterThan(CASES);
  },
);
