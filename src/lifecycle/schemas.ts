import { z } from "@hono/zod-openapi";

import { MaybeText, PageQuery, ShopQuery, ShopRef, Text, TimeInput, TimeSchema } from "../api/schemas";

export const STATUSES = ["invited", "enabled", "paying", "disabled", "declined"] as const;

const Counts = z.strictObject({
  invited: z.int(),
  enabled: z.int(),
  paying: z.int(),
  disabled: z.int(),
  declined: z.int(),
});

export const StageSchema = z
  .strictObject({
    id: z.string().openapi({ description: "The same as `name`" }),
    name: z.string().openapi({ description: "What contacts carry; it never changes", example: "lead" }),
    label: z.string(),
    position: z.int().openapi({ description: "From 1, the top of the ladder" }),
    system: z.boolean().openapi({ description: "`lead`, and with a connected store `customer`" }),
    contacts: z.int().openapi({ description: "Contacts that stand at it now" }),
    statuses: z.union([Counts, z.null()]).openapi({ description: "Those of `customer` by status; null elsewhere" }),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("LifecycleStage");

export type Stage = z.infer<typeof StageSchema>;

const StageName = z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, "is not a stage (snake_case)");
const Position = z.int().min(1).max(1_000).openapi({ description: "Where it goes, from 1; beyond the end is the end" });

export const NewStage = z
  .strictObject({
    shop: ShopRef.optional(),
    label: Text(100).min(1),
    name: StageName.optional().openapi({ description: "Made from the label when absent" }),
    position: Position.optional(),
  })
  .openapi("NewLifecycleStage");

export type NewStage = z.infer<typeof NewStage>;

export const StagePatch = z
  .strictObject({ label: Text(100).min(1), position: Position })
  .partial()
  .openapi("LifecycleStagePatch");

export type StagePatch = z.infer<typeof StagePatch>;

export const StageQuery = PageQuery;

export const StageDeletion = ShopQuery.extend({
  moveTo: StageName.optional().openapi({ description: "The stage that its contacts go to" }),
});

export const ReportQuery = ShopQuery.extend({
  from: TimeInput.optional().openapi({ description: "Thirty days before `to` by default" }),
  to: TimeInput.optional().openapi({ description: "Now by default; the moment itself is left out" }),
});

export const ReportSchema = z
  .strictObject({
    from: TimeSchema,
    to: TimeSchema,
    stages: z.array(
      z.strictObject({
        stage: z.string(),
        label: z.string(),
        contacts: z.int().openapi({ description: "Now" }),
        entered: z.int().openapi({ description: "Moves to it in the window, new contacts among them" }),
        left: z.int().openapi({ description: "Moves away from it in the window" }),
      }),
    ),
    moves: z.array(
      z.strictObject({
        from: MaybeText.openapi({ description: "Null: the contact was new" }),
        to: z.string(),
        count: z.int(),
      }),
    ),
  })
  .openapi("LifecycleReport");

export type Report = z.infer<typeof ReportSchema>;
