import { z } from "zod";

import { config } from "../../config";

const TIMEOUT_MS = 20_000;

const Granted = z.object({
  access_token: z.string().min(1),
  scope: z.string().optional(),
  /** Seconds. */
  expires_in: z.number().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});

const Refusal = z.object({ error: z.string() });

export type TokenGrant =
  | { kind: "granted"; token: string; tokenExpiresAt: number | null; refreshToken: string | null; scopes: string[] }
  | { kind: "refused"; reason: string }
  | { kind: "shop_frozen" | "unreachable" };

/**
 * Asks a store's token endpoint (`POST /admin/oauth/access_token`). Never throws. `reason` is Shopify's short code of a
 * refusal, such as `invalid_client`; nothing secret is in it.
 */
export async function requestToken(
  env: Env,
  domain: string,
  body: Record<string, string>,
  now: number,
): Promise<TokenGrant> {
  // Not AbortSignal.timeout: its timer would go on after the answer and keep the object awake.
  const given = new AbortController();
  const timer = setTimeout(() => given.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(`${config(env).shopifyOrigin(domain)}/admin/oauth/access_token`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: given.signal,
    });
    return readGrant(response.status, await response.text(), now);
  } catch {
    return { kind: "unreachable" };
  } finally {
    clearTimeout(timer);
  }
}

/** What the answer of the token endpoint means. */
export function readGrant(status: number, text: string, now: number): TokenGrant {
  if (status === 402 || status === 423) return { kind: "shop_frozen" };
  if (status === 429 || status >= 500 || status < 200) return { kind: "unreachable" };
  const body = parse(text);
  if (status !== 200) {
    const code = Refusal.safeParse(body).data?.error ?? "";
    return { kind: "refused", reason: /^[a-z_]{1,60}$/.test(code) ? code : `status ${status}` };
  }
  const granted = Granted.safeParse(body);
  if (!granted.success) return { kind: "unreachable" };
  const { access_token: token, scope = "", expires_in: seconds, refresh_token: refreshToken = null } = granted.data;
  const tokenExpiresAt = seconds === undefined ? null : now + seconds * 1_000;
  return { kind: "granted", token, tokenExpiresAt, refreshToken, scopes: scopesOf(scope) };
}

/** `read_orders,write_products` as Shopify writes it. */
function scopesOf(scope: string): string[] {
  return scope.split(/[\s,]+/).filter((handle) => handle !== "");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
