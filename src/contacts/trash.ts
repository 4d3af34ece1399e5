import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";

/**
 * Puts a contact into the trash. It keeps its identities there, so that nobody else takes them and `restoreContact`
 * brings all of it back; after the shop's `trashRetentionDays` it is erased.
 */
export async function trashContact(ctx: Ctx, contact: { key: number; id: string }): Promise<void> {
  await ctx.db.batch([
    sql(
      ctx.db,
      `update contacts set deleted_at = ?3, updated_at = ?3, revision = revision + 1
       where shop = ?1 and key = ?2 and deleted_at is null`,
      ctx.shop.key,
      contact.key,
      ctx.now,
    ),
    audit(ctx, "contact.deleted", contact.id),
  ]);
}

/** Takes a contact out of the trash. */
export async function restoreContact(ctx: Ctx, contact: { key: number; id: string }): Promise<void> {
  await ctx.db.batch([
    sql(
      ctx.db,
      `update contacts set deleted_at = null, updated_at = ?3, revision = revision + 1 where shop = ?1 and key = ?2`,
      ctx.shop.key,
      contact.key,
      ctx.now,
    ),
    audit(ctx, "contact.restored", contact.id),
  ]);
}
