import { z } from "@hono/zod-openapi";

import { Maybe, MaybeText, MaybeTime, MoneySchema, ShopRef, Text, TimeSchema } from "../api/schemas";
import { CHANNELS } from "../messages";
import { Definition, MEASURES, shape } from "./definition";

const Name = Text(200).min(1);

/** Every part that has a default may be left out; one template stands for one variant. */
const input = {
  include: shape.include.clone().openapi({ description: "Ids of segments and lists: everybody in any of them" }),
  exclude: shape.exclude.optional().openapi({ description: "Ids of segments and lists: nobody in any of them" }),
  templateId: z.string().min(1).max(100).optional().openapi({ description: "In the place of `variants`" }),
  variants: shape.variants.optional().openapi({ description: "Messages that are tried against each other" }),
  senderId: shape.senderId.optional().openapi({ description: "Null: the channel's default" }),
  schedule: shape.schedule.optional().openapi({
    description:
      "`now`, `at` a moment, or `local`: at one date and time without a zone, by the clock of each recipient; who is " +
      "past it gets it at once",
  }),
  perMinute: shape.perMinute.optional().openapi({ description: "Messages a minute; null for as fast as they go" }),
  quietHours: shape.quietHours.clone().openapi({ description: "Left out: the shop's own; null: none" }),
  cap: shape.cap.clone().openapi({ description: "Left out: the shop's own for this channel; null: none" }),
  holdout: shape.holdout.optional().openapi({ description: "Percent who get nothing, to compare with" }),
  test: shape.test.optional().openapi({
    description: "A share tries the variants; after some hours everybody else gets the one with the best rate",
  }),
};

const once = ({ templateId, variants }: { templateId?: unknown; variants?: unknown }) =>
  templateId === undefined || variants === undefined;
const ONCE = { error: "is there beside variants", path: ["templateId"] };

export const NewCampaign = z
  .strictObject({ shop: ShopRef.optional(), name: Name, channel: z.enum(CHANNELS), ...input })
  .refine(once, ONCE)
  .refine(({ templateId, variants }) => (templateId ?? variants) !== undefined, {
    error: "needs a template, or variants",
    path: ["templateId"],
  })
  .openapi("NewCampaign");

export type NewCampaign = z.infer<typeof NewCampaign>;

export const CampaignPatch = z
  .strictObject({ name: Name, ...input })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, "changes nothing")
  .refine(once, ONCE)
  .openapi("CampaignPatch");

export type CampaignPatch = z.infer<typeof CampaignPatch>;

const STATES = ["draft", "scheduled", "preparing", "sending", "paused", "sent", "cancelled", "failed"] as const;

export const CampaignSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    channel: z.enum(CHANNELS),
    class: z.literal("marketing"),
    state: z.enum(STATES).openapi({
      description: "`preparing`: the audience is being taken down; `sent`: nobody waits for it any more",
    }),
    include: Definition.shape.include,
    exclude: Definition.shape.exclude,
    variants: z.array(z.strictObject({ name: z.string(), templateId: z.string(), weight: z.number() })),
    senderId: MaybeText,
    schedule: z.union([
      z.strictObject({ type: z.literal("now") }),
      z.strictObject({ type: z.enum(["at", "local"]), at: z.string() }),
    ]),
    perMinute: z.int().nullable(),
    quietHours: Maybe(z.strictObject({ from: z.string(), to: z.string(), mode: z.string() })).optional(),
    cap: Maybe(z.strictObject({ most: z.int(), hours: z.int() })).optional(),
    holdout: z.number(),
    test: Maybe(z.strictObject({ percent: z.number(), by: z.enum(MEASURES), afterHours: z.int() })),
    winner: MaybeText.openapi({ description: "The variant that won the test" }),
    winnerAt: MaybeTime,
    dueAt: MaybeTime.openapi({ description: "When it begins, or when the winner is chosen" }),
    startedAt: MaybeTime.openapi({ description: "When the audience was taken down" }),
    pausedAt: MaybeTime,
    jobId: MaybeText.openapi({ description: "The job that takes down the audience, or changes what waits" }),
    error: MaybeText,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Campaign");

export type CampaignShown = z.infer<typeof CampaignSchema>;

const Reasons = z.array(z.strictObject({ reason: z.string(), count: z.int() }));

export const ProgressSchema = z
  .strictObject({
    state: z.enum(STATES),
    audience: z.int().openapi({ description: "People taken down so far" }),
    queued: z.int(),
    sent: z.int(),
    skipped: z.int(),
    failed: z.int(),
    unknown: z.int(),
    reasons: Reasons.openapi({ description: "Why those were skipped, failed or put off" }),
  })
  .openapi("CampaignProgress");

export const EstimateSchema = z
  .strictObject({
    audience: z.int().openapi({ description: "Everybody in the segments and lists" }),
    recipients: z.int().openapi({ description: "Those who would get it" }),
    holdout: z.int(),
    skipped: Reasons.openapi({ description: "Why the others would not; the reasons of deliveries" }),
    exact: z.boolean().openapi({ description: "False: counted on a sample and scaled up" }),
    examined: z.int(),
    notReady: z.array(z.strictObject({ id: z.string(), state: z.string() })).openapi({
      description: "Segments whose stored members are not those of their definition",
    }),
  })
  .openapi("CampaignEstimate");

const Rate = z
  .number()
  .nullable()
  .openapi({ description: "A fraction from 0 to 1; null where there is nothing to divide by" });

/** Figures of one variant, or of all. */
const figures = {
  recipients: z.int().openapi({ description: "Messages that were tried to be sent: sent, failed or unknown" }),
  delivered: z.int().openapi({ description: "Sent and not returned" }),
  deliveryRate: Rate,
  opens: z.int(),
  opensUnique: z.int(),
  openRate: Rate,
  machineOpensUnique: z.int().openapi({ description: "Opened by a machine; in none of the other figures" }),
  clicks: z.int(),
  clicksUnique: z.int(),
  clickRate: Rate,
  clickToOpenRate: Rate,
  bounced: z.int(),
  bounceRate: Rate,
  failed: z.int(),
  failedRate: Rate,
  spamComplaints: z.int(),
  spamComplaintRate: Rate,
  unsubscribes: z.int(),
  unsubscribeUniques: z.int(),
  unsubscribeRate: Rate,
  conversions: z.int().openapi({ description: "Orders that are credited to these messages" }),
  conversionUniques: z.int(),
  conversionRate: Rate,
  conversionValue: MoneySchema.openapi({ description: "What those orders are worth now: refunds are taken off" }),
  averageOrderValue: Maybe(MoneySchema),
  revenuePerRecipient: z.number().nullable().openapi({ description: "In minor units" }),
};

const purchases = {
  people: z.int(),
  buyers: z.int(),
  buyerRate: Rate,
  orders: z.int(),
  revenue: MoneySchema,
  revenuePerPerson: z.number().nullable().openapi({ description: "In minor units" }),
};

const Purchases = z.strictObject(purchases).openapi({
  description: "What everybody of the group bought since the audience was taken down, whoever touched the message",
});

export const ResultsSchema = z
  .strictObject({
    ...figures,
    variants: z.array(z.strictObject({ name: z.string(), isWinner: z.boolean(), ...figures, purchases: Purchases })),
    holdout: Maybe(Purchases),
    hours: z.number().openapi({ description: "Hours of `purchases`, from when the audience was taken down" }),
  })
  .openapi("CampaignResults");

export type Figures = z.infer<z.ZodObject<typeof figures>>;
export type PurchaseFigures = z.infer<z.ZodObject<typeof purchases>>;
