import { sql } from "../db/client";
import { liftHash, suppressHash } from "../suppressions";
import type { Channel } from "./queue";

/** What a person told us themself: by a link in a message, on its page, or by answering. */
export interface Told {
  channel: Channel;
  state: "subscribed" | "unsubscribed";
  level: "single_opt_in" | "confirmed_opt_in" | null;
  /** `preferences`, `one_click`, `opt_in`, `inbound_message`, `feedback`, ... */
  source: string;
  at: number;
}

/**
 * The person's word about a channel: their consent, and the suppression of the address that it was said with. The newer
 * decision stands; of two in the same moment the opt-out does.
 *
 * @param contact null where the address is nobody's any more
 * @param hash keyed hash of the address
 */
export function toldStatements(
  db: D1Database,
  shop: number,
  { contact, hash }: { contact: number | null; hash: string | null },
  told: Told,
  now: number,
): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  if (contact !== null) {
    statements.push(
      sql(
        db,
        `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
         select key, ?3, ?1, ?4, ?5, 'message', ?6, ?7, ?8 from contacts where key = ?2 and shop = ?1
         on conflict do update set state = excluded.state, level = excluded.level, basis = excluded.basis,
           source = excluded.source, decided_at = excluded.decided_at, updated_at = excluded.updated_at
         where excluded.decided_at > coalesce(consents.decided_at, -1)
           or (excluded.decided_at = consents.decided_at and excluded.state = 'unsubscribed')`,
        shop,
        contact,
        told.channel,
        told.state,
        told.level,
        told.source,
        told.at,
        now,
      ),
    );
  }
  if (hash === null) return statements;
  const { channel, source, at } = told;
  statements.push(
    told.state === "unsubscribed"
      ? suppressHash(db, shop, { channel, hash, reason: "UNSUBSCRIBE", source, at })
      : liftHash(db, shop, channel, hash, at),
  );
  return statements;
}
