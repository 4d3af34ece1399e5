import { sql } from "../db/client";
import { addressHash, PERSON_REASONS, type SuppressionReason } from "../suppressions";
import type { Consent, Suppressed } from "./eligibility";
import type { Channel } from "./queue";
import { zoneOf } from "./zones";

/** Somebody a message is for, as they are now. */
export interface Recipient {
  key: number;
  id: string;
  /** Normalised; null without one of the channel. */
  address: string | null;
  addressHash: string | null;
  evidence: "verified" | "claimed";
  consent: Consent | null;
  suppressions: Suppressed[];
  /** IANA name. */
  zone: string;
  language: string | null;
  /** When they last wrote to the shop by this channel, epoch ms. */
  repliedAt: number | null;
}

interface Row {
  key: number;
  id: string;
  email: string | null;
  phone: string | null;
  verified: number;
  phoneSource: string | null;
  country: string | null;
  province: string | null;
  emailEvidence: "verified" | "claimed" | null;
  phoneEvidence: "verified" | "claimed" | null;
  state: Consent["state"] | null;
  basis: string | null;
  decidedAt: number | null;
  zone: string | null;
  language: string | null;
  repliedAt: number | null;
  /** JSON array of every value of the channel's kind. */
  held: string;
}

/** The recipients of one channel by the contact's key; one that is gone or in the trash is missing. */
export async function readRecipients(
  env: Env,
  shop: { key: number; timezone: string },
  channel: Channel,
  contacts: number[],
): Promise<Map<number, Recipient>> {
  const kind = channel === "email" ? "email" : "phone";
  const { results } = await sql(
    env.DB,
    `select c.key, c.id, c.email, c.phone, c.verified, c.phone_source as phoneSource, c.country, c.province,
       (select evidence from identities where shop = ?1 and kind = 'email' and value = c.email) as emailEvidence,
       (select evidence from identities where shop = ?1 and kind = 'phone' and value = c.phone and contact = c.key) as phoneEvidence,
       n.state, n.basis, n.decided_at as decidedAt,
       (select timezone from visitors where contact = c.key and timezone is not null order by last_seen_at desc limit 1) as zone,
       (select language from visitors where contact = c.key and language is not null order by last_seen_at desc limit 1) as language,
       (select max(replied_at) from deliveries d where d.contact = c.key and d.channel = ?3) as repliedAt,
       (select json_group_array(value) from identities where contact = c.key and +shop = ?1 and kind = ?4) as held
     from json_each(?2) j cross join contacts c on c.key = j.value
     left join consents n on n.contact = c.key and n.channel = ?3 where c.shop = ?1 and c.deleted_at is null`,
    shop.key,
    JSON.stringify([...new Set(contacts)]),
    channel,
    kind,
  ).all<Row>();
  const hashes = new Map<string, string>();
  for (const row of results) {
    for (const value of valuesOf(row, kind)) hashes.set(value, await addressHash(env, shop.key, value));
  }
  const suppressed = await readSuppressed(env.DB, shop.key, channel, [...hashes.values()]);
  return new Map(
    results.map((row) => {
      const address = row[kind];
      return [
        row.key,
        {
          key: row.key,
          id: row.id,
          address,
          addressHash: address === null ? null : (hashes.get(address) ?? null),
          evidence: evidenceOf(row, kind),
          consent: row.state === null ? null : { state: row.state },
          suppressions: valuesOf(row, kind).flatMap((value) =>
            (suppressed.get(hashes.get(value) ?? "") ?? [])
              .filter((found) => !isOverruled(row, found))
              .map((found) => ({
                reason: found.reason,
                class: found.class,
                isThisAddress: value === address,
              })),
          ),
          zone: zoneOf(
            { browserZone: row.zone, country: row.country, province: row.province, phone: row.phone },
            shop.timezone,
          ),
          language: row.language,
          repliedAt: row.repliedAt,
        },
      ];
    }),
  );
}

/** Where the person themself decides: here, in the shop, or by the merchant's own word about it. */
const EXPLICIT = ["message", "shopify", "api"];

/** A person's later and explicit wish overrules what was said before; an order's ticked box or an import does not. */
function isOverruled({ state, basis, decidedAt }: Row, { reason, at }: SuppressionRow): boolean {
  if (state !== "subscribed" || decidedAt === null || !EXPLICIT.includes(basis ?? "")) return false;
  return PERSON_REASONS.includes(reason) && decidedAt > at;
}

function valuesOf(row: Row, kind: "email" | "phone"): string[] {
  const held: unknown = JSON.parse(row.held);
  const values = Array.isArray(held) ? held.filter((value) => typeof value === "string") : [];
  const shown = row[kind];
  return [...new Set(shown === null ? values : [shown, ...values])];
}

/** A number that an order or an address book gave is not told apart as somebody's own; it counts as the contact does. */
function evidenceOf(row: Row, kind: "email" | "phone"): "verified" | "claimed" {
  const known = kind === "email" ? row.emailEvidence : row.phoneEvidence;
  if (known !== null) return known;
  return row.verified === 1 && (kind === "email" || row.phoneSource !== "claim") ? "verified" : "claimed";
}

interface SuppressionRow {
  hash: string;
  reason: SuppressionReason;
  class: "all" | "marketing";
  at: number;
}

async function readSuppressed(
  db: D1Database,
  shop: number,
  channel: Channel,
  hashes: string[],
): Promise<Map<string, SuppressionRow[]>> {
  if (hashes.length === 0) return new Map();
  const { results } = await sql(
    db,
    `select hash, reason, class, at from json_each(?3) j cross join suppressions s
     where s.shop = ?1 and s.channel = ?2 and s.hash = j.value`,
    shop,
    channel,
    JSON.stringify(hashes),
  ).all<SuppressionRow>();
  return Map.groupBy(results, ({ hash }) => hash);
}
