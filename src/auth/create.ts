import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { base64url, sha256 } from "../lib/crypto";
import { newId } from "../lib/ids";
import type { ApiKey, NewApiKey } from "./schemas";

/** Makes a key of the shop. The key itself is in the answer and nowhere else: only its SHA-256 is kept. */
export async function createApiKey(
  ctx: Ctx,
  { name, scopes }: Pick<NewApiKey, "name" | "scopes">,
): Promise<ApiKey & { key: string }> {
  const key = `ffk_${base64url(crypto.getRandomValues(new Uint8Array(32)))}`;
  const id = newId("key", ctx.now);
  const hint = key.slice(0, 8);
  const unique = [...new Set(scopes)].sort();
  await ctx.db.batch([
    sql(
      ctx.db,
      `insert into api_keys (id, shop, name, hint, hash, scopes, created_at) values (?, ?, ?, ?, ?, ?, ?)`,
      id,
      ctx.shop.key,
      name,
      hint,
      await sha256(key),
      JSON.stringify(unique),
      ctx.now,
    ),
    audit(ctx, "api_key.created", id, ["name", "scopes"]),
  ]);
  return {
    id,
    key,
    shopId: ctx.shop.id,
    name,
    hint,
    scopes: unique,
    createdAt: new Date(ctx.now).toISOString(),
    revokedAt: null,
  };
}
