/** The body of `POST /ff`, as the browser writes it. */
export interface Beacon {
  shop: string;
  visitor: string;
  events: TrackedEvent[];
  consent?: Consent;
  /** The browser's clock at sending, epoch ms: the server corrects every `at` by it. */
  sent: number;
  pixel?: string;
}

export interface TrackedEvent {
  id: string;
  type: string;
  /** Epoch ms of the browser's clock when it happened. */
  at: number;
  url?: string;
  title?: string;
  referrer?: string;
  data?: unknown;
}

export interface Consent {
  analytics?: boolean;
  marketing?: boolean;
}

/** Integer minor units. */
export interface Money {
  amount: number;
  currency: string;
}

export interface Line {
  productId?: string;
  variantId?: string;
  sku?: string;
  title?: string;
  quantity?: number;
  price?: Money;
  image?: string;
  url?: string;
}

/** Who somebody says they are: `identify` and captured forms. */
export interface Claim {
  email?: string;
  phone?: string;
  firstName?: string;
  lastName?: string;
  customerId?: string;
  token?: string;
  consent?: { email: boolean };
}
