import { sql } from "../db/client";
import { emit } from "../jobs";
import { toldStatements } from "./consent";
import type { Channel } from "./queue";

/** The person has shown that the address is theirs: from here on it is as good as one from an order. */
export function confirmStatements(
  db: D1Database,
  shop: number,
  { contact, kind, value }: { contact: number; kind: "email" | "phone"; value: string },
): D1PreparedStatement[] {
  return [
    sql(
      db,
      `update identities set evidence = 'verified' where shop = ?1 and kind = ?2 and value = ?3 and contact = ?4`,
      shop,
      kind,
      value,
      contact,
    ),
    sql(db, "update contacts set verified = 1 where shop = ? and key = ?", shop, contact),
  ];
}

export interface OptInDelivery {
  key: number;
  id: string;
  contact: number;
  channel: Channel;
  hash: string | null;
}

/**
 * What the button of a request to confirm does: the address is theirs, they are subscribed with a confirmed opt-in, and
 * whatever kept the address from marketing before is lifted. Repeatable.
 *
 * @param value the address as the contact has it now
 */
export function confirmOptIn(
  db: D1Database,
  shop: number,
  d: OptInDelivery,
  value: string,
  now: number,
): D1PreparedStatement[] {
  const kind = d.channel === "email" ? ("email" as const) : ("phone" as const);
  const told = {
    channel: d.channel,
    state: "subscribed" as const,
    level: "confirmed_opt_in" as const,
    source: "double_opt_in",
    at: now,
  };
  return [
    ...confirmStatements(db, shop, { contact: d.contact, kind, value }),
    ...toldStatements(db, shop, { contact: d.contact, hash: d.hash }, told, now),
    emit(
      db,
      {
        shop,
        type: "contact_confirmed",
        subject: `contact:${d.contact}`,
        naturalKey: d.id,
        data: { channel: d.channel },
        at: now,
      },
      now,
    ),
  ];
}
