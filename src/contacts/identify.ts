import type { Ctx } from "../context";
import { AppError } from "../errors";
import { normalisePhone } from "../identity/normalise";
import { type Identity, resolveIdentities } from "../identity";

/** The E.164 form of a number that a caller gave; throws `validation_failed` when it is none. */
export function phoneOrThrow(phone: string, country: string | null | undefined): string {
  const normal = normalisePhone(phone, country);
  if (normal === null) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "/phone", detail: "is not a phone number; write it with its country code" }],
    });
  }
  return normal;
}

/** Throws 409 with `contactId` when another contact, also one in the trash, holds any of these values. */
export async function refuseTaken(ctx: Ctx, identities: Identity[], own: number | null): Promise<void> {
  const taken = (await resolveIdentities(ctx.db, ctx.shop.key, identities)).find(({ contact }) => contact !== own);
  if (!taken) return;
  const holder = await ctx.db
    .prepare("select id, deleted_at as deletedAt from contacts where key = ?")
    .bind(taken.contact)
    .first<{ id: string; deletedAt: number | null }>();
  throw new AppError(
    "duplicate_contact",
    holder?.deletedAt ? "A contact in the trash has this identity; restore it" : undefined,
    { extra: holder ? { contactId: holder.id } : {} },
  );
}
