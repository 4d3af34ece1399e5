import { z } from "@hono/zod-openapi";

import { MaybeText, PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";
import { SUPPRESSION_REASONS } from "./reasons";

const Channel = z.enum(["email", "sms", "whatsapp"]);

const SuppressionClass = z
  .enum(["all", "marketing"])
  .openapi({ description: "`marketing` leaves transactional messages alone, `all` stops them too" });

const Reason = z.enum(SUPPRESSION_REASONS);

export const SuppressionSchema = z
  .strictObject({
    id: z.string(),
    channel: Channel,
    address: MaybeText.openapi({ description: "Null once its person was erased; it stays suppressed all the same" }),
    class: SuppressionClass,
    reason: Reason,
    source: z
      .string()
      .openapi({ description: "What told: `one_click`, `inbound_message`, `feedback`, `api`, `import`, ..." }),
    at: TimeSchema,
  })
  .openapi("Suppression");

export type Suppression = z.infer<typeof SuppressionSchema>;

export const NewSuppressionInput = z
  .strictObject({
    shop: ShopRef.optional(),
    channel: Channel,
    address: Text(254).min(1).openapi({ description: "E-mail address, or a phone number with its country code" }),
    reason: Reason.exclude(["ERASED"]).default("USER_SUPPRESSED"),
    class: SuppressionClass.optional().openapi({
      description: "Left out: `all` for HARD_BOUNCE, INVALID_EMAIL and PROVIDER, else `marketing`",
    }),
  })
  .openapi("NewSuppression");

export type NewSuppressionInput = z.infer<typeof NewSuppressionInput>;

export const SuppressionQuery = PageQuery.extend({
  channel: Channel.optional(),
  reason: Reason.optional(),
  address: z.string().max(254).optional().openapi({ description: "Those of this address alone" }),
});

export type SuppressionQuery = z.infer<typeof SuppressionQuery>;
