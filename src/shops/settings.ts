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
};

/** A change: absent keys stay as they are. Unknown keys are refused, so that a typo is heard. */
export const SettingsPatch = z.strictObject(shape).partial();

export type SettingsPatch = z.infer<typeof SettingsPatch>;
