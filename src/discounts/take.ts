import { sql } from "../db/client";
import { newId } from "../lib/ids";
import { IS_FILLING } from "./read";

/** A filling that met a problem is not begun again by somebody who takes a code for this long, ms. */
const PROBLEM_REST_MS = 60 * 60_000;

/**
 * Hands out a code of a pool: one code to one natural key, for ever. Who asks again with the same key gets the same
 * code, also after the pool was stopped; no code goes to two keys. Begins a filling at the low-water mark. Repeatable.
 *
 * @param shop the shop's key
 * @param pool the pool's key
 * @param naturalKey what the code is for, such as the id of a delivery
 * @param contact key of who gets it
 * @returns the code; null when none is left, the discount has ended, or the pool is stopped
 */
export async function takeCode(
  db: D1Database,
  shop: number,
  pool: number,
  naturalKey: string,
  now: number,
  contact: number | null = null,
): Promise<string | null> {
  const [, , found] = await db.batch<{ code: string }>([
    sql(
      db,
      `update discount_codes set state = 'taken', natural_key = ?3, taken_at = ?4,
         contact = (select key from contacts where key = ?5 and shop = ?1)
       where key = (select c.key from discount_codes c where c.pool = ?2 and c.state = 'free' order by c.key limit 1)
         and exists (select 1 from discount_pools p where p.key = ?2 and p.shop = ?1 and p.stopped_at is null
           and (p.ends_at is null or p.ends_at > ?4))
         and not exists (select 1 from discount_codes c where c.pool = ?2 and c.natural_key = ?3)`,
      shop,
      pool,
      naturalKey,
      now,
      contact,
    ),
    beginFilling(
      db,
      shop,
      pool,
      now,
      `p.low_water > 0 and p.free <= p.low_water and (p.ends_at is null or p.ends_at > ?4)
       and (p.problem is null or p.updated_at <= ?4 - ${PROBLEM_REST_MS})`,
    ),
    sql(
      db,
      "select code from discount_codes where pool = ?2 and natural_key = ?3 and +shop = ?1",
      shop,
      pool,
      naturalKey,
    ),
  ]);
  return found?.results[0]?.code ?? null;
}

/** The job that fills a pool up, unless one is at it or the pool is stopped. `condition` is static SQL about `p`; `?4` is now. */
export function beginFilling(
  db: D1Database,
  shop: number,
  pool: number,
  now: number,
  condition = "true",
): D1PreparedStatement {
  return sql(
    db,
    `insert into jobs (id, shop, kind, state, total, input, created_at, updated_at)
     select ?1, p.shop, 'discounts.fill', 'running', p.size, json_object('pool', p.key), ?4, ?4
     from discount_pools p where p.key = ?3 and p.shop = ?2 and p.stopped_at is null and not ${IS_FILLING} and ${condition}
     returning id`,
    newId("job", now),
    shop,
    pool,
    now,
  );
}
