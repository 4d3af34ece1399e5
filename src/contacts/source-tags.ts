import { sql } from "../db/client";

/** How tags are compared: without regard to case and outer spaces. */
export function foldTag(label: string): string {
  return label.normalize("NFC").trim().toLowerCase();
}

/** What the source said of one contact's tags at a moment. */
interface SourceTags {
  contact: number;
  labels: string[];
  at: number;
}

function rowsOf(tags: SourceTags[]): string {
  return JSON.stringify(
    tags.flatMap(({ contact, labels, at }) => {
      const byTag = new Map(labels.map((label) => [foldTag(label), label.trim()]));
      byTag.delete("");
      return [...byTag].map(([tag, label]) => ({ contact, tag, label, at }));
    }),
  );
}

/**
 * The source's tags (`?2`, of the shop `?1`) as the merchant has them: those that were renamed or merged are what they
 * became, and deleted ones are left out. Read in the statement that writes, so that no tag slips past a change.
 */
const TRANSLATED = `(
  select contact, tag, max(label) as label, at from (
    select j.value ->> 'contact' as contact, j.value ->> 'at' as at,
      case when r.tag is null then j.value ->> 'tag' else r.becomes end as tag,
      case when r.tag is null then j.value ->> 'label' else r.label end as label
    from json_each(?2) j left join tag_rules r on r.shop = ?1 and r.tag = j.value ->> 'tag')
  where tag is not null group by contact, tag)`;

/** Tags that the source set at a moment. A tag of the CRM's own stays the CRM's. */
export function addSourceTags(db: D1Database, shop: number, contact: number, labels: string[], at: number) {
  return addition(db, shop, [{ contact, labels, at }]);
}

/** The same for several contacts; no statement where there are no tags. */
export function addSourceTagsOfMany(db: D1Database, shop: number, tags: SourceTags[]): D1PreparedStatement[] {
  return tags.some(({ labels }) => labels.length > 0) ? [addition(db, shop, tags)] : [];
}

function addition(db: D1Database, shop: number, tags: SourceTags[]): D1PreparedStatement {
  return sql(
    db,
    `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
     select ?1, tag, contact, label, 'shopify', at, 0 from ${TRANSLATED} where true
     on conflict do update set label = excluded.label, at = excluded.at, removed = 0
     where contact_tags.origin = 'shopify' and excluded.at > contact_tags.at`,
    shop,
    rowsOf(tags),
  );
}

/** Tags that the source removed at a moment: kept as removed, so that an older addition does not bring them back. */
export function removeSourceTags(db: D1Database, shop: number, contact: number, labels: string[], at: number) {
  return sql(
    db,
    `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
     select ?1, tag, contact, label, 'shopify', at, 1 from ${TRANSLATED} where true
     on conflict do update set at = excluded.at, removed = 1
     where contact_tags.origin = 'shopify' and excluded.at >= contact_tags.at`,
    shop,
    rowsOf([{ contact, labels, at }]),
  );
}

/** All tags as the source had them at a moment: what it set before and no longer names goes. */
export function setSourceTags(
  db: D1Database,
  shop: number,
  contact: number,
  labels: string[],
  at: number,
): D1PreparedStatement[] {
  return [
    addSourceTags(db, shop, contact, labels, at),
    sql(
      db,
      `update contact_tags set removed = 1, at = ?4
       where shop = ?1 and contact = ?3 and origin = 'shopify' and removed = 0 and at <= ?4
         and tag not in (select tag from ${TRANSLATED})`,
      shop,
      rowsOf([{ contact, labels, at }]),
      contact,
      at,
    ),
  ];
}
