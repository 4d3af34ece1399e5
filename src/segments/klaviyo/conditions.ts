import { z } from "zod";

import { Filter } from "./filter";

const Filters = z.array(z.strictObject({ property: z.string(), filter: Filter.nullish() })).nullish();

const Consent = z.strictObject({
  subscription: z.string(),
  filters: z.unknown().optional(),
});

/** The conditions of Klaviyo's segments that have something here; the others are refused by their type. */
export const Condition = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("profile-property"), property: z.string(), filter: Filter }),
  z.strictObject({
    type: z.literal("profile-metric"),
    metric_id: z.string(),
    measurement: z.enum(["count", "sum"]),
    measurement_filter: Filter,
    timeframe_filter: Filter.nullish(),
    metric_filters: Filters,
  }),
  z.strictObject({
    type: z.literal("profile-metric-funnel"),
    timeframe_filter: Filter.nullish(),
    completion_window_seconds: z.string().nullish(),
    steps: z.array(z.strictObject({ metric_id: z.string(), metric_exists: z.boolean(), metric_filters: Filters })),
  }),
  z.strictObject({
    type: z.literal("profile-marketing-consent"),
    consent: z.strictObject({
      channel: z.string(),
      can_receive_marketing: z.boolean(),
      consent_status: Consent,
    }),
  }),
  z.strictObject({
    type: z.literal("profile-group-membership"),
    is_member: z.boolean(),
    group_ids: z.array(z.string()),
    timeframe_filter: Filter.nullish(),
  }),
  z.strictObject({
    type: z.literal("profile-region"),
    region: z.enum(["european_union", "united_states"]),
    in_region: z.boolean(),
  }),
  z.strictObject({ type: z.literal("profile-predictive-analytics"), dimension: z.string(), filter: Filter }),
]);

export type Condition = z.infer<typeof Condition>;

/** Why a condition of Klaviyo's has nothing here, by its type. */
export const REFUSED: Record<string, string> = {
  "profile-postal-code-distance": "addresses are stored without their coordinates",
  "profile-has-custom-object": "Klaviyo's custom objects are not stored here",
  "profile-permissions": "whom WhatsApp lets one write to is not stored here; whatsapp_consent is what they agreed to",
  "profile-not-in-flow": "belongs to a flow, not to a segment",
  "profile-not-sent-email": "belongs to a flow, not to a segment",
  "profile-not-sent-sms": "belongs to a flow, not to a segment",
  "profile-not-sent-push": "belongs to a flow, not to a segment",
  "profile-sample": "Klaviyo's random sample holds other people than one that is drawn here",
};
