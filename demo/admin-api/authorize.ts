import { escape } from "../http.ts";
import type { Answer, Call } from "./exchange.ts";
import { makeCode, signQuery } from "./oauth.ts";
import type { AdminStore } from "./store.ts";

const page = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: `<!doctype html><meta charset="utf-8"><title>Install app</title><body style="font:16px system-ui;max-width:32rem;margin:4rem auto">${body}`,
});

/**
 * GET /admin/oauth/authorize: asks the merchant, and with `approve=1` sends the browser back with a code, as it would
 * after a click. `at` (epoch ms) dates the answer for a caller with another clock.
 */
export function authorizePage(store: AdminStore, call: Call): Answer {
  const query = call.url.searchParams;
  const redirectUri = query.get("redirect_uri") ?? "";
  if (query.get("client_id") !== store.app.clientId)
    return page(400, "<p>Oauth error invalid_request: Could not find Shopify API application</p>");
  const listed = store.app.redirectUris.length === 0 || store.app.redirectUris.includes(redirectUri);
  if (!URL.canParse(redirectUri) || !listed)
    return page(400, "<p>Oauth error invalid_request: The redirect_uri is not whitelisted</p>");
  const scopes = (query.get("scope") ?? "").split(",").filter(Boolean);
  if (query.get("approve") !== "1") return consent(store, call.url, scopes);

  const at = Number(query.get("at") ?? store.now());
  const back = new URL(redirectUri);
  const online = query.getAll("grant_options[]").includes("per-user");
  const told = {
    code: makeCode(store, redirectUri, scopes.length > 0 ? scopes : store.app.scopes, online),
    host: Buffer.from(`admin.shopify.com/store/${store.domain.split(".")[0] ?? ""}`).toString("base64url"),
    shop: store.domain,
    state: query.get("state") ?? "",
    timestamp: String(Math.floor(at / 1000)),
  };
  const signed = new URLSearchParams(told);
  for (const [name, value] of signed) back.searchParams.set(name, value);
  back.searchParams.set("hmac", signQuery(signed, store.app.clientSecret));
  return { status: 302, headers: { location: back.href, "content-type": "text/plain" }, body: "" };
}

function consent(store: AdminStore, url: URL, scopes: string[]): Answer {
  const approved = new URL(url);
  approved.searchParams.set("approve", "1");
  const items = scopes.map((scope) => `<li>${escape(scope)}</li>`).join("");
  return page(
    200,
    `<h1>Install app</h1><p>On <b>${escape(store.name)}</b> (${escape(store.domain)}) it may:</p><ul>${items}</ul>
     <p><a id="approve" href="${escape(approved.pathname + approved.search)}">Install</a></p>`,
  );
}
