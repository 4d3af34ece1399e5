import type { Shop } from "../../shops";
import { AdminError, adminQuery } from "../admin";
import { REFUNDS, type RefundDetail } from "./bulk.queries";
import { type Node, refundIds } from "./nodes";

/** One query may cost 1,000 points, and each line asked for costs six: most refunds have few, a long one goes alone. */
const SHORT = { refunds: 10, lines: 10 };
const LONG = { refunds: 1, lines: 150 };

/** Adds to refunds of orders the lines that a bulk operation cannot bring. Where Shopify has none, the amount has to do. */
export async function completeRefunds(env: Env, shop: Shop, orders: Node[]): Promise<void> {
  const known = new Map<string, RefundDetail>();
  let ids = orders.flatMap(refundIds);
  for (const { refunds, lines } of [SHORT, LONG]) {
    const long: string[] = [];
    for (let from = 0; from < ids.length; from += refunds) {
      for (const detail of await ask(env, shop, ids.slice(from, from + refunds), lines)) {
        if (isWhole(detail)) known.set(detail.id, detail);
        else long.push(detail.id);
      }
    }
    ids = long;
  }
  for (const order of orders) {
    const refunds = order.fields["refunds"];
    if (!Array.isArray(refunds)) continue;
    order.fields["refunds"] = refunds.map((refund: { id?: unknown }) => {
      const detail = typeof refund.id === "string" ? known.get(refund.id) : undefined;
      return detail ? { ...refund, ...partsOf(detail) } : refund;
    });
  }
}

async function ask(env: Env, shop: Shop, ids: string[], lines: number): Promise<RefundDetail[]> {
  try {
    const { nodes } = await adminQuery(env, shop, REFUNDS, { ids, lines });
    return nodes.flatMap((node) => (isDetail(node) ? [node] : []));
  } catch (error) {
    if (error instanceof AdminError && error.kind === "invalid") return [];
    throw error;
  }
}

function isWhole({ refundLineItems, orderAdjustments }: RefundDetail): boolean {
  return !refundLineItems.pageInfo.hasNextPage && !orderAdjustments.pageInfo.hasNextPage;
}

function isDetail(node: object | null): node is RefundDetail {
  return node !== null && "refundLineItems" in node;
}

function partsOf(detail: RefundDetail) {
  return {
    lines: detail.refundLineItems.edges.map(({ node }) => ({
      lineId: node.lineItem.id,
      quantity: node.quantity,
      restockType: node.restockType,
      subtotal: node.subtotalSet.shopMoney.amount,
      tax: node.totalTaxSet.shopMoney.amount,
    })),
    adjustments: detail.orderAdjustments.edges.map(({ node }) => ({
      amount: node.amountSet.shopMoney.amount,
      tax: node.taxAmountSet.shopMoney.amount,
    })),
  };
}
