import { z } from "zod";

import { config } from "../config";
import type { Actor } from "../context";
import { sql } from "../db/client";
import { sameSecret, sha256 } from "../lib/crypto";
import { sessionOf } from "../shopify";

const Scopes = z.array(z.enum(["read", "write"]));

/**
 * Who holds this bearer token: the operator, an API key that was not revoked, a staff member of a store with a session
 * token of Shopify (who may do in that shop what a key with both scopes may), or nobody.
 *
 * @param header the whole `Authorization` header
 */
export async function authenticate(env: Env, header: string | undefined, now: number): Promise<Actor | null> {
  const token = /^Bearer +([\x21-\x7e]{1,4000})$/i.exec(header ?? "")?.[1];
  if (!token) return null;
  if (await sameSecret(token, config(env).operatorToken)) return { kind: "operator" };
  return token.startsWith("ffk_") ? keyActor(env.DB, token) : staffActor(env, token, now);
}

async function keyActor(db: D1Database, token: string): Promise<Actor | null> {
  const row = await sql(
    db,
    `select id, shop, scopes from api_keys where hash = ? and revoked_at is null`,
    await sha256(token),
  ).first<{ id: string; shop: number; scopes: string }>();
  return row ? { kind: "key", id: row.id, shop: row.shop, scopes: Scopes.parse(JSON.parse(row.scopes)) } : null;
}

async function staffActor(env: Env, token: string, now: number): Promise<Actor | null> {
  if (token.split(".").length !== 3) return null;
  const session = await sessionOf(env, token, now);
  if (!session?.shop) return null;
  return { kind: "key", id: `shopify-user:${session.user}`, shop: session.shop.key, scopes: ["read", "write"] };
}
