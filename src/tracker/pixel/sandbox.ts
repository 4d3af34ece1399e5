/**
 * The API of Shopify's pixel sandboxes, as far as it is used
 * (https://shopify.dev/docs/api/web-pixels-api/standard-api). Everything of `browser` happens in the top frame.
 */
export interface Analytics {
  subscribe(name: "all_standard_events", work: (event: PixelEvent) => void): unknown;
}

export interface Browser {
  cookie: {
    get(name: string): Promise<string>;
    /** One argument is a whole `name=value; ...` as for `document.cookie`. */
    set(cookie: string): Promise<unknown>;
  };
  localStorage: {
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<unknown>;
  };
}

export interface Privacy {
  analyticsProcessingAllowed?: boolean;
  marketingAllowed?: boolean;
}

export interface Init {
  /** A snapshot of when the page loaded. */
  customerPrivacy?: Privacy;
  data?: { cart?: { id?: string | null } | null; shop?: { myshopifyDomain?: string | null } | null };
}

export interface CustomerPrivacy {
  subscribe(name: "visitorConsentCollected", work: (event: { customerPrivacy: Privacy }) => void): unknown;
}

/** What both kinds of pixel are given. */
export interface Sandbox {
  analytics: Analytics;
  browser: Browser;
  init: Init;
  customerPrivacy: CustomerPrivacy;
}

/** Ids are strings, amounts numbers in whole units; anything may be null. */
export interface PixelEvent {
  id: string;
  name: string;
  timestamp: string;
  context: {
    document: { location: { href: string }; referrer?: string; title?: string };
  };
  data: {
    productVariant?: Variant | null;
    collection?: { id?: string | null; title?: string | null } | null;
    searchResult?: { query?: string | null } | null;
    cart?: Cart | null;
    cartLine?: CartLine | null;
    checkout?: Checkout | null;
  };
}

export interface Amount {
  amount: number;
  currencyCode: string;
}

export interface Variant {
  id?: string | null;
  sku?: string | null;
  title?: string | null;
  price?: Amount | null;
  image?: { src?: string | null } | null;
  product?: { id?: string | null; title?: string | null; url?: string | null } | null;
}

export interface CartLine {
  quantity: number;
  cost?: { totalAmount?: Amount | null } | null;
  merchandise?: Variant | null;
}

export interface Cart {
  id?: string | null;
  cost?: { totalAmount?: Amount | null } | null;
  lines?: CartLine[] | null;
}

export interface Checkout {
  token?: string | null;
  email?: string | null;
  phone?: string | null;
  attributes?: { key: string; value: string }[] | null;
  totalPrice?: Amount | null;
  subtotalPrice?: Amount | null;
  lineItems?: { title?: string | null; quantity: number; variant?: Variant | null }[] | null;
  order?: { id?: string | null } | null;
}
