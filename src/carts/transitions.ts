import { sql } from "../db/client";
import { ordersOfTokens } from "../orders/tables";
import { cartKeysOf } from "./tables";

/** An abandoned cart counts as recovered by another purchase of the same person for this long. */
const RECOVERY_MS = 30 * 86_400_000;

/** Whom a cart's domain events are about. */
const SUBJECT = `case when carts.contact is not null then 'contact:' || carts.contact
  when carts.visitor is not null then 'visitor:' || carts.visitor else 'cart:' || carts.key end`;

/**
 * One domain event per cart that a transition is about to touch; runs before the update, with its predicate, which says
 * by itself through which index the carts are found: without statistics SQLite would read the whole shop.
 */
function emitForCarts(
  db: D1Database,
  type: "cart_abandoned" | "cart_recovered" | "order_placed",
  from: { shop: number; at: string; now: number; where: string },
  ...values: (string | number | null)[]
): D1PreparedStatement {
  return sql(
    db,
    `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
     select ?1, '${type}', ${SUBJECT}, 'cart:' || carts.token,
       json_object('cartId', carts.id, 'value', carts.value, 'currency', carts.currency), ${from.at}, ?2
     from carts where +carts.shop = ?1 and ${from.where} on conflict do nothing`,
    from.shop,
    from.now,
    ...values,
  );
}

const THRESHOLD_MS = `1000 * (select coalesce(settings ->> 'abandonAfterSeconds', 3600) from shops where key = ?1)`;

/** Carts that nobody touched or bought for the whole threshold before this moment. */
const dueBy = (moment: string) => `carts.state = 'open' and carts.reached = 1
  and (carts.settled_at is null or carts.settled_at < carts.activity_at)
  and carts.activity_at <= ${moment} - ${THRESHOLD_MS}`;

function abandon(
  db: D1Database,
  { shop, now, where, announced = true }: { shop: number; now: number; where: string; announced?: boolean },
  ...values: (string | number | null)[]
): D1PreparedStatement[] {
  const at = `carts.activity_at + ${THRESHOLD_MS}`;
  return [
    ...(announced ? [emitForCarts(db, "cart_abandoned", { shop, at, now, where }, ...values)] : []),
    sql(
      db,
      `update carts set state = 'abandoned', abandoned_at = ${at}, updated_at = ?2 where +shop = ?1 and ${where}`,
      shop,
      now,
      ...values,
    ),
  ];
}

/**
 * Open carts of the shop whose threshold has passed become abandoned, as of the threshold; the shop's setting is read
 * in the database, so that a stale caller is harmless. The visitor's alarm, the clock and webhooks may all try.
 */
export function abandonDueCarts(db: D1Database, shop: number, now: number): D1PreparedStatement[] {
  return abandon(db, { shop, now, where: `carts.shop = ?1 and ${dueBy("?2")}` });
}

/**
 * The abandonment that came before what is about to be written about the cart and that nobody has carried out, since
 * the Worker was down at that moment. Goes before that write.
 *
 * @param at when it happened
 * @param announced false for history, of which no domain event tells
 */
export function abandonBefore(db: D1Database, shop: number, token: string, at: number, now: number, announced = true) {
  return abandon(
    db,
    { shop, now, where: `carts.shop = ?1 and carts.token = ?3 and ${dueBy("?4")}`, announced },
    token,
    at,
  );
}

/** When the next open cart of the shop will be due, or null. */
export async function nextAbandonment(db: D1Database, shop: number): Promise<number | null> {
  const row = await sql(
    db,
    `select min(activity_at) + 1000 * (
       select coalesce(settings ->> 'abandonAfterSeconds', 3600) from shops where key = ?1) as due
     from carts where shop = ?1 and state = 'open' and reached = 1
       and (settled_at is null or settled_at < activity_at)`,
    shop,
  ).first<{ due: number | null }>();
  return row?.due ?? null;
}

interface Tokens {
  cartToken: string | null;
  checkoutToken: string | null;
}

/** `?3` cart token, `?4` checkout token. */
const OF_TOKENS = `carts.key in (${cartKeysOf("?3", "?4")})
  and (carts.state in ('open', 'abandoned') or carts.purchased_by = 'browser')`;
/** A cart that is known by its checkout alone is named after it. */
const PLACED_AT = `(select min(placed_at) from (
  ${ordersOfTokens("placed_at", "carts.token", "carts.checkout_token")}
  union all select placed_at from orders where shop = ?1
    and checkout_token = case when carts.token like 'checkout:%' then substr(carts.token, 10) end))`;

/**
 * Brings carts in line with the orders that name them: purchased, or recovered when the order came after the
 * abandonment. An order placed before the threshold undoes an abandonment that was only believed. Goes after the
 * statement that writes the order, and after any that writes the cart, since either may come first.
 *
 * @param announced false for history, of which no domain event tells
 */
