import { z } from "@hono/zod-openapi";

import { Tags } from "../contacts/schemas";
import { SUPPRESSION_REASONS } from "../suppressions";
import { PRESETS, targetNamed } from "./columns";

const TargetName = z
  .string()
  .max(100)
  .refine((name) => targetNamed(name) !== null, "is nothing a column can be about")
  .openapi({ example: "consents.email.state" });

const shape = {
  kind: z.enum(["contacts", "suppressions"]).default("contacts").openapi({
    description: "`suppressions`: the addresses are suppressed, nobody is added",
  }),
  preset: z
    .enum(["auto", "none", ...PRESETS])
    .default("auto")
    .openapi({ description: "Whose export it is; `auto` tells by the columns" }),
  mapping: z
    .record(z.string().max(200), TargetName)
    .default({})
    .openapi({
      description:
        "What columns are about, by their name, before what the preset says: a name of our own exports " +
        "(`email`, `consents.sms.state`, `fields.shoe_size`, ...), `suppression.reason`, `suppression.at`, " +
        "`optOut.email`, `optOut.sms`, `optOut.all`, `optOut.at`, `bounced`, or `ignore`",
    }),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "is not a two-letter country code")
    .optional()
    .openapi({ description: "Of phone numbers written without one" }),
  existing: z.enum(["update", "fill", "skip"]).default("update").openapi({
    description: "For people who are known: the file's values win, only fill gaps, or stay out. A blank never clears",
  }),
  missing: z.enum(["create", "skip"]).default("create").openapi({ description: "For people who are not known" }),
  conflicts: z.enum(["leave", "merge"]).default("leave").openapi({
    description: "Where a row names two contacts that could be one: leave out what is the other's, or merge them",
  }),
  tags: Tags.default([]).openapi({ description: "For everybody in the file, beside their own" }),
  listId: z.string().max(100).optional().openapi({ description: "A list to put everybody on" }),
  createFields: z
    .boolean()
    .default(false)
    .openapi({ description: "Declare text fields for columns that nobody knows; else they are left out" }),
  reason: z
    .enum(SUPPRESSION_REASONS)
    .exclude(["ERASED"])
    .default("USER_SUPPRESSED")
    .openapi({ description: "Of suppressions for which the file gives none" }),
};

export const ImportOptions = z.strictObject(shape);

export type ImportOptions = z.infer<typeof ImportOptions>;
