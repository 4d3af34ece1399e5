import { z } from "zod";

import type { ContactSource } from "../../contacts";
import { type OrderGuess, type OrderItemSource, type OrderSource, orderState } from "../../orders";
import { cleanReferrer, cleanUrl } from "../../collect";
import { consentOfOrder } from "./consent";
import { Address, contactOfCustomer, contactOfGuest, Customer, tagsOf } from "./customer";
import {
  Currency,
  Decimal,
  Id,
  idOf,
  type MapContext,
  minor,
  minorOr,
  Moment,
  MoneySet,
  Quantity,
  text,
  Token,
  trackerOf,
  refuseFuture,
  UnusableBody,
  versionAt,
  WithId,
  WithNotes,
} from "./fields";
import { mapRefund, Refunds } from "./refund";

const Line = z.object({
  id: Id.nullable().optional(),
  product_id: Id.nullable().optional(),
  variant_id: Id.nullable().optional(),
  sku: text(255).optional(),
  title: text().optional(),
  name: text().optional(),
  variant_title: text().optional(),
  vendor: text(255).optional(),
  quantity: Quantity,
  current_quantity: Quantity.nullable().optional(),
  price: Decimal,
  discount_allocations: z
    .array(z.object({ amount: Decimal }))
    .nullable()
    .optional(),
});

const Order = z.object({
  ...WithId,
  name: text(100).optional(),
  test: z.boolean().nullable().optional(),
  cart_token: Token.optional(),
  checkout_token: Token.optional(),
  landing_site: text(4000).optional(),
  referring_site: text(4000).optional(),
  email: text(320).optional(),
  contact_email: text(320).optional(),
  phone: text(60).optional(),
  buyer_accepts_marketing: z.boolean().nullable().optional(),
  created_at: Moment,
  processed_at: Moment.nullable().optional(),
  updated_at: Moment.nullable().optional(),
  cancelled_at: Moment.nullable().optional(),
  cancel_reason: text(50).optional(),
  financial_status: text(50).optional(),
  fulfillment_status: text(50).optional(),
  currency: Currency,
  presentment_currency: Currency.nullable().optional(),
  total_price: Decimal,
  current_total_price: Decimal.nullable().optional(),
  subtotal_price: Decimal.nullable().optional(),
  current_subtotal_price: Decimal.nullable().optional(),
  total_discounts: Decimal.nullable().optional(),
  total_tax: Decimal.nullable().optional(),
  total_price_set: MoneySet.nullable().optional(),
  current_total_price_set: MoneySet.nullable().optional(),
  total_shipping_price_set: MoneySet.nullable().optional(),
  discount_codes: z
    .array(z.object({ code: z.string().max(255) }))
    .nullable()
    .optional(),
  tags: z
    .union([z.string().max(20_000), z.array(z.string().max(255)).max(1_000)])
    .nullable()
    .optional(),
  shipping_lines: z
    .array(z.object({ title: text(255).optional() }))
    .nullable()
    .optional(),
  source_name: text(100).optional(),
  location_id: Id.nullable().optional(),
  /** Only the Admin API tells it. */
  location_name: text(255).optional(),
  user_id: Id.nullable().optional(),
  line_items: z.array(Line).max(10_000).optional(),
  fulfillments: z
    .array(
      z.object({
        created_at: Moment.nullable().optional(),
        updated_at: Moment.nullable().optional(),
        status: text(50).optional(),
        shipment_status: text(50).optional(),
      }),
    )
    .nullable()
    .optional(),
  refunds: Refunds.nullable().optional(),
  customer: Customer.nullable().optional(),
  shipping_address: Address.optional(),
  billing_address: Address.optional(),
  ...WithNotes,
});

type Order = z.infer<typeof Order>;

export interface MappedOrder {
  order: OrderSource;
  /** Null where the body names nobody. */
  contact: ContactSource | null;
}

