/** Whether the migrations say what the tables say. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { BIN, ROOT, toolEnvironment } from "./setup.mjs";

/**
 * Asks drizzle-kit for a migration in a copy of migrations/; there must be nothing to write.
 * Throws an Error that says what is missing.
 */
export function checkMigrations() {
  const folder = mkdtempSync(join(tmpdir(), "footfall-migrations-"));
  try {
    const before = readdirSync(join(ROOT, "migrations"));
    cpSync(join(ROOT, "migrations"), folder, { recursive: true });
    const out = `./${relative(ROOT, folder)}`;
    const args = ["generate", "--dialect=sqlite", "--schema=./src/**/tables.ts", `--out=${out}`];
    const result = spawnSync(join(BIN, "drizzle-kit"), args, {
      cwd: ROOT,
      env: toolEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      // It asks whether a column was renamed, and there is nobody to answer.
      timeout: 60_000,
    });
    if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}drizzle-kit did not finish.`);
    const added = readdirSync(folder).filter((name) => !before.includes(name));
    if (added.length > 0) {
      throw new Error(
        `The tables differ from migrations/ (${added.join(", ")}): run \`npm run db:generate\`, read the SQL.`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
