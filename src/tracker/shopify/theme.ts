/**
 * Shopify's globals on a theme's pages. Outside facts: the Customer Privacy API
 * (https://shopify.dev/docs/api/customer-privacy); the rest is what Shopify writes into every theme's head.
 */
export interface Theme {
  designMode?: boolean;
  previewMode?: boolean;
  theme?: { role?: string };
  routes?: { root?: string };
  /** There once `loadFeatures` has called back. */
  customerPrivacy: {
    analyticsProcessingAllowed(): boolean;
    marketingAllowed(): boolean;
    /** "yes", "no", or "" while the visitor has not answered. */
    currentVisitorConsent(): { analytics: string };
  };
  loadFeatures?: (features: { name: string; version: string }[], done: () => void) => void;
}

/** What the page shows, as Shopify's own analytics reads it. Prices are in hundredths, whatever the currency. */
export interface PageMeta {
  currency: string;
  page: { pageType?: string; resourceId?: number };
  product?: { id: number; variants: [Variant, ...Variant[]] };
}

interface Variant {
  id: unknown;
  name?: string;
  sku?: string | null;
  price: number;
}

declare const Shopify: Theme;
export const theme = Shopify;

declare global {
  interface Window {
    /** Set by the app embed where a customer is signed in; called when, and each time that, something may be stored and sent. */
    footfallAllowed?: () => void;
  }
}
