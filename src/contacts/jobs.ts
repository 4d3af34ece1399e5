import { z } from "zod";

import { sql } from "../db/client";
import type { Shop } from "../shops";
import { continueBulk } from "./bulk";
import { continueErasure, eraseContact } from "./erase";

/** A running job that nobody touched for this long was cut off. */
const STALLED_MS = 30_000;
const JOBS_A_RUN = 5;
const TRASHED_A_RUN = 20;

const ErasureInput = z.object({ contact: z.int() });

/** Goes on with erasures and bulk changes that were too big for one run or cut off. Called by cron. */
export async function continueContactJobs(env: Env, now: number): Promise<void> {
  const { results } = await sql(
    env.DB,
    `select id, shop, kind, input from jobs
     where state = 'running' and kind in ('contact.erase', 'contacts.bulk') and updated_at <= ? order by updated_at limit ?`,
    now - STALLED_MS,
    JOBS_A_RUN,
  ).all<{ id: string; shop: number; kind: string; input: string }>();
  for (const job of results) {
    if (job.kind === "contacts.bulk") await continueBulk(env.DB, job, now);
    else await continueErasure(env, { ...job, contact: ErasureInput.parse(JSON.parse(job.input)).contact }, now);
  }
}

/**
 * Erases contacts whose time in the trash is over, some at a time. Returns how many it began with. Called by cron.
 */
export async function purgeTrash(env: Env, shop: Shop, now: number): Promise<number> {
  const { results } = await sql(
    env.DB,
    `select key, id from contacts where shop = ?1 and deleted_at is not null and deleted_at <= ?2
     order by deleted_at limit ?3`,
    shop.key,
    now - shop.settings.trashRetentionDays * 86_400_000,
    TRASHED_A_RUN,
  ).all<{ key: number; id: string }>();
  const ctx = {
    env,
    db: env.DB,
    now,
    shop,
    actor: { kind: "system" as const, name: "retention" },
    requestId: `retention_${now}`,
    later: () => undefined,
  };
  for (const contact of results) await eraseContact(ctx, contact);
  return results.length;
}
