import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime } from "../../api/schemas";

const Stream = z.strictObject({
  resource: z.enum(["products", "collections", "customers", "orders", "checkouts"]),
  stretch: z.enum(["recent", "rest", "changes"]).openapi({
    description: "`recent` are the last 90 days, `changes` what is asked for every hour",
  }),
  state: z.enum(["waiting", "asked", "reading", "done", "failed"]),
  done: z.int(),
  total: z.int().nullable().openapi({ description: "Records in all, once Shopify has told" }),
  skipped: z.int().openapi({ description: "Records that could not be read; `error` names the first" }),
  error: MaybeText,
});

export const SyncSchema = z
  .strictObject({
    state: z.enum(["never", "running", "done", "failed"]),
    progress: z.int().min(0).max(100).openapi({ description: "Percent of all records" }),
    startedAt: MaybeTime,
    finishedAt: MaybeTime,
    notes: z.array(z.string()).openapi({
      description:
        "What cannot be read, such as orders of more than 60 days, and what keeps the rest from being read now",
    }),
    streams: z.array(Stream),
  })
  .openapi("ShopifySync");

export type SyncProgress = z.infer<typeof SyncSchema>;

export const SyncStartedSchema = z.strictObject({ jobId: z.string() }).openapi("ShopifySyncStarted");
