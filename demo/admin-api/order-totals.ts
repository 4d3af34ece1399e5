import { add, NOTHING, type Pair, scale, subtract } from "./money.ts";
import type { OrderRecord, OrderTotals } from "./records.ts";

type Sums = Pick<OrderRecord, "taxesIncluded" | "financialStatus" | "lines" | "shippingLine" | "refunds">;

/** An order's sums as placed and as they are now, after edits, refunds and cancellation. */
export function computeTotals(order: Sums): OrderTotals {
  const original = order.lines.filter((line) => !line.added);
  const items = add(NOTHING, ...original.map((line) => scale(line.price, line.quantity)));
  const lineDiscount = add(NOTHING, ...original.map((line) => line.discount));
  const shipping = order.shippingLine?.price ?? NOTHING;
  const shippingDiscount = order.shippingLine?.discount ?? NOTHING;
  const subtotal = subtract(items, lineDiscount);
  const shippingNet = subtract(shipping, shippingDiscount);
  const tax = add(NOTHING, ...original.map((line) => line.tax));
  const untaxed = add(subtotal, shippingNet);
  const total = order.taxesIncluded ? untaxed : add(untaxed, tax);

  const left = (pair: Pair, line: OrderRecord["lines"][number]): Pair =>
    line.currentQuantity === line.quantity ? pair : scale(pair, line.currentQuantity / Math.max(1, line.quantity));
  const net = (line: OrderRecord["lines"][number]): Pair => subtract(scale(line.price, line.quantity), line.discount);
  const currentSubtotal = add(NOTHING, ...order.lines.map((line) => left(net(line), line)));
  const currentTax = add(NOTHING, ...order.lines.map((line) => left(line.tax, line)));
  const currentDiscount = add(shippingDiscount, ...order.lines.map((line) => left(line.discount, line)));
  const currentShipping = subtract(shippingNet, add(NOTHING, ...order.refunds.map((refund) => refund.shipping)));
  const loose = add(NOTHING, ...order.refunds.map((refund) => refund.discrepancy));
  const untaxedNow = subtract(add(currentSubtotal, currentShipping), loose);
  const currentTotal = order.taxesIncluded ? untaxedNow : add(untaxedNow, currentTax);
  const refunded = add(NOTHING, ...order.refunds.map((refund) => refund.amount));
  const unpaid = ["PENDING", "AUTHORIZED", "VOIDED", "EXPIRED"].includes(order.financialStatus);
  const due = subtract(currentTotal, unpaid ? NOTHING : subtract(total, refunded));
  return {
    items,
    discount: add(lineDiscount, shippingDiscount),
    subtotal,
    shipping,
    tax,
    total,
    currentDiscount,
    currentSubtotal,
    currentShipping,
    currentTax,
    currentTotal,
    refunded,
    outstanding: { shop: Math.max(0, due.shop), presentment: Math.max(0, due.presentment) },
  };
}
