import { z } from "@hono/zod-openapi";

import { ShopRef, Text, TimeInput } from "../api/schemas";
import { EventFields, EventId, hasPage } from "../collect/schemas";
import { normaliseEmail, normalisePhone } from "../identity/normalise";

/** Most events of one request. */
export const MOST_EVENTS = 500;

/** The beacon's own rules. Its schemas are made before OpenAPI is loaded and do not know `openapi()`; clones do. */
const NewEvent = z
  .strictObject({
    id: EventId.clone()
      .optional()
      .openapi({ type: "string", description: "The same id and type of the same person again is not a second event" }),
    at: z
      .union([z.int().positive().max(8.64e15), TimeInput])
      .optional()
      .openapi({ description: "ISO 8601 or epoch ms; now by default, at most 7 days ago" }),
    type: EventFields.type.clone().openapi({ type: "string", description: "A standard event, or `custom:*`" }),
    url: EventFields.url,
    title: EventFields.title,
    referrer: EventFields.referrer,
    data: EventFields.data.clone().openapi({ type: ["object", "null"], additionalProperties: true }),
    visitorId: z.uuid().optional().openapi({ description: "The tracker's id of a browser" }),
    contactId: Text(100).min(1).optional(),
    email: Text(320)
      .refine((email) => normaliseEmail(email) !== null, "is not an e-mail address")
      .optional(),
    phone: Text(40)
      .refine((phone) => normalisePhone(phone) !== null, "is not a phone number; write it with its country code")
      .optional(),
  })
  .refine((event) => event.visitorId ?? event.contactId ?? event.email ?? event.phone, {
    message: "name a visitorId, a contactId, an email or a phone",
  })
  .refine(hasPage, { path: ["url"], message: "a page view needs the page's http(s) address" })
  .openapi("NewEvent");

export const NewEvents = z
  .strictObject({ shop: ShopRef.optional(), events: z.array(NewEvent).min(1).max(MOST_EVENTS) })
  .openapi("NewEvents");

export type NewEvent = z.infer<typeof NewEvent>;

export const TakenEventsSchema = z
  .strictObject({
    accepted: z.int().openapi({ description: "Events that were new" }),
    ids: z.array(z.string()).openapi({ description: "In the order of the request" }),
  })
  .openapi("TakenEvents");
