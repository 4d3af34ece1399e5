import type { Shop } from "../shops";
import { creditOrders } from "./credit";
import { owedOptIns } from "./opt-in";

interface EventRow {
  type: string;
  /** `contact:<key>`, `order:<key>`, ... */
  subject: string;
  /** JSON. */
  data: string;
}

/**
 * What messages do about domain events, for the batch that deletes their rows: new contacts whom only a browser has
 * named are asked to confirm, and orders are credited to the message that brought them: at the
 * first event that names the order, since a browser may have told of the purchase before the shop did. The statements of deliveries
 * return their keys.
 */
export async function messageReactions(
  db: D1Database,
  shop: Shop,
  rows: readonly EventRow[],
  now: number,
): Promise<{ queued: D1PreparedStatement[]; credited: D1PreparedStatement[] }> {
  const made = rows.flatMap(({ type, subject }) => (type === "contact_created" ? keyIn(subject, "contact:") : []));
  const orders = rows.flatMap(({ type, data }) => {
    if (!type.startsWith("order_")) return [];
    const { orderId }: { orderId?: unknown } = JSON.parse(data);
    return typeof orderId === "string" ? [orderId] : [];
  });
  return { queued: await owedOptIns(db, shop.key, made, now), credited: creditOrders(db, shop, orders, now) };
}

function keyIn(subject: string, prefix: string): number[] {
  const key = subject.startsWith(prefix) ? Number(subject.slice(prefix.length)) : Number.NaN;
  return Number.isSafeInteger(key) ? [key] : [];
}
