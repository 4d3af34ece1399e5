import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { AdminStore, Token } from "./store.ts";

export type TokenAnswer = { status: number; body: Record<string, unknown> };

const HOUR = 3_600_000;
const ACCESS_SECONDS = 3600;
const CLIENT_SECONDS = 86_399;
const REFRESH_SECONDS = 7_776_000;
const CODE_MS = HOUR;
/** A used refresh token answers the same once more within this time, for an answer that was lost on its way. */
const RETRY_MS = 60_000;

const REFUSED = {
  app: (id: string) => refusal(400, "invalid_request", `Could not find Shopify API application with api_key ${id}`),
  secret: () => refusal(401, "invalid_client", "The client secret is wrong"),
  install: () => refusal(400, "shop_not_permitted", "Client credentials cannot be performed on this shop."),
  code: () => refusal(400, "invalid_request", "The authorization code was not found or was already used"),
  refresh: () => refusal(400, "invalid_grant", "The refresh token was not found, is expired or was already used"),
  subject: () => refusal(400, "invalid_subject_token", "The id_token is not valid"),
};

function refusal(status: number, error: string, description: string): TokenAnswer {
  return { status, body: { error, error_description: description } };
}

const fields = z.object({
  client_id: z.string().default(""),
  client_secret: z.string().default(""),
  grant_type: z.string().optional(),
  code: z.string().optional(),
  expiring: z.union([z.string(), z.number(), z.boolean()]).optional(),
  refresh_token: z.string().optional(),
  subject_token: z.string().optional(),
  subject_token_type: z.string().optional(),
  requested_token_type: z.string().optional(),
});

/** The fields of a token request, sent as JSON or as a form. */
export function readTokenRequest(body: string, type: string): z.infer<typeof fields> | undefined {
  try {
    const value: unknown = type.includes("json") ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
    return fields.safeParse(value).data;
  } catch {
    return undefined;
  }
}

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";
const ONLINE = "urn:shopify:params:oauth:token-type:online-access-token";
const OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token";

/** POST /admin/oauth/access_token: the code grant, refresh, client credentials and token exchange. */
export function grantToken(store: AdminStore, request: z.infer<typeof fields>): TokenAnswer {
  if (request.client_id !== store.app.clientId) return REFUSED.app(request.client_id);
  if (!sameText(request.client_secret, store.app.clientSecret)) return REFUSED.secret();
  const expiring = ["1", "true"].includes(String(request.expiring));
  switch (request.grant_type) {
    case "client_credentials":
      if (!store.app.installed) return REFUSED.install();
      return { status: 200, body: accessToken(store, "client", CLIENT_SECONDS) };
    case "refresh_token":
      return refresh(store, request.refresh_token ?? "");
    case EXCHANGE: {
      const subject = verifySessionToken(store, request.subject_token ?? "");
      if (subject === undefined || request.subject_token_type !== ID_TOKEN || !store.app.installed)
        return REFUSED.subject();
      if (request.requested_token_type === ONLINE) return { status: 200, body: onlineToken(store) };
      if (request.requested_token_type !== OFFLINE) return refusal(400, "invalid_request", "requested_token_type");
      return { status: 200, body: expiring ? expiringTokens(store) : accessToken(store, "permanent", null) };
    }
    case undefined:
    case "authorization_code":
      return redeemCode(store, request.code ?? "", expiring);
    default:
      return refusal(400, "unsupported_grant_type", request.grant_type);
  }
}

function redeemCode(store: AdminStore, code: string, expiring: boolean): TokenAnswer {
  const found = store.codes.get(code);
  store.codes.delete(code);
  if (found === undefined || found.expiresAt < store.now()) return REFUSED.code();
  store.app.installed = true;
  store.app.scopes = found.scopes;
  if (found.online) return { status: 200, body: onlineToken(store) };
  return { status: 200, body: expiring ? expiringTokens(store) : accessToken(store, "permanent", null) };
}

function refresh(store: AdminStore, token: string): TokenAnswer {
  const found = store.refreshTokens.get(token);
  const now = store.now();
  if (found === undefined || found.expiresAt < now || !store.app.installed) return REFUSED.refresh();
  if (found.usedAt !== null) {
    const again = found.successor !== null && now - found.usedAt <= RETRY_MS;
    return again ? { status: 200, body: found.successor ?? {} } : REFUSED.refresh();
  }
  found.usedAt = now;
  found.successor = expiringTokens(store, token);
  return { status: 200, body: found.successor };
}

