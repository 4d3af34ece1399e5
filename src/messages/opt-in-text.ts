import { escapeHtml } from "./footer";
import type { Channel } from "./queue";
import type { Texts } from "./texts";

/** The request to confirm an address: nothing else is in it, since nobody knows yet whose address it is. */
export function optInText(
  channel: Channel,
  shop: string,
  confirmUrl: string,
  { optIn, language }: Texts,
): { subject: string | null; html: string | null; text: string } {
  if (channel !== "email") return { subject: null, html: null, text: `${optIn.sms(shop)}: ${confirmUrl}` };
  const button = `<a href="${confirmUrl}" style="display:inline-block;padding:12px 20px;background:#111;color:#fff;text-decoration:none;border-radius:6px">${escapeHtml(optIn.button)}</a>`;
  const html =
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>` +
    `<body style="font:16px/1.5 sans-serif;color:#111;max-width:560px;margin:0 auto;padding:24px">` +
    `<p>${escapeHtml(optIn.lead(shop))}</p><p>${button}</p><p style="color:#666">${escapeHtml(optIn.ignore)}</p></body></html>`;
  const text = `${optIn.lead(shop)}\n\n${optIn.button}: ${confirmUrl}\n\n${optIn.ignore}\n`;
  return { subject: optIn.subject(shop), html, text };
}
