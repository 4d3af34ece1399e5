import { z } from "@hono/zod-openapi";

import { MaybeTime, TimeSchema } from "../api/schemas";

export const AlertKind = z.enum([
  "beacons_silent",
  "webhooks_silent",
  "sends_silent",
  "connection_broken",
  "subscriptions_lost",
  "endpoint_failing",
  "automation_failing",
  "automation_alert",
  "privacy_request_held",
]);

export type AlertKind = z.infer<typeof AlertKind>;

export const AlertState = z.enum(["open", "closed"]);

export const AlertSchema = z
  .strictObject({
    id: z.string(),
    shopId: z.string(),
    kind: AlertKind,
    subject: z.string().openapi({ description: "Which one, where there can be several; empty otherwise" }),
    state: AlertState,
    data: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .openapi({ description: "Figures of the kind, see the documentation" }),
    openedAt: TimeSchema,
    closedAt: MaybeTime,
  })
  .openapi("Alert");

export type Alert = z.infer<typeof AlertSchema>;
