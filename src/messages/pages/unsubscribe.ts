import { toldStatements } from "../consent";
import { happened } from "../happened";
import { form, page, paragraph } from "./page";
import { escapeHtml } from "../footer";
import { armClock } from "../../jobs";
import type { Opened } from "./delivery";

/** What a mail client posts for a person who presses its own button (RFC 8058), and what our page does. */
const ONE_CLICK = { name: "List-Unsubscribe", value: "One-Click" };

/** Asks; changes nothing, whoever looks: scanners open every link of a mail. */
export function askToUnsubscribe({ shop, d, texts }: Opened): Response {
  const { pages } = texts;
  const button = `<input type="hidden" name="${ONE_CLICK.name}" value="${ONE_CLICK.value}"><button>${escapeHtml(pages.unsubscribeButton)}</button>`;
  return page(
    texts,
    pages.unsubscribeTitle,
    paragraph(pages.unsubscribeLead(shop.name, pages.channels[d.channel])) + form(button),
  );
}

/**
 * The opt-out of the message's channel, by its recipient's mail client or by our page: no cookie, no redirect, no
 * sign-in, as often as it is posted. Holds for the address even when the contact is gone.
 */
export async function unsubscribe(env: Env, opened: Opened, body: FormData, now: number): Promise<Response> {
  const { shop, d, texts } = opened;
  if (body.get(ONE_CLICK.name) !== ONE_CLICK.value) return askToUnsubscribe(opened);
  await armClock(env, shop.key, now);
  const told = { channel: d.channel, state: "unsubscribed" as const, level: null, source: "one_click", at: now };
  await env.DB.batch([
    ...toldStatements(env.DB, shop.key, d, told, now),
    ...happened(env.DB, shop.key, d, { type: "unsubscribed", naturalKey: "one_click", at: now }, now),
  ]);
  const { pages } = texts;
  return page(
    texts,
    pages.unsubscribeTitle,
    paragraph(pages.unsubscribed(shop.name, pages.channels[d.channel])) + paragraph(pages.receiptsStay),
  );
}
