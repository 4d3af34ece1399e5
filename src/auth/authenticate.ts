import { z } from "zod";

import type { Actor } from "../context";
import { sql } from "../db/client";
import { sameSecret, sha256 } from "../lib/crypto";

const Scopes = z.array(z.enum(["read", "write"]));

/**
 * Who holds this bearer token: the operator, an API key that was not revoked, or nobody.
 *
 * @param header the whole `Authorization` header
 */
export async function authenticate(
  db: D1Database,
  header: string | undefined,
  operatorToken: string,
): Promise<Actor | null> {
  const token = /^Bearer +([\x21-\x7e]{1,500})$/i.exec(header ?? "")?.[1];
  if (!token) return null;
  if (await sameSecret(token, operatorToken)) return { kind: "operator" };
  if (!token.startsWith("ffk_")) return null;
  const row = await sql(
    db,
    `select id, shop, scopes from api_keys where hash = ? and revoked_at is null`,
    await sha256(token),
  ).first<{ id: string; shop: number; scopes: string }>();
  return row ? { kind: "key", id: row.id, shop: row.shop, scopes: Scopes.parse(JSON.parse(row.scopes)) } : null;
}
