import type { Texts } from "./texts";
import { beforeEnd, type Body } from "./track";

export interface FooterFacts {
  senderName: string;
  postalAddress: string;
  unsubscribeUrl: string;
  preferencesUrl: string;
  viewUrl: string;
}

/**
 * A marketing mail with what the law asks for: who sends it, their postal address, and the way out. What the merchant's
 * own text already shows is not repeated.
 */
export function withFooter(message: Body, facts: FooterFacts, texts: Texts): Body {
  return {
    html: message.html === null ? null : htmlFooter(message.html, facts, texts),
    text: textFooter(message.text, facts, texts),
  };
}

function htmlFooter(html: string, facts: FooterFacts, texts: Texts): string {
  const parts: string[] = [];
  const shown = plain(html);
  if (!shown.includes(plain(facts.postalAddress))) {
    const lines = `${facts.senderName}\n${facts.postalAddress}`.split(/\r?\n/).map(escapeHtml).join("<br>");
    parts.push(`<p style="margin:0 0 8px">${lines}</p>`);
  }
  const links = [
    [facts.unsubscribeUrl, texts.footer.unsubscribe],
    [facts.preferencesUrl, texts.footer.preferences],
    [facts.viewUrl, texts.footer.view],
  ].flatMap(([url = "", words = ""]) =>
    html.includes(url) ? [] : [`<a href="${url}" style="color:inherit">${escapeHtml(words)}</a>`],
  );
  if (links.length > 0) parts.push(`<p style="margin:0">${links.join(" · ")}</p>`);
  if (parts.length === 0) return html;
  const style = "font:12px/1.5 sans-serif;color:#666;text-align:center;padding:24px 16px";
  return beforeEnd(html, `<div style="${style}" lang="${texts.language}">${parts.join("")}</div>`);
}

function textFooter(text: string, facts: FooterFacts, texts: Texts): string {
  const lines: string[] = [];
  if (!plain(text).includes(plain(facts.postalAddress))) lines.push(facts.senderName, facts.postalAddress);
  if (!text.includes(facts.unsubscribeUrl)) lines.push(`${texts.footer.unsubscribe}: ${facts.unsubscribeUrl}`);
  if (!text.includes(facts.preferencesUrl)) lines.push(`${texts.footer.preferences}: ${facts.preferencesUrl}`);
  return lines.length === 0 ? text : `${text.trimEnd()}\n\n--\n${lines.join("\n")}\n`;
}

/** Words alone, to look for an address that is laid out differently. */
function plain(text: string): string {
  return text
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&(?:amp|#38);/g, "&")
    .replaceAll(/&(?:#39|apos);/g, "'")
    .replaceAll(/[^\p{L}\p{N}&']+/gu, " ")
    .trim()
    .toLowerCase();
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
