import { z } from "@hono/zod-openapi";

import { Maybe, MaybeText, TimeSchema } from "../api/schemas";
import { CartSchema } from "../carts/schemas";

export const TouchSchema = z
  .strictObject({
    source: MaybeText,
    medium: MaybeText,
    campaign: MaybeText,
    term: MaybeText,
    content: MaybeText,
    clickId: MaybeText.openapi({ description: "Name of the advertiser's click parameter, never its value" }),
    channel: MaybeText,
    referrer: MaybeText,
    landingUrl: MaybeText,
  })
  .openapi("Touch");

export const VisitorSchema = z
  .strictObject({
    id: z.string().openapi({ description: "The tracker's id of the browser" }),
    label: z.string().openapi({ example: "Anonymous visitor #4711" }),
    person: z.int().openapi({ description: "Which person of this browser, from 1" }),
    geo: z.strictObject({ country: MaybeText, region: MaybeText, city: MaybeText }),
    locale: z
      .strictObject({
        latitude: z.number().nullable(),
        longitude: z.number().nullable(),
        timezone: MaybeText,
        language: MaybeText,
      })
      .openapi({ description: "The place to a tenth of a degree, its time zone, and the browser's language" }),
    visits: z.int(),
    visitSeconds: z.int().openapi({ description: "How long all visits took together" }),
    pageViews: z.int(),
    returning: z.boolean().openapi({ description: "More than one visit" }),
    firstSeenAt: TimeSchema,
    lastSeenAt: TimeSchema,
    firstTouch: Maybe(TouchSchema),
    lastTouch: Maybe(TouchSchema),
    device: Maybe(z.strictObject({ type: MaybeText, browser: MaybeText, os: MaybeText }).openapi("Device")),
    cart: Maybe(CartSchema).openapi({ description: "The open cart, else the one that changed last" }),
    contactId: MaybeText,
    source: z.literal("anonymous_website_visitors").optional().openapi({ description: "Only with `include=hidden`" }),
  })
  .openapi("Visitor");

export type Visitor = z.infer<typeof VisitorSchema>;

export const TimelineItemSchema = z
  .strictObject({
    id: z.string().openapi({ description: "The id that the browser gave its event; ours for everything else" }),
    type: z.string(),
    at: TimeSchema,
    visitId: z.string().optional(),
    visitorId: z.string().optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .openapi("TimelineItem");

export const VisitSchema = z
  .strictObject({
    id: z.string(),
    visitorId: z.string().optional(),
    startedAt: TimeSchema,
    endedAt: TimeSchema,
    touch: Maybe(TouchSchema),
    events: z.int(),
    pages: z
      .array(z.strictObject({ url: MaybeText, title: MaybeText, at: TimeSchema }))
      .openapi({ description: "Page views in their order" }),
  })
  .openapi("Visit");
