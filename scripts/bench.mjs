/** `npm run bench`: set-up, build and the measurements of test/bench, which get all arguments. */
import { spawn } from "node:child_process";
import { build } from "./build.mjs";
import { LOCAL_NODE, ROOT, setUp, toolEnvironment } from "./setup.mjs";

await setUp();
await build();
const bench = spawn(LOCAL_NODE, ["test/bench/run.ts", ...process.argv.slice(2)], {
  cwd: ROOT,
  env: toolEnvironment(),
  stdio: ["ignore", "inherit", "inherit"],
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => bench.kill(signal));
bench.on("exit", (code) => process.exit(code ?? 1));
