import { z } from "@hono/zod-openapi";

import { MaybeText, PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";

const tagShape = {
  id: z.string(),
  label: z.string().openapi({ example: "VIP" }),
  contacts: z.int().openapi({ description: "Contacts that carry it, without those in the trash" }),
  createdAt: TimeSchema,
};

export const TagSchema = z.strictObject(tagShape).openapi("Tag");

export type Tag = z.infer<typeof TagSchema>;

export const ChangedTagSchema = z
  .strictObject({
    ...tagShape,
    jobId: MaybeText.openapi({ description: "The job that is still changing contacts; null when all is done" }),
  })
  .openapi("ChangedTag");

export type ChangedTag = z.infer<typeof ChangedTagSchema>;

const Label = Text(255).min(1);

export const NewTag = z.strictObject({ shop: ShopRef.optional(), label: Label }).openapi("NewTag");
export const TagPatch = z.strictObject({ label: Label }).openapi("TagPatch");
export const TagMerge = z
  .strictObject({ into: z.string().min(1).max(100).openapi({ description: "Id of the tag that stays" }) })
  .openapi("TagMerge");

export const TagQuery = PageQuery.extend({
  q: z.string().max(255).optional().openapi({ description: "Part of the label, in any case" }),
});
