import { z } from "zod";

import { onConflictRetry, sql } from "../../db/client";
import { newId } from "../../lib/ids";
import { findShop, type Shop } from "../../shops";
import { AdminError, adminQuery } from "../admin";
import { applyChange } from "../apply";
import type { Change } from "../map";
import { isGranted } from "../scopes";
import { STILL_THERE } from "./deletions.queries";

const JOB_KIND = "shopify.deletions";

/** The webhook of a deletion may be lost: so often everything that is known is asked for by its id. */
const EVERY_MS = 7 * 86_400_000;

/** Ids of one question: the most that Shopify takes; it costs as many points. */
const IDS = 250;
/** Questions of one run. A run every half minute leaves two thirds of the smallest plan's rate to others. */
const PAGES_A_RUN = 4;

/** What was stored later than this is left for the next time. */
const SETTLED_MS = 3_600_000;

/** Without `read_all_orders` an older order is not to be seen, though it is there. */
const VISIBLE_MS = 59 * 86_400_000;

interface Kind {
  name: "products" | "customers" | "orders";
  type: "Product" | "Customer" | "Order";
  scope: string;
  /** A page of ids with the place of each: `?1` shop, `?2` place of the last one, `?3` stored before, `?4` placed after. */
  page: string;
  deleted: (id: string, at: number) => Change;
}

const KINDS: Kind[] = [
  {
    name: "products",
    type: "Product",
    scope: "read_products",
    page: `select external_id as id, external_id as place from products
      where shop = ?1 and external_id > ?2 and updated_at < ?3 and ?4 is not null order by external_id`,
    deleted: (productId, at) => ({ kind: "product_deleted", productId, at }),
  },
  {
    name: "customers",
    type: "Customer",
    scope: "read_customers",
    page: `select shopify_customer_id as id, cast(key as text) as place from contacts
      where shop = ?1 and key > cast(?2 as integer) and shopify_customer_id is not null and updated_at < ?3
        and ?4 is not null order by key`,
    deleted: (customerId, at) => ({ kind: "customer_deleted", customerId, at }),
  },
  {
    name: "orders",
    type: "Order",
    scope: "read_orders",
    page: `select external_id as id, external_id as place from orders
      where shop = ?1 and origin = 'shopify' and external_id > ?2 and updated_at < ?3 and placed_at > ?4
      order by external_id`,
    deleted: (orderId, at) => ({ kind: "order_deleted", orderId, at }),
  },
];

/** Number of the kind in `KINDS`, and the place of the last id that was asked for. */
const Cursor = z.object({ kind: z.int(), after: z.string() });
type Cursor = z.infer<typeof Cursor>;

interface Job {
  id: string;
  shop: number;
}

/**
 * Begins to look for records that Shopify has deleted. Null while that is under way.
 *
 * @param isDue begin only when the last time, and the reading of the whole store, are a week ago
 */
export async function startDeletions(db: D1Database, shop: number, now: number, isDue = false): Promise<string | null> {
  const id = newId("job", now);
  const { meta } = await sql(
    db,
    `insert into jobs (id, shop, kind, state, created_at, updated_at)
     select ?1, ?2, '${JOB_KIND}', 'running', ?3, ?4
     where not exists (select 1 from jobs where shop = ?2 and kind = '${JOB_KIND}' and (state = 'running' or created_at > ?5))
       and (?5 = ?3 or exists (select 1 from jobs where shop = ?2 and kind = 'backfill' and state <> 'running' and created_at <= ?5))`,
    id,
    shop,
    now,
    // Nobody is at it: the clock takes it up with its next sweep.
    0,
    isDue ? now - EVERY_MS : now,
  ).run();
  return meta.changes > 0 ? id : null;
}

/**
 * A run of the job: asks for what is stored, page by page, and removes what Shopify says twice not to know. May be cut
 * off anywhere and repeated. What cannot be asked now waits for the next run.
 */
