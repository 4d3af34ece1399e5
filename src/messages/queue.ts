import { sql } from "../db/client";
import { newId } from "../lib/ids";

export const CHANNELS = ["email", "sms", "whatsapp"] as const;

export type Channel = (typeof CHANNELS)[number];

export const MESSAGE_CLASSES = ["marketing", "transactional"] as const;

export type MessageClass = (typeof MESSAGE_CLASSES)[number];

/** A decision to send something. Keys are the integers of the tables. */
export interface NewDelivery {
  /** The same whenever this very decision is taken again: `run:<run>:<step>:<visit>`, `campaign:<campaign>:<contact>`, ... */
  naturalKey: string;
  kind?: "message" | "opt_in" | "reply" | "test";
  channel: Channel;
  class: MessageClass;
  contact: number | null;
  run?: number | null;
  automation?: number | null;
  step?: string | null;
  campaign?: number | null;
  variant?: string | null;
  /** Null for texts of our own. */
  template: number | null;
  templateVersion?: number | null;
  /** What it is about, in ids and without personal data: `{ cart: <token>, order: <id>, ... }`. */
  data?: Record<string, unknown>;
  /** Sealed address, where it is not the contact's own. */
  recipient?: string | null;
  /** Epoch ms; not before. */
  dueAt: number;
}

/** The statement that goes into the batch of the decision; the same decision taken twice is one delivery. */
export function queueDelivery(db: D1Database, shop: number, d: NewDelivery, now = d.dueAt): D1PreparedStatement {
  return sql(
    db,
    `insert into deliveries (id, shop, natural_key, kind, channel, class, contact, run, automation, step, campaign, variant,
       template, template_version, data, recipient, state, due_at, created_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?)
     on conflict do nothing returning key`,
    newId("dlv", now),
    shop,
    d.naturalKey,
    d.kind ?? "message",
    d.channel,
    d.class,
    d.contact,
    d.run ?? null,
    d.automation ?? null,
    d.step ?? null,
    d.campaign ?? null,
    d.variant ?? null,
    d.template,
    d.templateVersion ?? null,
    JSON.stringify(d.data ?? {}),
    d.recipient ?? null,
    d.dueAt,
    now,
  );
}

/** One of many deliveries of a campaign. */
export interface CampaignDelivery {
  contact: number;
  variant: string | null;
  /** Key and version; null while it waits for the winner of a test. */
  template: [number, number] | null;
  /** Why it is not sent, decided already; null for what is to be sent. */
  skipped: string | null;
  dueAt: number;
}

/**
 * Decisions of a campaign about many people, by one statement; the same person's a second time is nothing, also where
 * two contacts have become one in the meantime.
 */
export function queueCampaign(
  db: D1Database,
  shop: number,
  campaign: { key: number; channel: Channel; sender: number | null },
  deliveries: readonly CampaignDelivery[],
  now: number,
): D1PreparedStatement {
  const rows = deliveries.map((d) => [
    newId("dlv", now),
    `campaign:${campaign.key}:${d.contact}`,
    d.contact,
    d.variant,
    d.template?.[0] ?? null,
    d.template?.[1] ?? null,
    d.skipped === null ? "queued" : "skipped",
    d.skipped,
    d.dueAt,
  ]);
  return sql(
    db,
    `insert into deliveries (id, shop, natural_key, kind, channel, class, contact, campaign, variant, template,
       template_version, state, reason, due_at, sender, created_at)
     select j.value ->> 0, ?1, j.value ->> 1, 'message', ?3, 'marketing', j.value ->> 2, ?2, j.value ->> 3, j.value ->> 4,
       j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8, ?4, ?5
     from json_each(?6) j where not exists (select 1 from deliveries d indexed by deliveries_contact
       where d.contact = j.value ->> 2 and d.campaign = ?2)
     on conflict do nothing`,
    shop,
    campaign.key,
    campaign.channel,
    campaign.sender,
    now,
    JSON.stringify(rows),
  );
}

/** Deliveries named in one message: two rounds of calls at once. */
const PER_MESSAGE = 12;

/**
 * Tells the queue of deliveries that were just committed; without keys, of those that are due. A failure is nothing:
 * the shop's clock finds them.
 */
export async function nudgeDeliveries(env: Env, shop: number, keys?: number[], now = Date.now()): Promise<void> {
  const named = keys ?? (await dueDeliveries(env.DB, shop, now));
  for (let from = 0; from < named.length; from += PER_MESSAGE) {
    await env.MESSAGES.send({ shop, deliveries: named.slice(from, from + PER_MESSAGE) }).catch(() => undefined);
  }
}

async function dueDeliveries(db: D1Database, shop: number, now: number): Promise<number[]> {
  const { results } = await sql(
    db,
    `select key from deliveries indexed by deliveries_due where shop = ? and due_at <= ? and state in ('queued', 'sending')
       and state = 'queued' order by due_at limit 500`,
    shop,
    now,
  ).all<{ key: number }>();
  return results.map(({ key }) => key);
}
