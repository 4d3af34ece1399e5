import { escapeHtml } from "../footer";
import type { Texts } from "../texts";

/** Nothing is loaded, nothing runs, and no form leads away from here. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export const PAGE_HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex, nofollow",
  "x-content-type-options": "nosniff",
};

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#f6f6f4;margin:0;padding:10vh 16px}" +
  "main{max-width:420px;margin:0 auto;background:#fff;border-radius:12px;padding:28px}h1{font-size:20px;margin:0 0 12px}" +
  "button{font:inherit;padding:10px 18px;border:0;border-radius:8px;background:#1a1a1a;color:#fff;cursor:pointer;margin:8px 8px 0 0}" +
  "button.plain{background:none;color:inherit;text-decoration:underline;padding-left:0}label{display:block;padding:6px 0}p{margin:0 0 12px}";

/** One of our own pages. `content` is HTML that is safe already. */
export function page(texts: Texts, title: string, content: string, status = 200): Response {
  const html =
    `<!doctype html><html lang="${texts.language}"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title>` +
    `<style>${STYLE}</style></head><body><main><h1>${escapeHtml(title)}</h1>${content}</main></body></html>`;
  return new Response(html, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY, ...PAGE_HEADERS },
  });
}

export function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

/** A form that posts back to the page it stands on. */
export function form(fields: string): string {
  return `<form method="post">${fields}</form>`;
}
