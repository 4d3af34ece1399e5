import { confirmOptIn } from "../confirm";
import { escapeHtml } from "../footer";
import { sql } from "../../db/client";
import { LINK_TOKEN_LIFE_MS } from "../../identity";
import { armClock } from "../../jobs";
import { addressHash } from "../../suppressions";
import type { Opened } from "./delivery";
import { form, page, paragraph } from "./page";

/** Asks for the press of a button; opening the page confirms nothing, since scanners do. */
export function askToConfirm(opened: Opened, now: number): Response {
  const { shop, texts } = opened;
  const { pages } = texts;
  if (isExpired(opened, now)) return page(texts, pages.confirmTitle, paragraph(pages.expired), 410);
  const button = `<button name="confirm" value="yes">${escapeHtml(pages.confirmButton)}</button>`;
  return page(texts, pages.confirmTitle, paragraph(pages.confirmLead(shop.name)) + form(button));
}

/** The person confirms the address that the request went to, if it is still theirs. Repeatable. */
export async function confirm(env: Env, opened: Opened, body: FormData, now: number): Promise<Response> {
  const { shop, d, texts } = opened;
  const { pages } = texts;
  if (isExpired(opened, now) || d.contact === null) {
    return page(texts, pages.confirmTitle, paragraph(pages.expired), 410);
  }
  if (body.get("confirm") !== "yes") return askToConfirm(opened, now);
  const row = await sql(
    env.DB,
    "select email, phone from contacts where key = ? and shop = ? and deleted_at is null",
    d.contact,
    shop.key,
  ).first<{ email: string | null; phone: string | null }>();
  const address = (d.channel === "email" ? row?.email : row?.phone) ?? null;
  if (address === null || (await addressHash(env, shop.key, address)) !== d.hash) {
    return page(texts, pages.confirmTitle, paragraph(pages.expired), 410);
  }
  await armClock(env, shop.key, now);
  const delivery = { key: d.key, id: d.id, contact: d.contact, channel: d.channel, hash: d.hash };
  await env.DB.batch(confirmOptIn(env.DB, shop.key, delivery, address, now));
  return page(texts, pages.confirmTitle, paragraph(pages.confirmed(shop.name)));
}

function isExpired({ d }: Opened, now: number): boolean {
  return d.kind !== "opt_in" || now - d.createdAt > LINK_TOKEN_LIFE_MS;
}
