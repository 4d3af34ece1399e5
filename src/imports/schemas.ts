import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, ShopRef, TimeSchema } from "../api/schemas";
import { PRESETS } from "./columns";
import { Counts } from "./counts";
import { MOST_INLINE, MOST_PARTS } from "./limits";
import { ImportOptions } from "./options";

const Format = z.enum(["csv", "jsonl"]);

export const NewImport = z
  .strictObject({
    shop: ShopRef.optional(),
    format: Format.default("csv"),
    content: z
      .string()
      .max(MOST_INLINE)
      .optional()
      .openapi({ description: "The file itself where it is small: it is read at once. Else send it in parts" }),
    dryRun: z.boolean().default(false).openapi({ description: "With `content`: only tell what would happen" }),
    ...ImportOptions.shape,
  })
  .openapi("NewImport");

export type NewImport = z.infer<typeof NewImport>;

export const StartImport = z.strictObject({ dryRun: z.boolean().default(false) }).openapi("StartImport");

export const PartParam = z.object({
  id: z.string().min(1).max(300),
  no: z.coerce.number().int().min(1).max(MOST_PARTS).openapi({ type: "integer" }),
});

const RowProblem = z.strictObject({
  row: z.int().openapi({ description: "As a spreadsheet counts them: a CSV's header is row 1" }),
  column: z.string(),
  detail: z.string(),
  fatal: z.boolean().openapi({ description: "The whole row was left out" }),
});

export const ImportSchema = z
  .strictObject({
    id: z.string(),
    state: z.enum(["waiting", "checking", "checked", "running", "done", "failed"]).openapi({
      description: "`waiting` for its file, `checking` in a dry run, `checked` after one",
    }),
    format: Format,
    options: ImportOptions,
    bytes: z.int(),
    preset: z.enum(PRESETS).nullable(),
    columns: z.record(z.string(), z.string()).openapi({ description: "What each column that is taken is about" }),
    unknownColumns: z.array(z.string()).openapi({ description: "Left out; `mapping` or `createFields` takes them in" }),
    newFields: z.array(z.string()).openapi({ description: "Fields that were declared, or in a dry run would be" }),
    counts: Counts,
    firstErrors: z.array(RowProblem).openapi({ description: "All of them: `/errors`" }),
    error: MaybeText.openapi({ description: "Why the file could not be read on" }),
    jobId: MaybeText,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Import");

export type ShownImport = z.infer<typeof ImportSchema>;

export const PartSchema = z.strictObject({ importId: z.string(), part: z.int(), bytes: z.int() }).openapi("ImportPart");

export const NewExport = z
  .strictObject({
    shop: ShopRef.optional(),
    format: Format.default("csv"),
    segmentId: z.string().max(100).optional(),
    listId: z.string().max(100).optional(),
  })
  .refine(({ segmentId, listId }) => segmentId === undefined || listId === undefined, {
    path: ["listId"],
    error: "either this or segmentId",
  })
  .openapi("NewExport");

export type NewExport = z.infer<typeof NewExport>;

export const ExportSchema = z
  .strictObject({
    id: z.string(),
    state: z.enum(["running", "done", "failed", "expired"]),
    format: Format,
    of: MaybeText.openapi({ description: "The segment or list; null for everybody" }),
    rows: z.int(),
    bytes: z.int(),
    downloadUrl: MaybeText.openapi({ description: "Signed: whoever has it may read the file until it expires" }),
    expiresAt: MaybeTime,
    jobId: z.string(),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Export");

export type ShownExport = z.infer<typeof ExportSchema>;
