import { cartKeysOf } from "../carts/tables";
import { insertRows, sql } from "../db/client";
import { keyAfter, lastKey, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import { wholeItem } from "./lines";
import type { OrderSource } from "./source";
import { wasPaid } from "./state";
import { itemRow, orderRow, refundRow } from "./write";

/** What is stored around orders that are about to be written. */
export interface KnownOrders {
  /** Where each order stands, by external id; absent for one that nothing is known of. */
  states: Map<string, "current" | "unowned" | "older" | "touched">;
  /** The last key that was given out. */
  last: number | null;
}

/** Moments that tell which carts and people an order may touch. */
const TOUCHED_CARTS = `carts c on c.key in (${cartKeysOf("(j.value ->> 'cartToken')", "(j.value ->> 'checkoutToken')")})`;

/** An event of the same second as the stored body is in that body, when it was sent after the second had ended. */
const SECOND_MS = 1_000;

/**
 * Reads in one batch what decides how each order is written: `current` needs nothing, `unowned` only its person, where
 * there is one; `older` and `touched` (deleted, with refunds that came before it, or with a cart) are for `planOrder`,
 * one after the other.
 */
export async function readOrders(db: D1Database, shop: number, orders: OrderSource[]): Promise<KnownOrders> {
  const asked = tokensOf(orders);
  const [stored, refunds, gone, carts, last] = await db.batch<{
    id: string;
    updatedAt: number | null;
    triggeredAt: number | null;
    contact: number | null;
    seq: number;
  }>([
    sql(
      db,
      `select o.external_id as id, o.contact, o.source_updated_at as "updatedAt", o.source_triggered_at as "triggeredAt"
       from json_each(?2) j cross join orders o
         on o.shop = ?1 and o.origin = 'shopify' and o.external_id = j.value ->> 'id'`,
      shop,
      asked,
    ),
    sql(
      db,
      `select distinct r.order_external_id as id from json_each(?2) j
       cross join refunds r indexed by refunds_order on r.shop = ?1 and r.order_external_id = j.value ->> 'id'`,
      shop,
      asked,
    ),
    sql(
      db,
      `select t.external_id as id from json_each(?2) j
       cross join tombstones t on t.shop = ?1 and t.kind = 'order' and t.external_id = j.value ->> 'id'`,
      shop,
      asked,
    ),
    sql(db, `select j.value ->> 'id' as id from json_each(?2) j cross join ${TOUCHED_CARTS}`, shop, asked),
    lastKey(db, "orders"),
  ]);
  const states: KnownOrders["states"] = new Map();
  for (const { id } of [...(refunds?.results ?? []), ...(carts?.results ?? [])]) states.set(id, "touched");
  const versions = new Map(orders.map(({ externalId, version }) => [externalId, version]));
  for (const { id, contact, updatedAt, triggeredAt } of stored?.results ?? []) {
    const version = versions.get(id);
    const isCurrent =
      version !== undefined &&
      updatedAt !== null &&
      (updatedAt > version.updatedAt ||
        (updatedAt === version.updatedAt &&
          ((triggeredAt ?? 0) >= version.triggeredAt || (triggeredAt ?? 0) >= updatedAt + SECOND_MS)));
    states.set(id, !isCurrent ? "older" : contact === null ? "unowned" : "current");
  }
  for (const { id } of gone?.results ?? []) states.set(id, "current");
  return { states, last: last?.results[0]?.seq ?? null };
}

/**
 * Inserts orders that `readOrders` found nothing about, in a few statements: the same rows that `planOrder` writes, and
 * no domain event, since they are history. Fails with a conflict when one of them, a cart of theirs or a deletion came
 * in between. Nothing here touches carts: whoever calls has made sure that the people have none that is open or
 * abandoned (`peopleWithCarts`).
 */
export function planOrders(
  db: D1Database,
  shop: number,
  orders: { order: OrderSource; contact: number | null }[],
  last: number | null,
  now: number,
): D1PreparedStatement[] {
  let next = keyAfter(last);
  const placed = orders.map(({ order, contact }) => ({ order, contact, key: next++, id: newId("ord", now) }));
  const people = [...new Set(orders.flatMap(({ contact }) => (contact === null ? [] : [contact])))];
  const asked = tokensOf(orders.map(({ order }) => order));
  return [
    mustHold(
      db,
      `not exists (select 1 from json_each(?2) j cross join tombstones t
         on t.shop = ?1 and t.kind = 'order' and t.external_id = j.value ->> 'id')`,
      shop,
      asked,
    ),
    mustHold(db, `not exists (select 1 from json_each(?2) j cross join ${TOUCHED_CARTS})`, shop, asked),
    mustHold(
      db,
      `not exists (select 1 from json_each(?2) j cross join carts c
         on c.contact = j.value and c.shop = ?1 and c.state in ('open', 'abandoned'))`,
      shop,
      JSON.stringify(people),
    ),
    ...insertRows(
      db,
      "orders",
      placed.map(({ order, contact, key, id }) => {
        const tokens = { cartToken: order.cartToken ?? null, checkoutToken: order.checkoutToken ?? null };
        const isPaid = wasPaid(order.financialStatus ?? null);
        return orderRow(shop, { key, id }, order, undefined, { contact, isPaid, tokens }, now);
      }),
    ),
    ...insertRows(
      db,
      "order_items",
      placed.flatMap(({ order, key }) => (order.items ?? []).map((item, line) => itemRow(key, line, wholeItem(item)))),
    ),
    ...insertRows(
      db,
      "refunds",
      placed.flatMap(({ order }) => order.refunds.map((refund) => refundRow(shop, refund))),
    ),
  ];
}

/** Which of these contacts have carts that an order of theirs could settle or recover. */
export async function peopleWithCarts(db: D1Database, shop: number, contacts: number[]): Promise<Set<number>> {
  const { results } = await sql(
    db,
    `select distinct c.contact from json_each(?2) j cross join carts c
       on c.contact = j.value and c.shop = ?1 and c.state in ('open', 'abandoned')`,
    shop,
    JSON.stringify(contacts),
  ).all<{ contact: number }>();
  return new Set(results.map(({ contact }) => contact));
}

function tokensOf(orders: OrderSource[]): string {
  return JSON.stringify(
    orders.map(({ externalId, cartToken, checkoutToken }) => ({
      id: externalId,
      cartToken: cartToken ?? null,
      checkoutToken: checkoutToken ?? null,
    })),
  );
}
