import { type ErasureSubject, readSubject } from "../../contacts/rest";
import { sql } from "../../db/client";
import { resolveIdentities } from "../../identity";
import type { PrivacyRequest } from "../map/privacy";

type PersonRequest = Extract<PrivacyRequest, { kind: "data_request" | "customer_redact" }>;

interface Holder {
  contact: number;
  /** Shopify's id of another customer: then it is somebody else. */
  other: boolean;
  /** Known by nothing but a phone number. */
  phoneOnly: boolean;
}

/**
 * Whom a request is about, in our terms: contacts, orders, and every name of theirs.
 *
 * The customer id and the e-mail address say who somebody is. A phone number says it only where the request has nothing
 * better or the contact nothing else, since families share numbers. A contact that is another Shopify customer is
 * somebody else, whatever address it still shows. A contact known only through the named orders is the person too.
 */
export async function findPeople(db: D1Database, shop: number, request: PersonRequest): Promise<ErasureSubject> {
  const { id, email, phone, phoneE164 } = request.customer;
  const strong = await resolveIdentities(db, shop, [
    ...(id === null ? [] : [{ kind: "shopify_customer" as const, value: id }]),
    ...(email === null ? [] : [{ kind: "email" as const, value: email }]),
  ]);
  const byPhone = phoneE164 === null ? [] : await resolveIdentities(db, shop, [{ kind: "phone", value: phoneE164 }]);
  const orders = await ordersOf(db, shop, request.orders);
  const byOrder = orders.flatMap(({ contact }) => (contact === null ? [] : [contact]));
  const candidates = [...strong, ...byPhone].map(({ contact }) => contact);
  const holders = await holdersOf(db, shop, [...candidates, ...byOrder], id);
  const known = new Map(holders.map((holder) => [holder.contact, holder]));
  const weak = id === null && email === null;
  const contacts = new Set<number>();
  for (const { contact } of strong) if (!known.get(contact)?.other) contacts.add(contact);
  for (const { contact } of byPhone) {
    const holder = known.get(contact);
    if (holder && !holder.other && (weak || holder.phoneOnly)) contacts.add(contact);
  }
  const named = new Set(orders.map(({ key }) => key));
  for (const contact of byOrder) {
    if (known.get(contact)?.other === false && (await hasOnly(db, shop, contact, named))) contacts.add(contact);
  }
  const number = phoneE164 ?? phone;
  const isShared = byPhone.some(({ contact }) => !contacts.has(contact));
  return readSubject(
    db,
    shop,
    { contacts: [...contacts], orders: orders.map(({ key }) => key) },
    {
      emails: email === null ? [] : [email],
      phones: number === null || isShared ? [] : [number],
      customers: id === null ? [] : [id],
      orders: request.orders,
      keys: [],
    },
  );
}

async function ordersOf(db: D1Database, shop: number, ids: string[]) {
  const { results } = await sql(
    db,
    `select key, contact from orders
     where shop = ?1 and origin = 'shopify' and external_id in (select value from json_each(?2))`,
    shop,
    JSON.stringify(ids),
  ).all<{ key: number; contact: number | null }>();
  return results;
}

async function holdersOf(db: D1Database, shop: number, contacts: number[], id: string | null): Promise<Holder[]> {
  const { results } = await sql(
    db,
    `select c.key as contact,
       exists (select 1 from identities i where i.contact = c.key and i.kind = 'shopify_customer')
         and not exists (select 1 from identities i where i.contact = c.key and i.kind = 'shopify_customer'
           and (i.value = ?3 or ?3 is null)) as other,
       not exists (select 1 from identities i where i.contact = c.key and i.kind <> 'phone') as phoneOnly
     from contacts c where c.shop = ?1 and c.key in (select value from json_each(?2))`,
    shop,
    JSON.stringify([...new Set(contacts)]),
    id,
  ).all<{ contact: number; other: number; phoneOnly: number }>();
  return results.map((row) => ({ contact: row.contact, other: row.other === 1, phoneOnly: row.phoneOnly === 1 }));
}

/** True for a guest whose every order is among these. */
async function hasOnly(db: D1Database, shop: number, contact: number, orders: Set<number>): Promise<boolean> {
  const { results } = await sql(
    db,
    `select key from orders where +shop = ? and contact = ? limit ?`,
    shop,
    contact,
    orders.size + 1,
  ).all<{ key: number }>();
  return results.every(({ key }) => orders.has(key));
}
