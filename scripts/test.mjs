/**
 * `npm test`: everything that must hold before a change lands, each step with its duration, and at the end the tests'
 * own counts. All steps run whatever the earlier ones said. `--quick` (`npm run check`): format, lint and types alone.
 * Other arguments go to vitest, which then is the only step after the set-up.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { build } from "./build.mjs";
import { checkDeploy } from "./check-deploy.mjs";
import { checkMigrations } from "./check-migrations.mjs";
import { BIN, ROOT, say, seconds, setUp, toolEnvironment } from "./setup.mjs";
import { countTests } from "./test-counts.mjs";
import { generateTypes } from "./types.mjs";

await setUp();

const quick = process.argv.includes("--quick");
const forVitest = process.argv.slice(2).filter((argument) => argument !== "--quick");
/** @type {string[]} */
const failed = [];
let counts = "";

await step("worker types", () => (generateTypes() ? "generated" : "up to date"));
if (forVitest.length === 0) {
  await step("format", () => run("oxfmt", ["--check"]));
  await step("lint", () => run("oxlint", ["--type-aware", "--deny-warnings"]));
  for (const project of ["tsconfig.json", "src/tracker/tsconfig.json", "tsconfig.node.json"]) {
    await step(`types of ${project}`, () => run("tsc", ["-p", project, "--noEmit"]));
  }
}
if (!quick) {
  await step("build", buildWithinBudget);
  if (forVitest.length === 0) {
    await step("migrations match the tables", checkMigrations);
    await step("deploy dry run", checkDeploy);
  }
  await step("tests", runTests);
}

say(failed.length === 0 ? "All steps passed." : `Failed: ${failed.join(", ")}.`);
if (counts) say(counts);
process.exitCode = failed.length === 0 ? 0 : 1;

/**
 * Runs one step and prints how it went.
 * @param {string} name
 * @param {() => unknown} work throws, or rejects, with what is wrong; a text that it returns is printed
 */
async function step(name, work) {
  const started = Date.now();
  try {
    const note = await work();
    say(`ok    ${name} (${seconds(started)})${typeof note === "string" ? `: ${note}` : ""}`);
  } catch (error) {
    failed.push(name);
    say(error instanceof Error ? error.message : String(error));
    say(`FAIL  ${name} (${seconds(started)})`);
  }
}

async function buildWithinBudget() {
  const { note, overBudget } = await build();
  if (overBudget.length > 0) throw new Error(`${note}\nOver the budget in bytes: ${overBudget.join(", ")}`);
  return note;
}

/**
 * Runs a local command; its output is shown where it fails.
 * @param {string} command one of node_modules/.bin
 * @param {string[]} args
 */
async function run(command, args) {
  const child = spawn(join(BIN, command), args, {
    cwd: ROOT,
    env: toolEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const code = await ended(child);
  if (code !== 0) throw new Error(plain(output.trim()) || `${command} ended with ${code}`);
}

/** Without colours where nobody would see them. @param {string} text */
function plain(text) {
  return process.stdout.isTTY ? text : stripVTControlCharacters(text);
}

/**
 * Both projects at once, as the one in a browser and with processes mostly waits; its output follows the other's.
 * With arguments, whatever they select in one run.
 */
async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), "footfall-tests-"));
  try {
    const selections =
      forVitest.length > 0 ? [forVitest] : [["--project=worker", "--project=worker-shared"], ["--project=node"]];
    const runs = await Promise.all(
      selections.map((selection, i) => vitest(selection, join(folder, `report-${i}.json`), i === 0)),
    );
    for (const { output } of runs) process.stdout.write(plain(output));
    const result = countTests(runs);
    counts = result.line;
    if (result.failed > 0) throw new Error(`vitest ended with ${runs.map(({ code }) => code).join(" and ")}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string[]} selection
 * @param {string} file for the report
 * @param {boolean} live show the output as it comes; otherwise it is returned
 */
async function vitest(selection, file, live) {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const stream = live ? "inherit" : "pipe";
  const child = spawn(join(BIN, "vitest"), ["run", ...reporters, ...selection], {
    cwd: ROOT,
    env: toolEnvironment(),
    stdio: ["ignore", stream, stream],
  });
  let output = "";
  for (const piped of [child.stdout, child.stderr]) {
    piped?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
    });
  }
  const code = await ended(child);
  return { code, output, report: readReport(file) };
}

/** @param {string} file @returns {unknown} the report, or undefined where vitest left none */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {import("node:child_process").ChildProcess} child @returns {Promise<number | string>} */
function ended(child) {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code ?? signal ?? "no exit code"));
  });
}
