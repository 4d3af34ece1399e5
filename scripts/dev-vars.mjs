/** The local settings file: made from its example, empty secrets filled with random ones. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Every setting that the environment of `npm start` may override. */
export const SETTINGS = [
  "OPERATOR_TOKEN",
  "SHOPIFY_API_KEY",
  "SHOPIFY_API_SECRET",
  "SHOPIFY_API_SECRET_PREVIOUS",
  "ENCRYPTION_KEY",
  "ENCRYPTION_KEY_PREVIOUS",
  "PUBLIC_ORIGIN",
  "TRUST_GEO_HEADERS",
  "SHOPIFY_ADMIN_ORIGIN",
  "DEVELOPMENT_SENDER",
  "DNS_RESOLVER",
];

const RANDOM = {
  OPERATOR_TOKEN: (/** @type {typeof randomBytes} */ random) => random(32).toString("base64url"),
  SHOPIFY_API_KEY: (/** @type {typeof randomBytes} */ random) => random(16).toString("hex"),
  SHOPIFY_API_SECRET: (/** @type {typeof randomBytes} */ random) => random(32).toString("hex"),
  ENCRYPTION_KEY: (/** @type {typeof randomBytes} */ random) => random(32).toString("base64"),
};

/**
 * Gives every empty or missing local secret a random value and leaves all else as it is.
 * @param {string} text the content of a .dev.vars file
 * @param {typeof randomBytes} [random] the source of randomness
 * @returns {string} the text with every secret set
 */
export function fillSecrets(text, random = randomBytes) {
  let filled = text;
  for (const [name, generate] of Object.entries(RANDOM)) {
    if (parseEnv(filled)[name]) continue;
    const line = `${name}=${generate(random)}`;
    const empty = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=.*$`, "m");
    filled = empty.test(filled) ? filled.replace(empty, () => line) : `${filled.trimEnd()}\n${line}\n`;
  }
  return filled;
}

/**
 * Creates .dev.vars where it is absent and fills its empty secrets.
 * @param {string} root the project's folder
 * @returns {Record<string, string>} the settings of the file, by name
 */
export function ensureDevVars(root) {
  const file = join(root, ".dev.vars");
  const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  const after = fillSecrets(before ?? readFileSync(join(root, ".dev.vars.example"), "utf8"));
  if (after !== before) {
    // Readable by this user alone, and whole at any moment: a running wrangler watches the file.
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, after, { mode: 0o600 });
    renameSync(draft, file);
  }
  return parseEnv(after);
}
