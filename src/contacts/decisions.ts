import type { Ctx } from "../context";
import { sql } from "../db/client";
import { liftStatements } from "../suppressions";
import type { ContactPatch } from "./schemas";
import { foldTag } from "./source-tags";

/** Consents as a caller reports them: the person decided now, and the newest decision stands. */
export function decideConsents(
  db: D1Database,
  shop: number,
  contact: number,
  consents: NonNullable<ContactPatch["consents"]>,
  now: number,
): D1PreparedStatement[] {
  const given = Object.entries(consents).flatMap(([channel, consent]) => (consent ? [{ channel, ...consent }] : []));
  if (given.length === 0) return [];
  return [
    sql(
      db,
      `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
       select ?2, value ->> 'channel', ?1, value ->> 'state', coalesce(value ->> 'level', 'unknown'), 'api',
         coalesce(value ->> 'source', 'api'), ?4, ?4
       from json_each(?3) where true
       on conflict do update set state = excluded.state, level = excluded.level, basis = excluded.basis,
         source = excluded.source, decided_at = excluded.decided_at, updated_at = excluded.updated_at
       where excluded.decided_at >= coalesce(consents.decided_at, 0)`,
      shop,
      contact,
      JSON.stringify(given),
      now,
    ),
  ];
}

/** A subscription lifts what kept its address from marketing until now, but for bounces. */
export async function liftedBy(
  { env, shop, now }: Ctx,
  consents: NonNullable<ContactPatch["consents"]>,
  addresses: { email: string | null; phone: string | null },
): Promise<D1PreparedStatement[]> {
  const entries = (["email", "sms", "whatsapp"] as const).flatMap((channel) => {
    const address = channel === "email" ? addresses.email : addresses.phone;
    return consents[channel]?.state === "subscribed" && address !== null ? [{ channel, address }] : [];
  });
  return liftStatements(env, shop.key, entries, now);
}

/** Tags that the CRM sets; one that Shopify removed comes back as the CRM's own. */
export function addTags(db: D1Database, shop: number, contact: number, labels: string[], now: number) {
  return sql(
    db,
    `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
     select ?1, value ->> 'tag', ?2, value ->> 'label', 'crm', ?4, 0 from json_each(?3) where true
     on conflict do update set label = excluded.label, origin = 'crm', at = excluded.at, removed = 0
     where contact_tags.removed = 1`,
    shop,
    contact,
    tagRows(labels),
    now,
  );
}

/** The same for many contacts at once. */
export function addTagsOfMany(
  db: D1Database,
  shop: number,
  tagged: readonly { contact: number; labels: readonly string[] }[],
  now: number,
): D1PreparedStatement[] {
  const rows = tagged.flatMap(({ contact, labels }) =>
    [...new Map(labels.map((label) => [foldTag(label), label]))].map(([tag, label]) => ({ contact, tag, label })),
  );
  if (rows.length === 0) return [];
  return [
    sql(
      db,
      `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
       select ?1, value ->> 'tag', cast(value ->> 'contact' as integer), value ->> 'label', 'crm', ?3, 0
       from json_each(?2) where true
       on conflict do update set label = excluded.label, origin = 'crm', at = excluded.at, removed = 0
       where contact_tags.removed = 1`,
      shop,
      JSON.stringify(rows),
      now,
    ),
  ];
}

/** Takes tags away; Shopify's come back when Shopify sets them anew. */
export function removeTags(db: D1Database, shop: number, contact: number, labels: string[]) {
  return sql(
    db,
    `delete from contact_tags where shop = ?1 and contact = ?2 and removed = 0
       and tag in (select value ->> 'tag' from json_each(?3))`,
    shop,
    contact,
    tagRows(labels),
  );
}

/** Exactly these tags. */
export function setTags(db: D1Database, shop: number, contact: number, labels: string[], now: number) {
  return [
    sql(
      db,
      `delete from contact_tags where shop = ?1 and contact = ?2 and removed = 0
         and tag not in (select value ->> 'tag' from json_each(?3))`,
      shop,
      contact,
      tagRows(labels),
    ),
    addTags(db, shop, contact, labels, now),
  ];
}

function tagRows(labels: string[]): string {
  const byTag = new Map(labels.map((label) => [foldTag(label), label]));
  return JSON.stringify([...byTag].map(([tag, label]) => ({ tag, label })));
}

/** A stage and status from now on; the history keeps the one before. Nothing happens when they are what they were. */
export function moveLifecycle(
  db: D1Database,
  shop: number,
  contact: number,
  lifecycle: { stage: string; status: string | null },
  now: number,
): D1PreparedStatement[] {
  const values = [shop, contact, lifecycle.stage, lifecycle.status, now] as const;
  return [
    sql(
      db,
      `insert into lifecycle_history (shop, contact, stage, status, at) select ?1, ?2, ?3, ?4, ?5 from contacts
       where key = ?2 and shop = ?1 and (stage, status) is not (?3, ?4)`,
      ...values,
    ),
    sql(
      db,
      `update contacts set stage = ?3, status = ?4, updated_at = ?5
       where key = ?2 and shop = ?1 and (stage, status) is not (?3, ?4)`,
      ...values,
    ),
  ];
}
