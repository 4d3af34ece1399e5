import { announceOrder, settleCartsByOrder, settleCartsOfPerson } from "../carts";
import { sql } from "../db/client";
import { keyAfter, lastKey, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import type { Version } from "../contacts";
import { type DomainEventType, emit } from "../jobs";
import type { OrderItem, OrderSource } from "./source";
import { type OrderState, wasPaid } from "./state";
import { fulfilledAt, insertRefund, type StoredOrder, writeOrder } from "./write";
import { cartKeysOf } from "../carts/tables";
import { ordersOfTokens } from "./tables";

export interface OrderPlan {
  key: number;
  id: string;
  isNew: boolean;
  /** A newer body was applied before, or the order was deleted. */
  isStale: boolean;
  /** Contacts whose counts may have changed. */
  contacts: number[];
  /** Goes first in the batch, before anything that another plan writes. */
  guard: D1PreparedStatement;
  statements: D1PreparedStatement[];
}

/**
 * Plans the change that a body of an order makes: the order and its lines, its carts' end, its domain events, each once.
 * The plan is guarded against another writer; counts (`recount`) are the caller's, last in the batch.
 *
 * @param contact key of the person who ordered; null leaves who is stored
 * @param quietBefore what happened before is history: no domain event tells of it
 */
export async function planOrder(
  db: D1Database,
  shop: number,
  told: OrderSource,
  contact: number | null,
  now: number,
  quietBefore = 0,
): Promise<OrderPlan> {
  const [found, known, gone, last, lines] = await db.batch<
    StoredOrder & OrderItem & { external_id: string; at: number; seq: number }
  >([
    sql(
      db,
      `select *, source_updated_at as "updatedAt", source_triggered_at as "triggeredAt", cart_token as "cartToken",
         checkout_token as "checkoutToken", paid_at as "paidAt", fulfilled_at as "fulfilledAt",
         delivered_at as "deliveredAt", cancelled_at as "cancelledAt", presentment_total as "presentmentTotal",
         placed_at as "placedAt"
       from orders where shop = ? and origin = ? and external_id = ?`,
      shop,
      told.origin,
      told.externalId,
    ),
    sql(
      db,
      "select external_id, at from refunds indexed by refunds_order where shop = ? and order_external_id = ?",
      shop,
      told.externalId,
    ),
    sql(db, "select 1 from tombstones where shop = ? and kind = 'order' and external_id = ?", shop, told.externalId),
    lastKey(db, "orders"),
    ...(told.items ? [storedItems(db, shop, told)] : []),
  ]);
  const first = found?.results[0];
  const stored = first && { ...first, row: new Map(Object.entries(first)) };
  const order = withoutGuesses(told, stored);
  const isDeleted = order.origin === "shopify" && (gone?.results.length ?? 0) > 0;
  const key = stored?.key ?? keyAfter(last?.results[0]?.seq ?? null);
  const id = stored?.id ?? newId("ord", now);
  const unchanged = guard(db, shop, order, stored);
  if (isDeleted)
    return { key, id, isNew: false, isStale: true, contacts: [], guard: sql(db, "select 1"), statements: [] };

  const isStale = stored !== undefined && isOlder(order.version, stored);
  const knownRefunds = new Map(known?.results.map((row) => [row.external_id, row.at]));
  const owner = contact ?? stored?.contact ?? null;
  const subject = owner === null ? `order:${key}` : `contact:${owner}`;
  const tokens = {
    cartToken: (isStale ? undefined : order.cartToken) ?? stored?.cartToken ?? null,
    checkoutToken: (isStale ? undefined : order.checkoutToken) ?? stored?.checkoutToken ?? null,
  };
  const announce = (type: DomainEventType, naturalKey: string, at: number) =>
    order.test || at < quietBefore
      ? []
      : [emit(db, { shop, type, subject, naturalKey, data: { orderId: id, state: order.state ?? null }, at }, now)];

  const statements: D1PreparedStatement[] = [];
  const unseen = order.refunds.filter((refund) => !knownRefunds.has(refund.externalId));
  statements.push(...unseen.map((refund) => insertRefund(db, shop, refund)));
  const toldRefunds = unseen.map((refund) => [refund.externalId, refund.at] as const);
  // A refund that came before its order had nobody to be about until now.
  for (const [refund, at] of stored ? toldRefunds : [...toldRefunds, ...knownRefunds]) {
    statements.push(...announce("order_refunded", `refund:${refund}`, at));
  }
  if (isStale) {
    if (stored.contact === null && contact !== null) statements.push(fillContact(db, shop, key, contact));
  } else {
    if (!stored && !order.test && order.placedAt >= quietBefore) {
      const data = { orderId: id, value: order.originalTotal, currency: order.currency };
      const { origin, externalId, placedAt } = order;
      statements.push(announceOrder(db, shop, { ...tokens, origin, externalId, subject, placedAt, data }, now));
    }
    const isPaid = wasPaid(order.financialStatus ?? null);
    const before = stored && { ...stored, items: lines?.results ?? [] };
    statements.push(...writeOrder(db, shop, { key, id }, order, before, { contact: owner, isPaid, tokens }, now));
    const at = order.version.updatedAt;
    const natural = `order:${order.origin}:${order.externalId}`;
    if (isPaid && !stored?.paidAt) statements.push(...announce("order_paid", natural, at));
    const fulfilled = fulfilledAt(order, stored);
    if (fulfilled && !stored?.fulfilledAt) statements.push(...announce("order_fulfilled", natural, fulfilled));
    if (order.deliveredAt && !stored?.deliveredAt)
      statements.push(...announce("order_delivered", natural, order.deliveredAt));
    if (order.cancelledAt && !stored?.cancelledAt)
      statements.push(...announce("order_cancelled", natural, order.cancelledAt));
  }
  const { placedAt, test } = order;
  const announced = placedAt >= quietBefore;
  statements.push(...joinCarts(db, shop, { key, tokens, owner, placedAt, test, announced }, now));
  const contacts = [...new Set([owner, stored?.contact ?? null])].filter((value) => value !== null);
  return { key, id, isNew: !stored, isStale, contacts, guard: unchanged, statements };
}

/** Orders whose cart had been abandoned are recovered ones; goes after `settleCartsByOrder`. */
export function markRecoveredOrders(
  db: D1Database,
  shop: number,
  tokens: { cartToken: string | null; checkoutToken: string | null },
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `update orders set state = 'recovered', updated_at = ?2
     where +shop = ?1 and +state = 'completed' and key in (${ordersOfTokens("key", "?3", "?4")})
       and exists (select 1 from carts c where c.recovered_at is not null
         and c.key in (${cartKeysOf("orders.cart_token", "orders.checkout_token")}))`,
    shop,
    now,
    tokens.cartToken,
    tokens.checkoutToken,
  );
}

