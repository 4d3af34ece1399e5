import { sql } from "../db/client";
import { newId } from "../lib/ids";
import type { Shop } from "../shops";
import type { Claim } from "../collect";
import { emit } from "../jobs";
import { type Evidence, type Identity, resolveIdentities } from "./resolve";
import { identityHash } from "./secrets";

/** A link token ties at most this many browsers. */
const BROWSERS_A_TOKEN = 5;

/** Somebody who has just signed up may be here before Shopify's webhook about them, ms. */
const CUSTOMER_WAIT_MS = 10 * 60_000;

export type LinkResult =
  | { kind: "linked"; contact: number }
  /** The persona was linked before; nothing changed but, at most, claimed became verified. */
  | { kind: "known"; contact: number }
  /** The link is refused for good: no such contact, or the token is used up. */
  | { kind: "refused" }
  /** Too many new contacts this minute, or a new customer whom no webhook has told of yet: try again later. */
  | { kind: "later" };

interface Persona {
  key: number;
  contact: number | null;
  evidence: Evidence | null;
  linkedAt: number | null;
}

/** The persona's row, or null when it was erased. */
export async function readPersona(db: D1Database, shop: number, tracker: string, person: number) {
  return sql(
    db,
    `select key, contact, evidence, linked_at as linkedAt from visitors where shop = ? and tracker = ? and person = ?`,
    shop,
    tracker,
    person,
  ).first<Persona>();
}

/**
 * Links a persona to the contact that an identification names, or makes the contact. A claim never touches an existing
 * contact: no field, no consent, no merge. It answers nothing that a browser could see.
 *
 * @param told on what evidence, and when it was said
 */
export async function linkClaim(
  db: D1Database,
  shop: Shop,
  persona: Persona,
  claim: Claim,
  told: { evidence: Evidence; at: number },
  now: number,
): Promise<LinkResult> {
  const target = await namedContact(db, shop.key, claim, told.evidence);
  if (persona.contact !== null) {
    if (target !== null && target.key === persona.contact && target.evidence === "verified") {
      await sql(db, "update visitors set evidence = 'verified' where key = ?", persona.key).run();
    }
    return { kind: "known", contact: persona.contact };
  }
  if (target) {
    if (claim.linkToken !== null) return linkByToken(db, shop.key, persona, target.key, claim.linkToken, now);
    await db.batch(linkStatements(db, shop.key, persona, target.key, target.evidence, now, kindTold(claim)));
    return { kind: "linked", contact: target.key };
  }
  if (claim.email === null && claim.phone === null) {
    const isExpected = claim.shopifyCustomerId !== null && now - told.at < CUSTOMER_WAIT_MS;
    return { kind: isExpected ? "later" : "refused" };
  }
  if (await tooManyNew(db, shop, now)) return { kind: "later" };
  return { kind: "linked", contact: await createFromClaim(db, shop, persona, claim, told.at, now) };
}

/**
 * Verified kinds first: only they may name a contact by its customer id or by our token. An address that was told beside
 * them stays a claim: a customer may sign in as themself and type somebody else's. A phone number decides only without
 * an e-mail address, since families and shops share numbers.
 */
async function namedContact(
  db: D1Database,
  shop: number,
  claim: Claim,
  evidence: Evidence,
): Promise<{ key: number; evidence: Evidence } | null> {
  if (evidence === "verified" && claim.contactId !== null) {
    const contact = await contactById(db, shop, claim.contactId);
    return contact && { key: contact.key, evidence };
  }
  const identities: Identity[] = [];
  if (evidence === "verified" && claim.shopifyCustomerId !== null) {
    identities.push({ kind: "shopify_customer", value: claim.shopifyCustomerId });
  }
  if (claim.email !== null) identities.push({ kind: "email", value: claim.email });
  else if (claim.phone !== null) identities.push({ kind: "phone", value: claim.phone });
  const found = await resolveIdentities(db, shop, identities);
  const best = identities.flatMap((i) => found.filter((f) => f.kind === i.kind && f.value === i.value))[0];
  return best ? { key: best.contact, evidence: best.kind === "shopify_customer" ? evidence : "claimed" } : null;
}

/** A contact by public id, also by one that was merged away. */
export async function contactById(db: D1Database, shop: number, id: string): Promise<{ key: number } | null> {
  return sql(
    db,
    `select key from contacts where shop = ?1 and id = ?2
     union all select contact from contact_aliases where shop = ?1 and id = ?2 limit 1`,
    shop,
    id,
  ).first<{ key: number }>();
}

/**
 * Keyed hashes of everything that tells a contact apart, for the persona that is linked to it: so a different value on
 * the same browser is somebody else, and another value of the same contact is not.
 */
export async function contactHashes(db: D1Database, key: string, shop: number, contact: number): Promise<string[]> {
  const { results } = await sql(
    db,
    "select kind, value from identities where contact = ? and shop = ? limit 20",
    contact,
    shop,
  ).all<Identity>();
  return Promise.all(results.map(({ kind, value }) => identityHash(key, shop, HASH_KINDS[kind], value)));
}

/** Names of identity kinds in a browser's hashes. */
const HASH_KINDS = { email: "email", phone: "phone", shopify_customer: "customer", external: "external" } as const;

