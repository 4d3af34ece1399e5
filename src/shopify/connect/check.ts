import { sql } from "../../db/client";
import type { Shop } from "../../shops";
import { AdminError, adminQuery } from "../admin";
import { missingScopes, wantedScopes } from "../scopes";
import { assertSubscriptions } from "../subscriptions";
import { readConnection } from "./read";
import { ReadStore } from "./store.queries";

/** Why something does not work, the gravest first. Null when all is well. */
export type ConnectionProblem =
  | "not_connected"
  | "token_refused"
  | "shop_frozen"
  | "unreachable"
  | "unexpected_answer"
  | "scopes_missing"
  | "webhooks_refused";

/** What a check found, and when to check again because of it, ms from now; null when there is no reason to. */
export interface CheckResult {
  problem: ConnectionProblem | null;
  retryAfterMs: number | null;
}

const PROBLEMS = {
  refused: "token_refused",
  frozen: "shop_frozen",
  throttled: "unreachable",
  unreachable: "unreachable",
  invalid: "unexpected_answer",
} as const;

/**
 * Asks a connected store which scopes it grants and which subscriptions it has, makes what is missing, and writes down
 * what was found. May run at any time and any number of times; never throws because of Shopify.
 */
export async function checkConnection(env: Env, shop: Shop, now: number): Promise<CheckResult> {
  const connection = await readConnection(env.DB, shop.key);
  if (!connection) return { problem: "not_connected", retryAfterMs: null };
  const wanted = wantedScopes(shop.settings);
  let granted = connection.scopes;
  let found: CheckResult;
  try {
    granted = await readScopes(env, shop);
    const { refused } = await assertSubscriptions(env, shop, { address: connection.address, granted, wanted }, now);
    const isMissing = missingScopes(granted, shop.settings).length > 0;
    found = { problem: isMissing ? "scopes_missing" : refused > 0 ? "webhooks_refused" : null, retryAfterMs: null };
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    found = { problem: PROBLEMS[error.kind], retryAfterMs: error.retryAfterMs };
  }
  await sql(
    env.DB,
    "update shopify_connections set scopes = ?, problem = ?, checked_at = ?, updated_at = ? where shop = ?",
    JSON.stringify(granted),
    found.problem,
    now,
    now,
    shop.key,
  ).run();
  return found;
}

/** The scopes that the store has granted, as it says itself. Throws `AdminError`. */
async function readScopes(env: Env, shop: Shop): Promise<string[]> {
  const { currentAppInstallation } = await adminQuery(env, shop, ReadStore);
  return currentAppInstallation.accessScopes.map(({ handle }) => handle).sort();
}
