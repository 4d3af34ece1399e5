import { listOf, type Source } from "./listing.ts";
import { decimalOf, type Pair, subtract, NOTHING } from "./money.ts";
import type { LineRecord, OrderRecord, RefundRecord } from "./records.ts";
import { gid, stampOf } from "./stamps.ts";
import type { AdminStore } from "./store.ts";

/** A MoneyBag: the same amount for the shop and for the shopper. */
export function bagOf(store: { currency: string }, order: { presentmentCurrency: string }, pair: Pair): Source {
  return {
    shopMoney: { amount: decimalOf(pair.shop, store.currency), currencyCode: store.currency },
    presentmentMoney: {
      amount: decimalOf(pair.presentment, order.presentmentCurrency),
      currencyCode: order.presentmentCurrency,
    },
  };
}

export function refundNode(
  store: AdminStore,
  order: OrderRecord,
  refund: RefundRecord,
  lineNode: (line: LineRecord) => Source,
): Source {
  const bag = (pair: Pair): Source => bagOf(store, order, pair);
  const some = (pair: Pair): boolean => pair.shop !== 0 || pair.presentment !== 0;
  return {
    __typename: "Refund",
    id: gid("Refund", refund.id),
    legacyResourceId: String(refund.id),
    createdAt: stampOf(refund.createdAt),
    processedAt: stampOf(refund.createdAt),
    updatedAt: stampOf(refund.createdAt),
    note: refund.note,
    order: () => store.nodes.order(order),
    duties: [],
    return: null,
    staffMember: null,
    totalRefundedSet: () => bag(refund.amount),
    totalRefunded: () => ({ amount: decimalOf(refund.amount.shop, store.currency), currencyCode: store.currency }),
    refundLineItems: () =>
      listOf(
        refund.lines.map((one) => {
          const line = order.lines.find(({ id }) => id === one.lineId);
          return {
            __typename: "RefundLineItem",
            id: gid("RefundLineItem", one.id),
            quantity: one.quantity,
            restockType: one.restock,
            restocked: one.restock !== "NO_RESTOCK",
            location: null,
            lineItem: () => (line === undefined ? null : lineNode(line)),
            priceSet: () => bag(line?.price ?? NOTHING),
            subtotalSet: () => bag(one.subtotal),
            totalTaxSet: () => bag(one.tax),
          };
        }),
      ),
    orderAdjustments: () =>
      listOf(
        some(refund.discrepancy)
          ? [
              {
                __typename: "OrderAdjustment",
                id: gid("OrderAdjustment", refund.id),
                reason: "REFUND_DISCREPANCY",
                amountSet: bag(subtract(NOTHING, refund.discrepancy)),
                taxAmountSet: bag(NOTHING),
              },
            ]
          : [],
      ),
    refundShippingLines: () =>
      listOf(
        some(refund.shipping)
          ? [
              {
                __typename: "RefundShippingLine",
                id: gid("RefundShippingLine", refund.id),
                subtotalAmountSet: bag(refund.shipping),
                taxAmountSet: bag(NOTHING),
                shippingLine: () => store.nodes.order(order)["shippingLine"],
              },
            ]
          : [],
      ),
    transactions: () => listOf([transactionNode(store, order, refund.id, "REFUND", refund.amount, refund.createdAt)]),
  };
}

function transactionNode(
  store: AdminStore,
  order: OrderRecord,
  id: number,
  kind: "SALE" | "REFUND" | "AUTHORIZATION",
  amount: Pair,
  at: number,
): Source {
  return {
    __typename: "OrderTransaction",
    id: gid("OrderTransaction", id),
    kind,
    status: kind === "SALE" && order.financialStatus === "PENDING" ? "PENDING" : "SUCCESS",
    gateway: order.gateway,
    formattedGateway: order.gateway,
    test: order.test,
    createdAt: stampOf(at),
    processedAt: stampOf(at),
    amountSet: () => bagOf(store, order, amount),
    parentTransaction: null,
    errorCode: null,
    paymentId: null,
    paymentDetails: null,
    authorizationCode: null,
    fees: [],
    user: null,
    order: () => store.nodes.order(order),
  };
}

/** The payment and, after it, every refund. */
export function transactionNodes(store: AdminStore, order: OrderRecord): Source[] {
  return [
    transactionNode(store, order, order.id + 1, "SALE", order.totals.total, order.createdAt),
    ...order.refunds.map((refund) =>
      transactionNode(store, order, refund.id + 2, "REFUND", refund.amount, refund.createdAt),
    ),
  ];
}
