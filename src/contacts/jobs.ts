import { sql } from "../db/client";
import type { Shop } from "../shops";
import { continueBulk } from "./bulk";
import { continueErasure, eraseContact } from "./erase";

const TRASHED_A_RUN = 20;

/** A run of an erasure or a bulk change that was too big for one run, or cut off. */
export async function continueContactJob(
  env: Env,
  job: { id: string; shop: number; kind: string },
  now: number,
): Promise<"running" | "done"> {
  if (job.kind === "contacts.bulk") return (await continueBulk(env.DB, job, now)).state;
  return (await continueErasure(env, job, now)) ? "done" : "running";
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
