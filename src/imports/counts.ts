import { z } from "@hono/zod-openapi";

/** What became of the rows of a file so far. */
export const Counts = z.strictObject({
  rows: z.int().default(0),
  created: z.int().default(0),
  updated: z.int().default(0),
  unchanged: z
    .int()
    .default(0)
    .openapi({ description: "Nothing about the person that was not known; tags and lists aside" }),
  skipped: z.int().default(0),
  failed: z.int().default(0),
  suppressed: z.int().default(0).openapi({ description: "Suppressions that the file holds" }),
  problems: z.int().default(0).openapi({ description: "Values or whole rows left out; see `errors`" }),
});

export type Counts = z.infer<typeof Counts>;
