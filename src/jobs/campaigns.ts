import { sql } from "../db/client";

/**
 * Begins campaigns whose time has come and chooses the winners of tests that are over; loads with the first shop that
 * has any.
 *
 * @returns when to do so next; null where no campaign waits for a time
 */
export async function nextCampaign(env: Env, shop: number, now: number): Promise<number | null> {
  const next = () =>
    sql(
      env.DB,
      "select min(due_at) as due from campaigns where shop = ? and due_at is not null and paused_at is null",
      shop,
    ).first<{ due: number | null }>();
  const due = (await next())?.due ?? null;
  if (due === null || due > now) return due;
  await (await import("../campaigns/rest")).carryOutDue(env, shop, now);
  return (await next())?.due ?? null;
}
