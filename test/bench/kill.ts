import { spawn } from "node:child_process";
import { join } from "node:path";

import { ROOT } from "./harness.ts";
import type { BenchOptions, Row } from "./row.ts";

/** The kill test of test/node/kill, with more kills than `npm test` has patience for. */
export async function kill({ quick }: BenchOptions): Promise<Row[]> {
  const kills = quick ? 20 : 200;
  const started = Date.now();
  const child = spawn(join(ROOT, "node_modules/.bin/vitest"), ["run", "--project", "node", "test/node/kill"], {
    cwd: ROOT,
    env: { ...process.env, KILLS: String(kills) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  return [
    {
      what: `${kills} kills under load: everything acknowledged is there exactly once`,
      figure: `${code === 0 ? "passed" : "failed"} in ${seconds} s`,
      budget: "passes",
      met: code === 0,
    },
  ];
}
