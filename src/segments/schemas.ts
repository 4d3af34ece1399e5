import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, PageQuery, ShopRef, Text, TimeSchema } from "../api/schemas";

export const AudienceSchema = z.enum(["contacts", "visitors", "both"]).openapi("Audience");

/** Read by `parseDefinition`, which knows the shop; its errors point at the leaf. */
export const DefinitionSchema = z.record(z.string(), z.unknown()).openapi({
  description: "A tree of `all`, `any` and `none` over conditions (`/v1/segments/catalog`)",
  example: { all: [{ did: "order_placed", count: { gte: 2 }, window: { inLast: { n: 30, unit: "day" } } }] },
});

const StateSchema = z.enum(["filling", "live", "paused", "slow"]).openapi({
  description:
    "`filling` while everybody is looked at for the first time, `live` while it is kept up to date, `slow` when it was " +
    "taken out because it cost too much, `paused` by somebody",
});

export const SegmentSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    audience: AudienceSchema,
    definition: DefinitionSchema,
    version: z.int().openapi({ description: "Counts the changes of audience and definition" }),
    state: StateSchema,
    problem: MaybeText.openapi({ description: "Why it is not kept up to date" }),
    size: z.int().openapi({ description: "Members as stored" }),
    filledAt: MaybeTime,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Segment");

export type Segment = z.infer<typeof SegmentSchema>;

const Name = Text(200).min(1);

export const NewSegment = z
  .strictObject({
    shop: ShopRef.optional(),
    name: Name,
    audience: AudienceSchema.default("contacts"),
    definition: DefinitionSchema,
    announceFirst: z
      .boolean()
      .default(false)
      .openapi({ description: "Tell of those whom the first fill finds as of any who enter" }),
  })
  .openapi("NewSegment");

export const SegmentPatch = z
  .strictObject({
    name: Name.optional(),
    audience: AudienceSchema.optional(),
    definition: DefinitionSchema.optional(),
    state: z.enum(["live", "paused"]).optional().openapi({ description: "Pauses it, or fills it again" }),
  })
  .openapi("SegmentPatch");

export type SegmentPatch = z.infer<typeof SegmentPatch>;

const Ids = z.array(z.string().min(1).max(100)).max(50);

/** What is taken away from an audience. */
const ExcludeSchema = z.strictObject({ segments: Ids.default([]), lists: Ids.default([]) });

export const PreviewRequest = z
  .strictObject({
    shop: ShopRef.optional(),
    audience: AudienceSchema.default("contacts"),
    definition: DefinitionSchema.optional(),
    include: ExcludeSchema.optional().openapi({ description: "Instead of a definition: who is in any of these" }),
    exclude: ExcludeSchema.optional().openapi({ description: "Without the members of these" }),
  })
  .openapi("SegmentPreviewRequest");

export type PreviewRequest = z.infer<typeof PreviewRequest>;

export const PreviewQuery = z.object({
  shop: ShopRef.optional(),
  explain: z.stringbool().default(false).openapi({ type: "boolean", description: "Adds what the count cost" }),
});

const kind = z.enum(["contact", "visitor"]);

export const SubjectSchema = z
  .strictObject({ kind, id: z.string() })
  .openapi("SegmentSubject", { description: "A contact's id, or a visitor's: nothing else is told of a visitor" });

export const PreviewSchema = z
  .strictObject({
    count: z.int(),
    sample: z.array(SubjectSchema),
    explanation: z
      .strictObject({ rowsRead: z.int(), steps: z.array(z.string()), sqlBytes: z.int(), ms: z.number() })
      .optional(),
  })
  .openapi("SegmentPreview");

export type Preview = z.infer<typeof PreviewSchema>;

export const MemberSchema = z.strictObject({ kind, id: z.string(), enteredAt: TimeSchema }).openapi("SegmentMember");

export type Member = z.infer<typeof MemberSchema>;

export const MemberQuery = PageQuery.extend({ kind: kind.optional() });

export const TransitionSchema = z
  .strictObject({
    kind,
    id: MaybeText,
    change: z.enum(["entered", "left"]),
    at: TimeSchema,
  })
  .openapi("SegmentTransition");

export type Transition = z.infer<typeof TransitionSchema>;

export const SizeSchema = z
  .strictObject({ day: z.iso.date().openapi({ description: "In the shop's time zone" }), size: z.int() })
  .openapi("SegmentSize");

const named = { name: z.string(), label: z.string() };

const AskedSchema = z.strictObject({
  ...named,
  type: z.enum(["text", "number", "money", "bool", "date", "place"]),
  many: z.boolean(),
  operators: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  options: z.array(z.string()).nullable(),
});

export const CatalogSchema = z
  .strictObject({
    groups: z.array(
      z.strictObject({
        ...named,
        ecommerce: z.boolean(),
        fields: z.array(z.strictObject({ ...AskedSchema.shape, audiences: z.array(z.string()) })),
      }),
    ),
    events: z.array(
      z.strictObject({
        ...named,
        group: z.string(),
        ecommerce: z.boolean(),
        open: z.boolean(),
        properties: z.array(AskedSchema),
      }),
    ),
  })
  .openapi("SegmentCatalog");
