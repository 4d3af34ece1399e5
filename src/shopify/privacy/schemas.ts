import { z } from "@hono/zod-openapi";

import { MaybeTime, TimeSchema } from "../../api/schemas";
import { CartSchema } from "../../carts/schemas";
import { ContactExportSchema } from "../../contacts/rest";
import { OrderSchema } from "../../orders/schemas";

export const RequestKind = z.enum(["data_request", "customer_redact", "shop_redact"]);
export const RequestState = z.enum(["running", "done", "failed", "held", "dismissed"]);

export const PrivacyRequestSchema = z
  .strictObject({
    id: z.string(),
    shopId: z.string().openapi({ description: "Stays when the shop itself was redacted" }),
    kind: RequestKind,
    state: RequestState.openapi({
      description:
        "`held`: the same was carried out before and would now take somebody who came since, so it waits for a decision",
    }),
    heldUntil: MaybeTime.openapi({ description: "When a held request is carried out without a decision" }),
    webhookId: z.string(),
    receivedAt: TimeSchema,
    dueAt: TimeSchema.openapi({ description: "The law gives thirty days" }),
    doneAt: MaybeTime,
    overdue: z.boolean(),
    receipt: z
      .array(z.strictObject({ what: z.string(), count: z.int() }))
      .openapi({ description: "Rows removed, or found for a data request, by table; nothing personal" }),
    dataUntil: MaybeTime.openapi({ description: "Until when `/data` has what was found; null where there is none" }),
  })
  .openapi("PrivacyRequest");

export type PrivacyRequestEntry = z.infer<typeof PrivacyRequestSchema>;

export const PersonDataSchema = z
  .strictObject({
    requestId: z.string(),
    compiledAt: TimeSchema,
    contacts: z.array(ContactExportSchema),
    orders: z.array(OrderSchema).openapi({ description: "Orders that belong to none of the contacts" }),
    carts: z.array(CartSchema).openapi({ description: "Carts that belong to none of the contacts" }),
    webhooks: z
      .array(
        z.strictObject({
          id: z.string(),
          topic: z.string(),
          receivedAt: TimeSchema,
          body: z.string().nullable().openapi({
            description:
              "As received; null where all of them are too long for one answer: `/v1/webhook-inbox/{id}` has it",
          }),
        }),
      )
      .openapi({ description: "Stored deliveries that name the person" }),
    complete: z.boolean().openapi({ description: "False when there is more than fits" }),
  })
  .openapi("PersonData");

export type PersonData = z.infer<typeof PersonDataSchema>;
