import { sql } from "../db/client";

export const CONSENT_STATES = [
  "subscribed",
  "not_subscribed",
  "pending",
  "unsubscribed",
  "redacted",
  "invalid",
] as const;
export const CONSENT_LEVELS = ["single_opt_in", "confirmed_opt_in", "unknown"] as const;

/** What a source says about one channel. */
export interface ConsentDecision {
  channel: "email" | "sms" | "whatsapp";
  state: (typeof CONSENT_STATES)[number];
  level: (typeof CONSENT_LEVELS)[number] | null;
  /**
   * `shopify`: a decision on this channel. `sms_consent`: WhatsApp as SMS stands, until it has a decision of its own.
   * `checkout`: a box ticked at an order. `phone_default`: nobody decided; a number is there and the shop's setting.
   */
  basis: "shopify" | "sms_consent" | "checkout" | "phone_default";
  /** Where the decision was collected; null where nobody said. */
  source: string | null;
  /** When the person decided; null where nobody knows. */
  decidedAt: number | null;
}

/**
 * Which of two consents stands: a dated decision over an undated one, both over what is derived, claimed in a form or
 * assumed; then the later one; then the stricter one. So neither a default nor a later order overrides an explicit choice, and any order
 * of delivery ends the same.
 */
const standing = (row: string) => `(
  case ${row}.basis when 'phone_default' then 0 when 'form' then 1 when 'checkout' then 2 when 'sms_consent' then 3
    else case when ${row}.decided_at is null then 4 else 5 end end,
  coalesce(${row}.decided_at, 0),
  case ${row}.state when 'unsubscribed' then 6 when 'redacted' then 5 when 'invalid' then 4 when 'not_subscribed' then 3
    when 'pending' then 2 else 1 end,
  coalesce(${row}.level, ''), coalesce(${row}.source, ''))`;

/** Applies decisions to a contact; each stands or falls by itself. */
export function applyConsents(
  db: D1Database,
  shop: number,
  contact: number,
  decisions: ConsentDecision[],
  now: number,
): D1PreparedStatement[] {
  return applyConsentsOfMany(
    db,
    shop,
    decisions.map((decision) => ({ ...decision, contact })),
    now,
  );
}

/** The same for decisions of several contacts. */
export function applyConsentsOfMany(
  db: D1Database,
  shop: number,
  decisions: (ConsentDecision & { contact: number })[],
  now: number,
): D1PreparedStatement[] {
  if (decisions.length === 0) return [];
  return [
    sql(
      db,
      `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
       select value ->> 'contact', value ->> 'channel', ?1, value ->> 'state', value ->> 'level', value ->> 'basis', value ->> 'source',
         value ->> 'decidedAt', ?3
       from json_each(?2) where true
       on conflict do update set state = excluded.state, level = excluded.level, basis = excluded.basis,
         source = excluded.source, decided_at = excluded.decided_at, updated_at = excluded.updated_at
       where ${standing("excluded")} > ${standing("consents")}`,
      shop,
      JSON.stringify(decisions),
      now,
    ),
  ];
}

/** What a file says about one channel of a contact; `basis` is what the file names, `import` without. */
export type ImportedConsent = Omit<ConsentDecision, "basis"> & { basis: string; contact: number };

/**
 * Applies what a file says. As everywhere the standing decides, so that a newer decision of the person's own stays; and
 * beyond that nothing in a file brings back somebody who has left, whatever its date.
 */
export function importConsents(
  db: D1Database,
  shop: number,
  told: readonly ImportedConsent[],
  now: number,
): D1PreparedStatement[] {
  if (told.length === 0) return [];
  return [
    sql(
      db,
      `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
       select cast(value ->> 'contact' as integer), value ->> 'channel', ?1, value ->> 'state', value ->> 'level', value ->> 'basis',
         value ->> 'source', cast(value ->> 'decidedAt' as integer), ?3
       from json_each(?2) where true
       on conflict do update set state = excluded.state, level = excluded.level, basis = excluded.basis,
         source = excluded.source, decided_at = excluded.decided_at, updated_at = excluded.updated_at
       where ${standing("excluded")} > ${standing("consents")}
         and (consents.state not in ('unsubscribed', 'redacted', 'invalid')
           or excluded.state in ('unsubscribed', 'redacted', 'invalid'))`,
      shop,
      JSON.stringify(told),
      now,
    ),
  ];
}

/** The shop's default for a contact with a phone number, and its end when the number goes. */
export function phoneDefault(
  db: D1Database,
  shop: { key: number; settings: { phoneImpliesSubscribed: boolean } },
  contact: number,
  hasPhone: boolean,
  now: number,
): D1PreparedStatement[] {
  if (!hasPhone) {
    return [
      sql(db, "delete from consents where contact = ? and shop = ? and basis = 'phone_default'", contact, shop.key),
    ];
  }
  return applyConsents(db, shop.key, contact, phoneDecisions(shop), now);
}

/** What the shop assumes of somebody with a phone number. */
export function phoneDecisions(shop: { settings: { phoneImpliesSubscribed: boolean } }): ConsentDecision[] {
  if (!shop.settings.phoneImpliesSubscribed) return [];
  return (["sms", "whatsapp"] as const).map((channel) => ({
    channel,
    state: "subscribed" as const,
    level: null,
    basis: "phone_default" as const,
    source: null,
    decidedAt: null,
  }));
}
