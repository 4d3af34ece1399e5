import { sql } from "../db/client";
import { keyAfter, lastKey, mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import type { Version } from "../contacts";
import { emit } from "../jobs";
import { type CartLineSource, mergeLines, parseLines, valueOf } from "./lines";
import { abandonBefore, settleCartsByOrder } from "./transitions";
import { cartKeysOf } from "./tables";

/** A cart or a checkout as its source describes it. An absent member was not told. */
export interface CartSource {
  kind: "cart" | "checkout";
  /** Token of the cart; null for a checkout without one. */
  token: string | null;
  checkoutToken: string | null;
  currency?: string;
  value?: number;
  items?: CartLineSource[];
  checkoutUrl?: string | null;
  /** Epoch ms; an order came of it. */
  completedAt: number | null;
  /** The tracker id that the cart carried. */
  tracker: string | null;
  version: Version;
}

export interface CartPlan {
  key: number;
  isStale: boolean;
  /** Go first in the batch, before anything that another plan writes. */
  guards: D1PreparedStatement[];
  statements: D1PreparedStatement[];
}

interface Stored {
  key: number;
  id: string;
  token: string;
  checkoutToken: string | null;
  visitor: number | null;
  contact: number | null;
  reached: number;
  activityAt: number;
  settledAt: number | null;
  cartUpdatedAt: number | null;
  cartTriggeredAt: number | null;
  checkoutUpdatedAt: number | null;
  checkoutTriggeredAt: number | null;
  items: string;
}

/**
 * Plans the change that a body of a cart or a checkout makes. Both write one row: lines and value are those of the newer
 * of the two, a checkout's before a cart's of the same moment. A token stays with the first visitor that showed it.
 * An order that came before its cart is found here, so any order of delivery ends the same.
 *
 * @param contact key of the person that the body names; null leaves who is stored
 * @param quietBefore what happened before is history: no domain event tells of it
 */
export async function planCart(
  db: D1Database,
  shop: number,
  cart: CartSource,
  contact: number | null,
  now: number,
  quietBefore = 0,
): Promise<CartPlan> {
  const tombstone = cart.token ?? cart.checkoutToken;
  const [found, gone, last] = await db.batch<Stored & { seq: number; at: number }>([
    sql(
      db,
      `select *, checkout_token as "checkoutToken", activity_at as "activityAt", settled_at as "settledAt",
         cart_updated_at as "cartUpdatedAt", cart_triggered_at as "cartTriggeredAt",
         checkout_updated_at as "checkoutUpdatedAt", checkout_triggered_at as "checkoutTriggeredAt"
       from carts where +shop = ?1 and key in (${cartKeysOf("?2", "?3")})`,
      shop,
      cart.token,
      cart.checkoutToken,
    ),
    sql(db, "select at from tombstones where shop = ? and kind = 'checkout' and external_id = ?", shop, tombstone),
    lastKey(db, "carts"),
  ]);
  const rows = found?.results ?? [];
  const stored = rows.find((row) => row.token === cart.token) ?? rows[0];
  const twin = rows.find((row) => row.key !== stored?.key);
  const deletedAt = cart.kind === "checkout" ? (gone?.results[0]?.at ?? null) : null;
  const key = stored?.key ?? keyAfter(last?.results[0]?.seq ?? null);
  if (deletedAt !== null && cart.version.updatedAt <= deletedAt)
    return { key, isStale: true, guards: [], statements: [] };

  const mine = versionOf(stored, cart.kind);
  const isStale = mine !== null && compare(cart.version, mine) < 0;
  const told = isStale ? staleColumns(stored, contact) : changedColumns(cart, stored, twin, contact);
  const isRepeated = stored !== undefined && !twin && cart.version.isReading && saysNothingNew(cart.kind, told, stored);
  const columns: Columns = isRepeated ? new Map() : told;
  const guards = rows.map((row) => unchanged(db, shop, row));
  const statements: D1PreparedStatement[] = [];
  if (twin) statements.push(sql(db, "delete from carts where key = ? and shop = ?", twin.key, shop));
  const announced = cart.version.updatedAt >= quietBefore;
  if (stored) statements.push(...abandonBefore(db, shop, stored.token, cart.version.updatedAt, now, announced));
  if (columns.size > 0 || !stored) statements.push(writeCart(db, shop, { key, stored }, columns, now));

  const token = cart.token ?? stored?.token ?? `checkout:${cart.checkoutToken}`;
  statements.push(...bindVisitor(db, shop, key, cart.tracker));
  if (!isStale && announced) statements.push(...announce(db, shop, { key, token, stored, contact }, cart, now));
  const tokens = {
    cartToken: token.startsWith("checkout:") ? null : token,
    checkoutToken: cart.checkoutToken ?? stored?.checkoutToken ?? null,
  };
  statements.push(...settleCartsByOrder(db, shop, tokens, now, announced), settleByPerson(db, shop, key));
  // Its threshold passed in the past that nobody is told of; one that passes later is for the clock.
  if (quietBefore > 0) statements.push(...abandonBefore(db, shop, token, quietBefore, now, false));
  return { key, isStale, guards, statements };
}

function versionOf(row: Stored | undefined, kind: CartSource["kind"]): Version | null {
  const updatedAt = kind === "cart" ? row?.cartUpdatedAt : row?.checkoutUpdatedAt;
  const triggeredAt = kind === "cart" ? row?.cartTriggeredAt : row?.checkoutTriggeredAt;
  return updatedAt == null ? null : { updatedAt, triggeredAt: triggeredAt ?? 0 };
}

function compare(a: Version, b: Version): number {
  return a.updatedAt - b.updatedAt || a.triggeredAt - b.triggeredAt;
}

type Columns = Map<string, string | number | null>;

function staleColumns(stored: Stored | undefined, contact: number | null): Columns {
  return stored?.contact === null && contact !== null ? new Map([["contact", contact]]) : new Map();
}

function changedColumns(
  cart: CartSource,
  stored: Stored | undefined,
  twin: Stored | undefined,
  contact: number | null,
) {
  const { version, kind } = cart;
  const columns: Columns = new Map();
  const other = versionOf(stored, kind === "cart" ? "checkout" : "cart");
  const order = other === null ? 1 : compare(version, other);
  const leads = kind === "checkout" ? order >= 0 : order > 0;
  if (leads) {
    if (cart.currency !== undefined) columns.set("currency", cart.currency);
    if (cart.value !== undefined) columns.set("value", cart.value);
    if (cart.items !== undefined) {
      const items = mergeLines(cart.items, stored ? parseLines(stored.items) : []);
      columns.set("items", JSON.stringify(items));
      columns.set("reached", Number(items.length > 0));
      // A line that was told without its price has the one that is stored.
      const value = cart.value === undefined && cart.kind === "cart" ? valueOf(items) : null;
      if (value) columns.set("currency", value.currency).set("value", value.amount);
    }
  }
  if (cart.checkoutUrl !== undefined) columns.set("checkout_url", cart.checkoutUrl);
  if (cart.token !== null && cart.token !== stored?.token) columns.set("token", cart.token);
  if (cart.checkoutToken !== null && cart.checkoutToken !== stored?.checkoutToken) {
    columns.set("checkout_token", cart.checkoutToken);
  }
  const owner = contact ?? stored?.contact ?? twin?.contact ?? null;
  if (owner !== (stored?.contact ?? null)) columns.set("contact", owner);
  if (twin?.visitor != null && stored?.visitor === null) columns.set("visitor", twin.visitor);
  const activityAt = Math.max(version.updatedAt, stored?.activityAt ?? 0, twin?.activityAt ?? 0);
  if (activityAt !== stored?.activityAt) columns.set("activity_at", activityAt);
  if (cart.completedAt !== null) {
    columns.set("settled_at", Math.max(cart.completedAt, version.updatedAt, stored?.settledAt ?? 0));
  }
  columns.set(`${kind}_updated_at`, version.updatedAt);
  columns.set(`${kind}_triggered_at`, version.triggeredAt);
  return columns;
}

/** True when all that a reading says but its own moment is stored. */
function saysNothingNew(kind: CartSource["kind"], columns: Columns, stored: Stored): boolean {
  const known = new Map<string, unknown>(Object.entries(stored));
  return [...columns].every(([name, value]) => name === `${kind}_triggered_at` || known.get(name) === value);
}

function unchanged(db: D1Database, shop: number, row: Stored): D1PreparedStatement {
  return mustHold(
    db,
    `exists (select 1 from carts where key = ?2 and shop = ?1 and token = ?3 and checkout_token is ?4 and contact is ?5
       and cart_updated_at is ?6 and cart_triggered_at is ?7 and checkout_updated_at is ?8
       and checkout_triggered_at is ?9 and activity_at = ?10)`,
    shop,
    row.key,
    row.token,
    row.checkoutToken,
    row.contact,
    row.cartUpdatedAt,
    row.cartTriggeredAt,
    row.checkoutUpdatedAt,
    row.checkoutTriggeredAt,
    row.activityAt,
  );
}

function writeCart(
  db: D1Database,
  shop: number,
  { key, stored }: { key: number; stored: Stored | undefined },
  columns: Columns,
  now: number,
): D1PreparedStatement {
  if (stored) {
    return sql(
      db,
      `update carts set ${[...columns.keys()].map((name) => `${name} = ?`).join(", ")}, updated_at = ?
       where key = ? and shop = ?`,
      ...columns.values(),
      now,
      key,
      shop,
    );
  }
  const row: Columns = new Map<string, string | number | null>([
    ["key", key],
    ["shop", shop],
    ["id", newId("crt", now)],
    ["token", `checkout:${columns.get("checkout_token") ?? ""}`],
    ["state", "open"],
    // Lines that were not told do not make a cart empty; those that were told decide below.
    ["reached", 1],
    ["created_at", now],
    ["updated_at", now],
    ...columns,
  ]);
  return sql(
    db,
    `insert into carts (${[...row.keys()].join(", ")}) values (${[...row.keys()].map(() => "?").join(", ")})`,
    ...row.values(),
  );
}

/** The browser's current person, unless the token is bound; orders of the cart learn it too. */
function bindVisitor(db: D1Database, shop: number, key: number, tracker: string | null): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  if (tracker !== null) {
    statements.push(
      sql(
        db,
        `update carts set visitor = (select v.key from visitors v where v.shop = ?1 and v.tracker = ?3
           and v.channel = 'browser' order by v.person desc limit 1)
         where key = ?2 and shop = ?1 and visitor is null
           and exists (select 1 from visitors v where v.shop = ?1 and v.tracker = ?3 and v.channel = 'browser')`,
        shop,
        key,
        tracker,
      ),
    );
  }
  statements.push(
    sql(
      db,
      `update orders set visitor = c.visitor from carts c where c.key = ?2 and c.shop = ?1 and c.visitor is not null
         and orders.shop = ?1 and orders.visitor is null
         and (orders.cart_token = c.token or orders.checkout_token = c.checkout_token)`,
      shop,
      key,
    ),
  );
  return statements;
}

