import { z } from "@hono/zod-openapi";

import { PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";

export const FIELD_TYPES = ["text", "number", "date", "boolean", "radio", "multiselect"] as const;

export type FieldType = (typeof FIELD_TYPES)[number];

const Source = z
  .enum(["shopify", "crm"])
  .openapi({ description: "`shopify`: the store's next change of it replaces what was edited here" });

export const FieldSchema = z
  .strictObject({
    id: z.string(),
    name: z.string().openapi({ description: "The key in a contact's `fields`", example: "shoe_size" }),
    label: z.string(),
    type: z.enum(FIELD_TYPES),
    options: z.array(z.string()).openapi({ description: "What a radio or multiselect field takes" }),
    system: z.boolean().openapi({ description: "Added by connecting a store; it cannot be changed or deleted" }),
    source: Source,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Field");

export type Field = z.infer<typeof FieldSchema>;

export const StandardFieldSchema = z
  .strictObject({
    name: z.string().openapi({ description: "As in a contact; a dot leads into an object" }),
    label: z.string(),
    type: z.enum(["text", "number", "date", "tags"]),
    source: Source,
  })
  .openapi("StandardField");

const Label = Text(100).min(1);
const Options = z
  .array(Text(100).min(1))
  .min(1)
  .max(100)
  .refine((options) => new Set(options).size === options.length, "names an option twice");

export const NewField = z
  .strictObject({
    shop: ShopRef.optional(),
    label: Label,
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,63}$/, "is not a field name (snake_case)")
      .optional()
      .openapi({ description: "Made from the label when absent; it never changes" }),
    type: z.enum(FIELD_TYPES),
    options: Options.optional().openapi({ description: "Needed for radio and multiselect, and only there" }),
  })
  .refine(({ type, options }) => hasOptions(type) === (options !== undefined), {
    path: ["options"],
    error: "are needed for radio and multiselect, and only there",
  })
  .openapi("NewField");

export type NewField = z.infer<typeof NewField>;

export const FieldPatch = z.strictObject({ label: Label, options: Options }).partial().openapi("FieldPatch");

export type FieldPatch = z.infer<typeof FieldPatch>;

export const FieldQuery = PageQuery.extend({
  system: z
    .stringbool()
    .optional()
    .openapi({ type: "boolean", description: "Only those of the store, or only others" }),
});

/** Work on contacts that a change begins; done at once where few contacts are concerned. */
export const ContactsChangeSchema = z
  .strictObject({ jobId: z.string(), state: z.enum(["running", "done"]) })
  .openapi("ContactsChange");

export function hasOptions(type: FieldType): boolean {
  return type === "radio" || type === "multiselect";
}
