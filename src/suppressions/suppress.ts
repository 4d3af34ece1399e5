import { config } from "../config";
import { sql } from "../db/client";
import { messageKey } from "../installation";
import { base64url, hmac, seal } from "../lib/crypto";
import { newId } from "../lib/ids";
import { PERSON_REASONS, type SuppressionReason } from "./reasons";

type Channel = "email" | "sms" | "whatsapp";

/** Somebody who is to get nothing, or no marketing, at an address. */
export interface NewSuppression {
  channel: Channel;
  /** Normalised: lower-case e-mail address, or E.164. */
  address: string;
  reason: SuppressionReason;
  /** Defaults to what the reason means: `all` for addresses that do not work, else `marketing`. */
  class?: "all" | "marketing" | undefined;
  source: string;
  /** When it was said, epoch ms. */
  at: number;
}

/**
 * The keyed hash under which an address is suppressed. A phone number has one for SMS and WhatsApp alike.
 *
 * @param address normalised: lower-case e-mail address, or E.164
 */
export async function addressHash(env: Env, shop: number, address: string): Promise<string> {
  return base64url(await hmac(await messageKey(env), `address:${shop}:${address}`)).slice(0, 22);
}

/** Reasons that say that an address does not work, so that a receipt would not arrive either. */
const BROKEN: readonly SuppressionReason[] = ["HARD_BOUNCE", "INVALID_EMAIL", "PROVIDER"];

export function classOf(reason: SuppressionReason): "all" | "marketing" {
  return BROKEN.includes(reason) ? "all" : "marketing";
}

/** The statements for a batch; one row for each address and reason, of which the newer time and the wider class stay. */
export async function suppressStatements(
  env: Env,
  shop: number,
  entries: NewSuppression[],
): Promise<D1PreparedStatement[]> {
  const rows = await Promise.all(
    entries.map(async (entry) => ({
      ...entry,
      id: newId("sup", entry.at),
      hash: await addressHash(env, shop, entry.address),
      class: entry.class ?? classOf(entry.reason),
      address: await seal(config(env).sealingKeys, entry.address),
    })),
  );
  return rows.length === 0 ? [] : [insertSuppressions(env.DB, shop, rows)];
}

/** The same for an address of which only the hash is known. */
export function suppressHash(
  db: D1Database,
  shop: number,
  entry: Omit<NewSuppression, "address"> & { hash: string },
): D1PreparedStatement {
  const { at, reason } = entry;
  return insertSuppressions(db, shop, [
    { ...entry, id: newId("sup", at), class: entry.class ?? classOf(reason), address: null },
  ]);
}

function insertSuppressions(
  db: D1Database,
  shop: number,
  rows: (Omit<NewSuppression, "address"> & { id: string; hash: string; address: string | null })[],
): D1PreparedStatement {
  return sql(
    db,
    `insert into suppressions (id, shop, channel, hash, class, reason, address, source, at)
     select value ->> 'id', ?1, value ->> 'channel', value ->> 'hash', value ->> 'class', value ->> 'reason',
       value ->> 'address', value ->> 'source', value ->> 'at'
     from json_each(?2) where true
     on conflict (shop, channel, hash, reason) do update set
       class = iif('all' in (class, excluded.class), 'all', 'marketing'),
       address = coalesce(address, excluded.address),
       source = iif(excluded.at > at, excluded.source, source), at = max(at, excluded.at)`,
    shop,
    JSON.stringify(rows),
  );
}

/**
 * Takes back what a person's new and explicit wish to hear from the shop overrules, for the batch of that wish: every
 * reason but those that say that the address does not work.
 *
 * @param before only what was said until then
 */
export async function liftStatements(
  env: Env,
  shop: number,
  entries: { channel: Channel; address: string }[],
  before: number,
): Promise<D1PreparedStatement[]> {
  const rows = await Promise.all(
    entries.map(async ({ channel, address }) => ({ channel, hash: await addressHash(env, shop, address) })),
  );
  return rows.map(({ channel, hash }) => liftHash(env.DB, shop, channel, hash, before));
}

/** The same for an address of which only the hash is known. */
export function liftHash(
  db: D1Database,
  shop: number,
  channel: Channel,
  hash: string,
  before: number,
): D1PreparedStatement {
  return sql(
    db,
    `delete from suppressions where shop = ? and channel = ? and hash = ? and at <= ?
       and reason in (select value from json_each(?))`,
    shop,
    channel,
    hash,
    before,
    JSON.stringify(PERSON_REASONS),
  );
}
