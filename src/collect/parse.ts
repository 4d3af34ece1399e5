import { hmacMatches, seal, type SealingKeys } from "../lib/crypto";
import type { FieldError } from "../errors";
import type { Shop } from "../shops";
import type { CartFacts, Identification, IncomingEvent } from "../visitor";
import { identityHash, identitySecret, linkTokenSecret, readCustomerToken, readLinkToken } from "../identity";
import { cleanData, cleanReferrer, cleanUrl, withoutEmails } from "./clean";
import { type BrowserEvent, CartData, CheckoutData, IdentifiedData } from "./schemas";
import { touchOf } from "./touch";

/** Older events tell nothing about now and could not be placed in a visit, ms. */
const STALE_MS = 7 * 86_400_000;

/** What an identification told, sealed until the visitor's flush reads it (`identity/link.ts`). */
export interface Claim {
  email: string | null;
  phone: string | null;
  /** Only when the shop signed it, or vouched for it through the app proxy. */
  shopifyCustomerId: string | null;
  /** Only from a link token of ours, with the token's own hash for counting its uses. */
  contactId: string | null;
  linkToken: string | null;
  firstName: string | null;
  lastName: string | null;
  consent: { email?: boolean | undefined; sms?: boolean | undefined };
}

export interface ParseContext {
  shop: Shop;
  /** The present encryption key, then the one before while it is being replaced. */
  sealingKeys: SealingKeys;
  now: number;
  /** Added to the sender's times: our clock minus theirs. */
  clockOffset: number;
  /** Where the sender is, to read phone numbers written nationally. */
  country: string | null;
}

export type Parsed =
  | { kind: "event"; event: IncomingEvent }
  | { kind: "stale" }
  | { kind: "malformed"; errors: FieldError[] };

/**
 * One event from the wire to what a visitor keeps: addresses cleaned, personal data moved into a sealed
 * identification, cart facts and the touch read out. The same for beacons and for the server-side API.
 */
export async function parseEvent(event: BrowserEvent, context: ParseContext): Promise<Parsed> {
  const at = Math.min(event.at + context.clockOffset, context.now);
  if (at < context.now - STALE_MS) return { kind: "stale" };
  const keep = context.shop.settings.keepQueryParams;
  const detail = readDetail(event);
  if (detail.kind === "malformed") return detail;
  const referrer = event.referrer ? URL.parse(event.referrer) : null;
  const data: Record<string, unknown> = { ...detail.data };
  if (referrer && event.type === "page_viewed") data["referrer"] = cleanReferrer(referrer);
  return {
    kind: "event",
    event: {
      id: event.id,
      type: event.type,
      at,
      url: event.url ? cleanUrl(event.url, keep) : null,
      title: event.title ? withoutEmails(event.title).slice(0, 300) : null,
      data: cleanData(data),
      touch: event.type === "page_viewed" ? touchOf(event.url ?? null, event.referrer ?? null, keep) : null,
      cart: detail.cart,
      identification: detail.told ? await identification(detail.told, context) : null,
    },
  };
}

interface Detail {
  kind: "detail";
  data: Record<string, unknown>;
  cart: CartFacts | null;
  told: IdentifiedData | null;
}
type IdentifiedData = ReturnType<typeof IdentifiedData.parse>;

/** What the types that mean something to us say; every other type keeps its data as it came. */
function readDetail(event: BrowserEvent): Detail | Extract<Parsed, { kind: "malformed" }> {
  const data = event.data ?? {};
  if (event.type === "identified") {
    const told = IdentifiedData.safeParse(data);
    if (!told.success) return malformed(told.error.issues);
    const kinds = (["email", "phone", "customerId", "token"] as const).filter((kind) => told.data[kind]);
    return { kind: "detail", data: { kinds }, cart: null, told: told.data };
  }
  if (event.type === "cart_updated") {
    const cart = CartData.safeParse(data);
    if (!cart.success) return malformed(cart.error.issues);
    return {
      kind: "detail",
      data,
      cart: cartFacts({ ...cart.data, cartToken: cart.data.token }, event.url),
      told: null,
    };
  }
  if (event.type.startsWith("checkout_") || event.type === "payment_info_submitted") {
    const checkout = CheckoutData.safeParse(data);
    if (!checkout.success) return malformed(checkout.error.issues);
    const { email, phone } = checkout.data;
    return {
      kind: "detail",
      data,
      cart: cartFacts(checkout.data, event.url),
      told: email || phone ? { email, phone } : null,
    };
  }
  return { kind: "detail", data, cart: null, told: null };
}