/** The whole order of `orders/*`: a topic only says why it was sent. Amounts are in the shop's currency. */
export function mapOrder(body: unknown, context: MapContext): MappedOrder {
  const o = Order.parse(body);
  const id = idOf(o);
  const version = versionAt(o.updated_at ?? o.created_at, context);
  const placedAt = o.processed_at ?? o.created_at;
  refuseFuture(placedAt, context);
  const { currency } = o;
  const seen = o.current_total_price_set ?? o.total_price_set;
  const total = minor(o.current_total_price ?? o.total_price, currency);
  const originalTotal = minor(o.total_price, currency);
  if (total < 0 || originalTotal < 0) throw new UnusableBody("a total is below zero");
  const order: OrderSource = {
    origin: "shopify",
    externalId: id,
    currency,
    total,
    originalTotal,
    test: o.test ?? false,
    placedAt,
    refunds: (o.refunds ?? []).map((refund) => mapRefund(refund, id, currency, version.updatedAt)),
    tracker: trackerOf(o.note_attributes),
    version,
    guessed: guessed(o),
    ...told(o, currency),
  };
  if (o.financial_status !== undefined) {
    order.state = orderState({
      financialStatus: o.financial_status,
      cancelled: typeof o.cancelled_at === "number",
      cancelReason: o.cancel_reason ?? null,
      returned: isReturned(o),
      recovered: false,
    });
  }
  if (seen) {
    order.presentmentCurrency = seen.presentment_money.currency_code;
    order.presentmentTotal = minor(seen.presentment_money.amount, seen.presentment_money.currency_code);
  } else if (o.presentment_currency) order.presentmentCurrency = o.presentment_currency;
  if (o.landing_site !== undefined) order.landingSite = landing(o.landing_site, context);
  if (o.referring_site !== undefined) {
    const referrer = o.referring_site === null ? null : URL.parse(o.referring_site);
    order.referringSite = referrer ? cleanReferrer(referrer) : null;
  }
  return { order, contact: contactOf(o, context, version) };
}

/** Members for which other keys stand in, since the body lacks their own. */
function guessed(o: Order): (keyof OrderGuess)[] {
  const lines = o.line_items ?? [];
  const back = (o.refunds ?? []).flatMap((refund) => refund.refund_line_items ?? []);
  const decidesState = [
    o.cancelled_at,
    o.cancel_reason,
    o.line_items,
    o.refunds,
    ...lines.map((line) => line.current_quantity),
    ...back.map((line) => line.restock_type),
  ];
  const lacking: [keyof OrderGuess, boolean][] = [
    ["state", decidesState.includes(undefined)],
    ["total", o.current_total_price == null],
    ["subtotal", o.current_subtotal_price == null],
    ["presentmentTotal", o.current_total_price_set == null],
    ["placedAt", o.processed_at == null],
    ["test", o.test == null],
  ];
  return lacking.flatMap(([name, lacks]) => (lacks ? [name] : []));
}

/** Members whose keys the body has. */
function told(o: Order, currency: string): Partial<OrderSource> {
  const known: Partial<OrderSource> = {};
  if (o.name !== undefined) known.name = o.name;
  if (o.financial_status !== undefined) known.financialStatus = o.financial_status;
  if (o.fulfillment_status !== undefined) {
    known.fulfillmentStatus = o.fulfillment_status;
    const at = o.fulfillment_status === "fulfilled" ? lastFulfilment(o) : null;
    if (at !== undefined) known.fulfilledAt = at;
  }
  const arrived = o.fulfillment_status === "fulfilled" ? lastArrival(o) : undefined;
  if (arrived !== undefined) known.deliveredAt = arrived;
  if (o.cart_token !== undefined) known.cartToken = o.cart_token;
  if (o.checkout_token !== undefined) known.checkoutToken = o.checkout_token;
  if (o.cancelled_at !== undefined) known.cancelledAt = o.cancelled_at;
  if (o.source_name !== undefined) known.sourceName = o.source_name;
  if (o.location_id !== undefined) known.locationId = o.location_id;
  if (o.location_name !== undefined) known.locationName = o.location_name;
  if (o.user_id !== undefined) known.staffId = o.user_id;
  const subtotal = o.current_subtotal_price ?? o.subtotal_price;
  if (subtotal !== undefined) known.subtotal = minorOr(subtotal, currency, null);
  if (o.total_discounts !== undefined) known.discount = minorOr(o.total_discounts, currency, null);
  if (o.total_tax !== undefined) known.tax = minorOr(o.total_tax, currency, null);
  if (o.total_shipping_price_set) known.shipping = minor(o.total_shipping_price_set.shop_money.amount, currency);
  if (o.discount_codes !== undefined) known.discountCodes = (o.discount_codes ?? []).map(({ code }) => code);
  if (o.tags !== undefined) known.tags = tagsOf(o.tags);
  if (o.shipping_lines !== undefined) {
    const [first] = o.shipping_lines ?? [];
    // A first line without a title says nothing about the method.
    if (first?.title !== undefined || first === undefined) known.shippingMethod = first?.title ?? null;
  }
  if (o.line_items !== undefined) known.items = o.line_items.map((line) => mapLine(line, currency));
  return known;
}

