/** The steps of a deploy, apart from how commands are run, so that they can be rehearsed. */

/** Wrangler's configuration with the real database's id; made by the deploy and not committed. */
export const DEPLOY_CONFIG = "wrangler.deploy.toml";

/** The id that stands in wrangler.toml for the database that is yet to be created. */
const NO_DATABASE = "00000000-0000-0000-0000-000000000000";

/** How to make a value for a secret, by the secret's name; others come from Shopify. */
const MAKE = {
  OPERATOR_TOKEN: "openssl rand -hex 32 | ",
  ENCRYPTION_KEY: "openssl rand -base64 32 | ",
};

/**
 * @typedef {object} Deployment
 * @property {import("wrangler").Unstable_Config} config wrangler.toml as wrangler reads it
 * @property {string} configText wrangler.toml as it stands
 * @property {boolean} dryRun
 * @property {(args: string[]) => { ok: boolean, output: string }} wrangler runs wrangler
 * @property {(text: string) => void} writeConfig writes DEPLOY_CONFIG
 * @property {(line: string) => void} say prints a line
 */

/**
 * Finds or creates the database and the queues, refuses to go on without every secret, migrates and deploys.
 * Throws an Error for the terminal where a step fails; running it again goes on from there.
 * @param {Deployment} deployment
 */
export function deploy({ config, configText, dryRun, wrangler, writeConfig, say }) {
  /** Runs and prints one command; in a dry run, one that needs the account is only printed. */
  const run = (/** @type {string[]} */ args, /** @type {string} */ inDryRun = "") => {
    say(`$ npx wrangler ${args.join(" ")}`);
    return dryRun ? { ok: true, output: inDryRun } : wrangler(args);
  };
  const must = (/** @type {string[]} */ args, /** @type {string} */ inDryRun = "") => {
    const { ok, output } = run(args, inDryRun);
    if (!ok) throw new Error(`${output.trim()}\nStopped: that command failed. Nothing after it was done.`);
    return output;
  };

  must(["whoami"]);
  const id = databaseId(config, must);
  writeConfig(withDatabaseId(configText, id));
  const file = `--config=${DEPLOY_CONFIG}`;

  const queues = [...(config.queues.producers ?? []), ...(config.queues.consumers ?? [])].map(({ queue }) => queue);
  for (const queue of new Set(queues)) {
    // What it says about a queue that is not there differs between versions; creating tells the real trouble.
    if (!run(["queues", "info", queue]).ok) must(["queues", "create", queue]);
  }

  const required = config.secrets?.required ?? [];
  const listed = run(["secret", "list", "--format=json", file], JSON.stringify(required.map((name) => ({ name }))));
  requireSecrets(required, listed);

  must(["d1", "migrations", "apply", databaseOf(config).database_name ?? "", "--remote", file]);
  const args = ["deploy", file];
  say(`$ npx wrangler ${[...args, ...(dryRun ? ["--dry-run"] : [])].join(" ")}`);
  const { ok, output } = wrangler(dryRun ? [...args, "--dry-run"] : args);
  if (!ok) throw new Error(`${output.trim()}\nStopped: the Worker was not deployed.`);
  say(output.trim());
  say(dryRun ? "Dry run: nothing was changed on Cloudflare." : "Deployed. Create a shop with POST /v1/shops.");
}

/**
 * Refuses a deploy while a secret is absent. Values cannot be read back: the Worker itself refuses to serve with
 * empty or weak ones.
 * @param {string[]} required
 * @param {{ ok: boolean, output: string }} listed what `wrangler secret list` said
 */
function requireSecrets(required, listed) {
  // Before the first deploy there is no Worker to have secrets; putting one creates it.
  const absent = !listed.ok && /not found/i.test(listed.output);
  if (!listed.ok && !absent) throw new Error(`${listed.output.trim()}\nStopped: the secrets could not be listed.`);
  const present = absent ? [] : parseNames(listed.output);
  const missing = required.filter((name) => !present.includes(name));
  if (missing.length === 0) return;
  const lines = missing.map((name) => `  ${MAKE[name] ?? ""}npx wrangler secret put ${name}`);
  throw new Error(
    `Stopped: these secrets are not set. Set them, keep a copy of OPERATOR_TOKEN, and deploy again:\n${lines.join("\n")}`,
  );
}

function databaseOf(config) {
  const [database] = config.d1_databases;
  if (!database) throw new Error("wrangler.toml declares no D1 database.");
  return database;
}

/** @param {Deployment["config"]} config @param {(args: string[], inDryRun?: string) => string} must */
function databaseId(config, must) {
  const { database_name: name = "", database_id: given } = databaseOf(config);
  if (given && given !== NO_DATABASE) return given;
  const find = () => {
    const all = parseList(must(["d1", "list", "--json"], JSON.stringify([{ name, uuid: NO_DATABASE }])));
    return all.find((database) => database.name === name)?.uuid;
  };
  const existing = find();
  if (existing) return existing;
  must(["d1", "create", name]);
  const created = find();
  if (!created) throw new Error(`Stopped: the database ${name} was created but is not listed yet. Deploy again.`);
  return created;
}

/**
 * The configuration with the database's id in its place.
 * @param {string} text wrangler.toml
 * @param {string} id
 */
export function withDatabaseId(text, id) {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`Cloudflare named a database id of an unknown form: ${id}`);
  return `# Made from wrangler.toml by \`npm run deploy\`; changes here are lost.\n${text.replaceAll(NO_DATABASE, id)}`;
}

/** @param {string} output @returns {{ name?: string, uuid?: string }[]} the JSON list in wrangler's output */
function parseList(output) {
  const start = output.indexOf("[");
  const list = start < 0 ? undefined : JSON.parse(output.slice(start));
  if (!Array.isArray(list)) throw new Error(`${output.trim()}\nStopped: wrangler answered with no list.`);
  return list;
}

function parseNames(output) {
  return parseList(output).map(({ name = "" }) => name);
}
