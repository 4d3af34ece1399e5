import { config } from "../config";
import { sql } from "../db/client";
import { base64url, open, seal } from "../lib/crypto";

const known = new WeakMap<D1Database, string>();

/**
 * The secret behind hashes of suppressed addresses and signatures of links in messages. It is made once, at random, and
 * kept sealed: unlike a key derived from `ENCRYPTION_KEY` it stays when that one is replaced, so that nobody who left is
 * written to again and links in old mails go on working.
 */
export async function messageKey(env: Env): Promise<string> {
  const cached = known.get(env.DB);
  if (cached !== undefined) return cached;
  const { sealingKeys } = config(env);
  const fresh = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const [, read] = await env.DB.batch<{ sealed: string }>([
    sql(
      env.DB,
      "insert into installation (name, sealed) values ('message_key', ?) on conflict do nothing",
      await seal(sealingKeys, fresh),
    ),
    sql(env.DB, "select sealed from installation where name = 'message_key'"),
  ]);
  const sealed = read?.results[0]?.sealed;
  if (sealed === undefined) throw new Error("the key of messages is not there");
  const key = await open(sealingKeys, sealed);
  known.set(env.DB, key);
  return key;
}
