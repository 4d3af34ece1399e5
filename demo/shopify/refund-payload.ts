import { decimal, major, moneySet, type Pair, ZERO } from "../money.ts";
import { marketOf, SHOP_CURRENCY } from "../shop.ts";
import { includedTax } from "../store/pricing.ts";
import type { Order, Refund } from "../store/state.ts";
import { shopTime } from "../time.ts";
import { gid } from "./customer-payload.ts";
import { orderLine } from "./order-lines.ts";

/**
 * Body of refunds/create. Line sums are JSON numbers in shop currency, the transaction's amount is a string in the
 * shopper's currency, and money without a line appears as a negative order adjustment.
 */
export function refundPayload(order: Order, refund: Refund) {
  const { currency } = marketOf(order.country);
  return {
    id: refund.id,
    order_id: order.id,
    created_at: shopTime(refund.createdAt),
    note: refund.note,
    user_id: null,
    processed_at: shopTime(refund.createdAt),
    duties: [],
    total_duties_set: moneySet(ZERO, currency),
    return: null,
    refund_shipping_lines: [],
    restock: refund.restock,
    admin_graphql_api_id: gid("Refund", refund.id),
    order_adjustments: [
      ...adjustment(order, refund, "shipping_refund", "Shipping refund", refund.shipping),
      ...adjustment(order, refund, "refund_discrepancy", "Refund discrepancy", refund.discrepancy),
    ],
    refund_line_items: refund.lines.map((line) => ({
      id: line.id,
      quantity: line.quantity,
      line_item_id: line.lineId,
      location_id: null,
      restock_type: "no_restock",
      subtotal: major(line.subtotal.shop, SHOP_CURRENCY),
      total_tax: major(line.tax.shop, SHOP_CURRENCY),
      subtotal_set: moneySet(line.subtotal, currency),
      total_tax_set: moneySet(line.tax, currency),
      line_item: refundedLine(order, line.lineId),
    })),
    transactions: [
      {
        id: refund.transactionId,
        order_id: order.id,
        kind: "refund",
        gateway: order.gateway,
        status: "success",
        message: "Bogus Gateway: Forced success",
        created_at: shopTime(refund.createdAt),
        test: order.test,
        authorization: null,
        location_id: null,
        user_id: null,
        parent_id: null,
        processed_at: shopTime(refund.createdAt),
        device_id: null,
        error_code: null,
        source_name: order.sourceName,
        receipt: {},
        amount: decimal(refund.amount.presentment, currency),
        currency,
        payment_id: `#${order.number}.1`,
        total_unsettled_set: {
          presentment_money: { amount: "0.0", currency },
          shop_money: { amount: "0.0", currency: SHOP_CURRENCY },
        },
        manual_payment_gateway: false,
        amount_rounding: null,
        admin_graphql_api_id: gid("OrderTransaction", refund.transactionId),
      },
    ],
  };
}

/** The line as refunds show it: the order's line without what only orders carry. */
function refundedLine(order: Order, lineId: number) {
  const line = order.lines.find((one) => one.id === lineId);
  if (line === undefined) throw new Error(`Order ${order.id} has no line ${lineId}`);
  const {
    attributed_staffs: _staffs,
    current_quantity: _now,
    sales_line_item_group_id: _group,
    ...shown
  } = orderLine(order, line);
  return shown;
}

function adjustment(order: Order, refund: Refund, kind: string, reason: string, amount: Pair) {
  if (amount.presentment === 0) return [];
  const { currency } = marketOf(order.country);
  const tax = includedTax(amount, marketOf(order.country));
  const back = (pair: Pair): Pair => ({ shop: -pair.shop, presentment: -pair.presentment });
  const net = back({ shop: amount.shop - tax.shop, presentment: amount.presentment - tax.presentment });
  return [
    {
      id: refund.id + (kind === "shipping_refund" ? 1 : 2),
      order_id: order.id,
      refund_id: refund.id,
      amount: decimal(net.shop, SHOP_CURRENCY),
      tax_amount: decimal(-tax.shop, SHOP_CURRENCY),
      kind,
      reason,
      amount_set: moneySet(net, currency),
      tax_amount_set: moneySet(back(tax), currency),
    },
  ];
}