export function settleCartsByOrder(
  db: D1Database,
  shop: number,
  tokens: Tokens,
  now: number,
  announced = true,
): D1PreparedStatement[] {
  if (tokens.cartToken === null && tokens.checkoutToken === null) return [];
  const values = [tokens.cartToken, tokens.checkoutToken];
  const recovered = `carts.abandoned_at is not null and carts.abandoned_at <= ${PLACED_AT}`;
  return [
    ...abandon(db, { shop, now, where: `${OF_TOKENS} and ${dueBy(PLACED_AT)}`, announced }, ...values),
    ...(announced
      ? [
          emitForCarts(
            db,
            "cart_recovered",
            { shop, at: PLACED_AT, now, where: `${OF_TOKENS} and carts.recovered_at is null and ${recovered}` },
            ...values,
          ),
        ]
      : []),
    sql(
      db,
      `update carts set
         state = case when ${recovered} then 'recovered' else 'purchased' end,
         recovered_at = case when ${recovered} then ${PLACED_AT} end,
         abandoned_at = case when ${recovered} then abandoned_at end,
         purchased_at = ${PLACED_AT}, purchased_by = 'order', updated_at = ?2
       where +shop = ?1 and ${OF_TOKENS} and ${PLACED_AT} is not null`,
      shop,
      now,
      ...values,
    ),
  ];
}

/**
 * What a person's purchase means for their other carts, on any device: open ones are not abandoned unless they change
 * again, abandoned ones are recovered. Only for purchases that are proved (an order), never for claims of a browser.
 */
export function settleCartsOfPerson(
  db: D1Database,
  shop: number,
  contact: number,
  placedAt: number,
  now: number,
  announced = true,
): D1PreparedStatement[] {
  const abandoned = `carts.contact = ?3 and carts.state = 'abandoned' and carts.abandoned_at between ?5 and ?4`;
  return [
    ...abandon(db, { shop, now, where: `carts.contact = ?3 and ${dueBy("?4")}`, announced }, contact, placedAt),
    sql(
      db,
      `update carts set settled_at = max(coalesce(settled_at, 0), ?3) where +shop = ?1 and contact = ?2 and state = 'open'
         and activity_at <= ?3 and coalesce(settled_at, 0) < ?3`,
      shop,
      contact,
      placedAt,
    ),
    ...(announced
      ? [
          emitForCarts(
            db,
            "cart_recovered",
            { shop, at: "?4", now, where: abandoned },
            contact,
            placedAt,
            placedAt - RECOVERY_MS,
          ),
        ]
      : []),
    sql(
      db,
      `update carts set state = 'recovered', recovered_at = ?4, purchased_by = 'order', updated_at = ?2
       where +shop = ?1 and ${abandoned}`,
      shop,
      now,
      contact,
      placedAt,
      placedAt - RECOVERY_MS,
    ),
  ];
}

/**
 * Announces a new order, unless a browser's purchase of the same cart was announced before. Goes before the statement
 * that inserts the order: the absence of the row is what makes it new.
 *
 * @param order.data figures of the order, without personal data
 */
export function announceOrder(
  db: D1Database,
  shop: number,
  order: Tokens & {
    origin: "shopify" | "api";
    externalId: string;
    subject: string;
    placedAt: number;
    data: Record<string, unknown>;
  },
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
     select ?1, 'order_placed', ?5, coalesce('cart:' || ?3, 'cart:checkout:' || ?4, 'order:' || ?6 || ':' || ?7), ?8, ?9, ?2
     where not exists (select 1 from orders where shop = ?1 and origin = ?6 and external_id = ?7)
       and not exists (select 1 from carts where carts.purchased_by = 'browser'
         and carts.key in (${cartKeysOf("?3", "?4")}))
     on conflict do nothing`,
    shop,
    now,
    order.cartToken,
    order.checkoutToken,
    order.subject,
    order.origin,
    order.externalId,
    JSON.stringify(order.data),
    order.placedAt,
  );
}

/**
 * A thank-you page or checkout event of a browser buys its own cart, once. With Shopify connected it is only a sign:
 * the webhook decides, so callers leave this out there.
 */
export function purchaseByBrowser(db: D1Database, shop: number, token: string, at: number, now: number) {
  const where = `carts.shop = ?1 and carts.token = ?3 and carts.state in ('open', 'abandoned')`;
  const recovered = "carts.abandoned_at is not null and carts.abandoned_at <= ?4";
  return [
    emitForCarts(db, "order_placed", { shop, at: "?4", now, where }, token, at),
    emitForCarts(db, "cart_recovered", { shop, at: "?4", now, where: `${where} and ${recovered}` }, token, at),
    sql(
      db,
      `update carts set state = case when ${recovered} then 'recovered' else 'purchased' end,
         recovered_at = case when ${recovered} then ?4 end,
         abandoned_at = case when ${recovered} then abandoned_at end,
         purchased_at = ?4, purchased_by = 'browser', updated_at = ?2
       where shop = ?1 and ${where}`,
      shop,
      now,
      token,
      at,
    ),
  ];
}
