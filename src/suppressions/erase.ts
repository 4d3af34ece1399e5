import { sql } from "../db/client";
import { addressHash, suppressHash } from "./suppress";

/**
 * What an erasure does about a person's addresses, for its last batch: nobody can read them any more, and no import or
 * sync brings marketing back to them unless the person subscribes anew.
 *
 * @param contacts keys
 */
export async function eraseAddresses(
  env: Env,
  shop: number,
  contacts: number[],
  now: number,
): Promise<D1PreparedStatement[]> {
  const { results } = await sql(
    env.DB,
    `select kind, value from identities where +shop = ?1 and contact in (select value from json_each(?2))
       and kind in ('email', 'phone')
     union select 'email', email from contacts where shop = ?1 and key in (select value from json_each(?2)) and email is not null
     union select 'phone', phone from contacts where shop = ?1 and key in (select value from json_each(?2)) and phone is not null`,
    shop,
    JSON.stringify(contacts),
  ).all<{ kind: "email" | "phone"; value: string }>();
  const statements: D1PreparedStatement[] = [];
  for (const { kind, value } of results) {
    const hash = await addressHash(env, shop, value);
    const channels = kind === "email" ? (["email"] as const) : (["sms", "whatsapp"] as const);
    for (const channel of channels) {
      statements.push(
        sql(
          env.DB,
          "update suppressions set address = null where shop = ? and channel = ? and hash = ?",
          shop,
          channel,
          hash,
        ),
        suppressHash(env.DB, shop, { channel, hash, reason: "ERASED", source: "erasure", at: now }),
      );
    }
  }
  return statements;
}
