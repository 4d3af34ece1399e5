/**
 * Set-up that every command runs first, on whatever Node (20 or newer) the machine has and with nothing
 * installed: install the locked packages when they are missing or outdated, then go on under the Node that
 * came with them.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder, absolute. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The folder of the installed commands, absolute. */
export const BIN = join(ROOT, "node_modules/.bin");

/** The Node that wrangler and the tests run on, absolute; it is one of the installed packages. */
export const LOCAL_NODE = join(BIN, "node");

/**
 * What keeps every tool that we start quiet, offline and without questions, whatever the terminal is.
 * @returns {NodeJS.ProcessEnv} the caller's environment with the local commands first in PATH
 */
export function toolEnvironment() {
  const path = process.env.PATH ?? "";
  return {
    ...process.env,
    PATH: path.split(":")[0] === BIN ? path : `${BIN}:${path}`,
    CI: "true",
    NO_UPDATE_NOTIFIER: "1",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
    ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }),
  };
}

/**
 * Compares what npm says it installed with what the lockfile asks for.
 * @param {Record<string, { version?: string, optional?: boolean }>} locked `packages` of package-lock.json
 * @param {Record<string, { version?: string }>} installed `packages` of node_modules/.package-lock.json
 * @returns {boolean} true when every package of the lockfile that this platform needs is there in that version
 */
export function installedMatches(locked, installed) {
  return Object.entries(locked).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    return found ? found.version === wanted.version : wanted.optional === true;
  });
}

function isInstalled() {
  const record = join(ROOT, "node_modules/.package-lock.json");
  if (!existsSync(record) || !existsSync(LOCAL_NODE)) return false;
  const packages = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  return installedMatches(packages(join(ROOT, "package-lock.json")), packages(record));
}

/**
 * Installs the locked packages unless they are there.
 * Ends the process with npm's own words when npm fails.
 */
export function install() {
  if (isInstalled()) return;
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node 20 or newer is needed to begin; this is ${process.version}.`);
  say("Installing the packages of package-lock.json into node_modules: about 800 MB on disk, one to three minutes…");
  const started = Date.now();
  const npm = process.env.npm_execpath?.endsWith(".js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
  // Not `npm ci`: it refuses a lockfile without the other platforms' binaries, which a registry that lacks them
  // leaves out. This installs the same locked versions, adds this platform's binaries and leaves the lockfile alone.
  // Everything is needed here, also where NODE_ENV=production would leave the tools out.
  const kinds = ["--include=dev", "--include=optional"];
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const result = spawnSync(npm[0], [...npm.slice(1), "install", "--no-save", ...kinds, ...quiet], {
    cwd: ROOT,
    env: { ...process.env, NO_UPDATE_NOTIFIER: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status !== 0 || !existsSync(LOCAL_NODE)) {
    process.stderr.write(`${result.error?.message ?? ""}${result.stdout ?? ""}${result.stderr ?? ""}`);
    // A half-installed tree must not pass for a whole one next time.
    rmSync(join(ROOT, "node_modules/.package-lock.json"), { force: true });
    fail(
      result.status === 0
        ? "npm ran no install scripts (is ignore-scripts set?), so the local Node is missing."
        : "npm could not install the packages; its reasons are above.",
    );
  }
  say(`Installed in ${seconds(started)}.`);
}

/**
 * Installs what is missing and makes sure that the rest of the calling script runs under the local Node:
 * where this process is another Node, the script is started again under the local one, signals are passed on
 * and this process ends with its exit code. Returns only under the local Node.
 * @returns {Promise<void>}
 */
export async function setUp() {
  install();
  if (process.execPath === realpathSync(LOCAL_NODE)) return;
  const child = spawn(LOCAL_NODE, process.argv.slice(1), { cwd: ROOT, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  process.exit(await new Promise((resolve) => child.on("exit", (code) => resolve(code ?? 1))));
}

/** Prints one line for the person at the terminal. @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Ends the process with a message and exit code 1. @param {string} message @returns {never} */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Time since `started` as text, such as "1.3 s". @param {number} started epoch ms */
export function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}
