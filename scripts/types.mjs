/** The Worker's types, generated from wrangler.toml and the entry when those have changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BIN, ROOT, setUp, toolEnvironment } from "./setup.mjs";

const FILE = "src/worker-configuration.d.ts";

/**
 * Writes src/worker-configuration.d.ts unless it was made from the present wrangler.toml and entry by the present wrangler.
 * The secrets in it are those that wrangler.toml requires, so it is the same with and without a .dev.vars.
 * @returns {boolean} whether it was written; throws an Error with wrangler's words where that fails
 */
export function generateTypes() {
  const file = join(ROOT, FILE);
  const inputs = ["wrangler.toml", "src/index.ts", "node_modules/wrangler/package.json"].map((name) =>
    readFileSync(join(ROOT, name)),
  );
  const mark = `// Made from wrangler.toml by scripts/types.mjs (${createHash("sha256").update(Buffer.concat(inputs)).digest("hex")})`;
  if (existsSync(file) && readFileSync(file, "utf8").trimEnd().endsWith(mark)) return false;
  const draft = `${FILE.slice(0, -5)}.${process.pid}.d.ts`;
  const result = spawnSync(join(BIN, "wrangler"), ["types", "--strict-vars=false", draft], {
    cwd: ROOT,
    env: toolEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}wrangler could not generate the types.`);
  writeFileSync(join(ROOT, draft), `${readFileSync(join(ROOT, draft), "utf8")}\n${mark}\n`);
  renameSync(join(ROOT, draft), file);
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await setUp();
  generateTypes();
}
