/** A deploy without Cloudflare: the bundle is built and the declared resources are compared with what the code uses. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { gzipSync } from "node:zlib";
import { BIN, ROOT, toolEnvironment } from "./setup.mjs";

/**
 * What the code of the Worker needs from its configuration, read from its text.
 * @typedef {object} Needs
 * @property {Set<string>} names bindings, variables and secrets, as in `env.NAME`
 * @property {Set<string>} words every capitalised name in the code
 * @property {string[]} exports names that the entry exports
 * @property {Set<string>} handlers of the entry's default export: fetch, queue, scheduled, email
 */

/**
 * Compares wrangler's configuration with the code.
 * @param {import("wrangler").Unstable_Config} config
 * @param {Needs} needs
 * @param {string[]} settings names in .dev.vars.example
 * @returns {string[]} one sentence for each thing that is missing, unused or contradictory
 */
export function compareConfiguration(config, needs, settings) {
  const problems = [];
  const required = config.secrets?.required ?? [];
  const objects = config.durable_objects.bindings;
  const producers = config.queues.producers ?? [];
  const consumers = (config.queues.consumers ?? []).map(({ queue }) => queue);
  const bindings = [
    ...config.d1_databases.map(({ binding }) => binding),
    ...config.kv_namespaces.map(({ binding }) => binding),
    ...config.r2_buckets.map(({ binding }) => binding),
    ...config.workflows.map(({ binding }) => binding),
    ...config.send_email.map(({ name }) => name),
    ...producers.map(({ binding }) => binding),
    ...objects.map(({ name }) => name),
    ...(config.assets?.binding ? [config.assets.binding] : []),
  ];
  const declared = new Set([...bindings, ...Object.keys(config.vars), ...required, ...settings]);
  for (const name of needs.names) if (!declared.has(name)) problems.push(`env.${name} is used but not declared.`);
  for (const name of declared) if (!needs.words.has(name)) problems.push(`${name} is declared but never used.`);
  for (const name of required) {
    if (!settings.includes(name)) problems.push(`The required secret ${name} is missing in .dev.vars.example.`);
    if (name in config.vars) problems.push(`${name} is a secret and must not stand in [vars].`);
  }
  for (const { class_name } of objects) {
    if (!needs.exports.includes(class_name))
      problems.push(`The entry does not export the Durable Object ${class_name}.`);
  }
  for (const { queue } of producers)
    if (!consumers.includes(queue)) problems.push(`Nothing consumes the queue ${queue}.`);
  const crons = config.triggers.crons ?? [];
  const pairs = /** @type {const} */ ([
    ["queue", consumers.length, "queue consumers"],
    ["scheduled", crons.length, "cron triggers"],
  ]);
  for (const [handler, count, what] of pairs) {
    if (needs.handlers.has(handler) && count === 0)
      problems.push(`The entry handles ${handler} but declares no ${what}.`);
    if (!needs.handlers.has(handler) && count > 0)
      problems.push(`${what} are declared but the entry has no ${handler}.`);
  }
  return problems;
}

/**
 * Builds the Worker as `wrangler deploy` would and compares. Throws an Error with everything that does not fit.
 * @returns {Promise<string>} the bundle's size, for the terminal
 */
export async function checkDeploy() {
  const folder = mkdtempSync(join(tmpdir(), "footfall-deploy-"));
  try {
    const args = ["deploy", "--dry-run", `--outdir=${folder}`, "--metafile"];
    const result = spawnSync(join(BIN, "wrangler"), args, {
      cwd: ROOT,
      env: toolEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    });
    if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}wrangler deploy --dry-run failed.`);
    const { unstable_readConfig: readConfig } = await import("wrangler");
    const config = readConfig({ config: join(ROOT, "wrangler.toml") }, { hideWarnings: true });
    const settings = Object.keys(parseEnv(readFileSync(join(ROOT, ".dev.vars.example"), "utf8")));
    const problems = [...compareConfiguration(config, readNeeds(folder), settings), ...heavyAtStart(folder)];
    if (problems.length > 0) throw new Error(problems.join("\n"));
    const script = readdirSync(folder).filter((name) => name.endsWith(".js") || name.endsWith(".mjs"));
    const bytes = script.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const zipped = script.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
    return `Worker bundle: ${kib(bytes)}, ${kib(zipped)} gzip`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a beacon must not wait for: loaded with the first request that needs it, never with the entry. */
const HEAVY =
  /(?:^|\/)(?:node_modules\/(?:libphonenumber-js|@hono\/zod-openapi|standardwebhooks|temporal-polyfill|liquidjs|mjml[^/]*|mrml|mimetext|worker-mailer)|src\/(?:shopify\/map|shopify\/sync\/run|api\/app|segments\/compile\/[^/]*|automations\/engine|templates|messages\/providers))(?:\/|\.ts$)/;

/**
 * Follows the entry's imports that are evaluated when the Worker starts.
 * @param {string} folder where wrangler left the bundle
 * @returns {string[]} a sentence for each heavy module that is among them, with the way to it
 */
function heavyAtStart(folder) {
  /** @type {{ inputs: Record<string, { imports: { path: string, kind: string, external?: boolean }[] }> }} */
  const { inputs } = JSON.parse(readFileSync(join(folder, "bundle-meta.json"), "utf8"));
  const entry = Object.keys(inputs).find((name) => name.endsWith("src/index.ts"));
  if (!entry) return ["The bundle has no src/index.ts."];
  /** @type {Map<string, string[]>} */
  const ways = new Map([[entry, [entry]]]);
  for (const [name, way] of ways) {
    for (const { path, kind, external } of inputs[name]?.imports ?? []) {
      if (!external && kind !== "dynamic-import" && !ways.has(path)) ways.set(path, [...way, path]);
    }
  }
  return [...ways]
    .filter(([name, way]) => HEAVY.test(name) && !way.slice(0, -1).some((before) => HEAVY.test(before)))
    .map(([, way]) => `Start-up loads ${way.join(" -> ")}.`);
}

/** @param {string} folder where wrangler left the bundle @returns {Needs} */
function readNeeds(folder) {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const ours = files.filter((name) => /\.tsx?$/.test(name) && !/\.d\.ts$|^(tracker|dashboard)\//.test(name));
  const code = ours.map((name) => readFileSync(join(ROOT, "src", name), "utf8")).join("\n");
  const entry = readFileSync(join(ROOT, "src/index.ts"), "utf8");
  /** @type {{ outputs: Record<string, { entryPoint?: string, exports: string[] }> }} */
  const meta = JSON.parse(readFileSync(join(folder, "bundle-meta.json"), "utf8"));
  const found = (/** @type {RegExp} */ pattern, text = code) =>
    new Set([...text.matchAll(pattern)].map(([, name = ""]) => name));
  return {
    names: found(/\benv\.([A-Z][A-Z0-9_]+)\b/g),
    words: found(/\b([A-Z][A-Z0-9_]+)\b/g),
    exports: Object.values(meta.outputs).flatMap((output) => (output.entryPoint ? output.exports : [])),
    handlers: found(/\b(fetch|queue|scheduled|email)\s*[(:,]/g, entry),
  };
}

function kib(/** @type {number} */ bytes) {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}
