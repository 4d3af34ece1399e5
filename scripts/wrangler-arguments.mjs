/** The command lines that the scripts give to wrangler, and the settings in them. Pure: tests read them. */
import { SETTINGS } from "./dev-vars.mjs";

/** The name of the database in wrangler.toml. */
export const DATABASE = "footfall";

/**
 * The settings that the local Worker runs with, and the `--var` arguments that make them so.
 * Wrangler prefers .dev.vars to its own environment, so every override is an argument; so is the optional previous
 * secret, because wrangler passes on only those names of .dev.vars that wrangler.toml declares.
 * @param {Record<string, string | undefined>} file the settings of .dev.vars
 * @param {Record<string, string | undefined>} environment of `npm start`; an empty value counts as not set
 * @param {string | undefined} demoUrl where the demo runs, if it does: it sends visitors' places in headers, and its
 * stand-in answers for Shopify
 * @returns {{ values: Record<string, string>, overrides: string[] }}
 */
export function localSettings(file, environment, demoUrl) {
  /** @type {Record<string, string>} */
  const values = {};
  /** @type {Record<string, string>} */
  const ofDemo = demoUrl ? { TRUST_GEO_HEADERS: "on", SHOPIFY_ADMIN_ORIGIN: `${demoUrl}/_shopify/{shop}` } : {};
  const overrides = [];
  for (const name of SETTINGS) {
    const given = environment[name] || ofDemo[name];
    const value = given ?? file[name];
    if (!value) continue;
    values[name] = value;
    if (given || name === "SHOPIFY_API_SECRET_PREVIOUS") overrides.push("--var", `${name}:${value}`);
  }
  return { values, overrides };
}

/**
 * `wrangler dev` on this machine's loopback address alone.
 * @param {{ port: number, stateDir: string, overrides: string[] }} options
 * @returns {string[]}
 */
export function devArguments({ port, stateDir, overrides }) {
  return [
    "dev",
    "--local",
    "--ip=127.0.0.1",
    `--port=${port}`,
    // Any free one: two installations side by side must not meet.
    "--inspector-port=0",
    `--persist-to=${stateDir}`,
    "--log-level=warn",
    "--show-interactive-dev-session=false",
    ...overrides,
  ];
}

/** Applies the migrations to the local database. @param {string} stateDir @returns {string[]} */
export function migrateArguments(stateDir) {
  return ["d1", "migrations", "apply", DATABASE, "--local", `--persist-to=${stateDir}`];
}
