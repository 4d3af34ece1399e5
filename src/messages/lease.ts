import { sql } from "../db/client";
import { emit } from "../jobs";
import type { Cap } from "./rules";

/** A delivery that is being sent is nobody else's for this long; longer than any provider may take to answer. */
export const LEASE_MS = 2 * 60_000;

export interface Leased {
  key: number;
  id: string;
  kind: "message" | "opt_in" | "reply" | "test";
  channel: "email" | "sms" | "whatsapp";
  class: "marketing" | "transactional";
  contact: number | null;
  run: number | null;
  automation: number | null;
  step: string | null;
  campaign: number | null;
  template: number | null;
  templateVersion: number | null;
  data: string;
  recipient: string | null;
  /** This one included. */
  attempts: number;
  leaseUntil: number;
  /** When the provider was first asked; what came of that is not known. */
  calledAt: number | null;
  sender: number | null;
  createdAt: number;
}

/** Takes those that are due, or whose sender was killed, so that no second consumer sends them too. */
export async function lease(db: D1Database, shop: number, keys: number[], now: number): Promise<Leased[]> {
  const { results } = await sql(
    db,
    `update deliveries set state = 'sending', lease_until = ?4, attempts = attempts + 1
     where key in (select value from json_each(?2)) and shop = ?1
       and ((state = 'queued' and due_at <= ?3) or (state = 'sending' and lease_until <= ?3))
     returning key, id, kind, channel, class, contact, run, automation, step, campaign, template,
       template_version as templateVersion, data, recipient, attempts, lease_until as leaseUntil, called_at as calledAt,
       sender, created_at as createdAt`,
    shop,
    JSON.stringify(keys),
    now,
    now + LEASE_MS,
  ).all<Leased>();
  return results;
}

/** Only while the lease is ours: another consumer may have taken over in the meantime. */
const OURS = "key = ?1 and state = 'sending' and lease_until = ?2";

/** Sent never, or not any more: with the reason why. */
export function end(
  db: D1Database,
  d: Leased,
  state: "skipped" | "failed" | "unknown",
  reason: string,
): D1PreparedStatement {
  return sql(
    db,
    `update deliveries set state = ?3, reason = ?4, lease_until = null,
       called_at = iif(?3 = 'unknown', called_at, null), recipient = iif(?3 = 'failed', recipient, null) where ${OURS}`,
    d.key,
    d.leaseUntil,
    state,
    reason.slice(0, 200),
  );
}

/**
 * Once more, later.
 *
 * @param attempted false where it only waits, for the morning or for its turn
 * @param called true where the provider may have taken it: the next call is a repetition of this one
 */
export function putOff(
  db: D1Database,
  d: Leased,
  dueAt: number,
  reason: string,
  { attempted, called = false }: { attempted: boolean; called?: boolean },
): D1PreparedStatement {
  return sql(
    db,
    `update deliveries set state = 'queued', due_at = ?3, reason = ?4, lease_until = null,
       attempts = attempts - ?5, called_at = iif(?6, called_at, null) where ${OURS}`,
    d.key,
    d.leaseUntil,
    dueAt,
    reason.slice(0, 200),
    attempted ? 0 : 1,
    called,
  );
}

/** What is written down before the provider is called. */
export interface Call {
  sender: number;
  provider: string;
  addressHash: string;
  segments: number | null;
  subject: string | null;
  html: string | null;
  text: string;
  /** JSON. */
  links: string;
  headers: string;
  template: string | null;
  caps: { channel: Cap | null; all: Cap | null };
}

/** Requests to confirm an address: one in a day, three ever. */
const OPT_IN_EVERY_MS = 24 * 3_600_000;
const MOST_OPT_INS = 3;

/**
 * Writes down that the provider is about to be called, and with what; from here on it counts as perhaps sent. Frequency
 * caps and the limit of requests to confirm are held in the same transaction, so that two at once cannot both pass.
 *
 * @returns false where one of them is reached, or the lease was lost
 */
