/** Shopify's own pattern of a store's domain, anchored at both ends. */
const STORE = /^[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com$/;

/** True for `acme.myshopify.com`, in lower case: the only hosts that tokens and secrets are ever sent to. */
export function isStoreDomain(domain: string): boolean {
  return STORE.test(domain);
}
