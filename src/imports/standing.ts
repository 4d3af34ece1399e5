import type { ToldConsent, ToldRow, ToldSuppression } from "./row";

export type IdentityKind = "external" | "shopify_customer" | "email" | "phone";

/** A contact of the shop as an import sees it. */
export interface Known {
  key: number;
  id: string;
  email: string | null;
  phone: string | null;
  firstName: string | null;
  lastName: string | null;
  company: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  province: string | null;
  country: string | null;
  zip: string | null;
  externalId: string | null;
  customerId: string | null;
  /** JSON object. */
  fields: string;
  revision: number;
  verified: number;
  deletedAt: number | null;
  consents: { channel: string; state: string; basis: string; decidedAt: number | null }[];
}

/** Who holds what a row names. */
export type Holders = ReadonlyMap<IdentityKind, Known>;

export type Found =
  | { kind: "new" }
  | { kind: "known"; contact: Known }
  | { kind: "conflict"; column: "email" | "phone" }
  | { kind: "merge"; winner: Known; loser: Known };

/** Two people who cannot be one: different customers of the store, different ids of the merchant's own, different mail. */
function areTwo(a: Known, b: Known): boolean {
  const differ = (x: string | null, y: string | null) => x !== null && y !== null && x !== y;
  return differ(a.customerId, b.customerId) || differ(a.externalId, b.externalId) || differ(a.email, b.email);
}

/**
 * Which contact a row speaks of: by the merchant's own id, else Shopify's, else e-mail, else phone. An address that
 * belongs to another customer of the store is no sign of this one, nor is a phone number shared by somebody with another
 * e-mail address.
 *
 * @param merges whether contacts that a row shows to be one are merged; the older one stays
 */
export function findPerson(
  row: { email: string | null; customerId: string | null; externalId: string | null },
  holders: Holders,
  merges: boolean,
): Found {
  const isOther = (known: Known) =>
    (row.customerId !== null && known.customerId !== null && known.customerId !== row.customerId) ||
    (row.externalId !== null && known.externalId !== null && known.externalId !== row.externalId);
  const byEmail = holders.get("email");
  const byPhone = holders.get("phone");
  const byId = holders.get("external") ?? holders.get("shopify_customer");
  const isSameMail = (known: Known) => known.email === null || row.email === null || known.email === row.email;
  const same = [
    byId,
    byEmail && !isOther(byEmail) ? byEmail : undefined,
    byPhone && !isOther(byPhone) && isSameMail(byPhone) ? byPhone : undefined,
  ].filter((known) => known !== undefined);
  const [first] = same;
  if (!first) return byEmail ? { kind: "conflict", column: "email" } : { kind: "new" };
  const second = merges ? same.find((known) => known.key !== first.key && !areTwo(first, known)) : undefined;
  if (second && second.deletedAt === null && first.deletedAt === null) {
    const [winner, loser] = first.key < second.key ? [first, second] : [second, first];
    return { kind: "merge", winner, loser };
  }
  return { kind: "known", contact: first };
}

const LEFT = ["unsubscribed", "redacted", "invalid"];

/** On whose word a subscription overrules an older suppression: the person's own, not what was assumed or copied. */
const COPIED = ["checkout", "import", "merge", "phone_default", "sms_consent"];

/**
 * What of a row's consents is to be written.
 *
 * - Who leaves without a date leaves now: an undated opt-out must hold against every older subscription, also one that
 *   another system tells of later.
 * - What says the same without a date says nothing new.
 * - Nobody is subscribed whose address is suppressed, by the shop or by this very row.
 *
 * @param suppressed channels whose address has been suppressed
 */
export function consentsToWrite(
  row: ToldRow,
  known: Known | null,
  suppressed: ReadonlySet<string>,
  importedAt: number,
): ToldConsent[] {
  const ofRow = new Set(row.suppressions.map(({ channel }): string => channel));
  return row.consents.flatMap((told): ToldConsent[] => {
    const stored = known?.consents.find(({ channel }) => channel === told.channel);
    if (stored?.state === told.state && told.decidedAt === null) return [];
    if (LEFT.includes(told.state)) return [{ ...told, decidedAt: told.decidedAt ?? importedAt }];
    if (stored && LEFT.includes(stored.state)) return [];
    if (told.state === "subscribed" && (suppressed.has(told.channel) || ofRow.has(told.channel))) return [];
    return [told];
  });
}

/** What of a row's suppressions is to be written: all but those that the person has taken back since. */
export function suppressionsToWrite(row: ToldRow, known: Known | null): ToldSuppression[] {
  return row.suppressions.filter(({ channel, reason, at }) => {
    if (["HARD_BOUNCE", "INVALID_EMAIL", "PROVIDER"].includes(reason) || at === null) return true;
    const own = known?.consents.find((consent) => consent.channel === channel);
    const isBack =
      own?.state === "subscribed" && !COPIED.includes(own.basis) && own.decidedAt !== null && own.decidedAt > at;
    return !isBack;
  });
}
