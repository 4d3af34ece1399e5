import { z } from "zod";

import type { RefundSource } from "../../orders";
import { Decimal, Id, idOf, minorOr, Moment, MoneySet, Quantity, WithId } from "./fields";

const Refund = z.object({
  ...WithId,
  order_id: Id.nullable().optional(),
  created_at: Moment.nullable().optional(),
  processed_at: Moment.nullable().optional(),
  refund_line_items: z
    .array(
      z.object({
        line_item_id: Id,
        quantity: Quantity,
        subtotal: Decimal.nullable().optional(),
        subtotal_set: MoneySet.nullable().optional(),
        total_tax: Decimal.nullable().optional(),
        restock_type: z.string().nullable().optional(),
      }),
    )
    .optional(),
  order_adjustments: z
    .array(z.object({ amount: Decimal.nullable().optional(), tax_amount: Decimal.nullable().optional() }))
    .optional(),
});

export const Refunds = z.array(Refund);
export { Refund };

/**
 * What a refund has settled, in the shop's currency: its lines with tax, less its adjustments. While the payment is
 * pending, an adjustment of the whole amount takes it to nothing.
 */
export function mapRefund(
  refund: z.infer<typeof Refund>,
  orderId: string,
  currency: string,
  otherwise: number,
): RefundSource {
  const lines = (refund.refund_line_items ?? []).map((line) => ({
    lineId: line.line_item_id,
    quantity: line.quantity,
    amount:
      minorOr(line.subtotal ?? line.subtotal_set?.shop_money.amount, currency, 0) +
      minorOr(line.total_tax, currency, 0),
  }));
  const adjusted = (refund.order_adjustments ?? []).map(
    (adjustment) => minorOr(adjustment.amount, currency, 0) + minorOr(adjustment.tax_amount, currency, 0),
  );
  const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0);
  return {
    externalId: idOf(refund),
    orderExternalId: orderId,
    amount: sum(lines.map((line) => line.amount)) - sum(adjusted),
    currency,
    at: refund.processed_at ?? refund.created_at ?? otherwise,
    items: lines,
  };
}