/** An access token that ends and the refresh token that follows the earlier ones: only one is good at a time. */
function expiringTokens(store: AdminStore, rotated?: string): Record<string, unknown> {
  for (const token of store.refreshTokens.keys()) if (token !== rotated) store.refreshTokens.delete(token);
  const token = `shprt_${randomBytes(16).toString("hex")}`;
  store.refreshTokens.set(token, { expiresAt: store.now() + REFRESH_SECONDS * 1000, usedAt: null, successor: null });
  return {
    ...accessToken(store, "offline", ACCESS_SECONDS),
    refresh_token: token,
    refresh_token_expires_in: REFRESH_SECONDS,
  };
}

function onlineToken(store: AdminStore): Record<string, unknown> {
  return {
    ...accessToken(store, "online", CLIENT_SECONDS),
    associated_user_scope: store.app.scopes.join(","),
    associated_user: {
      id: store.id,
      first_name: "Ada",
      last_name: "Alder",
      email: store.email,
      account_owner: true,
      locale: "en",
      collaborator: false,
      email_verified: true,
    },
  };
}

/** Gives out an access token; `seconds` null for one that does not end. */
export function accessToken(store: AdminStore, kind: Token["kind"], seconds: number | null): Record<string, unknown> {
  const token = `${kind === "online" ? "shpua" : "shpat"}_${randomBytes(16).toString("hex")}`;
  store.tokens.set(token, { kind, expiresAt: seconds === null ? null : store.now() + seconds * 1000 });
  return {
    access_token: token,
    scope: store.app.scopes.join(","),
    ...(seconds === null ? {} : { expires_in: seconds }),
  };
}

/** Whether this token opens the store now. */
export function tokenIsGood(store: AdminStore, token: string | undefined): boolean {
  const found = token === undefined ? undefined : store.tokens.get(token);
  if (found === undefined || !store.app.installed) return false;
  return found.expiresAt === null || found.expiresAt > store.now();
}

/** Ends every token and subscription of the app. The webhook that says so is sent before. */
export function uninstallApp(store: AdminStore): void {
  store.app.installed = false;
  store.tokens.clear();
  store.refreshTokens.clear();
  store.subscriptions.clear();
}

/** Makes a code for the authorization page to send back. */
export function makeCode(store: AdminStore, redirectUri: string, scopes: string[], online: boolean): string {
  const code = randomBytes(16).toString("hex");
  store.codes.set(code, { expiresAt: store.now() + CODE_MS, redirectUri, scopes, online });
  return code;
}

/** hex HMAC over the sorted query, as on the way back from the authorization page. */
export function signQuery(query: URLSearchParams, secret: string): string {
  const text = [...query]
    .filter(([name]) => name !== "hmac")
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("&");
  return createHmac("sha256", secret).update(text).digest("hex");
}

/** The token that App Bridge hands to an embedded app: HS256 with the client secret, good for a minute. */
export function sessionToken(store: AdminStore, changes: Record<string, unknown> = {}): string {
  const now = Math.floor(store.now() / 1000);
  const claims = {
    iss: `https://${store.domain}/admin`,
    dest: `https://${store.domain}`,
    aud: store.app.clientId,
    sub: "42",
    exp: now + 60,
    nbf: now,
    iat: now,
    jti: randomBytes(16).toString("hex"),
    sid: randomBytes(32).toString("hex"),
    ...changes,
  };
  const body = [{ alg: "HS256", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${body}.${createHmac("sha256", store.app.clientSecret).update(body).digest("base64url")}`;
}

const claimsSchema = z.object({ iss: z.string(), dest: z.string(), aud: z.string(), exp: z.number(), nbf: z.number() });

function verifySessionToken(store: AdminStore, token: string): z.infer<typeof claimsSchema> | undefined {
  const [head, body, signature, ...more] = token.split(".");
  if (head === undefined || body === undefined || signature === undefined || more.length > 0) return undefined;
  const wanted = createHmac("sha256", store.app.clientSecret).update(`${head}.${body}`).digest("base64url");
  if (!sameText(signature, wanted)) return undefined;
  const claims = claimsSchema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString("utf8"))).data;
  const now = store.now() / 1000;
  if (claims === undefined || claims.aud !== store.app.clientId) return undefined;
  if (claims.dest !== `https://${store.domain}` || claims.exp < now || claims.nbf > now + 10) return undefined;
  return claims;
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
