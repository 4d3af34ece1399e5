import { minus, type Pair, plus, times, ZERO } from "../money.ts";
import { marketOf } from "../shop.ts";
import { includedTax } from "./pricing.ts";
import type { Order, OrderLine } from "./state.ts";

export type OrderMoney = {
  itemsTotal: Pair;
  discount: Pair;
  subtotal: Pair;
  shipping: Pair;
  total: Pair;
  tax: Pair;
  currentSubtotal: Pair;
  currentDiscount: Pair;
  currentShipping: Pair;
  currentTotal: Pair;
  currentTax: Pair;
  refunded: Pair;
};

/** What `quantity` pieces of a line cost after its discount. */
export function lineNet(line: OrderLine, quantity: number): Pair {
  const whole = minus(times(line.price, line.quantity), line.discount);
  return line.quantity === 0 || quantity === line.quantity ? whole : times(whole, quantity / line.quantity);
}

/**
 * An order's sums: as placed, and as they are now after edits, refunds and cancellation.
 * Lines that an edit added count only in the sums of now.
 */
export function orderMoney(order: Order): OrderMoney {
  const market = marketOf(order.country);
  const original = order.lines.filter((line) => !order.addedLineIds.includes(line.id));
  const itemsTotal = plus(ZERO, ...original.map((line) => times(line.price, line.quantity)));
  const lineDiscount = plus(ZERO, ...original.map((line) => line.discount));
  const shipping = order.shipping?.price ?? ZERO;
  const shippingDiscount = order.shipping?.discount ?? ZERO;
  const subtotal = minus(itemsTotal, lineDiscount);
  const total = plus(subtotal, minus(shipping, shippingDiscount));
  const currentSubtotal = plus(ZERO, ...order.lines.map((line) => lineNet(line, line.currentQuantity)));
  const gross = plus(ZERO, ...order.lines.map((line) => times(line.price, line.currentQuantity)));
  const back = plus(ZERO, ...order.refunds.map((refund) => refund.shipping));
  const loose = plus(ZERO, ...order.refunds.map((refund) => refund.discrepancy));
  const currentShipping = minus(minus(shipping, shippingDiscount), back);
  const currentTotal = minus(plus(currentSubtotal, currentShipping), loose);
  return {
    itemsTotal,
    discount: plus(lineDiscount, shippingDiscount),
    subtotal,
    shipping,
    total,
    tax: includedTax(total, market),
    currentSubtotal,
    currentDiscount: plus(minus(gross, currentSubtotal), shippingDiscount),
    currentShipping,
    currentTotal,
    currentTax: includedTax(currentTotal, market),
    refunded: plus(ZERO, ...order.refunds.map((refund) => refund.amount)),
  };
}

/** What is still to be paid, given edits and refunds. */
export function outstanding(order: Order): Pair {
  const { total, currentTotal, refunded } = orderMoney(order);
  const paid = order.financialStatus === "pending" || order.financialStatus === "voided" ? ZERO : total;
  const due = minus(currentTotal, minus(paid, refunded));
  return { shop: Math.max(0, due.shop), presentment: Math.max(0, due.presentment) };
}