function announce(
  db: D1Database,
  shop: number,
  { key, token, stored, contact }: { key: number; token: string; stored: Stored | undefined; contact: number | null },
  cart: CartSource,
  now: number,
): D1PreparedStatement[] {
  const owner = contact ?? stored?.contact ?? null;
  const visitor = stored?.visitor ?? null;
  const subject = owner !== null ? `contact:${owner}` : visitor !== null ? `visitor:${visitor}` : `cart:${key}`;
  const about = {
    shop,
    subject,
    data: { cartKey: key, value: cart.value ?? null, currency: cart.currency ?? null },
    at: cart.version.updatedAt,
  };
  if (cart.kind === "cart") {
    const naturalKey = `cart:${token}:${cart.version.updatedAt}:${cart.version.triggeredAt}`;
    return [emit(db, { ...about, type: "cart_updated", naturalKey }, now)];
  }
  return cart.checkoutToken === null || cart.checkoutToken === stored?.checkoutToken
    ? []
    : [emit(db, { ...about, type: "checkout_started", naturalKey: `checkout:${cart.checkoutToken}` }, now)];
}

/** The person's orders that are known already: an open cart they came after is settled. */
function settleByPerson(db: D1Database, shop: number, key: number): D1PreparedStatement {
  return sql(
    db,
    `update carts set settled_at = o.placed_at
     from (select max(placed_at) as placed_at from orders where test = 0
       and contact = (select contact from carts where key = ?2)) o
     where carts.key = ?2 and carts.shop = ?1 and carts.state = 'open' and o.placed_at > coalesce(carts.settled_at, 0)`,
    shop,
    key,
  );
}
