/**
 * What `npm start` runs under the local Node: settings, build, database, the Worker, the demo, and then the
 * addresses. Runs until a signal arrives or one of its processes ends.
 */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { build } from "./build.mjs";
import { ensureDevVars } from "./dev-vars.mjs";
import { portFrom } from "./ports.mjs";
import { family, isAlive, stopFamilies } from "./processes.mjs";
import { BIN, ROOT, say, seconds, toolEnvironment } from "./setup.mjs";
import { devArguments, localSettings, migrateArguments } from "./wrangler-arguments.mjs";

/** How long the Worker, and then the demo, may take to get ready. */
const READY_MS = 120_000;

const began = Date.now();
const withDemo = process.env.DEMO !== "0";
const port = portFrom("PORT", 8787, process.env);
const demoPort = portFrom("DEMO_PORT", 8788, process.env);
const stateDir = resolve(ROOT, process.env.STATE_DIR || ".state");
const url = `http://localhost:${port}`;
const demoUrl = `http://localhost:${demoPort}`;

/** Ids of the processes that we started and that still run. @type {Set<number>} */
const running = new Set();
/** The running `wrangler dev`. @type {import("node:child_process").ChildProcess | undefined} */
let worker;
/** The id of the process below it that listens on the port. @type {number | undefined} */
let listener;
let stopping = false;

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => void stop(0));
// Our watcher is gone: whoever ended it wanted us gone too.
process.on("disconnect", () => void stop(0));

const settings = localSettings(ensureDevVars(ROOT), process.env, withDemo ? `http://127.0.0.1:${demoPort}` : undefined);
mkdirSync(stateDir, { recursive: true });
/** What the demo says when it is ready: its addresses and its shop. @type {{ admin: string, mail: string, shop: string } | undefined} */
let demo;
/** @type {(() => unknown)[]} */
const stages = withDemo
  ? [build, migrate, startWorker, untilHealthy, startDemo, announce]
  : [build, migrate, startWorker, untilHealthy, announce];
// The Worker's runtime goes on under another process id after a crash or a change of the code.
setInterval(reportFamily, 5000);
for (const stage of stages) if (!stopping) await stage();

async function migrate() {
  const child = launch("wrangler", migrateArguments(stateDir), ["ignore", "pipe", "pipe"]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const code = await new Promise((done) => child.on("close", done));
  if (code === 0 || stopping) return;
  process.stderr.write(output);
  await stop(1, "The local database could not be migrated; the reason is above.");
}

function startWorker() {
  const args = devArguments({ port, stateDir, overrides: settings.overrides });
  const child = launch("wrangler", args, ["ignore", "pipe", "pipe"]);
  worker = child;
  child.on("exit", (code, name) => {
    if (worker === child) void stop(1, `The Worker (wrangler dev) ended by itself (${name ?? `exit code ${code}`}).`);
  });
  for (const stream of [child.stdout, child.stderr]) if (stream) void relay(stream);
}

/**
 * Shows what wrangler says, without its warning that a local cron never fires (the shop's clock does not need it)
 * and without the last words of its bundler, which takes a stop for a crash.
 * @param {import("node:stream").Readable} stream
 */
async function relay(stream) {
  let dropping = false;
  for await (const line of createInterface({ input: stream })) {
    dropping = line.includes("Scheduled Workers are not automatically triggered") || (dropping && /^(\s|$)/.test(line));
    if (dropping || stopping || line === "") continue;
    process.stderr.write(`${process.stderr.isTTY ? line : stripVTControlCharacters(line)}\n`);
    if (line.includes("crashed unexpectedly")) void restartWithoutListener();
  }
}

/**
 * Wrangler has two runtimes: one listens on the port and passes requests to the other, which runs the Worker.
 * It recovers from the loss of the second alone, but after the loss of the first it listens again and answers nothing,
 * so then all of it is started again. Told apart by process, not by a request, which would be traffic.
 */
async function restartWithoutListener() {
  if (stopping || !worker?.pid || listener === undefined || isAlive(listener)) return;
  listener = undefined;
  const pid = worker.pid;
  worker = undefined;
  say("The runtime that listens was killed; starting the Worker again.");
  await stopFamilies([pid]);
  if (stopping) return;
  startWorker();
  await untilHealthy();
}

/** Starts the demo with the settings that the Worker runs with, and waits for its line of JSON, which says it is ready. */
async function startDemo() {
  const child = launch("node", ["demo/server.ts"], ["ignore", "pipe", "inherit"], {
    ...settings.values,
    FOOTFALL_URL: url,
    DEMO_PORT: String(demoPort),
    STATE_DIR: stateDir,
  });
  child.on("exit", (code, name) => void stop(1, `The demo ended by itself (${name ?? `exit code ${code}`}).`));
  const late = setTimeout(() => void stop(1, "The demo did not get ready in time."), READY_MS);
  demo = await new Promise((ready) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) ready(JSON.parse(line));
      else say(line);
    });
  });
  clearTimeout(late);
  reportFamily();
}

