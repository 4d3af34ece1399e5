import { and, asc, eq, gt } from "drizzle-orm";
import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { iso } from "../lib/time";
import type { Field } from "./schemas";
import { fields } from "./tables";

const Options = z.array(z.string());
const ByName = z.tuple([z.string()]);

export type FieldRow = typeof fields.$inferSelect;

/** The shop's declared fields by name: the merchant's own, and those of a connected store. */
export async function listFields(
  ctx: Ctx,
  { system, limit, cursor }: { system?: boolean | undefined; limit: number; cursor?: string | undefined },
): Promise<Page<Field>> {
  const after = cursor === undefined ? undefined : decodeCursor("fields", cursor, ByName)[0];
  const rows = await orm(ctx.db)
    .select()
    .from(fields)
    .where(
      and(
        eq(fields.shop, ctx.shop.key),
        after === undefined ? undefined : gt(fields.name, after),
        system === undefined ? undefined : eq(fields.system, system),
      ),
    )
    .orderBy(asc(fields.name))
    .limit(limit + 1);
  return pageOf("fields", rows, limit, (row) => [row.name], showField);
}

/** The field of this id, of any shop; undefined for none. The caller checks the shop. */
export async function findField(db: D1Database, id: string): Promise<FieldRow | undefined> {
  return orm(db).select().from(fields).where(eq(fields.id, id)).get();
}

/** A field as the API shows it. */
export function showField(row: FieldRow): Field {
  return {
    id: row.id,
    name: row.name,
    label: row.label,
    type: row.type,
    options: Options.parse(JSON.parse(row.options)),
    system: row.system,
    source: row.system ? "shopify" : "crm",
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}
