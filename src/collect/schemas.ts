import { z } from "zod";

/** Shopify's standard events, and ours. Anything else travels as `custom:*`. */
export const EVENT_TYPES = [
  "page_viewed",
  "product_viewed",
  "collection_viewed",
  "search_submitted",
  "cart_viewed",
  "cart_updated",
  "product_added_to_cart",
  "product_removed_from_cart",
  "checkout_started",
  "checkout_contact_info_submitted",
  "checkout_address_info_submitted",
  "checkout_shipping_info_submitted",
  "payment_info_submitted",
  "checkout_completed",
  "form_submitted",
  "identified",
  "alert_displayed",
  "ui_extension_errored",
  "clicked",
  "input_blurred",
  "input_changed",
  "input_focused",
] as const;

const Money = z.object({
  amount: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

const text = (most: number) => z.string().max(most);
/** Digits of Shopify's, also from a global id; any other text is the id itself. */
const id = z.union([text(100), z.int().nonnegative().transform(String)]).transform((value) => {
  return /^gid:\/\/shopify\/\w+\/(\d+)/.exec(value)?.[1] ?? value;
});

/** An address that a browser may load; anything else is none. */
const address = text(2_000).transform((value) => (/^https?:\/\//i.test(value) || value.startsWith("/") ? value : null));

export const CartLine = z.object({
  productId: id.nullish(),
  variantId: id.nullish(),
  sku: text(100).nullish(),
  title: text(500).nullish(),
  quantity: z.int().min(0).max(1_000_000).default(1),
  price: Money.nullish(),
  image: address.nullish(),
  url: address.nullish(),
});

export const CartData = z.object({
  token: text(200).nullish(),
  value: Money.nullish(),
  lines: z.array(CartLine).max(500).nullish(),
});

export const CheckoutData = z.looseObject({
  orderId: id.nullish(),
  cartToken: text(200).nullish(),
  checkoutToken: text(200).nullish(),
  value: Money.nullish(),
  lines: z.array(CartLine).max(500).nullish(),
  email: text(320).nullish(),
  phone: text(40).nullish(),
});

export const IdentifiedData = z.object({
  email: text(320).nullish(),
  phone: text(40).nullish(),
  /** Ignored without `signature`: anybody can type a number. */
  customerId: id.nullish(),
  /** Hex HMAC-SHA256 of the customer id under the shop's identity secret. */
  signature: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullish(),
  token: text(500).nullish(),
  firstName: text(100).nullish(),
  lastName: text(100).nullish(),
  /** Ticked boxes: the wish to hear from the shop. */
  consent: z.object({ email: z.boolean().optional(), sms: z.boolean().optional() }).nullish(),
});

export const EventType = z.union([z.enum(EVENT_TYPES), z.string().regex(/^custom:[\w.:-]{1,64}$/)]);

export const EventId = z.string().regex(/^[\w-]{1,64}$/);

/** Most characters of one event's data, as JSON: as much as a beacon can hold. */
const DATA_LENGTH = 65_536;

const Data = z
  .record(z.string(), z.unknown())
  .refine((data) => JSON.stringify(data).length <= DATA_LENGTH, `longer than ${DATA_LENGTH} characters of JSON`);

/** Fields of an event that browsers and servers share. */
export const EventFields = {
  type: EventType,
  url: text(8_000).nullish(),
  title: text(2_000).nullish(),
  referrer: text(8_000).nullish(),
  data: Data.nullish(),
};

const BrowserEvent = z
  .object({ id: EventId, at: z.int().positive().max(8.64e15), ...EventFields })
  .refine(hasPage, { path: ["url"], message: "a page view needs the page's http(s) address" });

/** A view of nothing would count for nothing. */
export function hasPage(event: { type: string; url?: string | null | undefined }): boolean {
  return event.type !== "page_viewed" || /^https?:$/.test(URL.parse(event.url ?? "")?.protocol ?? "");
}

/** A beacon. `forget` stands alone and erases this browser. */
export const Beacon = z.object({
  shop: text(255).min(1),
  visitor: z.uuid(),
  events: z
    .array(z.union([BrowserEvent, z.object({ type: z.literal("forget") })]))
    .min(1)
    .max(500),
  consent: z.object({ analytics: z.boolean().optional(), marketing: z.boolean().optional() }).nullish(),
  sent: z.int().positive().nullish(),
  pixel: text(100).nullish(),
});

export type Beacon = z.infer<typeof Beacon>;
export type BrowserEvent = z.infer<typeof BrowserEvent>;
