import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, MoneySchema, PageQuery, TimeSchema } from "../api/schemas";
import { CHANNELS, MESSAGE_CLASSES } from "./queue";
import { FAILURES, SKIP_REASONS } from "./reasons";

export const DELIVERY_STATES = ["queued", "sending", "sent", "skipped", "failed", "unknown"] as const;

export const DeliveryKind = z.enum(["message", "opt_in", "reply", "test"]);

const REASONS = [
  ...Object.entries({ ...SKIP_REASONS, ...FAILURES }).map(([reason, meaning]) => `\`${reason}\`: ${meaning}`),
  "`exited:`, `template:` and `provider:` are followed by words of theirs",
].join("; ");

const shape = {
  id: z.string(),
  kind: DeliveryKind.openapi({
    description: "`opt_in` asks for a confirmation, `reply` answers a STOP word, `test` goes to staff",
  }),
  channel: z.enum(CHANNELS),
  class: z.enum(MESSAGE_CLASSES),
  state: z.enum(DELIVERY_STATES).openapi({
    description:
      "`unknown`: the provider may have it, so it is not sent again; `skipped` and `failed` say why in `reason`",
  }),
  reason: MaybeText.openapi({ description: REASONS }),
  contactId: MaybeText.openapi({ description: "Null once the contact was erased" }),
  automationId: MaybeText,
  campaignId: MaybeText,
  runId: MaybeText,
  step: MaybeText,
  variant: MaybeText,
  templateId: MaybeText,
  templateVersion: z.int().nullable(),
  senderId: MaybeText,
  provider: MaybeText,
  providerId: MaybeText,
  attempts: z.int(),
  segments: z.int().nullable().openapi({ description: "Parts that an SMS was sent and billed as" }),
  dueAt: TimeSchema,
  createdAt: TimeSchema,
  sentAt: MaybeTime,
  deliveredAt: MaybeTime,
  openedAt: MaybeTime.openapi({ description: "First opening by a person" }),
  machineOpenedAt: MaybeTime.openapi({ description: "First opening by a mail client's proxy or a scanner" }),
  clickedAt: MaybeTime,
  repliedAt: MaybeTime,
  bouncedAt: MaybeTime,
  complainedAt: MaybeTime,
  unsubscribedAt: MaybeTime,
};

export const DeliverySchema = z.strictObject(shape).openapi("MessageDelivery");

export type Delivery = z.infer<typeof DeliverySchema>;

export const DeliveryDetailSchema = z
  .strictObject({
    ...shape,
    data: z.record(z.string(), z.unknown()).openapi({ description: "What it is about, in ids" }),
    events: z.array(
      z.strictObject({
        type: z.string(),
        at: TimeSchema,
        machine: z.boolean(),
        url: MaybeText.openapi({ description: "Where the link of a click leads" }),
      }),
    ),
    orders: z
      .array(
        z.strictObject({
          orderId: z.string(),
          touch: z.enum(["opened", "clicked", "delivered"]),
          touchedAt: TimeSchema,
          total: MoneySchema.openapi({ description: "What the order is worth now: refunds are taken off" }),
        }),
      )
      .openapi({ description: "Orders that are credited to this message" }),
  })
  .openapi("MessageDeliveryDetail");

export const DeliveryBodySchema = z
  .strictObject({
    subject: MaybeText,
    html: MaybeText,
    text: z.string(),
    links: z.array(z.string()).openapi({ description: "Where the tracked links lead, by their index" }),
    headers: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  })
  .openapi("MessageDeliveryBody");

export const DeliveryQuery = PageQuery.extend({
  state: z.enum(DELIVERY_STATES).optional(),
  channel: z.enum(CHANNELS).optional(),
  class: z.enum(MESSAGE_CLASSES).optional(),
  kind: DeliveryKind.optional(),
  contactId: z.string().max(100).optional(),
  automationId: z.string().max(100).optional(),
  campaignId: z.string().max(100).optional(),
  runId: z.string().max(100).optional(),
});

export type DeliveryQuery = z.infer<typeof DeliveryQuery>;

export const RetryRequest = z.strictObject({
  mayBeTwice: z.boolean().default(false).openapi({
    description: "Sends one of state `unknown` once more, though the provider may have it",
  }),
});
