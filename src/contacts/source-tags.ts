import { sql } from "../db/client";

/** How tags are compared: without regard to case and outer spaces. */
export function foldTag(label: string): string {
  return label.normalize("NFC").trim().toLowerCase();
}

function rowsOf(labels: string[]): string {
  const byTag = new Map(labels.map((label) => [foldTag(label), label.trim()]));
  byTag.delete("");
  return JSON.stringify([...byTag].map(([tag, label]) => ({ tag, label })));
}

/** Tags that the source set at a moment. A tag of the CRM's own stays the CRM's. */
export function addSourceTags(db: D1Database, shop: number, contact: number, labels: string[], at: number) {
  return sql(
    db,
    `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
     select ?1, value ->> 'tag', ?2, value ->> 'label', 'shopify', ?4, 0 from json_each(?3) where true
     on conflict do update set label = excluded.label, at = excluded.at, removed = 0
     where contact_tags.origin = 'shopify' and excluded.at > contact_tags.at`,
    shop,
    contact,
    rowsOf(labels),
    at,
  );
}

/** Tags that the source removed at a moment: kept as removed, so that an older addition does not bring them back. */
export function removeSourceTags(db: D1Database, shop: number, contact: number, labels: string[], at: number) {
  return sql(
    db,
    `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
     select ?1, value ->> 'tag', ?2, value ->> 'label', 'shopify', ?4, 1 from json_each(?3) where true
     on conflict do update set at = excluded.at, removed = 1
     where contact_tags.origin = 'shopify' and excluded.at >= contact_tags.at`,
    shop,
    contact,
    rowsOf(labels),
    at,
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
       where shop = ?1 and contact = ?2 and origin = 'shopify' and removed = 0 and at <= ?4
         and tag not in (select value ->> 'tag' from json_each(?3))`,
      shop,
      contact,
      rowsOf(labels),
      at,
    ),
  ];
}
