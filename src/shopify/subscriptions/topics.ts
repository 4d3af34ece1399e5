import type { Scope } from "../scopes";

/**
 * Every topic that is subscribed to, and the scope that Shopify asks for it (its enum's descriptions). The compliance
 * topics are not here: they can only be named in `shopify.app.toml`.
 */
const TOPICS: Record<string, Scope | null> = {
  "app/scopes_update": null,
  "app/uninstalled": null,
  "bulk_operations/finish": null,
  "carts/create": "read_orders",
  "carts/update": "read_orders",
  "checkouts/create": "read_orders",
  "checkouts/delete": "read_orders",
  "checkouts/update": "read_orders",
  "customer.tags_added": "read_customers",
  "customer.tags_removed": "read_customers",
  "customers/create": "read_customers",
  "customers/delete": "read_customers",
  "customers/disable": "read_customers",
  "customers/enable": "read_customers",
  "customers/merge": "read_customer_merge",
  "customers/purchasing_summary": "read_customers",
  "customers/update": "read_customers",
  "customers_email_marketing_consent/update": "read_customers",
  "customers_marketing_consent/update": "read_customers",
  "customers_whats_app_marketing_consent/update": "read_customers",
  "orders/cancelled": "read_orders",
  "orders/create": "read_orders",
  "orders/delete": "read_orders",
  "orders/edited": "read_orders",
  "orders/fulfilled": "read_orders",
  "orders/paid": "read_orders",
  "orders/partially_fulfilled": "read_orders",
  "orders/updated": "read_orders",
  "products/create": "read_products",
  "products/delete": "read_products",
  "products/update": "read_products",
  "refunds/create": "read_orders",
};

export interface Topic {
  /** As in `X-Shopify-Topic`. */
  name: string;
  /** As in GraphQL's `WebhookSubscriptionTopic`. */
  id: string;
  scope: Scope | null;
}

/** The topics of a store that asks for these scopes. */
export function wantedTopics(scopes: Scope[]): Topic[] {
  return Object.entries(TOPICS)
    .filter(([, scope]) => scope === null || scopes.includes(scope))
    .map(([name, scope]) => ({ name, id: topicId(name), scope }));
}

/** Every topic that is ever subscribed to. */
export function allTopics(): string[] {
  return Object.keys(TOPICS);
}

function topicId(name: string): string {
  return name.replaceAll(/[./]/g, "_").toUpperCase();
}
