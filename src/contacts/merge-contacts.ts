import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { type ContactRef, mergeContactsStatements } from "./merge";

/**
 * Merges the contact `from` into the winner. Throws 409 for a contact with itself and for one that was merged into
 * another before, 404 when one of them is not there or in the trash. A repetition changes nothing.
 */
export async function mergeContacts(ctx: Ctx, winner: ContactRef, from: string): Promise<void> {
  if (from === winner.id) throw new AppError("conflict", "A contact cannot be merged with itself");
  await armClock(ctx.env, ctx.shop.key, ctx.now);
  await onConflictRetry(() => attempt(ctx, winner, from));
}

async function attempt(ctx: Ctx, winner: ContactRef, from: string): Promise<void> {
  const { db, shop, now } = ctx;
  const { results } = await sql(
    db,
    `select key, id from contacts where shop = ?1 and id in (?2, ?3) and deleted_at is null
     union all select c.key, c.id from contact_aliases a join contacts c on c.key = a.contact
     where a.shop = ?1 and a.id = ?3 and c.deleted_at is null`,
    shop.key,
    winner.id,
    from,
  ).all<ContactRef>();
  if (!results.some((row) => row.key === winner.key)) throw new AppError("not_found");
  const loser = results.find((row) => row.id === from);
  if (!loser) {
    const survivor = results.length > 1 ? results[1] : undefined;
    if (survivor?.key === winner.key) return;
    if (survivor) throw new AppError("contact_merged", undefined, { extra: { survivorId: survivor.id } });
    throw new AppError("not_found", "There is no contact with the id in `from`");
  }
  await db.batch([
    mustHold(
      db,
      "(select count(*) from contacts where shop = ?1 and key in (?2, ?3) and deleted_at is null) = 2",
      shop.key,
      winner.key,
      loser.key,
    ),
    ...mergeContactsStatements(db, shop.key, winner, loser, now),
    audit(ctx, "contact.merged", winner.id, [loser.id]),
    audit(ctx, "contact.merged_away", loser.id),
  ]);
}
