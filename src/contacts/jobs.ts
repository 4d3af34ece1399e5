import { sql } from "../db/client";
import type { Shop } from "../shops";
import { continueBulk } from "./bulk";
import { beginErasure, continueErasure } from "./erase";

/** Contacts that go in one erasure: it searches all stored texts once, for the names of all of them. */
const TRASHED_AT_ONCE = 50;

/** A run of an erasure or a bulk change that was too big for one run, or cut off. */
export async function continueContactJob(
  env: Env,
  job: { id: string; shop: number; kind: string },
  now: number,
): Promise<"running" | "done"> {
  if (job.kind === "contacts.bulk") return (await continueBulk(env.DB, job, now)).state;
  return (await continueErasure(env, job, now)) ? "done" : "running";
}

const PURGE = "contacts.purge";

/**
 * Erases contacts whose time in the trash is over, some at a time, and the next ones when those are gone. Returns how
 * many it began with. Called by cron.
 */
export async function purgeTrash(env: Env, shop: Shop, now: number): Promise<number> {
  const { results } = await sql(
    env.DB,
    `select key, id from contacts where shop = ?1 and deleted_at is not null and deleted_at <= ?2
       and not exists (select 1 from jobs where shop = ?1 and kind = ?4 and state = 'running')
     order by deleted_at limit ?3`,
    shop.key,
    now - shop.settings.trashRetentionDays * 86_400_000,
    TRASHED_AT_ONCE,
    PURGE,
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
  if (results.length > 0) await beginErasure(ctx, results, PURGE);
  return results.length;
}
