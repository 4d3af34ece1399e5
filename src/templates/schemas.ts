import { z } from "@hono/zod-openapi";

import { PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";
import { MOST_CHARACTERS } from "./limits";

const Id = z.string().min(1).max(100);
const Name = Text(200).min(1);
const Source = z.string().min(1).max(MOST_CHARACTERS);

const Approved = z
  .strictObject({
    name: z.string().min(1).max(512),
    language: z.string().min(2).max(15),
    variables: z.array(z.string().max(1024)).max(50),
  })
  .openapi({ description: "WhatsApp: the approved template for messages outside of the 24 hours after a reply" });

/** What a version says. Members that a channel does not have are null. */
export const TemplateContent = z.strictObject({
  subject: z.string().min(1).max(998).nullable(),
  preheader: z.string().max(500).nullable(),
  format: z.enum(["mjml", "html", "text"]),
  body: Source,
  /** The part without HTML; made from the body where null. */
  text: z.string().max(MOST_CHARACTERS).nullable(),
  onMissing: z.enum(["blank", "refuse"]),
  approved: Approved.nullable(),
});

export type TemplateContent = z.infer<typeof TemplateContent>;

const contentInput = {
  subject: z.string().min(1).max(998).nullable().optional().openapi({ description: "E-mail only, and needed there" }),
  preheader: z.string().max(500).nullable().optional(),
  format: z.enum(["mjml", "html", "text"]).optional().openapi({ description: "E-mail: mjml (the default) or html" }),
  body: Source.openapi({ description: "Liquid in MJML, HTML or text; see `/v1/templates/catalog`" }),
  text: z.string().max(MOST_CHARACTERS).nullable().optional().openapi({
    description: "E-mail: the part without HTML; made from the body if left out",
  }),
  onMissing: z.enum(["blank", "refuse"]).optional().openapi({
    description: "A value that is missing and has no fallback prints nothing (the default), or stops the message",
  }),
  approved: Approved.nullable().optional(),
};

export const CHANNELS = ["email", "sms", "whatsapp"] as const;

export const NewTemplate = z
  .strictObject({ shop: ShopRef.optional(), name: Name, channel: z.enum(CHANNELS), ...contentInput })
  .openapi("NewTemplate");

export type NewTemplate = z.infer<typeof NewTemplate>;

export const TemplatePatch = z
  .strictObject({ name: Name, ...contentInput })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, "changes nothing")
  .openapi("TemplatePatch");

export type TemplatePatch = z.infer<typeof TemplatePatch>;

const contentOutput = {
  subject: z.string().nullable(),
  preheader: z.string().nullable(),
  format: z.enum(["mjml", "html", "text"]),
  body: z.string(),
  text: z.string().nullable(),
  onMissing: z.enum(["blank", "refuse"]),
  approved: Approved.nullable(),
};

export const TemplateSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    channel: z.enum(CHANNELS),
    version: z.int(),
    ...contentOutput,
    variables: z.array(z.string()).openapi({ description: "Every value that it prints or asks about" }),
    warnings: z.array(z.string()),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Template");

export type ShownTemplate = z.infer<typeof TemplateSchema>;

export const TemplateItem = TemplateSchema.pick({
  id: true,
  name: true,
  channel: true,
  version: true,
  subject: true,
  createdAt: true,
  updatedAt: true,
}).openapi("TemplateItem");

export type TemplateItem = z.infer<typeof TemplateItem>;

export const TemplateQuery = PageQuery.extend({ channel: z.enum(CHANNELS).optional() });

export const VersionSchema = z
  .strictObject({ version: z.int(), ...contentOutput, createdAt: TimeSchema })
  .openapi("TemplateVersion");

/** What a message may be about, in ids, as deliveries keep it. */
export const About = z
  .strictObject({
    cart: z.string().max(300).optional().openapi({ description: "A cart's token" }),
    order: z.string().max(100).optional().openapi({ description: "An order's id" }),
    products: z.array(z.string().max(100)).max(20).optional().openapi({ description: "Product ids" }),
  })
  .openapi("MessageAbout");

const previewed = {
  contactId: Id.optional().openapi({ description: "Left out: an invented person" }),
  about: About.optional().openapi({ description: "Left out: the contact's newest cart and order" }),
  language: z.string().max(35).optional(),
};

export const PreviewRequest = z.strictObject(previewed).openapi("TemplatePreviewRequest");

export type PreviewRequest = z.infer<typeof PreviewRequest>;

export const DraftPreviewRequest = z
  .strictObject({ shop: ShopRef.optional(), channel: z.enum(CHANNELS), ...contentInput, ...previewed })
  .openapi("DraftPreviewRequest");

export const PreviewSchema = z
  .strictObject({
    sends: z.boolean().openapi({ description: "False: such a message would not be sent" }),
    reason: z.string().nullable(),
    missing: z.array(z.string()).openapi({ description: "Values that are missing and have no fallback" }),
    subject: z.string().nullable(),
    html: z.string().nullable(),
    text: z.string().nullable(),
    links: z.array(z.string()),
  })
  .openapi("TemplatePreview");

export type Preview = z.infer<typeof PreviewSchema>;

export const TranslateRequest = z
  .strictObject({ text: z.string().max(MOST_CHARACTERS) })
  .openapi("TagTranslationRequest");

export const TranslatedSchema = z
  .strictObject({ text: z.string(), unknown: z.array(z.string()) })
  .openapi("TagTranslation");

export const CatalogueSchema = z
  .strictObject({
    variables: z.array(z.strictObject({ name: z.string(), label: z.string(), needs: z.string().nullable() })),
    blocks: z.array(z.strictObject({ name: z.string(), label: z.string(), code: z.string() })),
    filters: z.array(z.string()),
    tags: z.array(z.string()),
    languages: z.array(z.string()),
  })
  .openapi("TemplateCatalogue");
