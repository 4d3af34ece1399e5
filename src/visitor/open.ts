import type { Ctx } from "../context";
import { sql } from "../db/client";
import { flushVisitor } from "./index";

/** Objects flushed for one reader at most. */
const MOST = 5;

/** Shops whose objects are asked for a browser that no database row names yet. */
const MOST_SHOPS = 20;

/**
 * The shop that a browser belongs to, for an operator who names none: the one that has seen it, also where only its
 * object knows of it yet. Null when no shop has, or when several have.
 */
export async function shopOfVisitor(env: Env, tracker: string): Promise<number | null> {
  const seen = () =>
    sql(
      env.DB,
      "select key from shops where exists (select 1 from visitors where shop = shops.key and tracker = ?) limit 2",
      tracker,
    ).all<{ key: number }>();
  let { results } = await seen();
  if (results.length === 0) {
    const shops = await sql(env.DB, "select key from shops order by key desc limit ?", MOST_SHOPS).all<{
      key: number;
    }>();
    await Promise.all(shops.results.map((shop) => flushVisitor(env, shop, tracker)));
    ({ results } = await seen());
  }
  return results.length === 1 ? (results[0]?.key ?? null) : null;
}

/** Brings what the contact's browsers still hold into the database, those seen last first. */
export async function flushContact(ctx: Ctx, contact: number): Promise<void> {
  const { results } = await sql(
    ctx.db,
    `select distinct tracker from (
       select tracker from visitors where contact = ?2 and shop = ?1 order by last_seen_at desc limit ${MOST})`,
    ctx.shop.key,
    contact,
  ).all<{ tracker: string }>();
  await Promise.all(results.map(({ tracker }) => flushVisitor(ctx.env, ctx.shop, tracker)));
}
