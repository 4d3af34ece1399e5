import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";
import { normaliseEmail } from "../identity/normalise";

export const CHANNELS = ["email", "sms", "whatsapp"] as const;
export type Channel = (typeof CHANNELS)[number];

const ConsentState = z.enum(["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"]);
const ConsentLevel = z.enum(["single_opt_in", "confirmed_opt_in", "unknown"]);
const Status = z.enum(["invited", "enabled", "paying", "disabled", "declined"]);

export const Tag = Text(255).min(1);
export const Tags = z.array(Tag).max(250);

const ConsentSchema = z
  .strictObject({
    state: ConsentState,
    level: ConsentLevel.nullable(),
    basis: MaybeText.openapi({ description: "Why: shopify, api, form, phone_default, merge, ..." }),
    source: MaybeText.openapi({
      description: "Where the decision was collected: SHOPIFY, OTHER, form, api, checkout, or what the API was told",
    }),
    updatedAt: MaybeTime.openapi({ description: "When the person decided; for a default, when it was set" }),
  })
  .openapi("Consent");

export const FieldName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "is not a field name (snake_case)");
export const FieldValue = z.union([Text(5_000), z.number(), z.boolean(), z.array(Text(500)).max(100)]);

export const contactShape = {
  id: z.string(),
  externalId: MaybeText.openapi({ description: "The contact's id in a system of yours" }),
  email: MaybeText,
  phone: MaybeText.openapi({ description: "E.164" }),
  firstName: MaybeText,
  lastName: MaybeText,
  company: MaybeText,
  address: z.strictObject({
    line1: MaybeText,
    line2: MaybeText,
    city: MaybeText,
    province: MaybeText,
    country: MaybeText,
    zip: MaybeText,
  }),
  shopifyCustomerId: MaybeText.openapi({ description: "Shopify customer ID" }),
  source: z.enum(["Shopify", "Website", "API", "Import"]),
  tags: z.array(z.string()),
  lifecycle: z.strictObject({ stage: z.string(), status: Status.nullable() }),
  consents: z.strictObject({ email: ConsentSchema, sms: ConsentSchema, whatsapp: ConsentSchema }),
  fields: z.record(z.string(), z.unknown()).openapi({
    description: "Custom fields, `total_order_count`, and with a connected store its other three fields",
  }),
  score: z.int(),
  ordersCount: z.int(),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
  shopifyCreatedAt: MaybeTime,
  shopifyUpdatedAt: MaybeTime,
};

export const ContactSchema = z.strictObject(contactShape).openapi("Contact");

export type Contact = z.infer<typeof ContactSchema>;

const Email = Text(320).transform((value, context) => {
  const email = normaliseEmail(value);
  if (email === null) context.addIssue({ code: "custom", message: "is not an e-mail address" });
  return email;
});

/** Optional text: absent changes nothing, null or blank clears. */
function Clearable(max: number) {
  return Text(max)
    .transform((value) => value || null)
    .nullable()
    .optional();
}

const ShopifyCustomerId = z
  .string()
  .regex(/^(?:gid:\/\/shopify\/Customer\/)?\d{1,20}$/, "is not a Shopify customer id")
  .transform((id) => id.replace(/^.*\//, ""));

const ConsentInput = z.strictObject({
  state: ConsentState,
  level: ConsentLevel.optional(),
  source: Text(100).min(1).optional().openapi({ description: "Where it was collected; `api` by default" }),
});

const writable = {
  externalId: Text(200).min(1).nullable().optional(),
  email: Email.nullable().optional(),
  phone: Text(40).min(1).nullable().optional().openapi({
    description: "E.164, or national with `address.country` as a two-letter code",
  }),
  firstName: Clearable(255),
  lastName: Clearable(255),
  company: Clearable(255),
  address: z
    .strictObject({
      line1: Clearable(255),
      line2: Clearable(255),
      city: Clearable(255),
      province: Clearable(255),
      country: Clearable(255),
      zip: Clearable(50),
    })
    .nullable()
    .optional(),
  shopifyCustomerId: ShopifyCustomerId.nullable().optional(),
  tags: Tags.optional().openapi({ description: "All tags: those that are not named are removed" }),
  lifecycle: z
    .strictObject({
      stage: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, "is not a stage (snake_case)"),
      status: Status.nullable(),
    })
    .partial()
    .optional(),
  consents: z
    .strictObject({ email: ConsentInput, sms: ConsentInput, whatsapp: ConsentInput })
    .partial()
    .optional()
    .openapi({ description: "A decision of the person, made now" }),
  fields: z
    .record(FieldName, FieldValue.nullable())
    .refine((fields) => Object.keys(fields).length <= 100, "has more than 100 fields")
    .optional()
    .openapi({
      description:
        "Absent fields stay, null removes one. Declared fields take values of their type, others any. What is worked out " +
        "(the fields of a store, `total_order_count`) is left alone.",
    }),
  score: z.int().min(-1_000_000_000).max(1_000_000_000).optional(),
};

export const ContactPatch = z.strictObject(writable).openapi("ContactPatch");

export type ContactPatch = z.infer<typeof ContactPatch>;

export const NewContact = z
  .strictObject({
    shop: ShopRef.optional(),
    source: z.enum(["API", "Import", "Website"]).default("API"),
    ...writable,
  })
  .refine((input) => [input.email, input.phone, input.shopifyCustomerId, input.externalId].some((id) => id != null), {
    error: "needs an email, a phone, a shopifyCustomerId or an externalId",
  })
  .openapi("NewContact");

export type NewContact = z.infer<typeof NewContact>;

const filters = {
  email: z.string().max(320).optional(),
  phone: z.string().max(40).optional(),
  shopifyCustomerId: z.string().max(100).optional(),
  externalId: z.string().max(200).optional(),
  q: z.string().max(200).optional().openapi({
    description: "Words that begin a part of the e-mail address, phone number, name or company; all must match",
  }),
  tag: z.string().max(255).optional(),
  stage: z.string().max(50).optional(),
  status: Status.optional(),
};

/** Which contacts: what is given must all hold. */
export const ContactFilter = z.strictObject({ ...filters, ids: z.array(z.string().max(100)).max(1000).optional() });

export type ContactFilter = z.infer<typeof ContactFilter>;

export const ContactQuery = PageQuery.extend({
  ...filters,
  shopify_customer_id: z.string().max(100).optional().openapi({ description: "The same as `shopifyCustomerId`" }),
  deleted: z.stringbool().default(false).openapi({ type: "boolean", description: "Those in the trash" }),
});

const INCLUDES = ["orders", "carts", "events", "conversations", "notes", "lists", "segments"] as const;
export type Include = (typeof INCLUDES)[number];

/** `orders,carts`: a list of what is wanted beside the contact. */
export const IncludeParam = z
  .string()
  .max(200)
  .optional()
  .transform((text, context): Include[] => {
    const parsed = z.array(z.enum(INCLUDES)).safeParse(text ? text.split(",").map((part) => part.trim()) : []);
    if (!parsed.success) context.addIssue({ code: "custom", message: `knows ${INCLUDES.join(", ")}` });
    return parsed.success ? parsed.data : [];
  })
  .openapi({ type: "string", example: "orders,carts,events" });

export const LifecycleEntrySchema = z
  .strictObject({ stage: z.string(), status: Status.nullable(), at: TimeSchema })
  .openapi("LifecycleEntry");