/** A line as the body tells it; members of keys that it leaves out are absent. */
function mapLine(line: z.infer<typeof Line>, currency: string): OrderItemSource {
  const price = minor(line.price, currency);
  const item: OrderItemSource = { quantity: line.quantity, price };
  if (line.id !== undefined) item.externalId = line.id;
  if (line.product_id !== undefined) item.productId = line.product_id;
  if (line.variant_id !== undefined) item.variantId = line.variant_id;
  if (line.sku !== undefined) item.sku = line.sku;
  const title = line.title ?? line.name ?? (line.title === null ? "" : undefined);
  if (title !== undefined) item.title = title;
  if (line.variant_title !== undefined) item.variantTitle = line.variant_title;
  if (line.vendor !== undefined) item.vendor = line.vendor;
  if (line.current_quantity !== undefined) item.currentQuantity = line.current_quantity ?? line.quantity;
  if (line.discount_allocations !== undefined) {
    const off = (line.discount_allocations ?? []).reduce((sum, { amount }) => sum + minor(amount, currency), 0);
    // Discounts belong to the whole line; a remainder that does not divide is rounded on the piece shown.
    item.discountedPrice = line.quantity > 0 ? price - Math.round(off / line.quantity) : price;
  }
  return item;
}

/** Everything that was ordered was taken back, and not merely cancelled. */
function isReturned(o: Order): boolean {
  const lines = o.line_items ?? [];
  const back = (o.refunds ?? []).flatMap((refund) => refund.refund_line_items ?? []);
  const isBack = back.some((line) => line.restock_type === "return" || line.restock_type === "legacy_restock");
  return isBack && lines.length > 0 && lines.every((line) => line.current_quantity === 0);
}

/** Undefined where not every fulfilment tells its time. */
function lastFulfilment(o: Order): number | undefined {
  const times = (o.fulfillments ?? []).map((fulfilment) => fulfilment.created_at ?? Number.NaN);
  const last = Math.max(...times);
  return times.length > 0 && Number.isFinite(last) ? last : undefined;
}

/** When the last parcel arrived; undefined while one is on its way, or where not every one tells. */
function lastArrival(o: Order): number | undefined {
  const parcels = (o.fulfillments ?? []).filter(({ status }) => status !== "cancelled");
  const times = parcels.map((parcel) =>
    parcel.shipment_status === "delivered" ? (parcel.updated_at ?? Number.NaN) : Number.NaN,
  );
  const last = Math.max(...times);
  return Number.isFinite(last) ? last : undefined;
}

function landing(site: string | null, context: MapContext): string | null {
  if (site === null) return null;
  const origin = `https://${context.domain}`;
  const url = URL.parse(site, origin);
  const clean = url ? cleanUrl(url.href, context.keepQueryParams) : null;
  return clean?.startsWith(origin) ? clean.slice(origin.length) || "/" : clean;
}

function contactOf(o: Order, context: MapContext, version: OrderSource["version"]): ContactSource | null {
  const consents = consentOfOrder(o.buyer_accepts_marketing);
  const email = o.email ?? o.contact_email ?? null;
  if (!o.customer) {
    const address = o.shipping_address ?? o.billing_address ?? undefined;
    return contactOfGuest({ email, phone: o.phone ?? null, address }, version, consents);
  }
  const contact = contactOfCustomer(o.customer, context, version.updatedAt, true);
  return { ...contact, consents: [...contact.consents, ...consents] };
}