/** The persona, its carts and the record of the link. Guarded: a link is set once. */
export function linkStatements(
  db: D1Database,
  shop: number,
  persona: { key: number },
  contact: number,
  evidence: Evidence,
  now: number,
  kind: string,
): D1PreparedStatement[] {
  const statements = [
    sql(
      db,
      "update visitors set contact = ?, evidence = ?, linked_at = ? where key = ? and contact is null",
      contact,
      evidence,
      now,
      persona.key,
    ),
    sql(
      db,
      "update carts set contact = ? where +shop = ? and visitor = ? and contact is null",
      contact,
      shop,
      persona.key,
    ),
    emit(
      db,
      {
        shop,
        type: "contact_identified",
        subject: `contact:${contact}`,
        naturalKey: `${persona.key}:${contact}`,
        data: { evidence },
        at: now,
      },
      now,
    ),
  ];
  if (evidence === "claimed") {
    statements.push(
      sql(
        db,
        `insert into claims (id, shop, contact, visitor, kind, at) values (?, ?, ?, ?, ?, ?)
         on conflict do update set at = excluded.at, undone_at = null where claims.undone_at is not null`,
        newId("clm", now),
        shop,
        contact,
        persona.key,
        kind,
        now,
      ),
    );
  }
  return statements;
}

async function linkByToken(
  db: D1Database,
  shop: number,
  persona: Persona,
  contact: number,
  token: string,
  now: number,
): Promise<LinkResult> {
  const used = await sql(
    db,
    `insert into link_uses (shop, token, visitor, at)
     select ?1, ?2, ?3, ?4 where (select count(*) from link_uses where shop = ?1 and token = ?2) < ?5
     on conflict do update set at = excluded.at returning visitor`,
    shop,
    token,
    persona.key,
    now,
    BROWSERS_A_TOKEN,
  ).first();
  if (!used) return { kind: "refused" };
  await db.batch(linkStatements(db, shop, persona, contact, "verified", now, "token"));
  return { kind: "linked", contact };
}

function kindTold(claim: Claim): string {
  return claim.email !== null ? "email" : claim.phone !== null ? "phone" : "customer";
}

/** Reads as many rows as the limit, newest first. */
async function tooManyNew(db: D1Database, shop: Shop, now: number): Promise<boolean> {
  const row = await sql(
    db,
    `select count(*) as n from (select created_at from contacts where shop = ?1 and deleted_at is null
       order by key desc limit ?2) where created_at > ?3`,
    shop.key,
    shop.settings.newContactsPerMinute,
    now - 60_000,
  ).first<{ n: number }>();
  return (row?.n ?? 0) >= shop.settings.newContactsPerMinute;
}

/**
 * A contact that only claims vouch for. Ticked boxes, decided at `toldAt`, make its consents `pending`: only a confirmed address is
 * subscribed. Conflicts (somebody else made it just now) are for the caller to retry.
 */
async function createFromClaim(
  db: D1Database,
  shop: Shop,
  persona: Persona,
  claim: Claim,
  toldAt: number,
  now: number,
) {
  const id = newId("con", now);
  const key = "(select key from contacts where id = ?1)";
  const held =
    claim.phone === null ? [] : await resolveIdentities(db, shop.key, [{ kind: "phone", value: claim.phone }]);
  const phone = held.length > 0 ? null : claim.phone;
  const statements = [
    sql(
      db,
      `insert into contacts (shop, id, email, phone, phone_source, first_name, last_name, source, verified, stage,
         created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, 'Website', 0, 'lead', ?, ?)`,
      shop.key,
      id,
      claim.email,
      phone,
      phone === null ? null : "claim",
      claim.firstName,
      claim.lastName,
      now,
      now,
    ),
    sql(
      db,
      `insert into lifecycle_history (shop, contact, stage, status, at) values (?2, ${key}, 'lead', null, ?3)`,
      id,
      shop.key,
      now,
    ),
  ];
  const values = { email: claim.email, phone };
  for (const [kind, value] of Object.entries(values)) {
    if (value === null) continue;
    statements.push(
      sql(
        db,
        `insert into identities (shop, kind, value, contact, evidence, created_at)
         values (?2, ?3, ?4, ${key}, 'claimed', ?5)`,
        id,
        shop.key,
        kind,
        value,
        now,
      ),
    );
  }
  for (const channel of ["email", "sms"] as const) {
    if (claim.consent[channel] !== true || values[channel === "email" ? "email" : "phone"] === null) continue;
    statements.push(
      sql(
        db,
        `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
         values (${key}, ?2, ?3, 'pending', 'unknown', 'form', 'form', ?4, ?5)`,
        id,
        channel,
        shop.key,
        toldAt,
        now,
      ),
    );
  }
  statements.push(
    sql(
      db,
      `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
       select ?2, 'contact_created', 'contact:' || key, id, '{"source":"Website"}', ?3, ?3 from contacts where id = ?1`,
      id,
      shop.key,
      now,
    ),
  );
  await db.batch(statements);
  const row = await sql(db, "select key from contacts where id = ?", id).first<{ key: number }>();
  if (!row) throw new Error("the contact just made is not there");
  await db.batch(linkStatements(db, shop.key, persona, row.key, "claimed", now, kindTold(claim)));
  return row.key;
}
