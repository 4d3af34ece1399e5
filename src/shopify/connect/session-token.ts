import { z } from "zod";

import { fromBase64, hmacMatches } from "../../lib/crypto";
import { isStoreDomain } from "./store-domain";

/** How far Shopify's clock and ours may be apart, seconds. */
const TOLERANCE = 10;

const Header = z.object({ alg: z.literal("HS256") });

const Claims = z.object({
  iss: z.url(),
  dest: z.url(),
  aud: z.string(),
  sub: z.string().regex(/^[\w-]{1,64}$/),
  exp: z.number(),
  nbf: z.number(),
});

type Claims = z.infer<typeof Claims>;

/**
 * The store that a session token claims to come from, or null when it is no such token. Nothing is verified yet: it
 * only tells with whose secret `verifySessionToken` has to be asked.
 */
export function claimedStore(token: string): string | null {
  const claims = read(token.split(".")[1] ?? "", Claims);
  return claims && storeOf(claims);
}

/**
 * Verifies a session token of App Bridge: a JWT signed by Shopify with the app's secret, good for about a minute.
 * The algorithm is fixed; `aud` must be the app, `iss` and `dest` the same store, and the time within ten seconds of
 * the token's own limits. Returns the store and the id of the staff member, or null.
 */
export async function verifySessionToken(
  token: string,
  app: { clientId: string; secrets: string[] },
  now: number,
): Promise<{ domain: string; user: string } | null> {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  const bytes = fromBase64(signature);
  if (more.length > 0 || bytes?.length !== 32 || !read(header, Header)) return null;
  if (!(await isSigned(`${header}.${payload}`, bytes, app.secrets))) return null;
  const claims = read(payload, Claims);
  const domain = claims && storeOf(claims);
  if (!claims || domain === null || claims.aud !== app.clientId) return null;
  const seconds = now / 1_000;
  if (seconds > claims.exp + TOLERANCE || seconds < claims.nbf - TOLERANCE) return null;
  return { domain, user: claims.sub };
}

async function isSigned(text: string, signature: Uint8Array, secrets: string[]): Promise<boolean> {
  for (const secret of secrets) if (await hmacMatches(secret, text, signature)) return true;
  return false;
}

function storeOf({ iss, dest }: Claims): string | null {
  const [issuer, destination] = [new URL(iss), new URL(dest)];
  const isOne = issuer.host === destination.host && issuer.protocol === "https:" && destination.protocol === "https:";
  return isOne && isStoreDomain(destination.host) ? destination.host : null;
}

function read<T>(part: string, shape: z.ZodType<T>): T | null {
  try {
    const bytes = fromBase64(part);
    return bytes && (shape.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? null);
  } catch {
    return null;
  }
}
