/** Facts of an order that decide its state, in Shopify's words. */
export interface OrderFacts {
  /** `pending`, `authorized`, `partially_paid`, `paid`, `partially_refunded`, `refunded`, `voided`, `expired`; null for none. */
  financialStatus: string | null;
  cancelled: boolean;
  /** `customer`, `inventory`, `fraud`, `declined`, `staff`, `other`. */
  cancelReason: string | null;
  /** Every piece was taken back. */
  returned: boolean;
  /** Its cart had been abandoned. */
  recovered: boolean;
}

export type OrderState =
  | "pending_payment"
  | "completed"
  | "abandoned"
  | "recovered"
  | "waiting"
  | "cancelled"
  | "refunded"
  | "failed"
  | "returned";

/** Financial statuses after which the money has come in once, whatever happened to it since. */
const PAID = new Set(["paid", "partially_refunded", "refunded"]);

/** True once the whole amount was paid, even if it was refunded later. */
export function wasPaid(financialStatus: string | null): boolean {
  return financialStatus !== null && PAID.has(financialStatus);
}

/**
 * One state per order, the first rule that fits (`docs/orders.md` has the same table):
 * failed or cancelled, returned, refunded, failed (voided payment), abandoned (the time to pay ran out), pending_payment,
 * waiting (authorised or paid in part), recovered, completed.
 */
export function orderState(facts: OrderFacts): OrderState {
  const { financialStatus } = facts;
  if (facts.cancelled) return facts.cancelReason === "declined" ? "failed" : "cancelled";
  if (facts.returned) return "returned";
  if (financialStatus === "refunded") return "refunded";
  if (financialStatus === "voided") return "failed";
  if (financialStatus === "expired") return "abandoned";
  if (financialStatus === "pending" || financialStatus === "unpaid") return "pending_payment";
  if (financialStatus === "authorized" || financialStatus === "partially_paid") return "waiting";
  return facts.recovered ? "recovered" : "completed";
}
