import { z } from "zod";

const Id = z.string().min(1).max(100);
const Ids = z.array(Id).max(50);
const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "is a time like 21:00");

/** One of the messages that are tried against each other. */
const Variant = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(40)
    .refine((name) => name !== "holdout", "is taken"),
  templateId: Id,
  weight: z.number().gt(0).max(1_000).default(1),
});

export type Variant = z.infer<typeof Variant>;

/** When it goes out: at once, at a moment, or at one time of day wherever each recipient is. */
const Schedule = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("now") }),
  z.strictObject({ type: z.literal("at"), at: z.iso.datetime({ offset: true }) }),
  z.strictObject({ type: z.literal("local"), at: z.iso.datetime({ local: true, offset: false }) }),
]);

export type Schedule = z.infer<typeof Schedule>;

export const MEASURES = ["open_rate", "click_rate", "conversion_rate"] as const;

/** A share of the audience tries the variants; everybody else gets the one that did best after some hours. */
const Test = z.strictObject({
  percent: z.number().gt(0).max(90),
  by: z.enum(MEASURES),
  afterHours: z.int().min(1).max(168),
});

/** Whom a campaign goes to and how, without its name and channel. */
export const shape = {
  include: Ids.min(1),
  exclude: Ids,
  variants: z.array(Variant).min(1).max(8),
  senderId: Id.nullable(),
  schedule: Schedule,
  /** Messages a minute; null for as fast as they go. */
  perMinute: z.int().min(1).max(100_000).nullable(),
  /** Absent: the shop's own; null: none. */
  quietHours: z
    .strictObject({ from: TimeOfDay, to: TimeOfDay, mode: z.enum(["defer", "skip"]) })
    .nullable()
    .optional(),
  /** Most messages of the channel to one person. Absent: the shop's own; null: none. */
  cap: z
    .strictObject({ most: z.int().min(1).max(1_000), hours: z.int().min(1).max(8_760) })
    .nullable()
    .optional(),
  /** Percent of those who could get it that get nothing, to compare with. */
  holdout: z.number().min(0).max(50),
  test: Test.nullable(),
};

export const Definition = z.strictObject(shape);

export type Definition = z.infer<typeof Definition>;

export const DEFAULTS = {
  exclude: [],
  senderId: null,
  schedule: { type: "now" },
  perMinute: null,
  holdout: 0,
  test: null,
} satisfies Partial<Definition>;

/** What was pinned when it was sent. */
export const Pins = z.object({
  /** Key and version of the template by the variant's name. */
  templates: z.record(z.string(), z.tuple([z.int(), z.int()])),
  sender: z.int().nullable(),
});

export type Pins = z.infer<typeof Pins>;

/** What does not go together, by JSON pointer. */
export function contradictions({ variants, test, schedule }: Definition): { pointer: string; detail: string }[] {
  const errors = variants.flatMap(({ name }, i) =>
    variants.findIndex((one) => one.name === name) < i
      ? [{ pointer: `/variants/${i}/name`, detail: "is the name of two variants" }]
      : [],
  );
  if (test && variants.length < 2) errors.push({ pointer: "/test", detail: "needs two variants" });
  if (test && schedule.type === "local") {
    errors.push({ pointer: "/test", detail: "cannot be decided while it is not yet the hour everywhere" });
  }
  return errors;
}
