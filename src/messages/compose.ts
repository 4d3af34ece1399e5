import { z } from "zod";

import type { OutgoingMessage } from "./providers";
import { withFooter } from "./footer";
import type { Leased } from "./lease";
import { linkUrl, publicLinks } from "./links";
import type { Recipient } from "./recipient";
import type { AppliedRules } from "./rules";
import { optInText } from "./opt-in-text";
import { countSegments, withStopFooter } from "./text-message";
import { textsFor } from "./texts";
import { type Body, track, utmOf } from "./track";
import { publicOrigin } from "../installation";
import type { Sender } from "../senders";
import type { Shop } from "../shops";

/** A message ready to go, as it is kept. */
export interface Composed {
  subject: string | null;
  html: string | null;
  text: string;
  links: string[];
  headers: Record<string, string>;
  segments: number | null;
  /** WhatsApp: the approved template and its values. */
  template: OutgoingMessage["template"];
}

export type Composing = { ok: true; message: Composed } | { ok: false; reason: string };

/** Renders a delivery for its recipient, with everything that makes it lawful and tells what became of it. */
export async function compose(
  env: Env,
  shop: Shop,
  d: Leased,
  about: { recipient: Recipient | null; sender: Sender; rules: AppliedRules },
  now: number,
): Promise<Composing> {
  const { recipient, sender, rules } = about;
  const origin = await publicOrigin(env);
  const pages = await publicLinks(env, d.key);
  if (origin === null || pages === null) return { ok: false, reason: "no_origin" };
  const texts = textsFor(recipient?.language, shop.settings.messageLanguage);
  const isMarketing = d.class === "marketing" && d.kind !== "opt_in";
  if (isMarketing && d.channel === "email" && !sender.postalAddress) return { ok: false, reason: "no_postal_address" };

  let subject: string | null = null;
  let body: Body;
  if (d.kind === "opt_in") {
    const confirmUrl = await linkUrl(env, origin, "confirm", { delivery: d.key });
    ({ subject, ...body } = optInText(d.channel, shop.name, confirmUrl, texts));
    return { ok: true, message: finish(subject, body, [], {}, d) };
  }
  if (d.kind === "reply") {
    const data: { keyword?: "stop" | "start" | "help" } = JSON.parse(d.data);
    const say = { stop: texts.stopped, start: texts.started, help: texts.help }[data.keyword ?? "help"];
    return { ok: true, message: finish(null, { html: null, text: say(shop.name) }, [], {}, d) };
  }
  const { renderMessage } = await import("../templates");
  const rendered = await renderMessage(
    env,
    shop,
    {
      template: d.template ?? 0,
      version: d.templateVersion ?? 0,
      contact: d.contact,
      about: aboutOf(d.data),
      delivery: { id: d.id },
      sender,
      urls: pages,
      language: texts.language,
    },
    now,
  );
  if (!rendered.ok)
    return { ok: false, reason: `template:${[rendered.reason, ...(rendered.missing ?? [])].join(" ")}` };
  subject = d.channel === "email" ? rendered.subject : null;
  body = { html: d.channel === "email" ? rendered.html : null, text: rendered.text };
  const template = rendered.approved && {
    id: rendered.approved.name,
    variables: Object.fromEntries(rendered.approved.variables.map((value, i) => [String(i + 1), value])),
  };
  const tracked = await track(body, {
    clickUrl: (index) => linkUrl(env, origin, "click", { delivery: d.key, index }),
    openUrl:
      d.channel === "email" && shop.settings.trackOpens && d.kind === "message"
        ? await linkUrl(env, origin, "open", { delivery: d.key })
        : null,
    clicks: shop.settings.trackClicks && d.kind === "message",
    own: [`${origin}/m/`],
    utm: shop.settings.appendUtm ? utmOf(d.channel, rules.campaign) : {},
  });
  if (!isMarketing) return { ok: true, message: finish(subject, tracked, tracked.links, {}, d, template) };
  if (d.channel !== "email") {
    const text = d.channel === "sms" ? withStopFooter(tracked.text, texts.stopFooter) : tracked.text;
    return { ok: true, message: finish(null, { html: null, text }, tracked.links, {}, d, template) };
  }
  const facts = { senderName: sender.from.name ?? shop.name, postalAddress: sender.postalAddress ?? "", ...pages };
  const headers = {
    "List-Unsubscribe": `<${pages.unsubscribeUrl}>`,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
  };
  return { ok: true, message: finish(subject, withFooter(tracked, facts, texts), tracked.links, headers, d) };
}

function finish(
  subject: string | null,
  { html, text }: Body,
  links: string[],
  headers: Record<string, string>,
  d: Leased,
  template: Composed["template"] = null,
): Composed {
  // WhatsApp is not billed by the length of a text.
  const segments = d.channel === "sms" ? countSegments(text).segments : null;
  return { subject, html, text, links, headers, segments, template };
}

const Data = z.object({
  cart: z.string().optional().catch(undefined),
  order: z.string().optional().catch(undefined),
  product: z.string().optional().catch(undefined),
  products: z.array(z.string()).optional().catch(undefined),
});

/** What the message is about, of the ids that its row carries. */
function aboutOf(data: string): {
  cart?: string | undefined;
  order?: string | undefined;
  products?: string[] | undefined;
} {
  const { cart, order, product, products } = Data.parse(JSON.parse(data));
  return { cart, order, products: products ?? (product === undefined ? undefined : [product]) };
}
