import { config } from "../config";
import { sql } from "../db/client";
import { open, seal, type SealingKeys, sealingKeyId } from "../lib/crypto";
import { logFailure } from "../lib/log";

/** Values sealed anew per run and column. */
const CHUNK = 100;

/** Where sealed values are kept for longer than a few days. */
const COLUMNS = [
  ["shops", "app_secret"],
  ["webhook_endpoints", "secret"],
  ["webhook_endpoints", "previous_secret"],
  ["senders", "credentials"],
  ["sync_streams", "file_url"],
  ["installation", "sealed"],
  ["suppressions", "address"],
  ["deliveries", "recipient"],
] as const;

/**
 * While a previous encryption key is configured: seals anew what only that one opens, a piece a run. Repeatable, and
 * free once nothing is left; then the previous key can be taken out of the settings.
 */
export async function resealSecrets(env: Env): Promise<void> {
  const keys = config(env).sealingKeys;
  if (keys.length === 1) return;
  const id = await sealingKeyId(keys);
  for (const [table, column] of COLUMNS) await resealColumn(env.DB, keys, { id, table, column });
  const { results } = await sql(
    env.DB,
    "select shop from shopify_connections where sealed_with is not ? limit ?",
    id,
    CHUNK,
  ).all<{ shop: number }>();
  for (const { shop } of results) {
    if (!(await env.CONNECTION.getByName(String(shop)).reseal())) continue;
    await sql(env.DB, "update shopify_connections set sealed_with = ? where shop = ?", id, shop).run();
  }
}

async function resealColumn(
  db: D1Database,
  keys: SealingKeys,
  { id, table, column }: { id: string; table: string; column: string },
): Promise<void> {
  const { results } = await sql(
    db,
    `select "${column}" as sealed from ${table} where "${column}" is not null and substr("${column}", 1, 9) <> ? limit ?`,
    `${id}.`,
    CHUNK,
  ).all<{ sealed: string }>();
  for (const { sealed } of results) {
    try {
      const anew = await seal(keys, await open(keys, sealed));
      // Found by its value, which is unique: what has changed in the meantime stays.
      await sql(db, `update ${table} set "${column}" = ? where "${column}" = ?`, anew, sealed).run();
    } catch (error) {
      logFailure("reseal", error, { table, column });
    }
  }
}
