import { sql } from "../db/client";

export type IdentityKind = "email" | "phone" | "shopify_customer" | "external";
export type Evidence = "verified" | "claimed";

/** One normalised value that tells a contact apart. */
export interface Identity {
  kind: IdentityKind;
  value: string;
}

export interface ResolvedIdentity extends Identity {
  contact: number;
  evidence: Evidence;
}

/** Which contacts of the shop hold these values now. At most one row per identity. */
export async function resolveIdentities(
  db: D1Database,
  shop: number,
  identities: Identity[],
): Promise<ResolvedIdentity[]> {
  if (identities.length === 0) return [];
  const { results } = await sql(
    db,
    `select i.kind, i.value, i.contact, i.evidence from json_each(?2) j
     cross join identities i on i.shop = ?1 and i.kind = j.value ->> 'kind' and i.value = j.value ->> 'value'`,
    shop,
    JSON.stringify(identities),
  ).all<ResolvedIdentity>();
  return results;
}

/**
 * Gives a value to a contact. A verified value takes a claimed one over; otherwise a value that another contact holds
 * stays there. Callers that must own the value resolve first.
 */
export function holdIdentity(
  db: D1Database,
  shop: number,
  contact: number,
  { kind, value }: Identity,
  evidence: Evidence,
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `insert into identities (shop, kind, value, contact, evidence, created_at) values (?, ?, ?, ?, ?, ?)
     on conflict do update set contact = excluded.contact, evidence = excluded.evidence
     where excluded.evidence = 'verified' and identities.evidence = 'claimed'`,
    shop,
    kind,
    value,
    contact,
    evidence,
    now,
  );
}
