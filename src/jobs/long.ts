import { sql } from "../db/client";
import { logFailure } from "../lib/log";

/** A running job that nobody touched for this long goes on from here: it was too big for one run, or cut off. */
const STALLED_MS = 30_000;
const JOBS_A_RUN = 5;

/** Between two runs of which the second need not wait: each is an invocation of its own. */
const AT_ONCE_MS = 100;

interface LongJob {
  id: string;
  shop: number;
  kind: string;
}

/**
 * Kinds that go on here, with what carries on a run of each; loaded with the first, start-up does not pay for them. One
 * that answers `more` has only used up its run: the next follows at once.
 */
const RUNNERS: Record<string, (env: Env, job: LongJob, now: number) => Promise<unknown>> = {
  "campaigns.work": async (env, job, now) => (await import("../campaigns/rest")).continueCampaign(env, job, now),
  "contact.erase": async (env, job, now) => (await import("../contacts/rest")).continueContactJob(env, job, now),
  "contacts.bulk": async (env, job, now) => (await import("../contacts/rest")).continueContactJob(env, job, now),
  "contacts.purge": async (env, job, now) => (await import("../contacts/rest")).continueContactJob(env, job, now),
  "discounts.fill": async (env, job, now) => (await import("../discounts/rest")).continueFill(env, job, now),
  "exports.run": async (env, job, now) => (await import("../imports/rest")).continueExport(env, job, now),
  "fields.delete": async (env, job, now) => (await import("../fields/rest")).removeFieldValues(env.DB, job, now),
  "imports.run": async (env, job, now) => (await import("../imports/rest")).continueImport(env, job, now),
  "lists.change": async (env, job, now) => (await import("../lists/rest")).continueListChange(env.DB, job, now),
  "privacy.data_request": async (env, job, now) => (await import("../shopify")).continuePrivacyJob(env, job, now),
  "privacy.customer_redact": async (env, job, now) => (await import("../shopify")).continuePrivacyJob(env, job, now),
  "privacy.shop_redact": async (env, job, now) => (await import("../shopify")).continuePrivacyJob(env, job, now),
  "segments.delete": async (env, job, now) => (await import("../segments/rest")).continueRemoval(env.DB, job, now),
  "segments.fill": async (env, job, now) => {
    const { more } = await (await import("../segments/rest")).updateMembership(env, job.shop, now);
    return more ? "more" : "done";
  },
  "shopify.deletions": async (env, job, now) => (await import("../shopify")).continueDeletions(env, job, now),
  "tags.change": async (env, job, now) => (await import("../tags/rest")).continueTagChange(env.DB, job, now),
};

const KINDS = JSON.stringify(Object.keys(RUNNERS));

/**
 * Carries on jobs that nobody is at, a bounded piece of each; of every shop, or of one. Repeatable.
 *
 * @returns after how many ms to go on, null with no job left
 */
export async function continueLongJobs(env: Env, now: number, shop: number | null = null): Promise<number | null> {
  const { results } = await sql(
    env.DB,
    `select id, shop, kind, updated_at as updatedAt from jobs
     where state = 'running' and kind in (select value from json_each(?1)) and shop = coalesce(?2, shop)
     order by updated_at limit ?3`,
    KINDS,
    shop,
    JOBS_A_RUN,
  ).all<LongJob & { updatedAt: number }>();
  let isAtOnce = false;
  for (const job of results) {
    if (job.updatedAt > now - STALLED_MS) continue;
    try {
      if ((await RUNNERS[job.kind]?.(env, job, now)) !== "more") continue;
      isAtOnce = true;
      await sql(env.DB, "update jobs set updated_at = ? where id = ?", now - STALLED_MS, job.id).run();
    } catch (error) {
      // The next run tries again; the other jobs do not wait for it.
      logFailure("job", error);
    }
  }
  return results.length === 0 ? null : isAtOnce ? AT_ONCE_MS : STALLED_MS;
}
