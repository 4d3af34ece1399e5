import { messageKey, publicOrigin } from "../installation";
import { base64url, hmac, sameSecret } from "../lib/crypto";

/** What a public link is for, which its signature covers: none of them can stand in for another. */
const PURPOSES = { click: "c", open: "o", view: "v", unsubscribe: "u", preferences: "p", confirm: "k" } as const;

export type LinkPurpose = keyof typeof PURPOSES;

/** 72 bits: short enough for a text message, and as good as unguessable at a request each. */
const SIGNATURE_LETTERS = 12;

export interface SignedLink {
  /** Key of the delivery. */
  delivery: number;
  /** Index of the link of a click; 0 otherwise. */
  index: number;
}

/** `<delivery>[.<index>].<signature>`: says nothing about anybody. */
export async function linkToken(env: Env, purpose: LinkPurpose, { delivery, index }: SignedLink): Promise<string> {
  const subject = purpose === "click" ? `${delivery.toString(36)}.${index.toString(36)}` : delivery.toString(36);
  return `${subject}.${await sign(env, purpose, subject)}`;
}

/** What a token says; null unless we signed it for this purpose. */
export async function readLink(env: Env, purpose: LinkPurpose, token: string): Promise<SignedLink | null> {
  const parts = token.split(".");
  const signature = parts.pop();
  if (signature === undefined || parts.length !== (purpose === "click" ? 2 : 1)) return null;
  if (!parts.every((part) => /^[0-9a-z]{1,11}$/.test(part))) return null;
  if (!(await sameSecret(signature, await sign(env, purpose, parts.join("."))))) return null;
  return { delivery: Number.parseInt(parts[0] ?? "", 36), index: Number.parseInt(parts[1] ?? "0", 36) };
}

async function sign(env: Env, purpose: LinkPurpose, subject: string): Promise<string> {
  const mac = await hmac(await messageKey(env), `link:${PURPOSES[purpose]}:${subject}`);
  return base64url(mac).slice(0, SIGNATURE_LETTERS);
}

/** The address of a public page of a delivery. */
export async function linkUrl(
  env: Env,
  origin: string,
  purpose: LinkPurpose,
  link: { delivery: number; index?: number },
): Promise<string> {
  const token = await linkToken(env, purpose, { delivery: link.delivery, index: link.index ?? 0 });
  return `${origin}/m/${PURPOSES[purpose]}/${token}`;
}

export interface PublicLinks {
  unsubscribeUrl: string;
  preferencesUrl: string;
  viewUrl: string;
}

/**
 * Where the recipient of a delivery leaves, chooses, and reads it in a browser; null while nobody with a key has reached
 * this installation and `PUBLIC_ORIGIN` is not set.
 *
 * @param delivery key of the delivery
 */
export async function publicLinks(env: Env, delivery: number): Promise<PublicLinks | null> {
  const origin = await publicOrigin(env);
  if (origin === null) return null;
  const [unsubscribeUrl, preferencesUrl, viewUrl] = await Promise.all([
    linkUrl(env, origin, "unsubscribe", { delivery }),
    linkUrl(env, origin, "preferences", { delivery }),
    linkUrl(env, origin, "view", { delivery }),
  ]);
  return { unsubscribeUrl, preferencesUrl, viewUrl };
}
