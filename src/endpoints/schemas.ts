import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, ShopRef, Text, TimeSchema } from "../api/schemas";
import { DOMAIN_EVENTS } from "../jobs";
import { addressProblem } from "./address";

/** What an endpoint can ask for: `visitor_joined` is an order to ourselves. */
export const EventType = z.enum(DOMAIN_EVENTS).exclude(["visitor_joined"]);

const Url = z
  .string()
  .trim()
  .max(2_000)
  .superRefine((text, context) => {
    const problem = addressProblem(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  })
  .openapi({ description: "A public https address", example: "https://hooks.acme.example/footfall" });

const Types = z.array(EventType).max(50).openapi({ description: "The events that are sent; empty for all" });

const Description = Text(200).nullable();

export const NewEndpoint = z.strictObject({
  shop: ShopRef.optional(),
  url: Url,
  description: Description.default(null),
  types: Types.default([]),
});

export type NewEndpoint = z.infer<typeof NewEndpoint>;

export const EndpointPatch = z.strictObject({
  url: Url.optional(),
  description: Description.optional(),
  types: Types.optional(),
  state: z.enum(["enabled", "disabled"]).optional(),
});

export type EndpointPatch = z.infer<typeof EndpointPatch>;

const shape = {
  id: z.string(),
  shopId: z.string(),
  url: z.string(),
  description: MaybeText,
  types: z.array(z.string()),
  state: z.enum(["enabled", "failing", "disabled"]).openapi({
    description: "`failing`: no success for an hour; `disabled` after five days of it, by a 410, or by hand",
  }),
  failingSince: MaybeTime.openapi({ description: "Since when every attempt has failed" }),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
};

export const EndpointSchema = z.strictObject(shape).openapi("WebhookEndpoint");

export type Endpoint = z.infer<typeof EndpointSchema>;

const secret = z.string().openapi({ description: "Signs what is sent; shown only this once" });

export const CreatedEndpointSchema = z.strictObject({ ...shape, secret }).openapi("CreatedWebhookEndpoint");

export const RotatedSecretSchema = z
  .strictObject({ secret, previousValidUntil: TimeSchema })
  .openapi("RotatedWebhookSecret");

export const DeliveryState = z.enum(["pending", "delivered", "failed"]);

export const DeliverySchema = z
  .strictObject({
    id: z.string().openapi({ description: "`webhook-id` of the request, the same at every attempt" }),
    type: z.string(),
    state: DeliveryState,
    attempts: z.int(),
    status: z.int().nullable().openapi({ description: "HTTP status of the last attempt" }),
    error: MaybeText.openapi({ description: "Why the last attempt had no status" }),
    payload: z.string().openapi({ description: "The body as it is sent" }),
    nextAttemptAt: MaybeTime,
    createdAt: TimeSchema,
    doneAt: MaybeTime,
  })
  .openapi("WebhookDelivery");

export type Delivery = z.infer<typeof DeliverySchema>;
