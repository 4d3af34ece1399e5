import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";

const State = z.enum(["draft", "active", "paused", "draining"]).openapi({
  description: "`paused`: nobody moves and nobody enters; `draining`: nobody enters, who is in it goes on",
});

const DefinitionSchema = z.record(z.string(), z.unknown()).openapi({
  description: "Triggers, filter, exits, settings and steps (`/v1/automations/catalog`); errors point at the leaf",
  example: {
    triggers: [{ type: "abandoned_cart" }],
    exits: [{ on: { type: "made_purchase" } }],
    steps: [{ id: "tag", type: "add_tag", tag: "left a cart" }],
  },
});

export const AutomationSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    state: State,
    version: z.int().openapi({ description: "The one by which people enter; those inside stay on theirs" }),
    definition: DefinitionSchema,
    activatedAt: MaybeTime,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Automation");

export type AutomationShown = z.infer<typeof AutomationSchema>;

const Name = Text(200).min(1);

export const NewAutomation = z
  .strictObject({ shop: ShopRef.optional(), name: Name, definition: DefinitionSchema })
  .openapi("NewAutomation");

export const AutomationPatch = z
  .strictObject({
    name: Name.optional(),
    definition: DefinitionSchema.optional(),
    onRemovedSteps: z
      .union([z.enum(["stay", "exit"]), z.strictObject({ moveTo: z.string().min(1).max(40) })])
      .optional()
      .openapi({
        description:
          "What becomes of people at steps that are no more: they stay on their version, leave, or go to a step",
      }),
  })
  .openapi("AutomationPatch");

export type AutomationPatch = z.infer<typeof AutomationPatch>;

export const Activation = z
  .strictObject({
    action: z.enum(["activate", "pause", "resume", "drain", "stop"]).openapi({
      description: "`stop` makes it a draft again and ends every run",
    }),
  })
  .openapi("AutomationActivation");

export const VersionSchema = z
  .strictObject({ version: z.int(), definition: DefinitionSchema, people: z.int(), createdAt: TimeSchema })
  .openapi("AutomationVersion");

const RunState = z.enum(["pending", "active", "done", "exited", "failed"]);

const Subject = z.strictObject({ kind: z.enum(["contact", "visitor"]), id: z.string() });

export const RunSchema = z
  .strictObject({
    id: z.string(),
    automationId: z.string(),
    version: z.int(),
    subject: Subject,
    state: RunState,
    step: MaybeText,
    event: MaybeText.openapi({ description: "What let the person in" }),
    cartToken: MaybeText,
    orderId: MaybeText,
    dueAt: MaybeTime,
    attempts: z.int(),
    error: MaybeText,
    reason: MaybeText.openapi({ description: "Why it ended" }),
    enteredAt: TimeSchema,
    endedAt: MaybeTime,
  })
  .openapi("AutomationRun");

export type RunShown = z.infer<typeof RunSchema>;

export const RunDetailSchema = z
  .strictObject({
    run: RunSchema,
    log: z.array(
      z.strictObject({
        step: z.string(),
        visit: z.int(),
        outcome: z.string(),
        data: z.record(z.string(), z.unknown()),
        scheduledAt: TimeSchema,
        at: TimeSchema,
      }),
    ),
  })
  .openapi("AutomationRunDetail");

export const RunQuery = PageQuery.extend({
  state: RunState.optional(),
  step: z.string().min(1).max(40).optional(),
  contactId: z.string().min(1).max(100).optional(),
});

export type RunQuery = z.infer<typeof RunQuery>;

const Ids = z.array(z.string().min(1).max(100)).max(1_000);

export const Enrolment = z
  .strictObject({
    contactIds: Ids.default([]),
    visitorIds: Ids.default([]),
    key: z.string().min(1).max(100).optional().openapi({
      description: "The same key lets the same person in once; without one the re-entry rule alone decides",
    }),
  })
  .openapi("AutomationEnrolment");

export type Enrolment = z.infer<typeof Enrolment>;

export const EnrolledSchema = z
  .strictObject({ entered: z.int(), keptOut: z.int(), unknown: z.array(z.string()) })
  .openapi("AutomationEnrolled");

export const StepCountSchema = z
  .strictObject({
    step: z.string(),
    version: z.int(),
    here: z.int().openapi({ description: "People who are at it now" }),
    failed: z.int(),
  })
  .openapi("AutomationStepCount");

const CheckSchema = z.strictObject({
  stage: z.enum(["trigger", "filter", "reentry", "exit"]),
  name: z.string(),
  passed: z.boolean(),
});

export const PreviewSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        event: z.string(),
        at: TimeSchema,
        trigger: z.int().openapi({ description: "Place of the trigger in the definition" }),
        subject: z.union([Subject, z.null()]),
        checks: z.array(CheckSchema),
        enters: z.boolean(),
      }),
    ),
  })
  .openapi("AutomationPreview");

export type Preview = z.infer<typeof PreviewSchema>;

export const PreviewRequest = z
  .strictObject({ definition: DefinitionSchema.optional() })
  .openapi("AutomationPreviewRequest");

export const DryRunRequest = z
  .strictObject({
    contactId: z.string().min(1).max(100).optional(),
    visitorId: z.string().min(1).max(100).optional(),
    conditions: z.enum(["met", "not_met"]).default("not_met").openapi({
      description: "Whether steps that wait for an event are to see it",
    }),
  })
  .refine(({ contactId, visitorId }) => (contactId === undefined) !== (visitorId === undefined), {
    message: "needs either contactId or visitorId",
  })
  .openapi("AutomationDryRun");

export type DryRunRequest = z.infer<typeof DryRunRequest>;

export const DryRunSchema = z
  .strictObject({
    enters: z.boolean(),
    path: z.array(
      z.strictObject({
        step: z.string(),
        type: z.string(),
        outcome: z.string(),
        effects: z.array(z.string()),
        at: TimeSchema,
      }),
    ),
    ends: z.string().openapi({ description: "How it ends: `done`, `waiting` for what may never come, or why not" }),
  })
  .openapi("AutomationDryRunResult");

export const CatalogSchema = z
  .strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        label: z.string(),
        elements: z.array(
          z.strictObject({
            type: z.string(),
            label: z.string(),
            starts: z.boolean().openapi({ description: "May start an automation" }),
            condition: z.boolean().openapi({ description: "May be waited for in the middle of one" }),
            properties: z.array(
              z.strictObject({
                name: z.string(),
                required: z.boolean(),
                type: z.string(),
                options: z.array(z.string()),
              }),
            ),
          }),
        ),
      }),
    ),
  })
  .openapi("AutomationCatalog");

export const RunParams = z.object({ id: z.string().min(1).max(300), runId: z.string().min(1).max(300) });
export const VersionParams = z.object({ id: z.string().min(1).max(300), version: z.coerce.number().int().min(1) });

export const ScoreChangeSchema = z
  .strictObject({ points: z.int(), runId: MaybeText, step: MaybeText, at: TimeSchema })
  .openapi("ScoreChange");