export async function beginCall(db: D1Database, shop: number, d: Leased, call: Call, now: number): Promise<boolean> {
  const counted = d.class === "marketing" && d.contact !== null && d.kind === "message";
  const statements: D1PreparedStatement[] = [];
  if (d.kind === "opt_in" && d.calledAt === null) {
    statements.push(
      sql(
        db,
        `insert into opt_ins (shop, channel, hash, sent, last_at, delivery)
         select ?1, ?2, ?3, 1, ?4, ?5 where exists (select 1 from deliveries where key = ?5 and state = 'sending' and lease_until = ?6)
         on conflict do update set sent = sent + (delivery <> excluded.delivery), last_at = excluded.last_at,
           delivery = excluded.delivery
         where delivery = excluded.delivery or (sent < ?7 and last_at <= ?8)`,
        shop,
        d.channel,
        call.addressHash,
        now,
        d.key,
        d.leaseUntil,
        MOST_OPT_INS,
        now - OPT_IN_EVERY_MS,
      ),
    );
  }
  const first = statements.length > 0 ? "and changes() > 0" : "";
  const caps = [
    { cap: call.caps.channel, channel: d.channel },
    { cap: call.caps.all, channel: null },
  ].map(({ cap, channel }) =>
    counted && cap ? { since: now - cap.hours * 3_600_000, most: cap.most, channel } : null,
  );
  statements.push(
    sql(
      db,
      `update deliveries set called_at = coalesce(called_at, ?3), sender = ?4, provider = ?5, address_hash = ?6, segments = coalesce(?7, segments)
       where ${OURS} ${first} and not exists (
         select 1 from json_each(?8) cap where cap.value is not null and (
           select count(*) from deliveries p where p.contact = ?9 and p.class = 'marketing' and p.kind = 'message' and p.key <> ?1
             and p.called_at > cap.value ->> 'since'
             and (cap.value ->> 'channel' is null or p.channel = cap.value ->> 'channel')) >= cap.value ->> 'most')
       returning key`,
      d.key,
      d.leaseUntil,
      now,
      call.sender,
      call.provider,
      call.addressHash,
      call.segments,
      JSON.stringify(caps.filter((cap) => cap !== null)),
      d.contact,
    ),
    sql(
      db,
      `insert into delivery_bodies (delivery, shop, subject, html, text, links, headers, template, at)
       select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 from deliveries where key = ?1 and called_at is not null on conflict do nothing`,
      d.key,
      shop,
      call.subject,
      call.html,
      call.text,
      call.links,
      call.headers,
      call.template,
      now,
    ),
  );
  const results = await db.batch(statements);
  return (results.at(-2)?.results.length ?? 0) > 0;
}

/** The provider has it. True whoever holds the lease by now: it is so. */
export function accepted(
  db: D1Database,
  shop: number,
  d: Leased,
  providerId: string,
  now: number,
): D1PreparedStatement[] {
  const statements = [
    sql(
      db,
      `update deliveries set state = 'sent', sent_at = ?3, provider_id = ?4, reason = null, lease_until = null, recipient = null
       where key = ?1 and shop = ?2 and state in ('sending', 'queued', 'unknown')`,
      d.key,
      shop,
      now,
      providerId.slice(0, 300),
    ),
  ];
  if (d.contact !== null && d.kind === "message") {
    statements.push(
      emit(
        db,
        {
          shop,
          type: "message_sent",
          subject: `contact:${d.contact}`,
          naturalKey: d.id,
          data: { deliveryId: d.id, channel: d.channel, class: d.class },
          at: now,
        },
        now,
      ),
    );
  }
  return statements;
}

/** Takes a turn of a sender in this minute; false when there is none left. */
export async function takeTurn(
  db: D1Database,
  shop: number,
  sender: { key: number; perMinute: number | null },
  now: number,
): Promise<boolean> {
  if (sender.perMinute === null) return true;
  const row = await sql(
    db,
    `insert into sender_minutes (shop, sender, minute, count) values (?1, ?2, ?3, 1)
     on conflict do update set count = count + 1 where count < ?4 returning count`,
    shop,
    sender.key,
    Math.floor(now / 60_000),
    sender.perMinute,
  ).first();
  return row !== null;
}
