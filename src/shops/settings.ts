import { z } from "zod";

/** What else it begins with could be a host or a path. */
const AddressPattern = z
  .string()
  .max(500)
  .regex(/^(?:[/*]|https?:\/\/[^/?#])/, "begins with /, with * or with https:// and a host");

/** Shopify's scopes that nothing asks for unless the merchant wants what they are for (`docs/connect.md`). */
export const OPTIONAL_SCOPES = [
  "read_all_orders",
  "read_customer_merge",
  "read_users",
  "read_customer_events",
  "write_pixels",
  "write_app_proxy",
  "write_discounts",
] as const;

export type OptionalScope = (typeof OPTIONAL_SCOPES)[number];

/** At most so many marketing messages to one person in so many hours. */
const Cap = z.strictObject({ most: z.int().min(1).max(1_000), hours: z.int().min(1).max(8_760) });

const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "is a time like 21:00");

const Hours = z.number().min(0).max(8_760);

const shape = {
  /** Seconds without cart activity after which an open cart is abandoned. */
  abandonAfterSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400),
  /** Longest time that an event waits in its visitor before it is in the database; 0 flushes every beacon at once. */
  flushSeconds: z.int().min(0).max(3600),
  /** A phone number without an explicit decision counts as subscribed to SMS and WhatsApp. */
  phoneImpliesSubscribed: z.boolean(),
  /** `region` asks for consent where the visitor's country does. */
  consentMode: z.enum(["opt_in", "opt_out", "region"]),
  /** 0 for no limit. */
  beaconsPerMinutePerAddress: z.int().min(0).max(1_000_000),
  /** New contacts that claims of browsers may create per minute. */
  newContactsPerMinute: z.int().min(1).max(100_000),
  /** Query parameters kept in stored addresses, beside those of campaigns. */
  keepQueryParams: z.array(z.string().min(1).max(64)).max(100),
  /** Address patterns of the cart and the thank-you page, for sites that are not on Shopify (`docs/tracker.md`). */
  cartUrls: z.array(AddressPattern).max(20),
  thankYouUrls: z.array(AddressPattern).max(20),
  /** Asked for in Shopify beside the scopes that everything needs. */
  optionalScopes: z.array(z.enum(OPTIONAL_SCOPES)).max(OPTIONAL_SCOPES.length),
  /** Days after which raw events, webhook bodies, anonymous visitors and trashed contacts are deleted; 0 keeps. */
  eventRetentionDays: z.int().min(0).max(3650),
  webhookBodyRetentionDays: z.int().min(1).max(365),
  visitorRetentionDays: z.int().min(0).max(3650),
  trashRetentionDays: z.int().min(1).max(365),
  /** Marketing messages to one person, by channel and over all channels; null for no limit. */
  messageCaps: z.strictObject({
    email: Cap.nullable(),
    sms: Cap.nullable(),
    whatsapp: Cap.nullable(),
    all: Cap.nullable(),
  }),
  /** No marketing on these channels at night, by the recipient's own clock: put off to its end, or skipped. */
  quietHours: z
    .strictObject({
      from: TimeOfDay,
      to: TimeOfDay,
      channels: z.array(z.enum(["email", "sms", "whatsapp"])).max(3),
      mode: z.enum(["defer", "skip"]),
    })
    .nullable(),
  /** Language of the texts that no merchant wrote, for people whose own is not known. */
  messageLanguage: z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, "is a language tag like fr or pt-BR"),
  trackOpens: z.boolean(),
  trackClicks: z.boolean(),
  /** Adds utm_source, utm_medium and utm_campaign to links that do not have them. */
  appendUtm: z.boolean(),
  /** Hours after a touch in which an order is credited to the message; 0 for never. */
  attributionHours: z.strictObject({
    emailOpened: Hours,
    emailClicked: Hours,
    smsDelivered: Hours,
    smsClicked: Hours,
    whatsappOpened: Hours,
    whatsappClicked: Hours,
  }),
  /** Days for which the text of a sent message is kept. */
  messageBodyRetentionDays: z.int().min(1).max(3650),
};

export const Settings = z.object(shape);

export type Settings = z.infer<typeof Settings>;

export const DEFAULT_SETTINGS: Settings = {
  abandonAfterSeconds: 3600,
  flushSeconds: 300,
  phoneImpliesSubscribed: true,
  consentMode: "region",
  beaconsPerMinutePerAddress: 600,
  newContactsPerMinute: 120,
  keepQueryParams: ["q", "variant", "page"],
  cartUrls: [],
  thankYouUrls: [],
  optionalScopes: [],
  eventRetentionDays: 0,
  webhookBodyRetentionDays: 30,
  visitorRetentionDays: 0,
  trashRetentionDays: 30,
  messageCaps: {
    email: { most: 4, hours: 24 },
    sms: { most: 2, hours: 24 },
    whatsapp: { most: 2, hours: 24 },
    all: { most: 6, hours: 24 },
  },
  quietHours: { from: "21:00", to: "08:00", channels: ["sms", "whatsapp"], mode: "defer" },
  messageLanguage: "en",
  trackOpens: true,
  trackClicks: true,
  appendUtm: true,
  attributionHours: {
    emailOpened: 120,
    emailClicked: 120,
    smsDelivered: 12,
    smsClicked: 120,
    whatsappOpened: 12,
    whatsappClicked: 120,
  },
  messageBodyRetentionDays: 90,
};

/** A change: absent keys stay as they are. Unknown keys are refused, so that a typo is heard. */
export const SettingsPatch = z.strictObject(shape).partial();

export type SettingsPatch = z.infer<typeof SettingsPatch>;
