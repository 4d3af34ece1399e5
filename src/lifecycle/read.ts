import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { CUSTOMER } from "./ladder";
import { type Stage, STATUSES } from "./schemas";

/** A stage of the ladder as it is stored. */
export interface StageRow {
  name: string;
  label: string;
  position: number;
  system: number;
  createdAt: number;
  updatedAt: number;
}

const ByPosition = z.tuple([z.int(), z.string()]);

/** The shop's ladder from its top, each stage with the contacts that stand at it. */
export async function listStages(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Stage>> {
  const after = cursor === undefined ? null : decodeCursor("lifecycle-stages", cursor, ByPosition);
  const stages = await readLadder(ctx);
  const rest = after === null ? stages : stages.filter((stage) => isAfter(stage, after));
  return pageOf(
    "lifecycle-stages",
    rest.slice(0, limit + 1),
    limit,
    (stage) => [stage.position, stage.name],
    (stage) => stage,
  );
}

function isAfter(stage: Stage, [position, name]: [number, string]): boolean {
  return stage.position > position || (stage.position === position && stage.name > name);
}

/** The rows of the shop's ladder, from its top. */
export async function ladderRows(db: D1Database, shop: number): Promise<StageRow[]> {
  const { results } = await ladderQuery(db, shop).all<StageRow>();
  return results;
}

function ladderQuery(db: D1Database, shop: number): D1PreparedStatement {
  return sql(
    db,
    `select name, label, position, system, created_at as createdAt, updated_at as updatedAt
     from lifecycle_stages where shop = ? order by position, name`,
    shop,
  );
}

/** Counts come from the indexes alone; no contact is read. */
export async function readLadder(ctx: Ctx): Promise<Stage[]> {
  const { db, shop } = ctx;
  const [ladder, byStage, byStatus] = await db.batch<StageRow & { stage: string; status: string; count: number }>([
    ladderQuery(db, shop.key),
    sql(
      db,
      `select stage, count(*) as count from contacts where shop = ? and deleted_at is null group by stage`,
      shop.key,
    ),
    sql(
      db,
      `select status, count(*) as count from contacts
       where shop = ? and deleted_at is null and status is not null group by status`,
      shop.key,
    ),
  ]);
  const rows = ladder?.results ?? [];
  const counts = new Map(byStage?.results.map(({ stage, count }) => [stage, count]));
  const statuses = new Map(byStatus?.results.map(({ status, count }) => [status, count]));
  const last = rows.at(-1)?.position ?? 0;
  // Who orders becomes a customer on any site, also where no store's connection has added the stage.
  const isShown = counts.has(CUSTOMER) && !rows.some(({ name }) => name === CUSTOMER);
  const { createdAt } = shop;
  const customers = {
    name: CUSTOMER,
    label: "Customer",
    position: last + 1,
    system: 0,
    createdAt,
    updatedAt: createdAt,
  };
  return [...rows, ...(isShown ? [customers] : [])].map((row) => ({
    id: row.name,
    name: row.name,
    label: row.label,
    position: row.position,
    system: row.system === 1,
    contacts: counts.get(row.name) ?? 0,
    statuses: row.name === CUSTOMER ? statusCounts(statuses) : null,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  }));
}

function statusCounts(counts: Map<string, number>): Stage["statuses"] {
  const [invited = 0, enabled = 0, paying = 0, disabled = 0, declined = 0] = STATUSES.map((name) => counts.get(name));
  return { invited, enabled, paying, disabled, declined };
}
