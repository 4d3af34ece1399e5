import { OPTIONAL_SCOPES, type OptionalScope, type Settings } from "../shops";

/** Every scope that is ever asked for. */
export function allScopes(): Scope[] {
  return wantedScopes({ optionalScopes: [...OPTIONAL_SCOPES] });
}

/** What is asked for in every store, and why. Only reading: the sync writes nothing to Shopify. */
const WANTED = {
  read_customers: "customers with their consents, tags and order totals, and their changes",
  read_orders: "orders, refunds, carts and checkouts of the last 60 days, and all later ones",
  read_products: "products with pictures, types, tags and collections, for order lines and segments",
  read_locations: "the place of orders that were sold at a point of sale",
} as const;

/** What a merchant may switch on (`settings.optionalScopes`), and what for. */
const OPTIONAL: Record<OptionalScope, string> = {
  read_all_orders: "orders older than 60 days; Shopify grants it to an app on request",
  read_customer_merge: "merging two contacts when their customers are merged in Shopify",
  read_users: "the staff member of orders at a point of sale; Shopify grants it to stores on some plans only",
  read_customer_events: "the app's own pixel (with write_pixels), in place of a pasted custom pixel",
  write_pixels: "the app's own pixel (with read_customer_events), in place of a pasted custom pixel",
  write_app_proxy: "the app proxy, by which the app embed tells who is signed in to the store",
  write_discounts: "unique discount codes in messages: the one thing that is written to Shopify",
};

export type Scope = keyof typeof WANTED | OptionalScope;

export interface MissingScope {
  scope: Scope;
  /** What does not work without it. */
  reason: string;
}

/** The scopes to ask Shopify for, given the optional ones that the shop has switched on. */
export function wantedScopes({ optionalScopes }: Pick<Settings, "optionalScopes">): Scope[] {
  const required: Scope[] = ["read_customers", "read_orders", "read_products", "read_locations"];
  return [...required, ...OPTIONAL_SCOPES.filter((scope) => optionalScopes.includes(scope))];
}

/** What is wanted and was not granted. A `write_` scope includes its `read_`. */
export function missingScopes(granted: string[], settings: Pick<Settings, "optionalScopes">): MissingScope[] {
  return wantedScopes(settings)
    .filter((scope) => !isGranted(granted, scope))
    .map((scope) => ({ scope, reason: { ...WANTED, ...OPTIONAL }[scope] }));
}

export function isGranted(granted: string[], scope: string): boolean {
  return granted.includes(scope) || (scope.startsWith("read_") && granted.includes(scope.replace("read_", "write_")));
}
