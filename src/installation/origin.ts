import { config } from "../config";
import { sql } from "../db/client";

const known = new WeakMap<D1Database, string>();

/**
 * Remembers the origin under which somebody with a valid key has just reached this installation: links in messages need
 * one, and a queue has no request to read it from. Written only when it changes.
 */
export async function rememberOrigin(env: Env, origin: string): Promise<void> {
  if (known.get(env.DB) === origin) return;
  await sql(
    env.DB,
    `insert into installation (name, value) values ('origin', ?)
     on conflict do update set value = excluded.value where value <> excluded.value`,
    origin,
  ).run();
  known.set(env.DB, origin);
}

/** Where this installation is reached from outside: `PUBLIC_ORIGIN` if it is set, else as `rememberOrigin` learned; null before. */
export async function publicOrigin(env: Env): Promise<string | null> {
  const set = config(env).publicOrigin;
  if (set !== null) return set;
  const row = await sql(env.DB, "select value from installation where name = 'origin'").first<{
    value: string | null;
  }>();
  return row?.value ?? null;
}
