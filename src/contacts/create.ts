import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { keyAfter, lastKey } from "../db/guard";
import { checkFieldValues } from "../fields";
import { checkStage } from "../lifecycle";
import { newId } from "../lib/ids";
import { armClock, emit } from "../jobs";
import { addTags, decideConsents, liftedBy } from "./decisions";
import { phoneOrThrow, refuseTaken } from "./identify";
import { readContact } from "./locate";
import type { Contact, NewContact } from "./schemas";
import { showContact } from "./show";
import { phoneDefault } from "./source-consents";
import { changedFields, columnsOf, fieldsPatch, identitiesOf, lifecycleAfter } from "./write";

/**
 * Adds a contact. Throws `duplicate_contact` (409, with `contactId`) when another one holds any of its identities: of
 * several requests with the same address exactly one succeeds.
 */
export async function createContact(ctx: Ctx, input: NewContact): Promise<Contact> {
  const { db, shop, now } = ctx;
  await checkFieldValues(db, shop.key, input.fields ?? {});
  if (input.lifecycle?.stage) await checkStage(db, shop.key, input.lifecycle.stage, "/lifecycle/stage");
  const phone = input.phone ? phoneOrThrow(input.phone, input.address?.country) : undefined;
  const identities = identitiesOf(input, phone);
  const columns = columnsOf(input, phone);
  const stage = input.shopifyCustomerId ? "customer" : "lead";
  const lifecycle = lifecycleAfter({ stage, status: null, ordered: false }, input.lifecycle ?? {});
  const id = newId("con", now);

  const key = await onConflictRetry(async () => {
    await refuseTaken(ctx, identities, null);
    const last = await lastKey(db, "contacts").first<number>("seq");
    const key = keyAfter(last);
    const row = new Map<string, string | number | null>([
      ["key", key],
      ["id", id],
      ["shop", shop.key],
      ["source", input.source],
      ["verified", 1],
      ["stage", lifecycle.stage],
      ["status", lifecycle.status],
      ["created_at", now],
      ["updated_at", now],
      ...columns,
    ]);
    const names = [...row.keys()];
    await armClock(ctx.env, shop.key, now);
    await db.batch([
      sql(
        db,
        `insert into contacts (${names.join(", ")}, fields)
         values (${names.map(() => "?").join(", ")}, json_patch('{}', ?))`,
        ...row.values(),
        fieldsPatch(input.fields ?? {}),
      ),
      sql(
        db,
        `insert into identities (shop, kind, value, contact, evidence, created_at)
         select ?1, value ->> 'kind', value ->> 'value', ?2, 'verified', ?4 from json_each(?3)`,
        shop.key,
        key,
        JSON.stringify(identities),
        now,
      ),
      sql(
        db,
        `insert into lifecycle_history (shop, contact, stage, status, at) values (?, ?, ?, ?, ?)`,
        shop.key,
        key,
        lifecycle.stage,
        lifecycle.status,
        now,
      ),
      ...decideConsents(db, shop.key, key, input.consents ?? {}, now),
      ...(await liftedBy(ctx, input.consents ?? {}, { email: input.email ?? null, phone: phone ?? null })),
      ...(phone ? phoneDefault(db, shop, key, true, now) : []),
      addTags(db, shop.key, key, input.tags ?? [], now),
      audit(ctx, "contact.created", id, changedFields(input)),
      emit(
        db,
        {
          shop: shop.key,
          type: "contact_created",
          subject: `contact:${key}`,
          naturalKey: id,
          data: { source: input.source },
          at: now,
        },
        now,
      ),
    ]);
    return key;
  });
  return showContact(await readContact(ctx, key), ctx.shop);
}
