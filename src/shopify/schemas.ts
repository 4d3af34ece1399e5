import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, TimeSchema } from "../api/schemas";

export const InboxState = z.enum(["pending", "handled", "unhandled", "stale", "dead"]);

export const InboxEntrySchema = z
  .strictObject({
    id: z.string(),
    topic: z.string(),
    webhookId: z.string(),
    eventId: MaybeText,
    apiVersion: MaybeText,
    state: InboxState.openapi({
      description: "`unhandled`: kept, but there is no rule for the topic. `stale`: a newer body was applied before.",
    }),
    attempts: z.int(),
    error: MaybeText,
    triggeredAt: TimeSchema,
    receivedAt: TimeSchema,
    nextAttemptAt: MaybeTime,
    handledAt: MaybeTime,
    body: z
      .string()
      .nullable()
      .optional()
      .openapi({ description: "As received, only with `include=body`; null once its retention time is over" }),
  })
  .openapi("WebhookInboxEntry");

export type InboxEntry = z.infer<typeof InboxEntrySchema>;
