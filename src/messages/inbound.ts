import { toldStatements } from "./consent";
import { happened, nudgeReactions, type Subject } from "./happened";
import { keywordIn } from "./keywords";
import { nudgeDeliveries, queueDelivery } from "./queue";
import { confirmStatements } from "./confirm";
import { config } from "../config";
import { sql } from "../db/client";
import { seal } from "../lib/crypto";
import { armClock } from "../jobs";
import type { Shop } from "../shops";
import { addressHash } from "../suppressions";
import { normalisePhone } from "../identity/normalise";

/** Something that a person wrote to a number of the shop's. */
export interface Inbound {
  channel: "sms" | "whatsapp";
  /** Number of the person, E.164. */
  from: string;
  text: string;
  at: number;
  /** The provider's own id of the message: the same when it is told again. */
  id: string;
}

export interface InboundRead {
  keyword: "stop" | "start" | "help" | null;
  /** Key of the contact whose number it is; null for nobody's. */
  contact: number | null;
}

/** A message belongs to the last one that the person got within this time, ms. */
const REPLY_MS = 30 * 86_400_000;

/**
 * What somebody wrote by phone. One word alone of the table stops, starts or asks for help, whatever its case, accents
 * and punctuation, and gets one answer; an opt-out holds for SMS and WhatsApp alike, as carriers see it. Anything else
 * is an answer to the last message. Repeatable.
 */
export async function applyInbound(env: Env, shop: Shop, inbound: Inbound, now: number): Promise<InboundRead> {
  const { DB } = env;
  const from = normalisePhone(inbound.from);
  if (from === null) return { keyword: null, contact: null };
  await armClock(env, shop.key, now);
  const hash = await addressHash(env, shop.key, from);
  const holder = await sql(
    DB,
    "select contact, evidence from identities where shop = ? and kind = 'phone' and value = ?",
    shop.key,
    from,
  ).first<{ contact: number; evidence: "verified" | "claimed" }>();
  const person = { contact: holder?.contact ?? null, hash };
  const keyword = keywordIn(inbound.text);
  const at = Math.min(inbound.at, now);
  const kind =
    keyword?.kind === "yes" ? await meaningOfYes(DB, shop.key, person, inbound.channel) : (keyword?.kind ?? null);
  const last = await lastDelivery(DB, shop.key, hash, inbound.channel, at - REPLY_MS);
  const statements: D1PreparedStatement[] = [];
  if (kind === "stop" || kind === "start") {
    const state = kind === "stop" ? ("unsubscribed" as const) : ("subscribed" as const);
    const level = kind === "stop" ? null : ("single_opt_in" as const);
    // Leaving one is leaving both; coming back is coming back to the one that was asked for.
    for (const channel of kind === "stop" ? (["sms", "whatsapp"] as const) : [inbound.channel]) {
      statements.push(
        ...toldStatements(DB, shop.key, person, { channel, state, level, source: "inbound_message", at }, now),
      );
    }
    // Whoever writes from the number has it.
    if (kind === "start" && holder?.evidence === "claimed") {
      statements.push(...confirmStatements(DB, shop.key, { contact: holder.contact, kind: "phone", value: from }));
    }
    if (kind === "stop" && last) {
      statements.push(...happened(DB, shop.key, last, { type: "unsubscribed", naturalKey: inbound.id, at }, now));
    }
  } else if (kind === null && last) {
    statements.push(...happened(DB, shop.key, last, { type: "replied", naturalKey: inbound.id, at }, now));
  }
  if (kind !== null) {
    const reply = queueDelivery(
      DB,
      shop.key,
      {
        naturalKey: `reply:${inbound.channel}:${inbound.id}`,
        kind: "reply",
        channel: inbound.channel,
        class: "transactional",
        contact: person.contact,
        template: null,
        data: { keyword: kind },
        recipient: await seal(config(env).sealingKeys, from),
        dueAt: now,
      },
      now,
    );
    statements.push(reply);
  }
  const results = statements.length === 0 ? [] : await DB.batch<{ key: number }>(statements);
  if (last) await nudgeReactions(env, shop.key, [last.id]);
  if (kind !== null) {
    const keys = (results.at(-1)?.results ?? []).map(({ key }) => key);
    await nudgeDeliveries(env, shop.key, keys, now);
  }
  return { keyword: kind, contact: person.contact };
}

/** A yes is one only to who was asked to confirm, or has left; otherwise it answers something else. */
async function meaningOfYes(
  db: D1Database,
  shop: number,
  { contact, hash }: { contact: number | null; hash: string },
  channel: "sms" | "whatsapp",
): Promise<"start" | null> {
  const row = await sql(
    db,
    `select 1 from consents where contact = ?1 and channel = ?2 and state in ('pending', 'unsubscribed')
     union all select 1 from suppressions where shop = ?3 and channel = ?2 and hash = ?4 and reason = 'UNSUBSCRIBE' limit 1`,
    contact,
    channel,
    shop,
    hash,
  ).first();
  return row ? "start" : null;
}

async function lastDelivery(
  db: D1Database,
  shop: number,
  hash: string,
  channel: string,
  after: number,
): Promise<Subject | null> {
  return sql(
    db,
    `select key, id, contact, channel from deliveries indexed by deliveries_address
     where shop = ? and address_hash = ? and channel = ? and channel <> 'email' and kind = 'message' and sent_at > ? order by sent_at desc limit 1`,
    shop,
    hash,
    channel,
    after,
  ).first<Subject>();
}
