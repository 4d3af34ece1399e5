import { sql } from "../../db/client";
import { base64url } from "../../lib/crypto";
import { unpack } from "../body";
import { escapeHtml } from "../footer";
import { askingOf, isMachineClick } from "../machine";
import { beforeEnd } from "../track";
import type { Opened } from "./delivery";
import { page, PAGE_HEADERS, paragraph } from "./page";
import { recordTouch, withLinkToken } from "./touch";

/**
 * The message as it was sent, in a browser. A person is first led to the same page with a link token in its address,
 * and the tracker on it ties the browser as a click does; the links of the page are the message's own tracked ones.
 * Of the merchant's markup nothing runs.
 */
export async function view(env: Env, request: Request, opened: Opened, now: number): Promise<Response> {
  const { shop, d, texts } = opened;
  const url = new URL(request.url);
  const machine = isMachineClick(askingOf(request, d.calledAt, now));
  if (!url.searchParams.has("ff_id") && !machine && request.method === "GET") {
    await recordTouch(env, opened, { type: "opened", machine }, now);
    const location = await withLinkToken(env, shop, d, url.href, now);
    if (location !== url.href) return new Response(null, { status: 302, headers: { location, ...PAGE_HEADERS } });
  }
  const body = await sql(env.DB, "select subject, html, text from delivery_bodies where delivery = ?", d.key).first<{
    subject: string | null;
    html: string | null;
    text: string;
  }>();
  const text = body ? await unpack(body.text) : "";
  if (!body || (body.html === null && text === "")) {
    return page(texts, shop.name, paragraph(texts.pages.gone), 410);
  }
  const html = body.html === null ? plainPage(text, texts.language) : await unpack(body.html);
  const nonce = base64url(crypto.getRandomValues(new Uint8Array(16)));
  const tracker = `<script async nonce="${nonce}" src="/ff.js?shop=${encodeURIComponent(shop.domain)}"></script>`;
  const policy =
    `default-src 'none'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src https: http: data:; style-src 'unsafe-inline' https:; ` +
    "font-src https: data:; media-src https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
  return new Response(beforeEnd(await harmless(html), machine ? "" : tracker), {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, ...PAGE_HEADERS },
  });
}

/** Without what could run or load another document; the policy above would stop it as well. */
async function harmless(html: string): Promise<string> {
  const rewriter = new HTMLRewriter()
    .on("script, iframe, object, embed, base, form, meta[http-equiv]", {
      element(element) {
        element.remove();
      },
    })
    .on("*", {
      element(element) {
        for (const [name = "", value = ""] of Array.from(element.attributes)) {
          const runs = name.startsWith("on") || /^\s*javascript:/i.test(value);
          if (runs) element.removeAttribute(name);
        }
      },
    });
  return rewriter.transform(new Response(html)).text();
}

function plainPage(text: string, language: string): string {
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"></head><body><pre style="white-space:pre-wrap;font:16px/1.5 sans-serif">${escapeHtml(text)}</pre></body></html>`;
}
