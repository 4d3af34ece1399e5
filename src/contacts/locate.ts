import type { Context } from "hono";

import { type ApiEnv, ctxForRecord } from "../api/route";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { CONTACT_COLUMNS, type ContactRow } from "./show";

/** Where a contact is: `live` ones are what every route but the trash's is about. */
export type Whereabouts = "live" | "trash" | "any";

/** A contact that the caller may see, with the context of its shop. */
export interface LocatedContact {
  ctx: Ctx;
  key: number;
  id: string;
}

/**
 * The contact of a route's `{id}`. Throws 404 when there is none in the caller's shop or when it is in the trash (or,
 * for the trash's routes, is not), and `contact_merged` with `survivorId` for the id of a contact that was merged away;
 * the API turns that one into a 308 on GET.
 */
export async function contactFrom(
  c: Context<ApiEnv>,
  id: string,
  whereabouts: Whereabouts = "live",
): Promise<LocatedContact> {
  const row = await sql(
    c.env.DB,
    `select shop, key, id, deleted_at as deletedAt from contacts where id = ?1
     union all select c.shop, c.key, c.id, c.deleted_at from contact_aliases a join contacts c on c.key = a.contact
     where a.id = ?1`,
    id,
  ).first<{ shop: number; key: number; id: string; deletedAt: number | null }>();
  const ctx = await ctxForRecord(c, row?.shop);
  if (!row) throw new AppError("not_found");
  if (row.id !== id) throw new AppError("contact_merged", undefined, { extra: { survivorId: row.id } });
  if (whereabouts !== "any" && (row.deletedAt === null) !== (whereabouts === "live")) throw new AppError("not_found");
  return { ctx, key: row.key, id: row.id };
}

/** The whole row of a contact of the shop; throws 404 when it has gone in the meantime. */
export async function readContact(ctx: Ctx, key: number): Promise<ContactRow> {
  const row = await sql(
    ctx.db,
    `select ${CONTACT_COLUMNS} from contacts c where c.key = ?2 and c.shop = ?1`,
    ctx.shop.key,
    key,
  ).first<ContactRow>();
  if (!row) throw new AppError("not_found");
  return row;
}
