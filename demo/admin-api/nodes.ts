import { checkoutNode } from "./checkout-nodes.ts";
import { customerNode } from "./customer-nodes.ts";
import { orderNode } from "./order-nodes.ts";
import { collectionNode, productNode, variantNode } from "./product-nodes.ts";
import type { Source } from "./listing.ts";
import type { ProductRecord } from "./records.ts";
import type { AdminStore, Nodes } from "./store.ts";

/** How the records of a store become nodes of the schema. They name one another, which is why they meet here. */
export function nodesOf(store: () => AdminStore): Nodes {
  // Products are few and met in every order line.
  const products = new WeakMap<ProductRecord, Source>();
  const variants = new WeakMap<ProductRecord["variants"][number], Source>();
  return {
    customer: (record) => customerNode(store(), record),
    order: (record) => orderNode(store(), record),
    product: (record) => kept(products, record, () => productNode(store(), record)),
    variant: (product, variant) => kept(variants, variant, () => variantNode(store(), product, variant)),
    collection: (record) => collectionNode(store(), record),
    checkout: (record) => checkoutNode(store(), record),
  };
}

function kept<K extends object>(known: WeakMap<K, Source>, key: K, make: () => Source): Source {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