/**
 * Waits until the Worker answers 200. An answer of another kind for ten seconds, such as a refusal to run with a weak
 * secret, ends the command with that answer.
 */
async function untilHealthy() {
  const deadline = Date.now() + READY_MS;
  let refusedSince = 0;
  while (!stopping) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.status === 200) {
      reportFamily();
      listener = family([...running]).find(({ command }) => command.includes(`entry=127.0.0.1:${port} `))?.pid;
      return;
    }
    if (answer) refusedSince ||= Date.now();
    if (Date.now() > deadline || (refusedSince && Date.now() - refusedSince > 10_000)) {
      const why = answer ? `answers ${answer.status}: ${(await answer.text()).slice(0, 500)}` : "does not answer";
      await stop(1, `The Worker ${why} (${url}/health).`);
    }
    await new Promise((next) => setTimeout(next, 100));
  }
}

/**
 * Starts a local command and reports its id to the watcher.
 * @param {string} command one of node_modules/.bin
 * @param {string[]} args
 * @param {import("node:child_process").StdioOptions} stdio
 * @param {Record<string, string>} [extra] environment
 */
function launch(command, args, stdio, extra = {}) {
  const child = spawn(join(BIN, command), args, {
    cwd: ROOT,
    stdio,
    env: {
      ...toolEnvironment(),
      // Wrangler's list of running Workers is per user; ours has no business with another installation's.
      WRANGLER_REGISTRY_PATH: join(stateDir, "registry"),
      ...extra,
    },
  });
  if (child.pid) running.add(child.pid);
  child.on("exit", () => child.pid && running.delete(child.pid));
  return child;
}

/** Tells the watcher what must not outlive us, descendants included. */
function reportFamily() {
  if (process.connected) process.send?.(family([...running]).map(({ pid }) => pid));
}

/**
 * Ends everything, once.
 * @param {number} code exit code
 * @param {string} [reason] printed where the end was not asked for
 * @returns {Promise<never>}
 */
async function stop(code, reason) {
  if (stopping) await new Promise(() => {});
  stopping = true;
  if (reason) process.stderr.write(`${reason}\n`);
  await stopFamilies([...running]);
  process.exit(code);
}

function announce() {
  const token = settings.values.OPERATOR_TOKEN ?? "";
  const list = `${url}/v1/visitors?shop=${demo?.shop ?? "SHOP.myshopify.com"}`;
  say("");
  say(`Footfall is running (after ${seconds(began)}; stop it with Ctrl-C).`);
  say(`  API and docs   ${url}  ${url}/docs`);
  if (demo) say(`  Demo store     ${demoUrl}  ${demo.admin}`);
  if (demo) say(`  Mailbox        ${demo.mail}`);
  say(`  Sign-in        operator token ${token}`);
  say(`  State          ${stateDir}`);
  say("");
  say(`  curl -H "Authorization: Bearer ${token}" "${list}"`);
}
