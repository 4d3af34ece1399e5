import { sql } from "../db/client";

/** Runs of a shop's automations that are due, the most overdue first; one that is being moved once its lease ends. */
export async function dueRuns(db: D1Database, shop: number, now: number, limit: number) {
  const { results } = await sql(
    db,
    `select key, max(due_at, coalesce(lease_until, 0)) as dueAt from runs where shop = ?1 and due_at <= ?2
     order by due_at limit ?3`,
    shop,
    now,
    limit,
  ).all<{ key: number; dueAt: number }>();
  return results;
}

/** When the next run that waits for a time is due; null where none does. */
export async function nextRun(db: D1Database, shop: number, now: number): Promise<number | null> {
  const row = await sql(db, "select min(due_at) as due from runs where shop = ? and due_at > ?", shop, now).first<{
    due: number | null;
  }>();
  return row?.due ?? null;
}

/**
 * Lets people in by dates and schedules that are due; loads with the first shop that has any.
 *
 * @returns when to do so next; null where no automation has such a trigger
 */
export async function nextEntrance(env: Env, shop: number, now: number): Promise<number | null> {
  const due = await sql(env.DB, "select min(due_at) as due from automation_timers where shop = ?", shop).first<{
    due: number | null;
  }>();
  if (due === null || due.due === null || due.due > now) return due?.due ?? null;
  const { letPeopleIn } = await import("../automations");
  return letPeopleIn(env, shop, now);
}
