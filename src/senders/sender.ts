import { desc, eq } from "drizzle-orm";
import { z } from "zod";

import { config } from "../config";
import { orm, sql } from "../db/client";
import { publicOrigin } from "../installation";
import { open } from "../lib/crypto";
import { newId } from "../lib/ids";
import type { Channel, Credentials, MessageClass } from "../messages/providers";
import { senders } from "./tables";

export type SenderRow = typeof senders.$inferSelect;

/** Who a message comes from, and how it is handed over. */
export interface Sender {
  key: number;
  id: string;
  shop: number;
  channel: Channel;
  /** A name of the catalogue of providers; `isProvider` narrows it. */
  provider: string;
  from: { address: string; name: string | null };
  replyTo: string | null;
  postalAddress: string | null;
  classes: MessageClass[];
  baseUrl: string | null;
  perMinute: number | null;
  /** Sealed; `openSender` opens them. */
  sealedCredentials: string | null;
}

/** What a provider is called with beside the message. */
export interface OpenedSender {
  credentials: Credentials;
  feedbackUrl: string | null;
}

const Classes = z.array(z.enum(["marketing", "transactional"]));

export function classesOf(row: Pick<SenderRow, "classes">): MessageClass[] {
  return Classes.parse(JSON.parse(row.classes));
}

/** The row as the rest of the product sees it. */
export function asSender(row: SenderRow): Sender {
  const { key, id, shop, channel, provider, replyTo, postalAddress, baseUrl, perMinute } = row;
  return {
    key,
    id,
    shop,
    channel,
    provider,
    from: { address: row.fromAddress, name: row.fromName },
    replyTo,
    postalAddress,
    classes: classesOf(row),
    baseUrl,
    perMinute,
    sealedCredentials: row.credentials,
  };
}

/** The sender of this id, of any shop; undefined for none. The caller checks the shop. */
export async function findSender(db: D1Database, id: string): Promise<SenderRow | undefined> {
  return orm(db).select().from(senders).where(eq(senders.id, id)).get();
}

/** Opens what is needed to call the provider, or to check what it reports. */
export async function openSender(
  env: Env,
  { id, provider, sealedCredentials }: Pick<Sender, "id" | "provider" | "sealedCredentials">,
): Promise<OpenedSender> {
  const text = sealedCredentials === null ? "{}" : await open(config(env).sealingKeys, sealedCredentials);
  const origin = await publicOrigin(env);
  return {
    credentials: z.record(z.string(), z.string()).parse(JSON.parse(text)),
    feedbackUrl: origin === null ? null : feedbackUrl(origin, { id, provider }),
  };
}

/** Where a provider reports to about what this sender sent. */
export function feedbackUrl(origin: string, { id, provider }: { id: string; provider: string }): string {
  return `${origin}/feedback/${provider}/${id}`;
}

/**
 * Who sends a message of this channel and class: `preferred` (a sender's key) if it may, else the channel's default,
 * else the newest that may; null for none. With the setting `DEVELOPMENT_SENDER` a channel that has no sender at all
 * gets one that sends nothing, so that a fresh installation can be tried out.
 */
export async function senderFor(
  env: Env,
  shop: number,
  channel: Channel,
  messageClass: MessageClass,
  preferred: number | null = null,
): Promise<Sender | null> {
  const found = await rowsOf(env.DB, shop, channel);
  if (found.length === 0 && config(env).developmentSender) {
    await addDevelopmentSender(env.DB, shop, channel, Date.now());
    return choose(await rowsOf(env.DB, shop, channel), messageClass, preferred);
  }
  return choose(found, messageClass, preferred);
}

/** A shop has at most fifty in all, so its rows are read and chosen from here. */
async function rowsOf(db: D1Database, shop: number, channel: Channel): Promise<Sender[]> {
  const rows = await orm(db)
    .select()
    .from(senders)
    .where(eq(senders.shop, shop))
    .orderBy(desc(senders.isDefault), desc(senders.key));
  return rows.filter((row) => row.channel === channel).map(asSender);
}

function choose(from: Sender[], messageClass: MessageClass, preferred: number | null): Sender | null {
  const able = from.filter(({ classes }) => classes.includes(messageClass));
  return able.find(({ key }) => key === preferred) ?? able[0] ?? null;
}

/** Not the default, so that the first real sender becomes it. */
async function addDevelopmentSender(db: D1Database, shop: number, channel: Channel, now: number): Promise<void> {
  await sql(
    db,
    `insert into senders (id, shop, channel, provider, name, from_address, postal_address, classes, is_default,
       created_at, updated_at)
     select ?1, ?2, ?3, 'development', 'Development', iif(?3 = 'email', 'shop@' || s.domain, 'Development'),
       iif(?3 = 'email', 'Development: nothing leaves this machine', null), '["marketing","transactional"]', 0, ?4, ?4
     from shops s where s.key = ?2 and not exists (select 1 from senders where shop = ?2 and channel = ?3)`,
    newId("snd", now),
    shop,
    channel,
    now,
  ).run();
}
