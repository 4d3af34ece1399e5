import { demoted, mergeContactsStatements, mergeRegisters, planContact, recount, type Registers } from "../contacts";
import { sql } from "../db/client";
import { mustHold } from "../db/guard";
import { resolveIdentities } from "../identity";
import type { Applied, ApplyContext } from "./apply";

interface Found {
  key: number;
  id: string;
  revision: number;
  registers: string;
}

/** True when Shopify deleted the customer: late bodies do not bring it back. */
export async function isDeletedCustomer(db: D1Database, shop: number, customerId: string): Promise<boolean> {
  const row = await sql(
    db,
    "select 1 from tombstones where shop = ? and kind = 'customer' and external_id = ?",
    shop,
    customerId,
  ).first();
  return row !== null;
}

/** Fails the batch when one of the customers was deleted meanwhile. */
export function noneDeleted(db: D1Database, shop: number, customerIds: string[]): D1PreparedStatement {
  return mustHold(
    db,
    `not exists (select 1 from json_each(?2) j
       cross join tombstones t on t.shop = ?1 and t.kind = 'customer' and t.external_id = j.value)`,
    shop,
    JSON.stringify(customerIds),
  );
}

/**
 * A customer deleted in Shopify (only possible without orders): the contact that Shopify made goes to the trash, where
 * it can be taken back; one that was here before stays, as no customer any more. The id never counts again.
 */
export async function applyCustomerDeleted(
  { db, shop, now }: ApplyContext,
  { customerId, at }: { customerId: string; at: number },
): Promise<Applied> {
  const contact = await find(db, shop.key, customerId);
  const statements = [
    sql(
      db,
      "insert into tombstones (shop, kind, external_id, at) values (?, 'customer', ?, ?) on conflict do nothing",
      shop.key,
      customerId,
      at,
    ),
  ];
  if (contact) {
    statements.push(
      mustHold(db, "exists (select 1 from contacts where key = ? and revision = ?)", contact.key, contact.revision),
      sql(
        db,
        "delete from identities where shop = ? and kind = 'shopify_customer' and value = ? and contact = ?",
        shop.key,
        customerId,
        contact.key,
      ),
      sql(
        db,
        `update contacts set shopify_customer_id = null, account_state = null, shopify_values = '{}',
           deleted_at = case when source = 'Shopify' and orders_count = 0 then coalesce(deleted_at, ?1) else deleted_at end,
           stage = case when status = 'paying' then stage else 'lead' end,
           status = case when status = 'paying' then status end, revision = revision + 1, updated_at = ?1
         where key = ?2 and shop = ?3 and shopify_customer_id = ?4`,
        now,
        contact.key,
        shop.key,
        customerId,
      ),
      ...recount(db, shop.key, contact.key, now),
    );
  }
  return { outcome: "handled", statements };
}

/**
 * Two customers became one in Shopify: the contact of the kept one gets everything of the other, and the lost customer
 * id goes on leading to it. What is unknown so far is prepared, so that the bodies may follow in any order.
 */
export async function applyMerge(
  { db, shop, now, triggeredAt }: ApplyContext,
  { kept, lost }: { kept: string; lost: string },
): Promise<Applied> {
  const [winner, loser] = await Promise.all([find(db, shop.key, kept), find(db, shop.key, lost)]);
  if (winner && loser && winner.key === loser.key) return { outcome: "stale", statements: [] };
  if (winner && loser) {
    const registers = mergeRegisters(demoted(parse(loser.registers)), parse(winner.registers)).registers;
    return {
      outcome: "handled",
      statements: [
        unchanged(db, winner),
        unchanged(db, loser),
        ...mergeContactsStatements(db, shop.key, winner, loser, now),
        update(db, shop.key, winner.key, { registers, customerId: kept }),
        ...recount(db, shop.key, winner.key, now),
      ],
    };
  }
  if (loser) {
    // Only the lost one is known: it becomes the kept one.
    return {
      outcome: "handled",
      statements: [
        unchanged(db, loser),
        hold(db, shop.key, loser.key, kept, now),
        update(db, shop.key, loser.key, { registers: demoted(parse(loser.registers)), customerId: kept }),
        ...recount(db, shop.key, loser.key, now),
      ],
    };
  }
  const version = { updatedAt: triggeredAt, triggeredAt };
  const mention = { trust: "order" as const, version, values: {}, consents: [], tags: null, revives: false };
  const contact = winner ?? (await planContact(db, shop, { ...mention, customerId: kept }, now));
  if (!contact) return { outcome: "stale", statements: [] };
  return {
    outcome: "handled",
    statements: [
      ...("statements" in contact ? contact.statements : [unchanged(db, contact)]),
      hold(db, shop.key, contact.key, lost, now),
      ...recount(db, shop.key, contact.key, now),
    ],
  };
}

async function find(db: D1Database, shop: number, customerId: string): Promise<Found | null> {
  const [held] = await resolveIdentities(db, shop, [{ kind: "shopify_customer", value: customerId }]);
  if (!held) return null;
  return sql(
    db,
    `select key, id, revision, shopify_values as "registers" from contacts where key = ? and shop = ?`,
    held.contact,
    shop,
  ).first<Found>();
}

function parse(registers: string): Registers {
  return JSON.parse(registers);
}

function unchanged(db: D1Database, contact: Found): D1PreparedStatement {
  return mustHold(db, "exists (select 1 from contacts where key = ? and revision = ?)", contact.key, contact.revision);
}

/** Fails on a value that another contact took meanwhile. */
function hold(db: D1Database, shop: number, contact: number, customerId: string, now: number): D1PreparedStatement {
  return sql(
    db,
    `insert into identities (shop, kind, value, contact, evidence, created_at)
     values (?, 'shopify_customer', ?, ?, 'verified', ?)`,
    shop,
    customerId,
    contact,
    now,
  );
}

function update(
  db: D1Database,
  shop: number,
  key: number,
  { registers, customerId }: { registers: Registers; customerId: string },
): D1PreparedStatement {
  return sql(
    db,
    `update contacts set shopify_values = ?, shopify_customer_id = ?, revision = revision + 1 where key = ? and shop = ?`,
    JSON.stringify(registers),
    customerId,
    key,
    shop,
  );
}
