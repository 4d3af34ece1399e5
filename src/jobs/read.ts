import { and, desc, eq, lt } from "drizzle-orm";

import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { iso } from "../lib/time";
import type { DeadLetter, Job } from "./schemas";
import { deadLetters, jobs } from "./tables";

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** Long work of the shop, newest first. */
export async function listJobs(ctx: Ctx, { limit, cursor }: PageRequest): Promise<Page<Job>> {
  const before = keyFrom("jobs", cursor);
  const rows = await orm(ctx.db)
    .select()
    .from(jobs)
    .where(and(eq(jobs.shop, ctx.shop.key), before === null ? undefined : lt(jobs.key, before)))
    .orderBy(desc(jobs.key))
    .limit(limit + 1);
  return pageOf("jobs", rows, limit, (row) => [row.key], showJob);
}

/** The job of this id and whose it is, or null. The caller checks the shop. */
export async function findJob(db: D1Database, id: string): Promise<{ shop: number; job: Job } | null> {
  const row = await orm(db).select().from(jobs).where(eq(jobs.id, id)).get();
  return row ? { shop: row.shop, job: showJob(row) } : null;
}

function showJob(row: typeof jobs.$inferSelect): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    progress: row.progress,
    total: row.total,
    percent: row.total ? Math.min(100, Math.floor((100 * row.progress) / row.total)) : null,
    error: row.error,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** Domain events whose reactions failed for good, newest first. */
export async function listDeadLetters(ctx: Ctx, { limit, cursor }: PageRequest): Promise<Page<DeadLetter>> {
  const before = keyFrom("dead-letters", cursor);
  const rows = await orm(ctx.db)
    .select()
    .from(deadLetters)
    .where(and(eq(deadLetters.shop, ctx.shop.key), before === null ? undefined : lt(deadLetters.key, before)))
    .orderBy(desc(deadLetters.key))
    .limit(limit + 1);
  return pageOf(
    "dead-letters",
    rows,
    limit,
    (row) => [row.key],
    (row) => ({
      id: row.id,
      type: row.type,
      subject: row.subject,
      error: row.error,
      at: iso(row.at),
      diedAt: iso(row.diedAt),
    }),
  );
}
