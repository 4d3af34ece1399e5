import { z } from "zod";

/** A Shopify app's id and secret. */
export const AppCredentials = z.object({ clientId: z.string(), clientSecret: z.string() });

export type AppCredentials = z.infer<typeof AppCredentials>;

/** Everything that a `Connection` object keeps, sealed. Times are epoch ms. */
export const Credentials = z.object({
  /** Another one for every connect, so that a renewal begun before it cannot undo it. */
  id: z.string(),
  /** When the connect was, epoch ms. */
  storedAt: z.number(),
  domain: z.string(),
  method: z.enum(["client_credentials", "oauth", "token", "token_exchange"]),
  /** The store's own app; null for the installation's. */
  app: AppCredentials.nullable(),
  token: z.string(),
  /** Null for a token that never expires; 0 once Shopify refused it. */
  tokenExpiresAt: z.number().nullable(),
  /** One use each; its answer brings the next one. */
  refreshToken: z.string().nullable(),
  /** When Shopify last refused to renew; null while it does not. */
  refusedAt: z.number().nullable(),
});

export type Credentials = z.infer<typeof Credentials>;

/** A token is renewed this long before it expires, ms. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** What a caller may count on, ms. */
const LEAST_LEFT_MS = 60_000;

/** After this long a refused token is tried once more, ms. */
const RETRY_REFUSED_MS = 10 * 60_000;

/** True while the token need not be renewed. */
export function isFresh({ tokenExpiresAt }: Credentials, now: number): boolean {
  return tokenExpiresAt === null || tokenExpiresAt - now > RENEW_BEFORE_MS;
}

/** True while the token still serves when it cannot be renewed at the moment. */
export function isUsable({ tokenExpiresAt }: Credentials, now: number): boolean {
  return tokenExpiresAt === null || tokenExpiresAt - now > LEAST_LEFT_MS;
}

/** True while asking again is not worth it. */
export function isResting({ refusedAt }: Credentials, now: number): boolean {
  return refusedAt !== null && now < refusedAt + RETRY_REFUSED_MS;
}

/**
 * The body that renews the token at Shopify's token endpoint: client credentials are just asked again, an expiring
 * offline token is refreshed. Null for one that cannot be renewed.
 */
export function renewalOf(held: Credentials, app: AppCredentials): Record<string, string> | null {
  const { clientId: client_id, clientSecret: client_secret } = app;
  if (held.method === "client_credentials") return { grant_type: "client_credentials", client_id, client_secret };
  if (held.refreshToken === null) return null;
  return { grant_type: "refresh_token", client_id, client_secret, refresh_token: held.refreshToken };
}
