import { sql } from "../../db/client";
import { findShop, type Shop } from "../../shops";
import { type LinkPurpose, readLink } from "../links";
import { type Texts, textsFor } from "../texts";

/** A delivery as its public pages need it. */
export interface PageDelivery {
  key: number;
  id: string;
  kind: "message" | "opt_in" | "reply" | "test";
  channel: "email" | "sms" | "whatsapp";
  contact: number | null;
  contactId: string | null;
  hash: string | null;
  createdAt: number;
  sentAt: number | null;
  calledAt: number | null;
  language: string | null;
}

export interface Opened {
  shop: Shop;
  d: PageDelivery;
  index: number;
  texts: Texts;
}

/** The delivery that a signed link names, whoever asks; null for a link that we did not sign or of a shop that is gone. */
export async function openLink(env: Env, purpose: LinkPurpose, token: string): Promise<Opened | null> {
  const link = await readLink(env, purpose, token);
  if (!link) return null;
  const d = await sql(
    env.DB,
    `select d.key, d.id, d.kind, d.channel, d.contact, d.shop, d.address_hash as hash, d.created_at as createdAt,
       d.sent_at as sentAt, d.called_at as calledAt, c.id as contactId,
       (select language from visitors v where v.contact = d.contact and language is not null order by last_seen_at desc limit 1)
         as language
     from deliveries d left join contacts c on c.key = d.contact and c.shop = d.shop where d.key = ?`,
    link.delivery,
  ).first<PageDelivery & { shop: number }>();
  const shop = d && (await findShop(env.DB, d.shop));
  if (!d || !shop) return null;
  return { shop, d, index: link.index, texts: textsFor(d.language, shop.settings.messageLanguage) };
}
