import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import { foldTag } from "../contacts";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import type { Tag } from "./schemas";

export interface TagRow {
  shop: number;
  id: string;
  tag: string;
  label: string;
  contacts: number;
  createdAt: number;
}

const COLUMNS = "shop, id, tag, label, contacts, created_at as createdAt";
const ByTag = z.tuple([z.string()]);

/** The shop's tags in alphabetical order, with the contacts that carry each; no contact is read. */
export async function listTags(
  ctx: Ctx,
  { q, limit, cursor }: { q?: string | undefined; limit: number; cursor?: string | undefined },
): Promise<Page<Tag>> {
  const after = cursor === undefined ? "" : decodeCursor("tags", cursor, ByTag)[0];
  const { results } = await sql(
    ctx.db,
    `select ${COLUMNS} from tags where shop = ?1 and tag > ?2 and (?3 = '' or instr(tag, ?3) > 0) order by tag limit ?4`,
    ctx.shop.key,
    after,
    foldTag(q ?? ""),
    limit + 1,
  ).all<TagRow>();
  return pageOf("tags", results, limit, (row) => [row.tag], showTag);
}

/** The tag of this id, of any shop; null for none. The caller checks the shop. */
export async function findTag(db: D1Database, id: string): Promise<TagRow | null> {
  return sql(db, `select ${COLUMNS} from tags where id = ?`, id).first<TagRow>();
}

/** A tag as the API shows it. */
export function showTag(row: TagRow): Tag {
  return { id: row.id, label: row.label, contacts: row.contacts, createdAt: iso(row.createdAt) };
}
