import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { normaliseEmail, normalisePhone } from "../identity/normalise";
import { contactById, holdIdentity, type Identity, resolveIdentities } from "../identity";
import { createContact } from "./create";
import type { ContactRef } from "./merge";

/** How a server names a person. */
export interface Named {
  contactId?: string | null | undefined;
  email?: string | null | undefined;
  phone?: string | null | undefined;
}

/**
 * The contact that a caller with a key names, made with source `API` when the address is new: such a caller is trusted,
 * so the address counts as verified. By id, else by e-mail address, else by phone number; a number whose holder has
 * another address is no sign of this person. Null when nobody is named.
 *
 * @param pointer where in the body the names stand, for the errors of `validation_failed`
 */
export async function contactNamed(ctx: Ctx, named: Named, pointer: string): Promise<ContactRef | null> {
  const wrong = (field: string, detail: string) =>
    new AppError("validation_failed", undefined, { errors: [{ pointer: `${pointer}/${field}`, detail }] });
  if (named.contactId) {
    const found = await contactById(ctx.db, ctx.shop.key, named.contactId);
    const ref = found && (await readRef(ctx, found.key));
    if (!ref) throw wrong("contactId", "is no contact of this shop");
    return ref;
  }
  const email = named.email ? normaliseEmail(named.email) : null;
  const phone = named.phone ? normalisePhone(named.phone, null) : null;
  if (named.email && email === null) throw wrong("email", "is not an e-mail address");
  if (named.phone && phone === null) throw wrong("phone", "is not a phone number; write it with its country code");
  if (email === null && phone === null) return null;

  for (let tries = 0; ; tries++) {
    const identities: Identity[] = [];
    if (email !== null) identities.push({ kind: "email", value: email });
    if (phone !== null) identities.push({ kind: "phone", value: phone });
    const held = await resolveIdentities(ctx.db, ctx.shop.key, identities);
    const byEmail = held.find(({ kind }) => kind === "email");
    const byPhone = held.find(({ kind }) => kind === "phone");
    const hit =
      byEmail ?? (byPhone && (email === null || !(await hasEmail(ctx, byPhone.contact))) ? byPhone : undefined);
    if (hit) {
      if (hit.evidence === "claimed") await vouch(ctx, hit.contact, hit);
      const ref = await readRef(ctx, hit.contact);
      if (ref) return ref;
    } else {
      try {
        const made = await createContact(ctx, {
          source: "API",
          ...(email === null ? {} : { email }),
          ...(phone === null || byPhone ? {} : { phone }),
        });
        const key = await contactById(ctx.db, ctx.shop.key, made.id);
        if (key) return { key: key.key, id: made.id };
      } catch (error) {
        // Somebody else made this contact just now.
        if (!(error instanceof AppError && error.code === "duplicate_contact") || tries === 4) throw error;
      }
    }
    if (tries === 4) throw new AppError("unavailable");
  }
}

function readRef(ctx: Ctx, key: number): Promise<ContactRef | null> {
  return sql(ctx.db, "select key, id from contacts where key = ? and shop = ?", key, ctx.shop.key).first<ContactRef>();
}

async function hasEmail(ctx: Ctx, key: number): Promise<boolean> {
  const row = await sql(ctx.db, "select 1 from contacts where key = ? and email is not null", key).first();
  return row !== null;
}

/** What only browsers had claimed is now said by the shop's own server. */
async function vouch(ctx: Ctx, key: number, identity: Identity): Promise<void> {
  await ctx.db.batch([
    holdIdentity(ctx.db, ctx.shop.key, key, identity, "verified", ctx.now),
    sql(ctx.db, "update contacts set verified = 1 where key = ? and shop = ?", key, ctx.shop.key),
  ]);
}