/** States that follow from keys of which a body that lacks them says nothing. */
const LASTING_STATES = new Set<OrderState>(["cancelled", "failed", "returned"]);

/** The order with what is stored in the place of what was guessed. */
function withoutGuesses(order: OrderSource, stored: StoredOrder | undefined): OrderSource {
  if (!stored || !order.guessed) return order;
  const known = { ...order };
  for (const name of order.guessed) {
    if (name === "state") {
      if (LASTING_STATES.has(stored.state)) known.state = stored.state;
    } else if (name === "test") known.test = stored.test !== 0;
    else if (name === "total" || name === "placedAt") known[name] = stored[name];
    else known[name] = stored[name] ?? order[name];
  }
  return known;
}

function storedItems(db: D1Database, shop: number, { origin, externalId }: OrderSource): D1PreparedStatement {
  return sql(
    db,
    `select external_id as "externalId", product_id as "productId", variant_id as "variantId", sku, title,
       variant_title as "variantTitle", vendor, category, image, quantity, current_quantity as "currentQuantity", price,
       discounted_price as "discountedPrice"
     from order_items where "order" = (select key from orders where shop = ? and origin = ? and external_id = ?)
     order by line`,
    shop,
    origin,
    externalId,
  );
}

function isOlder(version: Version, stored: { updatedAt: number | null; triggeredAt: number | null }): boolean {
  if (stored.updatedAt === null) return false;
  return version.updatedAt === stored.updatedAt
    ? version.triggeredAt < (stored.triggeredAt ?? 0)
    : version.updatedAt < stored.updatedAt;
}

function guard(db: D1Database, shop: number, order: OrderSource, stored: StoredOrder | undefined): D1PreparedStatement {
  const alive = "not exists (select 1 from tombstones where shop = ?1 and kind = 'order' and external_id = ?2)";
  return stored
    ? mustHold(
        db,
        `${alive} and exists (select 1 from orders where shop = ?1 and key = ?3 and contact is ?4
           and source_updated_at is ?5 and source_triggered_at is ?6)`,
        shop,
        order.externalId,
        stored.key,
        stored.contact,
        stored.updatedAt,
        stored.triggeredAt,
      )
    : mustHold(db, alive, shop, order.externalId);
}

function fillContact(db: D1Database, shop: number, key: number, contact: number): D1PreparedStatement {
  return sql(db, "update orders set contact = ? where key = ? and shop = ? and contact is null", contact, key, shop);
}

/** An order ends its own cart, and what it means for the same person's other carts. */
function joinCarts(
  db: D1Database,
  shop: number,
  order: {
    key: number;
    tokens: { cartToken: string | null; checkoutToken: string | null };
    owner: number | null;
    placedAt: number;
    test: boolean;
    announced: boolean;
  },
  now: number,
): D1PreparedStatement[] {
  const { cartToken, checkoutToken } = order.tokens;
  const statements: D1PreparedStatement[] = [];
  if (cartToken !== null || checkoutToken !== null) {
    if (order.owner !== null) {
      statements.push(
        sql(
          db,
          `update carts set contact = ?2 where +shop = ?1 and contact is null and key in (${cartKeysOf("?3", "?4")})`,
          shop,
          order.owner,
          cartToken,
          checkoutToken,
        ),
      );
    }
    statements.push(
      ...settleCartsByOrder(db, shop, order.tokens, now, order.announced),
      markRecoveredOrders(db, shop, order.tokens, now),
    );
  }
  if (order.owner !== null && !order.test) {
    statements.push(...settleCartsOfPerson(db, shop, order.owner, order.placedAt, now, order.announced));
  }
  return statements;
}
