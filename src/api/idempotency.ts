import type { MiddlewareHandler } from "hono";
import { z } from "zod";

import { config } from "../config";
import { actorName } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { open, seal, type SealingKeys, sha256 } from "../lib/crypto";
import type { ApiEnv } from "./route";

const KEPT_MS = 86_400_000;
/** Longer than any request may take: a first request that is older died without an answer. */
const IN_FLIGHT_MS = 60_000;

const Stored = z.object({ contentType: z.string().nullable(), location: z.string().nullable(), body: z.string() });

/**
 * `Idempotency-Key` on POST (draft-ietf-httpapi-idempotency-key-header-08). The first answer below 500 is kept for a
 * day, sealed, because it may hold personal data or a new API key; the same request gets it again. Another request
 * under the same key is 422, one that comes while the first is still being handled 409.
 */
export const idempotency: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const header = c.req.header("idempotency-key");
  if (c.req.method !== "POST" || header === undefined) return next();
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new AppError("bad_request", "Idempotency-Key must be 1 to 255 printable characters");
  }
  const db = c.env.DB;
  const actor = actorName(c.var.actor);
  const { now } = c.var;
  const url = new URL(c.req.url);
  const hash = await sha256(`POST ${url.pathname}${url.search}\n${await c.req.text()}`);
  const claimed = await sql(
    db,
    `insert into idempotency_keys (actor, key, request_hash, created_at) values (?1, ?2, ?3, ?4)
     on conflict do update set request_hash = ?3, status = null, body = null, subject = null, created_at = ?4
     where created_at <= ?4 - ?5 or (status is null and created_at <= ?4 - ?6)
     returning key`,
    actor,
    key,
    hash,
    now,
    KEPT_MS,
    IN_FLIGHT_MS,
  ).first();
  if (!claimed) return replay(db, config(c.env).sealingKeys, actor, key, hash);

  await next();

  if (c.res.status >= 500 || c.res.status === 429) {
    await sql(db, `delete from idempotency_keys where actor = ? and key = ? and created_at = ?`, actor, key, now).run();
    return;
  }
  const text = await c.res.clone().text();
  const stored = {
    contentType: c.res.headers.get("content-type"),
    location: c.res.headers.get("location"),
    body: text,
  };
  await sql(
    db,
    `update idempotency_keys set status = ?, body = ?, subject = ? where actor = ? and key = ? and created_at = ?`,
    c.res.status,
    await seal(config(c.env).sealingKeys, JSON.stringify(stored)),
    personIn(text),
    actor,
    key,
    now,
  ).run();
};

async function replay(db: D1Database, keys: SealingKeys, actor: string, key: string, hash: string) {
  const row = await sql(
    db,
    `select request_hash as hash, status, body from idempotency_keys where actor = ? and key = ?`,
    actor,
    key,
  ).first<{ hash: string; status: number | null; body: string | null }>();
  if (!row || row.status === null || row.body === null) {
    if (row && row.hash !== hash) throw new AppError("idempotency_mismatch");
    throw new AppError("idempotency_in_flight", undefined, { headers: { "retry-after": "1" } });
  }
  if (row.hash !== hash) throw new AppError("idempotency_mismatch");
  const { body, contentType, location } = Stored.parse(JSON.parse(await open(keys, row.body)));
  const headers = new Headers({ "idempotent-replayed": "true" });
  if (contentType) headers.set("content-type", contentType);
  if (location) headers.set("location", location);
  return new Response(row.status === 204 ? null : body, { status: row.status, headers });
}

const AboutPerson = z.object({ contactId: z.string().nullish(), id: z.string().nullish() });

/** The contact that an answer is about, so that its erasure finds what is kept here. */
function personIn(text: string): string | null {
  if (!text.startsWith("{")) return null;
  const parsed = AboutPerson.safeParse(JSON.parse(text));
  return parsed.success ? (parsed.data.contactId ?? parsed.data.id ?? null) : null;
}
