import type { Ctx } from "../context";
import { sql } from "../db/client";
import { customFieldsOf } from "../segments/rest";
import { type Automation, type Names, parseAutomation } from "./definition";

/** Reads a definition against everything that the shop has; throws `validation_failed` with pointers. */
export async function readDefinition(ctx: Ctx, definition: unknown): Promise<Automation> {
  const { db, shop } = ctx;
  const customFields = await customFieldsOf(db, shop.key);
  const of = (table: string, more = "and deleted_at is null") =>
    sql(db, `select id as name, '' as what from ${table} where shop = ? ${more}`, shop.key);
  const results = await db.batch<{ name: string; what: string }>([
    of("automations"),
    of("segments"),
    of("lists"),
    sql(db, "select name, type as what from fields where shop = ? and system = 0", shop.key),
    sql(db, "select name, '' as what from lifecycle_stages where shop = ?", shop.key),
    of("webhook_endpoints", ""),
    of("discount_pools", ""),
    sql(db, "select id as name, channel as what from templates where shop = ? and deleted_at is null", shop.key),
  ]);
  const [automations, segments, lists, fields, stages, endpoints, pools, templates] = results.map(
    (result) => new Map(result.results.map(({ name, what }) => [name, what])),
  );
  const set = (map: Map<string, string> | undefined) => new Set(map?.keys());
  const names: Names = {
    automations: set(automations),
    segments: set(segments),
    lists: set(lists),
    fields: fields ?? new Map(),
    stages: set(stages),
    endpoints: set(endpoints),
    pools: set(pools),
    templates: templates ?? new Map(),
  };
  return parseAutomation(definition, { stores: [shop.id, shop.domain], customFields }, names);
}
