/** People and what they did, as plain facts. Keys count from 1 in each world; `base` is added where rows need one. */
export interface World {
  shop: number;
  base: number;
  currency: string;
  /** IANA. */
  zone: string;
  contacts: Contact[];
  visitors: Visitor[];
  orders: Order[];
  refunds: Refund[];
  carts: Cart[];
  products: Product[];
  pages: Page[];
  groups: Group[];
  /** What scores are compared with; null before anybody worked it out. */
  rfm: { recency: number[]; frequency: number[]; monetary: number[] } | null;
}

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Amount and currency. */
export interface Money {
  amount: number;
  currency: string;
}

export interface Contact {
  key: number;
  deletedAt: number | null;
  texts: Partial<Record<ContactText, string>>;
  taxExempt: boolean | null;
  stage: string;
  status: string | null;
  score: number;
  ordersCount: number;
  ordersTotal: number;
  createdAt: number;
  updatedAt: number;
  shopifyCreatedAt: number | null;
  fields: Record<string, Json>;
  tags: { label: string; removed: boolean }[];
  consents: Consent[];
  /** Of entries at one moment the one with the higher key is the later one. */
  history: { key: number; stage: string; status: string | null; at: number }[];
}

export const CONTACT_TEXTS = [
  "email",
  "phone",
  "first_name",
  "last_name",
  "company",
  "city",
  "province",
  "country",
  "zip",
  "shopify_customer_id",
  "external_id",
  "source",
  "account_state",
] as const;

export type ContactText = (typeof CONTACT_TEXTS)[number];

export interface Consent {
  channel: "email" | "sms" | "whatsapp";
  state: string;
  level: string | null;
  basis: string;
  source: string | null;
  decidedAt: number | null;
  updatedAt: number;
}

export interface Visitor {
  key: number;
  contact: number | null;
  channel: "browser" | "api";
  country: string | null;
  region: string | null;
  city: string | null;
  cell: number | null;
  timezone: string | null;
  language: string | null;
  visits: number;
  visitSeconds: number;
  pageViews: number;
  firstSeenAt: number;
  lastSeenAt: number;
  firstTouch: Record<string, string | null> | null;
  lastTouch: Record<string, string | null> | null;
  device: Record<string, string | null> | null;
  events: BrowserEvent[];
}

export interface BrowserEvent {
  seq: number;
  at: number;
  type: string;
  page: number | null;
  data: { [name: string]: Json } | null;
}

export interface Page {
  key: number;
  url: string;
  title: string | null;
}

export interface Product {
  id: string;
  category: string | null;
  vendor: string | null;
  tags: string[];
  collections: string[];
}

export interface OrderLine {
  productId: string | null;
  variantId: string | null;
  sku: string | null;
  title: string;
  vendor: string | null;
  category: string | null;
  quantity: number;
  currentQuantity: number;
  price: number;
  discountedPrice: number;
}

export interface Order {
  key: number;
  contact: number | null;
  visitor: number | null;
  origin: "shopify" | "api";
  externalId: string;
  state: string;
  currency: string;
  total: number;
  originalTotal: number;
  presentmentCurrency: string | null;
  discountCodes: string[];
  tags: string[];
  name: string | null;
  financialStatus: string | null;
  fulfillmentStatus: string | null;
  subtotal: number | null;
  discount: number | null;
  shipping: number | null;
  tax: number | null;
  staffId: string | null;
  shippingMethod: string | null;
  sourceName: string | null;
  locationId: string | null;
  locationName: string | null;
  landingSite: string | null;
  referringSite: string | null;
  test: boolean;
  placedAt: number;
  paidAt: number | null;
  fulfilledAt: number | null;
  deliveredAt: number | null;
  cancelledAt: number | null;
  cartToken: string | null;
  checkoutToken: string | null;
  lines: OrderLine[];
  /** How often it was changed. */
  revision: number;
}

export interface Refund {
  key: number;
  order: string;
  amount: number;
  currency: string;
  at: number;
}

export interface Cart {
  key: number;
  token: string;
  checkoutToken: string | null;
  visitor: number | null;
  contact: number | null;
  state: "open" | "abandoned" | "recovered" | "purchased";
  currency: string | null;
  value: number | null;
  items: { [name: string]: Json }[];
  activityAt: number;
  abandonedAt: number | null;
  recoveredAt: number | null;
  purchasedAt: number | null;
  purchasedBy: "browser" | "order" | null;
  /** How often it was changed. */
  revision: number;
}

export interface Member {
  kind: "contact" | "visitor";
  key: number;
  at: number;
}

/** A segment or a list, and who is in it since when. */
export interface Group {
  key: number;
  of: "segment" | "list";
  /** A segment that the product keeps up to date by itself. */
  isLive: boolean;
  members: Member[];
}

/** One who may be a member. */
export type Subject = { kind: "contact"; contact: Contact } | { kind: "visitor"; visitor: Visitor };

/** What a definition calls a group, whatever shop its world becomes. */
export function groupName({ key, of }: Pick<Group, "key" | "of">): string {
  return `${of === "segment" ? "seg" : "lst"}_g${key}`;
}

/** Its id in the shop of the world. */
export function groupId({ base }: Pick<World, "base">, group: Pick<Group, "key" | "of">): string {
  return groupName(group).replace("_g", `_${base}x`);
}

/** The definition with the ids that groups have in the shop of the world. */
export function placed({ base }: World, definition: Json): Json {
  return JSON.parse(JSON.stringify(definition).replaceAll(/"(seg|lst)_g(\d+)"/g, `"$1_${base}x$2"`));
}

/** A member of a JSON object. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? value[name]
    : undefined;
}

export function textOf(value: Json | undefined): string {
  if (typeof value === "string") return value;
  throw new Error("no text");
}
