import { recount } from "../contacts";
import { sql } from "../db/client";
import { mustHold } from "../db/guard";
import { insertRefund, type RefundSource } from "../orders";
import { emit } from "../jobs";
import type { Applied, ApplyContext } from "./apply";

/** An order deleted in Shopify goes with its lines and refunds; a late body does not bring it back. */
export async function applyOrderDeleted(
  { db, shop, now }: ApplyContext,
  { orderId, at }: { orderId: string; at: number },
): Promise<Applied> {
  const order = await findOrder(db, shop.key, orderId);
  const statements = [
    sql(
      db,
      "insert into tombstones (shop, kind, external_id, at) values (?, 'order', ?, ?) on conflict do nothing",
      shop.key,
      orderId,
      at,
    ),
    sql(db, "delete from refunds indexed by refunds_order where shop = ? and order_external_id = ?", shop.key, orderId),
  ];
  if (order) {
    statements.push(
      stillHas(db, shop.key, orderId, order.contact),
      sql(db, `delete from order_items where "order" = ?`, order.key),
      sql(db, "delete from orders where key = ? and shop = ?", order.key, shop.key),
      ...(order.contact === null ? [] : recount(db, shop.key, order.contact, now)),
    );
  }
  return { outcome: "handled", statements };
}

/**
 * Puts a refund on record. It changes the person's lifetime value, but no total of the order: the order's own body brings
 * that. A refund whose order is not known yet is announced with the order.
 */
export async function applyRefund({ db, shop, now }: ApplyContext, refund: RefundSource): Promise<Applied> {
  const known = await sql(
    db,
    `select (select 1 from refunds where shop = ?1 and external_id = ?2) as refund,
       (select 1 from tombstones where shop = ?1 and kind = 'order' and external_id = ?3) as deleted`,
    shop.key,
    refund.externalId,
    refund.orderExternalId,
  ).first<{ refund: number | null; deleted: number | null }>();
  if (known?.refund || known?.deleted) return { outcome: "stale", statements: [] };
  const order = await findOrder(db, shop.key, refund.orderExternalId);
  const statements = [insertRefund(db, shop.key, refund)];
  const recounts: number[] = [];
  if (!order) {
    statements.push(
      mustHold(
        db,
        "not exists (select 1 from orders where shop = ? and origin = 'shopify' and external_id = ?)",
        shop.key,
        refund.orderExternalId,
      ),
    );
  } else if (order.test === 0) {
    const subject = order.contact === null ? `order:${order.key}` : `contact:${order.contact}`;
    const data = { orderId: order.id, value: refund.amount, currency: refund.currency };
    const naturalKey = `refund:${refund.externalId}`;
    statements.push(
      emit(db, { shop: shop.key, type: "order_refunded", subject, naturalKey, data, at: refund.at }, now),
    );
    if (order.contact !== null) recounts.push(order.contact);
  }
  return { outcome: "handled", statements, recounts };
}

async function findOrder(db: D1Database, shop: number, externalId: string) {
  return sql(
    db,
    "select key, id, contact, test from orders where shop = ? and origin = 'shopify' and external_id = ?",
    shop,
    externalId,
  ).first<{ key: number; id: string; contact: number | null; test: number }>();
}

function stillHas(db: D1Database, shop: number, externalId: string, contact: number | null): D1PreparedStatement {
  return mustHold(
    db,
    "exists (select 1 from orders where shop = ? and origin = 'shopify' and external_id = ? and contact is ?)",
    shop,
    externalId,
    contact,
  );
}
