import { z } from "@hono/zod-openapi";

import { MaybeText, TimeSchema } from "../api/schemas";

export const JobSchema = z
  .strictObject({
    id: z.string(),
    kind: z.string(),
    state: z.enum(["queued", "running", "done", "failed"]),
    progress: z.int().openapi({ description: "Pieces done" }),
    total: z.int().nullable().openapi({ description: "Pieces in all, once known" }),
    percent: z.int().min(0).max(100).nullable(),
    error: MaybeText,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Job");

export type Job = z.infer<typeof JobSchema>;

export const DeadLetterSchema = z
  .strictObject({
    id: z.string(),
    type: z.string().openapi({ description: "Name of the domain event" }),
    subject: z.string(),
    error: z.string(),
    at: TimeSchema,
    diedAt: TimeSchema,
  })
  .openapi("DeadLetter");

export type DeadLetter = z.infer<typeof DeadLetterSchema>;