function malformed(
  issues: readonly { path: PropertyKey[]; message: string }[],
): Extract<Parsed, { kind: "malformed" }> {
  return {
    kind: "malformed",
    errors: issues.map((issue) => ({ pointer: `/data/${issue.path.map(String).join("/")}`, detail: issue.message })),
  };
}

/** @param page where the browser was: a line's addresses that name no host are meant from there */
function cartFacts(data: Partial<ReturnType<typeof CheckoutData.parse>>, page: string | null | undefined): CartFacts {
  const lines = data.lines ?? null;
  const absolute = (address: string | null | undefined) => {
    const url = address ? URL.parse(address, page ?? undefined) : null;
    return url && /^https?:$/.test(url.protocol) ? url.href : null;
  };
  return {
    token: bareToken(data.cartToken),
    checkoutToken: bareToken(data.checkoutToken),
    currency: data.value?.currency ?? null,
    value: data.value?.amount ?? null,
    items:
      lines === null
        ? null
        : JSON.stringify(
            lines.map((line) => ({
              ...line,
              image: absolute(line.image),
              url: cleanUrl(absolute(line.url) ?? "", ["variant"]),
            })),
          ),
    empty: lines !== null && lines.every((line) => line.quantity === 0),
  };
}

/** Shopify's Ajax API appends the cart's secret to its token. */
function bareToken(token: string | null | undefined): string | null {
  return token?.split("?")[0]?.trim() || null;
}

/** Null when nothing in it can be trusted to name somebody. */
async function identification(told: IdentifiedData, context: ParseContext): Promise<Identification | null> {
  // Phone metadata is large: only beacons that identify somebody pay for loading it.
  const { normaliseEmail, normalisePhone } = await import("../identity/normalise");
  const { sealingKeys, shop, now } = context;
  const [encryptionKey] = sealingKeys;
  const claim: Claim = {
    email: told.email ? normaliseEmail(told.email) : null,
    phone: told.phone ? normalisePhone(told.phone, context.country) : null,
    shopifyCustomerId: (await isSigned(told, context)) ? (told.customerId ?? null) : null,
    contactId: null,
    linkToken: null,
    firstName: told.firstName?.trim() || null,
    lastName: told.lastName?.trim() || null,
    consent: told.consent ?? {},
  };
  if (told.token) {
    const { token } = told;
    const link = await withAnyKey(sealingKeys, async (key) =>
      readLinkToken(await linkTokenSecret(key), shop.id, token, now),
    );
    if (link) {
      claim.contactId = link.contact;
      claim.linkToken = await identityHash(encryptionKey, shop.key, "link", told.token);
    } else {
      claim.shopifyCustomerId ??= await withAnyKey(sealingKeys, (key) => readCustomerToken(key, shop.id, token, now));
    }
  }
  const values = [
    ["email", claim.email],
    ["phone", claim.phone],
    ["customer", claim.shopifyCustomerId],
    ["contact", claim.contactId],
  ] as const;
  const hashes: string[] = [];
  for (const [kind, value] of values) {
    if (value !== null) hashes.push(await identityHash(encryptionKey, shop.key, kind, value));
  }
  if (hashes.length === 0) return null;
  return {
    hashes,
    sealed: await seal(sealingKeys, JSON.stringify(claim)),
    evidence: claim.shopifyCustomerId !== null || claim.contactId !== null ? "verified" : "claimed",
  };
}

/** What was signed before the key was replaced still counts while the key before is known. */
async function withAnyKey<T>(keys: SealingKeys, read: (key: string) => Promise<T | null>): Promise<T | null> {
  for (const key of keys) {
    const found = await read(key);
    if (found !== null) return found;
  }
  return null;
}

async function isSigned({ customerId, signature }: IdentifiedData, { sealingKeys, shop }: ParseContext) {
  if (!customerId || !signature) return false;
  const bytes = Uint8Array.from(signature.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const match = await withAnyKey(sealingKeys, async (key) =>
    (await hmacMatches(await identitySecret(key, shop.id), customerId, bytes)) ? true : null,
  );
  return match !== null;
}
