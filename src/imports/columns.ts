/** What a column of a file is about: a part of a contact, a consent, a suppression; or nothing that is taken over. */
export type Target =
  | "record"
  | "externalId"
  | "email"
  | "phone"
  | "firstName"
  | "lastName"
  | "company"
  | "shopifyCustomerId"
  | `address.${"line1" | "line2" | "city" | "province" | "country" | "zip"}`
  | "tags"
  | `consents.${"email" | "sms" | "whatsapp"}.${"state" | "level" | "source" | "basis" | "updatedAt"}`
  | "suppressions"
  | "suppression.reason"
  | "suppression.at"
  | "optOut.email"
  | "optOut.sms"
  | "optOut.all"
  | "optOut.at"
  | "bounced"
  | "fields"
  | `fields.${string}`
  | "ignore";

export const PRESETS = ["footfall", "klaviyo", "activecampaign", "mautic"] as const;

export type Preset = (typeof PRESETS)[number];

const CONSENT_PARTS = ["state", "level", "source", "basis", "updatedAt"] as const;
const ADDRESS_PARTS = ["line1", "line2", "city", "province", "country", "zip"] as const;

/** Columns of our own exports that are worked out here, so that they are told and not taken. */
export const TOLD = [
  "id",
  "source",
  "lifecycle.stage",
  "lifecycle.status",
  "score",
  "ordersCount",
  "createdAt",
  "updatedAt",
  "shopifyCreatedAt",
  "shopifyUpdatedAt",
] as const;

/** Columns of our own exports, in their order; custom fields follow them. */
export const OWN: readonly Target[] = [
  "record",
  "externalId",
  "email",
  "phone",
  "firstName",
  "lastName",
  "company",
  ...ADDRESS_PARTS.map((part): Target => `address.${part}`),
  "shopifyCustomerId",
  "tags",
  ...(["email", "sms", "whatsapp"] as const).flatMap((channel) =>
    CONSENT_PARTS.map((part): Target => `consents.${channel}.${part}`),
  ),
  "suppressions",
];

const SIMPLE: readonly Target[] = [
  ...OWN,
  "suppression.reason",
  "suppression.at",
  "optOut.email",
  "optOut.sms",
  "optOut.all",
  "optOut.at",
  "bounced",
  "fields",
  "ignore",
];

/** The target of this name; null for none. Custom fields are `fields.` and the field's name. */
export function targetNamed(name: string): Target | null {
  const custom = /^fields\.([a-z][a-z0-9_]{0,63})$/.exec(name);
  if (custom) return `fields.${custom[1] ?? ""}`;
  return SIMPLE.find((target) => target === name) ?? null;
}

/** Names that mean the same in many systems, without capitals, spaces and signs. */
const COMMON: Record<string, Target> = {
  email: "email",
  emailaddress: "email",
  phone: "phone",
  phonenumber: "phone",
  mobile: "phone",
  firstname: "firstName",
  lastname: "lastName",
  company: "company",
  organization: "company",
  organisation: "company",
  address: "address.line1",
  address1: "address.line1",
  address2: "address.line2",
  city: "address.city",
  state: "address.province",
  province: "address.province",
  region: "address.province",
  stateregion: "address.province",
  country: "address.country",
  zip: "address.zip",
  zipcode: "address.zip",
  postalcode: "address.zip",
  tags: "tags",
  externalid: "externalId",
  shopifycustomerid: "shopifyCustomerId",
};

/**
 * Columns of other systems' exports beside the common ones.
 *
 * - Klaviyo's list and segment export: `Email Marketing Consent` with SUBSCRIBED, UNSUBSCRIBED and NEVER_SUBSCRIBED, its
 *   timestamp, the same for SMS, `Email Suppressions` with the reasons of its API.
 * - ActiveCampaign's contact export: `Status` with Active, Unconfirmed, Unsubscribed and Bounced (or 0 to 3, as in its API).
 * - Mautic's export names columns as its fields (`firstname`, `address1`); `doNotEmail` is its own import's name for an
 *   opt-out, tags are separated by `|`.
 */
const OF_PRESET: Record<Exclude<Preset, "footfall">, Record<string, Target>> = {
  klaviyo: {
    klaviyoid: "ignore",
    emailmarketingconsent: "consents.email.state",
    emailmarketingconsenttimestamp: "consents.email.updatedAt",
    smsmarketingconsent: "consents.sms.state",
    smsmarketingconsenttimestamp: "consents.sms.updatedAt",
    emailsuppressions: "suppression.reason",
    emailsuppressionstimestamp: "suppression.at",
    suppressionreason: "suppression.reason",
    suppressiontimestamp: "suppression.at",
    shopifytags: "tags",
  },
  activecampaign: {
    contactid: "ignore",
    subscriberid: "ignore",
    customeraccount: "company",
    account: "company",
    status: "consents.email.state",
    unsubscribed: "optOut.email",
    unsubscribeddate: "optOut.at",
    dateunsubscribed: "optOut.at",
    unsubscribedate: "optOut.at",
    bounced: "bounced",
    bounceddate: "bounced",
    datesubscribed: "consents.email.updatedAt",
    subscribeddate: "consents.email.updatedAt",
  },
  mautic: {
    id: "ignore",
    donotemail: "optOut.email",
    donotcontact: "optOut.all",
    dnc: "optOut.all",
    donotsms: "optOut.sms",
  },
};

/** Columns that only this system's exports have. */
const SIGNS: Record<Exclude<Preset, "footfall">, readonly string[]> = {
  klaviyo: ["klaviyoid", "emailmarketingconsent", "emailsuppressions"],
  activecampaign: ["contactid", "subscriberid", "customeraccount", "unsubscribeddate", "dateunsubscribed"],
  mautic: ["donotemail", "donotcontact", "dateidentified", "isanonymous", "preferredprofileimage", "stageid"],
};

function plain(column: string): string {
  return column.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Which system a file with these columns came from; null for none that is known. */
export function detectPreset(columns: readonly string[]): Preset | null {
  if (columns.includes("record") && columns.includes("suppressions")) return "footfall";
  const names = new Set(columns.map(plain));
  return PRESETS.find((preset) => preset !== "footfall" && SIGNS[preset].some((sign) => names.has(sign))) ?? null;
}

/** What a column is about; null for one that is not known. */
export function targetOf(
  column: string,
  preset: Preset | null,
  mapping: Readonly<Record<string, string>>,
): Target | null {
  const asked = Object.hasOwn(mapping, column) ? mapping[column] : undefined;
  if (asked !== undefined) return targetNamed(asked);
  const own = targetNamed(column);
  if (own !== null) return own;
  if (preset === "footfall") return TOLD.some((told) => told === column) ? "ignore" : null;
  const name = plain(column);
  const special = preset === null ? undefined : OF_PRESET[preset][name];
  return special ?? (Object.hasOwn(COMMON, name) ? (COMMON[name] ?? null) : null);
}
