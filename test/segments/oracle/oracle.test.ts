import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { check } from "./check";

/** What `npm test` always asks; `SEED=` asks something else. */
const SEED = Number(env.SEED || 20_350_115);
const CASES = 250;

test(
  `2.2: compiled SQL, subjects asked one by one and a naive evaluator agree on random segments, seed ${SEED}`,
  { timeout: 120_000 },
  async () => {
    const { cases, subjects, mismatches, coverage } = await check(env.DB, SEED, CASES);
    const asked = Object.values(coverage);
    console.log(
      `oracle: seed ${SEED}, ${cases} cases, ${subjects} memberships, ${asked.filter((one) => one.asked > 0).length} of ${asked.length} questions`,
    );
    expect(mismatches.join("\n\n")).toBe("");
    expect(cases).toBe(CASES);
    // A run in which nobody or everybody is always a member proves nothing.
    expect(asked.filter(({ met, unmet }) => met > 0 && unmet > 0).length).toBeGreaterThan(CASES);
  },
);
