import { z } from "zod";

const Operation = z.object({
  id: z.string(),
  status: z.enum(["CREATED", "RUNNING", "COMPLETED", "FAILED", "CANCELING", "CANCELED", "EXPIRED"]),
  errorCode: z.enum(["ACCESS_DENIED", "INTERNAL_SERVER_ERROR", "TIMEOUT"]).nullish(),
  /** Where the result is, for seven days; null where it holds nothing. Whoever has the address can read it. */
  url: z.string().nullish(),
  partialDataUrl: z.string().nullish(),
  /** Unsigned 64 bit, so text. */
  rootObjectCount: z.union([z.string(), z.number()]).transform(Number),
});

/** A bulk operation as Shopify reports it. */
export type BulkOperation = z.infer<typeof Operation>;

/** Starts a bulk operation. Children stand right below their parent, which is what lets a file be read as a stream. */
export const RUN_BULK = {
  name: "RunBulk",
  text: `mutation RunBulk($query: String!) {
    bulkOperationRunQuery(query: $query, groupObjects: true) {
      bulkOperation { id status }
      userErrors { field message code }
    }
  }`,
  answer: z.object({
    bulkOperationRunQuery: z.object({
      bulkOperation: z.object({ id: z.string(), status: z.string() }).nullable(),
      userErrors: z.array(
        z.object({
          message: z.string(),
          code: z.enum(["INVALID", "LIMIT_REACHED", "OPERATION_IN_PROGRESS"]).nullish(),
        }),
      ),
    }),
  }),
};

export const BULK_STATE = {
  name: "BulkState",
  text: `query BulkState($id: ID!) {
    bulkOperation(id: $id) { id status errorCode url partialDataUrl rootObjectCount }
  }`,
  answer: z.object({ bulkOperation: Operation.nullable() }),
};

const Count = z.object({ count: z.int() }).nullish();

/** How many records each stretch has; Shopify counts to 10,000 unless it is told that there is no limit. */
export const COUNTS = {
  name: "SyncCounts",
  text: `query SyncCounts($products: String, $customers: String, $orders: String, $checkouts: String) {
    products: productsCount(query: $products, limit: null) { count }
    customers: customersCount(query: $customers, limit: null) { count }
    orders: ordersCount(query: $orders, limit: null) { count }
    checkouts: abandonedCheckoutsCount(query: $checkouts, limit: null) { count }
  }`,
  answer: z.object({ products: Count, customers: Count, orders: Count, checkouts: Count }),
};

const Amount = z.object({ shopMoney: z.object({ amount: z.string(), currencyCode: z.string() }) });

const edges = <S extends z.ZodType>(node: S) =>
  z.object({ edges: z.array(z.object({ node })), pageInfo: z.object({ hasNextPage: z.boolean() }) });

const RefundNode = z.object({
  id: z.string(),
  refundLineItems: edges(
    z.object({
      quantity: z.int(),
      restockType: z.string(),
      subtotalSet: Amount,
      totalTaxSet: Amount,
      lineItem: z.object({ id: z.string() }),
    }),
  ),
  orderAdjustments: edges(z.object({ amountSet: Amount, taxAmountSet: Amount })),
});

/** What a refund is made of. */
export type RefundDetail = z.infer<typeof RefundNode>;

/** Lines of refunds: a bulk operation refuses a connection inside of a list, which `Order.refunds` is. */
export const REFUNDS = {
  name: "RefundDetails",
  text: `query RefundDetails($ids: [ID!]!, $lines: Int!) {
    nodes(ids: $ids) {
      ... on Refund {
        id
        refundLineItems(first: $lines) {
          pageInfo { hasNextPage }
          edges {
            node {
              quantity
              restockType
              subtotalSet { shopMoney { amount currencyCode } }
              totalTaxSet { shopMoney { amount currencyCode } }
              lineItem { id }
            }
          }
        }
        orderAdjustments(first: 5) {
          pageInfo { hasNextPage }
          edges {
            node {
              amountSet { shopMoney { amount currencyCode } }
              taxAmountSet { shopMoney { amount currencyCode } }
            }
          }
        }
      }
    }
  }`,
  answer: z.object({ nodes: z.array(z.union([RefundNode, z.null(), z.object({})])) }),
};
