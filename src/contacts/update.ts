import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { AppError } from "../errors";
import { checkFieldValues } from "../fields";
import type { IdentityKind } from "../identity";
import { checkStage } from "../lifecycle";
import { decideConsents, liftedBy, moveLifecycle, setTags } from "./decisions";
import { phoneOrThrow, refuseTaken } from "./identify";
import { readContact } from "./locate";
import type { Contact, ContactPatch } from "./schemas";
import { type ContactRow, showContact } from "./show";
import { phoneDefault } from "./source-consents";
import { changedFields, columnsOf, fieldsPatch, identitiesOf, lifecycleAfter } from "./write";

/** Which column holds the value of an identity. */
const COLUMN_OF: Record<IdentityKind, string> = {
  email: "email",
  phone: "phone",
  shopify_customer: "shopify_customer_id",
  external: "external_id",
};

/**
 * Changes a contact: absent keys stay, null clears. Throws `duplicate_contact` when a new identity is another contact's
 * and 422 when the last identity would go.
 */
export async function updateContact(ctx: Ctx, key: number, patch: ContactPatch): Promise<Contact> {
  const fields = changedFields(patch);
  if (fields.length === 0) return showContact(await readContact(ctx, key), ctx.shop);
  await checkFieldValues(ctx.db, ctx.shop.key, patch.fields ?? {});
  if (patch.lifecycle?.stage) await checkStage(ctx.db, ctx.shop.key, patch.lifecycle.stage, "/lifecycle/stage");
  await onConflictRetry(() => attempt(ctx, key, patch, fields));
  return showContact(await readContact(ctx, key), ctx.shop);
}

async function attempt(ctx: Ctx, key: number, patch: ContactPatch, fields: string[]): Promise<void> {
  const { db, shop, now } = ctx;
  const before = await readContact(ctx, key);
  const country = patch.address?.country ?? before.country;
  const phone = patch.phone ? phoneOrThrow(patch.phone, country) : patch.phone;
  const identities = identitiesOf(patch, phone);
  await refuseTaken(ctx, identities, key);
  refuseNameless(before, patch);

  const columns = columnsOf(patch, phone);
  const addresses = { email: patch.email ?? before.email, phone: phone ?? before.phone };
  const lifted = await liftedBy(ctx, patch.consents ?? {}, addresses);
  const becomesCustomer = patch.shopifyCustomerId != null && before.shopifyCustomerId === null;
  const moved = becomesCustomer ? { stage: "customer", ...patch.lifecycle } : patch.lifecycle;
  const replaced = Object.entries(COLUMN_OF).filter(([, column]) => columns.has(column));
  const sets = [...columns.keys(), "updated_at"].map((column) => `${column} = ?`);
  await db.batch([
    // The old value is read here, inside the transaction, so that two changes at once leave no value behind.
    ...replaced.map(([kind, column]) =>
      sql(
        db,
        `delete from identities where shop = ?1 and kind = ?3 and contact = ?2
           and value = (select ${column} from contacts where key = ?2)`,
        shop.key,
        key,
        kind,
      ),
    ),
    sql(
      db,
      `update contacts set ${sets.join(", ")}, revision = revision + 1, fields = json_patch(fields, ?)
       where key = ? and shop = ?`,
      ...columns.values(),
      now,
      fieldsPatch(patch.fields ?? {}),
      key,
      shop.key,
    ),
    // A value that somebody else takes at the same moment fails the batch.
    ...identities.map(({ kind, value }) =>
      sql(
        db,
        `insert into identities (shop, kind, value, contact, evidence, created_at)
         select ?1, ?2, ?3, ?4, 'verified', ?5
         where not exists (select 1 from identities where shop = ?1 and kind = ?2 and value = ?3 and contact = ?4)`,
        shop.key,
        kind,
        value,
        key,
        now,
      ),
    ),
    ...decideConsents(db, shop.key, key, patch.consents ?? {}, now),
    ...lifted,
    ...(phone === undefined ? [] : phoneDefault(db, shop, key, phone !== null, now)),
    ...(patch.tags ? setTags(db, shop.key, key, patch.tags, now) : []),
    ...(moved
      ? moveLifecycle(db, shop.key, key, lifecycleAfter({ ...before, ordered: before.ordersCount > 0 }, moved), now)
      : []),
    audit(ctx, "contact.updated", before.id, fields),
  ]);
}

/** Nothing could ever find a contact without a value that tells it apart. */
function refuseNameless(before: ContactRow, patch: ContactPatch): void {
  const after = [
    patch.email === undefined ? before.email : patch.email,
    patch.phone === undefined ? before.phone : patch.phone,
    patch.shopifyCustomerId === undefined ? before.shopifyCustomerId : patch.shopifyCustomerId,
    patch.externalId === undefined ? before.externalId : patch.externalId,
  ];
  if (after.every((value) => value === null)) {
    throw new AppError(
      "unprocessable",
      "A contact keeps at least one of email, phone, shopifyCustomerId and externalId",
    );
  }
}
