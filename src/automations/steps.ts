import { z } from "zod";

import { CHANNELS, EventElement, Length, TimeOfDay, Weekdays } from "./elements";

export const StepId = z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, "is no name of a step (lower case, up to 40)");

/** Where it goes on: a step, null for the end; absent for the step that stands next in the list. */
const Next = StepId.nullable().optional();

const Tag = z.string().trim().min(1).max(255);
const Id = z.string().min(1).max(100);
const FieldName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "is no name of a field");

/** Read by the segments' own reader, which knows the shop. */
const When = z.record(z.string(), z.unknown());

const step = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ id: StepId, type: z.literal(type), ...shape });

const FieldDate = z.strictObject({
  field: z.string().regex(/^fields\.[a-z][a-z0-9_]{0,63}$/, "is not fields.<name>"),
  offset: z
    .strictObject({
      n: z.int().min(1).max(1_000),
      unit: z.enum(["day", "week", "month"]),
      direction: z.enum(["before", "after"]),
    })
    .optional(),
  time: TimeOfDay,
});

const Wait = z.union(
  [
    z.strictObject({ for: Length }),
    z.strictObject({ untilTime: TimeOfDay, weekdays: Weekdays.optional() }),
    z.strictObject({ untilDate: z.iso.datetime({ offset: true }) }),
    z.strictObject({ untilDay: FieldDate }),
  ],
  "needs one of for, untilTime, untilDate, untilDay",
);

export const Step = z.discriminatedUnion("type", [
  step("message", {
    channel: z.enum(CHANNELS),
    template: Id,
    /** One version for good; the latest without it. */
    templateVersion: z.int().min(1).optional(),
    /** Consent to marketing is not asked for; the template must not advertise. */
    transactional: z.boolean().default(false),
    next: Next,
  }),
  step("webhook", {
    /** One of the shop's endpoints: address rule, signature and retries are its own. */
    endpoint: Id,
    data: z.record(z.string(), z.union([z.string().max(500), z.number(), z.boolean()])).optional(),
    next: Next,
  }),
  step("alert", { text: z.string().trim().min(1).max(500), next: Next }),
  step("add_tag", { tag: Tag, next: Next }),
  step("remove_tag", { tag: Tag, next: Next }),
  step("add_to_list", { list: Id, next: Next }),
  step("remove_from_list", { list: Id, next: Next }),
  step("move_to_list", { from: Id, list: Id, next: Next }),
  step("set_field", {
    field: FieldName,
    value: z.union([z.string().max(5_000), z.number(), z.boolean(), z.array(z.string().max(500)).max(100)]),
    next: Next,
  }),
  step("increase_field", { field: FieldName, by: z.number().refine((by) => by !== 0, "is 0"), next: Next }),
  step("clear_field", { field: FieldName, next: Next }),
  step("score", {
    points: z
      .int()
      .min(-100_000)
      .max(100_000)
      .refine((points) => points !== 0, "is 0"),
    next: Next,
  }),
  step("lifecycle", { stage: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, "is no stage"), next: Next }),
  step("consent", { channel: z.enum(CHANNELS), state: z.enum(["subscribed", "unsubscribed"]), next: Next }),
  step("coupon", { pool: Id, next: Next }),
  step("wait", { wait: Wait, next: Next }),
  step("wait_until", {
    when: When,
    /** Goes on by `else` then; never without it. */
    timeout: Length.optional(),
    next: Next,
    else: Next,
  }),
  step("condition", {
    on: EventElement,
    /** When it counts as not met: never, or after so long; then it goes on by `else`. */
    notMet: z.union([z.literal("never"), z.strictObject({ after: Length })]).default({ after: { n: 1, unit: "day" } }),
    next: Next,
    else: Next,
  }),
  step("if", { when: When, next: Next, else: Next }),
  step("branch", {
    branches: z
      .array(z.strictObject({ when: When, next: StepId.nullable() }))
      .min(1)
      .max(10),
    else: Next,
  }),
  step("split", {
    arms: z
      .array(
        z.strictObject({
          name: z.string().trim().min(1).max(40),
          weight: z.number().gt(0).max(1_000),
          next: StepId.nullable(),
        }),
      )
      .min(2)
      .max(10),
    /** Percent of all who take no arm and end here, to compare with. */
    holdout: z.number().min(0).max(90).default(0),
  }),
  step("goal", {
    /** Whoever meets it comes here from wherever they are. */
    on: EventElement.optional(),
    when: When.optional(),
    /** For who comes here by the steps before without having met it. */
    notMet: z.enum(["wait", "continue", "end"]).default("continue"),
    next: Next,
  }),
  step("go_to", { step: StepId, most: z.int().min(1).max(100).default(10), next: Next }),
  step("start_automation", { automation: Id, next: Next }),
  step("stop_automation", { automation: Id, next: Next }),
  step("exit", {}),
]);

export type Step = z.infer<typeof Step>;
export type StepOf<T extends Step["type"]> = Extract<Step, { type: T }>;
