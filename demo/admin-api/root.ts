import { listCustomers } from "./customer-nodes.ts";
import { bulkNode, cancelBulk, listBulk, runBulkQuery } from "./bulk.ts";
import { addCodes, createDiscount, creationNode, discountByCode, discountNode } from "./discounts.ts";
import { GraphQLError } from "graphql";
import { type Args, LARGEST_PAGE, listTable, type Source } from "./listing.ts";
import { listOrders } from "./order-nodes.ts";
import { orderVisible } from "./order-search.ts";
import { listCollections, listProducts } from "./product-nodes.ts";
import { installationNode, locationNode, shopNode, staffNode } from "./shop-nodes.ts";
import { parseGid } from "./stamps.ts";
import type { AdminStore } from "./store.ts";
import { listCheckouts } from "./checkout-nodes.ts";
import {
  createSubscription,
  deleteSubscription,
  listSubscriptions,
  subscriptionNode,
  updateSubscription,
} from "./subscriptions.ts";

type Finder = (store: AdminStore, id: number) => Source | null;

function find<T>(found: T | undefined, toNode: (found: T) => Source): Source | null {
  return found === undefined ? null : toNode(found);
}

const FINDERS: Record<string, Finder> = {
  Customer: (store, id) => find(store.records().customers.get(id), store.nodes.customer),
  Order: (store, id) => {
    const order = store.records().orders.get(id);
    return order !== undefined && orderVisible(store)(order) ? store.nodes.order(order) : null;
  },
  Product: (store, id) => find(store.records().products.get(id), store.nodes.product),
  ProductVariant: (store, id) => {
    for (const product of store.records().products) {
      const variant = product.variants.find((one) => one.id === id);
      if (variant !== undefined) return store.nodes.variant(product, variant);
    }
    return null;
  },
  Collection: (store, id) => find(store.records().collections.get(id), store.nodes.collection),
  AbandonedCheckout: (store, id) => find(store.records().checkouts.get(id), store.nodes.checkout),
  Location: (store, id) => find(store.records().locations.get(id), locationNode),
  StaffMember: (store, id) => find(store.records().staff.get(id), staffNode),
  WebhookSubscription: (store, id) => find(store.subscriptions.get(id), subscriptionNode),
  DiscountCodeNode: (store, id) => find(store.discounts.get(id), (one) => discountNode(store, one)),
  DiscountRedeemCodeBulkCreation: (store, id) => creationNode(store, id),
  BulkOperation: (store, id) => find(store.bulk.get(id), bulkNode),
  Shop: (store, id) => (id === store.id ? shopNode(store) : null),
};

/** The node of a global id, null for one that is unknown here. */
function nodeOf(store: AdminStore, id: unknown, kind?: string): Source | null {
  const parsed = parseGid(id);
  if (parsed === undefined || (kind !== undefined && parsed.kind !== kind)) return null;
  return FINDERS[parsed.kind]?.(store, parsed.id) ?? null;
}

const countOf = (size: number): Source => ({
  count: Math.min(size, 10_000),
  precision: size > 10_000 ? "AT_LEAST" : "EXACT",
});

/** The fields of QueryRoot that the stand-in answers. */
export function queryRoot(store: AdminStore): Source {
  const one = (kind: string) => (args: Args) => nodeOf(store, args["id"], kind);
  return {
    shop: () => shopNode(store),
    currentAppInstallation: () => installationNode(store),
    node: (args: Args) => nodeOf(store, args["id"]),
    nodes: (args: Args) => {
      const ids: unknown[] = Array.isArray(args["ids"]) ? args["ids"] : [];
      if (ids.length > LARGEST_PAGE)
        throw new GraphQLError(
          `The input array size of ${ids.length} is greater than the maximum allowed of ${LARGEST_PAGE}.`,
          {
            extensions: { code: "MAX_INPUT_SIZE_EXCEEDED" },
          },
        );
      return ids.map((id) => nodeOf(store, id));
    },
    customer: one("Customer"),
    order: one("Order"),
    product: one("Product"),
    productVariant: one("ProductVariant"),
    collection: one("Collection"),
    location: one("Location"),
    staffMember: one("StaffMember"),
    webhookSubscription: one("WebhookSubscription"),
    bulkOperation: one("BulkOperation"),
    codeDiscountNode: one("DiscountCodeNode"),
    discountRedeemCodeBulkCreation: one("DiscountRedeemCodeBulkCreation"),
    codeDiscountNodeByCode: (args: Args) => discountByCode(store, args),
    bulkOperations: (args: Args) => listBulk(store, args),
    customers: (args: Args) => listCustomers(store, args),
    orders: (args: Args) => listOrders(store, args),
    products: (args: Args) => listProducts(store, args),
    collections: (args: Args) => listCollections(store, args),
    abandonedCheckouts: (args: Args) => listCheckouts(store, args),
    locations: (args: Args) => listTable(store.records().locations, { ...args, sortKey: "ID" }, {}, locationNode),
    webhookSubscriptions: (args: Args) => listSubscriptions(store, args),
    customersCount: (args: Args) => countOf([...listCustomers(store, { ...args, sortKey: "ID" }).all()].length),
    ordersCount: (args: Args) => countOf([...listOrders(store, { ...args, sortKey: "ID" }).all()].length),
    productsCount: (args: Args) => countOf([...listProducts(store, { ...args, sortKey: "ID" }).all()].length),
    abandonedCheckoutsCount: (args: Args) =>
      countOf([...listCheckouts(store, { ...args, sortKey: "ID" }).all()].length),
  };
}

/** The mutations that the stand-in carries out; `base` is the address that stands for the store. */
export function mutationRoot(store: AdminStore, base: string): Source {
  return {
    discountCodeBasicCreate: (args: Args) => createDiscount(store, args),
    discountRedeemCodeBulkAdd: (args: Args) => addCodes(store, args),
    bulkOperationRunQuery: (args: Args) => runBulkQuery(store, args, queryRoot(store), base),
    bulkOperationCancel: (args: Args) => cancelBulk(store, args),
    webhookSubscriptionCreate: (args: Args) => createSubscription(store, args),
    webhookSubscriptionUpdate: (args: Args) => updateSubscription(store, args),
    webhookSubscriptionDelete: (args: Args) => deleteSubscription(store, args),
  };
}
