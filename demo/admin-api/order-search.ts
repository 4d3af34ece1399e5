import type { OrderRecord } from "./records.ts";
import { allows } from "./schema.ts";
import type { SearchFields } from "./search.ts";
import type { AdminStore } from "./store.ts";

export const searchOrders: SearchFields<OrderRecord> = {
  id: (order) => order.id,
  name: (order) => `#${order.number}`,
  created_at: (order) => ({ time: order.createdAt }),
  processed_at: (order) => ({ time: order.processedAt }),
  updated_at: (order) => ({ time: order.updatedAt }),
  email: (order) => order.email,
  customer_id: (order) => order.customerId,
  cart_token: (order) => order.cartToken,
  checkout_token: (order) => order.checkoutToken,
  discount_code: (order) => order.discounts.flatMap(({ code }) => (code === null ? [] : [code])),
  financial_status: (order) => order.financialStatus,
  fulfillment_status: (order) => order.fulfillmentStatus,
  source_name: (order) => order.sourceName,
  status: (order) => statusOf(order),
  tag: (order) => order.tags,
  test: (order) => order.test,
};

function statusOf(order: OrderRecord): string[] {
  const status = order.cancelledAt !== null ? "cancelled" : order.closedAt !== null ? "closed" : "open";
  return [status, status === "open" ? "not_closed" : "any", "any"];
}

/** Without `read_all_orders` an app sees the last sixty days only. */
export function orderVisible(store: AdminStore): (order: { createdAt: number }) => boolean {
  const everything = allows(store.app.scopes, ["read_all_orders"]);
  const since = store.now() - 60 * 86_400_000;
  return (order) => everything || order.createdAt >= since;
}
