import { z } from "zod";

import { decodeCursor, keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import type { List, ListMember, Standing } from "./schemas";

/** A list as it is stored. */
export interface ListRow {
  key: number;
  shop: number;
  id: string;
  name: string;
  size: number;
  createdAt: number;
  updatedAt: number;
}

const COLUMNS = "key, shop, id, name, size, created_at as createdAt, updated_at as updatedAt";

/** The list of this id, of any shop; null for none. The caller checks the shop. */
export async function findList(db: D1Database, id: string): Promise<ListRow | null> {
  return sql(db, `select ${COLUMNS} from lists where id = ? and deleted_at is null`, id).first<ListRow>();
}

/** A list as the API shows it. */
export function showList({ id, name, size, createdAt, updatedAt }: ListRow): List {
  return { id, name, size, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** The shop's lists, the newest first. */
export async function listLists(ctx: Ctx, { limit, cursor }: PageRequest): Promise<Page<List>> {
  const { results } = await sql(
    ctx.db,
    `select ${COLUMNS} from lists where shop = ?1 and key < ?2 and deleted_at is null order by key desc limit ?3`,
    ctx.shop.key,
    keyFrom("lists", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<ListRow>();
  return pageOf("lists", results, limit, (row) => [row.key], showList);
}

const ByMember = z.tuple([z.enum(["contact", "visitor"]), z.int().min(0)]);

/** Who is on a list, contacts first. */
export async function listMembers(
  ctx: Ctx,
  list: { key: number },
  { limit, cursor }: PageRequest,
): Promise<Page<ListMember>> {
  const [afterKind, after] = cursor === undefined ? ["", 0] : decodeCursor("list-members", cursor, ByMember);
  const { results } = await sql(
    ctx.db,
    `select m.kind, m.subject, m.added_at as addedAt,
       iif(m.kind = 'contact', (select id from contacts where key = m.subject),
         (select tracker from visitors where key = m.subject)) as id
     from list_members m where m.list = ?1 and (m.kind, m.subject) > (?2, ?3) order by m.kind, m.subject limit ?4`,
    list.key,
    afterKind,
    after,
    limit + 1,
  ).all<{ kind: ListMember["kind"]; subject: number; addedAt: number; id: string }>();
  return pageOf(
    "list-members",
    results,
    limit,
    (row) => [row.kind, row.subject],
    ({ kind, id, addedAt }) => ({ kind, id, addedAt: iso(addedAt) }),
  );
}

/** The lists that a contact is on, or the segments that it is in, by when it came. */
export async function listsOf(ctx: Ctx, of: "list" | "segment", contact: number): Promise<Standing[]> {
  const since = of === "list" ? "added_at" : "entered_at";
  const { results } = await sql(
    ctx.db,
    `select t.id, t.name, m.${since} as since from ${of}s t cross join ${of}_members m
       on m.${of} = t.key and m.kind = 'contact' and m.subject = ?2
     where t.shop = ?1 and t.deleted_at is null order by m.${since}, t.key limit 500`,
    ctx.shop.key,
    contact,
  ).all<{ id: string; name: string; since: number }>();
  return results.map(({ id, name, since: at }) => ({ id, name, since: iso(at) }));
}
