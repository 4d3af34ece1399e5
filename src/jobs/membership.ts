import { sql } from "../db/client";

/**
 * When the memberships of a shop's segments need somebody: now (0) while anybody is marked as changed, at a time, or
 * never (null). One look into two indexes.
 */
export async function nextMembership(db: D1Database, shop: number): Promise<number | null> {
  const row = await sql(
    db,
    `select exists (select 1 from segment_dirty where shop = ?1) as marked,
       (select min(at) from segment_rechecks where shop = ?1) as due`,
    shop,
  ).first<{ marked: number; due: number | null }>();
  return row?.marked === 1 ? 0 : (row?.due ?? null);
}

/** Brings them up to date as far as one run goes; true when something is left. Loads with the first shop that needs it. */
export async function updateMembership(env: Env, shop: number, now: number): Promise<boolean> {
  const segments = await import("../segments/rest");
  return (await segments.updateMembership(env, shop, now)).more;
}

/**
 * Both, for callers that have just changed something: nothing but one look where nobody is marked.
 *
 * @returns whether anything was done
 */
export async function catchUp(env: Env, shop: number, now: number): Promise<boolean> {
  const due = await nextMembership(env.DB, shop);
  if (due === null || due > now) return false;
  await updateMembership(env, shop, now);
  return true;
}
