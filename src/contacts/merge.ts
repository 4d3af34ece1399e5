import { sql } from "../db/client";
import { emit } from "../jobs";
import { MEMBERSHIP_MOVES } from "../segments/tables";
import { recount } from "./lifecycle";

/** A contact by both its names: the integer that tables use and the public id. */
export interface ContactRef {
  key: number;
  id: string;
}

/**
 * How strict a consent is. An opt-out beats everything; then what a person decided beats a default (no decision
 * time); then the more reluctant state wins.
 */
const strictness = (row: string) => `(case ${row}.state
    when 'unsubscribed' then 26 when 'redacted' then 25 when 'invalid' then 24
    when 'not_subscribed' then 3 when 'pending' then 2 else 1 end
  + case when ${row}.decided_at is null then 0 else 10 end)`;

const STRICTEST = `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
  select ?2, channel, shop, state, level, basis, source, decided_at, ?4 from consents where shop = ?1 and contact = ?3
  on conflict (contact, channel) do update set state = excluded.state, level = excluded.level, basis = 'merge',
    source = excluded.source, decided_at = excluded.decided_at, updated_at = excluded.updated_at
  where ${strictness("excluded")} > ${strictness("consents")}`;

/**
 * The winner keeps what it has; gaps are filled from the loser. An address is filled as a whole, because two halves
 * of different addresses lead nowhere, and so is what Shopify knows.
 */
const FILL_GAPS = `update contacts set
    email = coalesce(contacts.email, l.email),
    phone_source = case when contacts.phone is null then l.phone_source else contacts.phone_source end,
    phone = coalesce(contacts.phone, l.phone),
    first_name = coalesce(contacts.first_name, l.first_name),
    last_name = coalesce(contacts.last_name, l.last_name),
    company = coalesce(contacts.company, l.company),
    (line1, line2, city, province, country, zip) = (
      select w.line1, w.line2, w.city, w.province, w.country, w.zip from contacts w
      where w.key = case when coalesce(contacts.line1, contacts.line2, contacts.city, contacts.province,
        contacts.country, contacts.zip) is null then ?3 else ?2 end),
    (account_state, tax_exempt, shopify_created_at, shopify_updated_at, shopify_values) = (
      select w.account_state, w.tax_exempt, w.shopify_created_at, w.shopify_updated_at, w.shopify_values from contacts w
      where w.key = case when contacts.shopify_customer_id is null then ?3 else ?2 end),
    shopify_customer_id = coalesce(contacts.shopify_customer_id, l.shopify_customer_id),
    external_id = coalesce(contacts.external_id, l.external_id),
    verified = max(contacts.verified, l.verified),
    status = case
      when 'paying' in (contacts.status, l.status) then 'paying'
      when contacts.stage = 'customer' then contacts.status
      when l.stage = 'customer' then l.status end,
    stage = case when l.stage = 'customer' then l.stage else contacts.stage end,
    score = contacts.score + l.score,
    fields = json_patch(l.fields, contacts.fields),
    created_at = min(contacts.created_at, l.created_at),
    revision = contacts.revision + 1,
    updated_at = ?4
  from (select * from contacts where shop = ?1 and key = ?3) l
  where contacts.shop = ?1 and contacts.key = ?2`;

const TAGS = `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
  select shop, tag, ?2, label, origin, at, removed from contact_tags where contact = ?3 and shop = ?1
  on conflict (shop, tag, contact) do update set
    origin = case when 'crm' in (origin, excluded.origin) then 'crm' else origin end,
    at = max(at, excluded.at), removed = min(removed, excluded.removed)`;

const HISTORY = `insert into lifecycle_history (shop, contact, stage, status, at)
  select c.shop, c.key, c.stage, c.status, ?4 from contacts c where c.shop = ?1 and c.key = ?2 and ?3 != ?2
    and (c.stage, c.status) is not (select h.stage, h.status from lifecycle_history h where h.contact = ?2
      order by h.at desc, h.key desc limit 1)`;

/** Everything that simply belongs to another contact from now on. */
const MOVES = [
  `update identities set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update visitors set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update carts set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update orders set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update lifecycle_history set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update discount_codes set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update deliveries set contact = ?2 where +shop = ?1 and contact = ?3`,
  `update or ignore claims set contact = ?2 where shop = ?1 and contact = ?3`,
  `delete from claims where shop = ?1 and contact = ?3`,
  `update or ignore runs set subject = ?2
     where automation in (select key from automations where shop = ?1) and kind = 'contact' and subject = ?3`,
  `update or ignore score_history set contact = ?2 where +shop = ?1 and contact = ?3`,
  // The loser's tags and lists move: nobody has lost any.
  `delete from outbox where shop = ?1 and subject = 'contact:' || cast(?3 as integer)
     and type in ('tag_removed', 'list_removed') and cast(?2 as integer) > 0`,
  `update contact_aliases set contact = ?2 where shop = ?1 and contact = ?3`,
];

/**
 * The statements that merge one contact into another, for the batch of a verb. The winner survives with its id and
 * its own values; everything of the loser moves to it, the strictest consent wins, and the loser's id becomes an
 * alias. A second run finds no loser and changes nothing.
 *
 * Uses of link tokens need no move: the tokens carry the loser's id, which its alias resolves.
 */
export function mergeContactsStatements(
  db: D1Database,
  shop: number,
  winner: ContactRef,
  loser: ContactRef,
  now: number,
): D1PreparedStatement[] {
  const run = (text: string) => {
    const values = [shop, winner.key, loser.key, now];
    return sql(db, text, ...values.slice(0, text.includes("?4") ? 4 : 3));
  };
  return [
    run(FILL_GAPS),
    run(HISTORY),
    run(TAGS),
    sql(db, `delete from contact_tags where shop = ? and contact = ?`, shop, loser.key),
    run(STRICTEST),
    sql(db, `delete from consents where shop = ? and contact = ?`, shop, loser.key),
    ...MOVES.map(run),
    ...MEMBERSHIP_MOVES.map(run),
    sql(
      db,
      `update outbox set subject = ? where shop = ? and subject = ?`,
      `contact:${winner.key}`,
      shop,
      `contact:${loser.key}`,
    ),
    ...recount(db, shop, winner.key, now),
    sql(
      db,
      `insert into contact_aliases (id, shop, contact, merged_at) select id, shop, ?, ? from contacts
       where shop = ? and key = ? on conflict do nothing`,
      winner.key,
      now,
      shop,
      loser.key,
    ),
    sql(db, `update idempotency_keys set subject = ? where subject = ?`, winner.id, loser.id),
    emit(
      db,
      {
        shop,
        type: "contact_merged",
        subject: `contact:${winner.key}`,
        naturalKey: loser.id,
        data: { loserId: loser.id },
        at: now,
      },
      now,
    ),
    sql(db, `delete from contacts where shop = ? and key = ?`, shop, loser.key),
  ];
}