export async function continueDeletions(env: Env, job: Job, now: number): Promise<"running" | "done"> {
  const shop = await findShop(env.DB, job.shop);
  if (!shop?.connected || shop.status !== "active") {
    await end(env.DB, job, "failed", "The store is not connected", now);
    return "done";
  }
  const scopes = await grantedTo(env.DB, job.shop);
  try {
    for (let page = 0; page < PAGES_A_RUN; page++) {
      if (await lookOn(env, { job, shop, scopes, now })) return "done";
    }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    if (error.kind === "invalid") await end(env.DB, job, "failed", error.message, now);
    else await sql(env.DB, "update jobs set error = ?, updated_at = ? where id = ?", error.message, now, job.id).run();
  }
  return "running";
}

interface Looking {
  job: Job;
  shop: Shop;
  scopes: string[];
  now: number;
}

/** One page; true when there is no further one. */
async function lookOn(env: Env, { job, shop, scopes, now }: Looking): Promise<boolean> {
  const row = await sql(env.DB, "select cursor from jobs where id = ? and state = 'running'", job.id).first<{
    cursor: string | null;
  }>();
  if (!row) return true;
  const cursor: Cursor = row.cursor === null ? { kind: 0, after: "" } : Cursor.parse(JSON.parse(row.cursor));
  const kind = KINDS[cursor.kind];
  if (!kind) {
    await end(env.DB, job, "done", null, now);
    return true;
  }
  const visible = isGranted(scopes, "read_all_orders") ? 0 : now - VISIBLE_MS;
  const { results: stored } = isGranted(scopes, kind.scope)
    ? await sql(env.DB, `${kind.page} limit ${IDS}`, shop.key, cursor.after, now - SETTLED_MS, visible).all<{
        id: string;
        place: string;
      }>()
    : { results: [] };
  const ids = stored.map(({ id }) => id);
  // What is asked for once more was not just missed by a server that lags behind.
  const gone = await missingOf(env, shop, kind, await missingOf(env, shop, kind, ids));
  for (const id of gone) {
    await onConflictRetry(async () => {
      const { statements } = await applyChange({ env, db: env.DB, shop, triggeredAt: now, now }, kind.deleted(id, now));
      await env.DB.batch(statements);
    });
  }
  const next =
    stored.length < IDS
      ? { kind: cursor.kind + 1, after: "" }
      : { kind: cursor.kind, after: stored.at(-1)?.place ?? "" };
  await sql(
    env.DB,
    `update jobs set cursor = ?2, progress = progress + ?3, error = null, updated_at = ?4,
       result = json_set(coalesce(result, '{}'), ?5, coalesce(result ->> ?5, 0) + cast(?6 as integer))
     where id = ?1 and state = 'running' and cursor is ?7`,
    job.id,
    JSON.stringify(next),
    ids.length,
    now,
    `$.${kind.name}`,
    gone.length,
    row.cursor,
  ).run();
  return false;
}

async function missingOf(env: Env, shop: Shop, { type }: Kind, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { nodes } = await adminQuery(env, shop, STILL_THERE, { ids: ids.map((id) => `gid://shopify/${type}/${id}`) });
  if (nodes.length !== ids.length)
    throw new AdminError("invalid", "Shopify answered about other records than asked for");
  return ids.filter((_, n) => nodes[n] === null);
}

function end(db: D1Database, job: Job, state: "done" | "failed", error: string | null, now: number) {
  return sql(
    db,
    "update jobs set state = ?, error = ?, total = progress, updated_at = ? where id = ? and state = 'running'",
    state,
    error,
    now,
    job.id,
  ).run();
}

async function grantedTo(db: D1Database, shop: number): Promise<string[]> {
  const row = await sql(db, "select scopes from shopify_connections where shop = ?", shop).first<{ scopes: string }>();
  return JSON.parse(row?.scopes ?? "[]");
}
