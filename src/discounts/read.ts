import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import type { DiscountPool, PoolProblem } from "./schemas";

/** A pool as it is stored, with what is under way. */
export interface PoolRow {
  key: number;
  shop: number;
  id: string;
  name: string;
  discount: string | null;
  /** JSON of `DiscountTerms`. */
  terms: string | null;
  prefix: string;
  size: number;
  lowWater: number;
  fallbackCode: string | null;
  endsAt: number | null;
  free: number;
  taken: number;
  refused: number;
  pending: number;
  filling: number;
  problem: PoolProblem | null;
  detail: string | null;
  createdAt: number;
  updatedAt: number;
  stoppedAt: number | null;
}

/** SQL: a filling of pool `p` is under way. */
export const IS_FILLING = `exists (select 1 from jobs j where j.state = 'running' and j.kind = 'discounts.fill'
  and j.shop = p.shop and cast(j.input ->> 'pool' as integer) = p.key)`;

const SELECT = `select p.key, p.shop, p.id, p.name, p.discount, p.terms, p.prefix, p.size, p.low_water as lowWater,
    p.fallback_code as fallbackCode, p.ends_at as endsAt, p.free, p.taken, p.refused, p.problem, p.detail,
    p.created_at as createdAt, p.updated_at as updatedAt, p.stopped_at as stoppedAt, ${IS_FILLING} as filling,
    (select count(*) from discount_codes c where c.pool = p.key and c.state in ('new', 'sending', 'sent')) as pending
  from discount_pools p`;

/** The pool of this id, of any shop; null for none. The caller checks the shop. */
export async function findPool(db: D1Database, id: string): Promise<PoolRow | null> {
  return sql(db, `${SELECT} where p.id = ?`, id).first<PoolRow>();
}

/** The pool of this key in a shop. */
export async function poolByKey(db: D1Database, shop: number, key: number): Promise<PoolRow | null> {
  return sql(db, `${SELECT} where p.key = ? and p.shop = ?`, key, shop).first<PoolRow>();
}

/** The shop's pools, the newest first. */
export async function listPools(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<DiscountPool>> {
  const { results } = await sql(
    ctx.db,
    `${SELECT} where p.shop = ?1 and p.key < ?2 order by p.key desc limit ?3`,
    ctx.shop.key,
    keyFrom("discount-pools", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<PoolRow>();
  return pageOf("discount-pools", results, limit, (row) => [row.key], showPool);
}

/** A pool as the API shows it. */
export function showPool(row: PoolRow): DiscountPool {
  const { free, taken, refused, pending } = row;
  return {
    id: row.id,
    name: row.name,
    discountId: row.discount,
    prefix: row.prefix,
    size: row.size,
    lowWater: row.lowWater,
    fallbackCode: row.fallbackCode,
    endsAt: iso(row.endsAt),
    state:
      row.stoppedAt !== null ? "stopped" : row.filling === 1 ? "filling" : row.problem !== null ? "problem" : "ready",
    problem: row.problem,
    detail: row.detail,
    codes: { free, taken, refused, pending },
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}
