import type { Order } from "../store/state.ts";
import { shopTime } from "../time.ts";

type Delta = { id: number; delta: number };

/** Body of orders/edited: the difference, not the order. */
export function editPayload(id: number, order: Order, lines: { additions: Delta[]; removals: Delta[] }, at: number) {
  return {
    order_edit: {
      id,
      app_id: null,
      created_at: shopTime(at),
      committed_at: shopTime(at),
      notify_customer: false,
      order_id: order.id,
      staff_note: "",
      user_id: null,
      line_items: lines,
      discounts: { line_item: { additions: [], removals: [] } },
      shipping_lines: { additions: [], removals: [] },
    },
  };
}
