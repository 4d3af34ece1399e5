/**
 * `npm run deploy`: puts the Worker on Cloudflare, creating its database and queues the first time. Every command that
 * it runs is printed. `--dry-run` prints them too, but runs only what needs no account.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { DEPLOY_CONFIG, deploy } from "./deploy-steps.mjs";
import { BIN, fail, ROOT, say, setUp, toolEnvironment } from "./setup.mjs";

await setUp();

const dryRun = process.argv.includes("--dry-run");
const { unstable_readConfig: readConfig } = await import("wrangler");

say("$ npm run build");
await build();
try {
  deploy({
    config: readConfig({ config: join(ROOT, "wrangler.toml") }, { hideWarnings: true }),
    configText: readFileSync(join(ROOT, "wrangler.toml"), "utf8"),
    dryRun,
    wrangler,
    writeConfig: (text) => writeFileSync(join(ROOT, DEPLOY_CONFIG), text),
    say,
  });
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

/**
 * @param {string[]} args
 * @returns {{ ok: boolean, output: string }} both streams in `output` where it failed, the first alone otherwise
 */
function wrangler(args) {
  const result = spawnSync(join(BIN, "wrangler"), args, {
    cwd: ROOT,
    env: toolEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const ok = result.status === 0;
  return { ok, output: ok ? result.stdout : `${result.stdout}${result.stderr}` };
}
