import { z } from "zod";

import type { CartLineSource, CartSource } from "../../carts";
import type { ContactSource } from "../../contacts";
import { Address, contactOfCustomer, contactOfGuest, Customer } from "./customer";
import {
  Currency,
  Decimal,
  Id,
  type MapContext,
  minor,
  Moment,
  MoneySet,
  Quantity,
  text,
  Token,
  trackerOf,
  UnusableBody,
  versionAt,
  WithNotes,
} from "./fields";

const Line = z.object({
  key: text(255).optional(),
  product_id: Id.nullable().optional(),
  variant_id: Id.nullable().optional(),
  sku: text(255).optional(),
  title: text().optional(),
  vendor: text(255).optional(),
  quantity: Quantity,
  price: Decimal.nullable().optional(),
  discounted_price: Decimal.nullable().optional(),
  price_set: MoneySet.nullable().optional(),
  discounted_price_set: MoneySet.nullable().optional(),
});

const Cart = z.object({
  id: z.string().max(500).optional(),
  token: Token.optional(),
  updated_at: Moment.nullable().optional(),
  created_at: Moment.nullable().optional(),
  line_items: z.array(Line).max(5_000).optional(),
  ...WithNotes,
});

const Checkout = z.object({
  /** The Admin API names the cart alone. */
  token: Token.optional(),
  cart_token: Token.optional(),
  email: text(320).optional(),
  phone: text(60).optional(),
  abandoned_checkout_url: text(4000).optional(),
  created_at: Moment.nullable().optional(),
  updated_at: Moment,
  completed_at: Moment.nullable().optional(),
  currency: Currency.nullable().optional(),
  presentment_currency: Currency.nullable().optional(),
  total_price: Decimal.nullable().optional(),
  line_items: z.array(Line).max(5_000).optional(),
  customer: Customer.nullable().optional(),
  shipping_address: Address.optional(),
  billing_address: Address.optional(),
  ...WithNotes,
});

const DeletedCheckout = z.object({ cart_token: Token.optional(), token: Token.optional() });

/** `carts/*`: lines in the currency that the shopper saw where the body says so, else in the shop's. */
export function mapCart(body: unknown, context: MapContext): CartSource {
  const cart = Cart.parse(body);
  const token = cart.token ?? cart.id?.split("?")[0]?.slice(0, 200) ?? null;
  if (token === null || token === "") throw new UnusableBody("the cart has no token");
  const updatedAt = cart.updated_at ?? cart.created_at ?? context.triggeredAt;
  const source: CartSource = {
    kind: "cart",
    token,
    checkoutToken: null,
    completedAt: null,
    tracker: trackerOf(cart.note_attributes),
    version: versionAt(updatedAt, context),
  };
  if (cart.line_items) {
    const lines = cart.line_items.map((line) => mapLine(line, context.currency));
    source.items = lines;
    if (lines.every((line) => line.price !== undefined)) {
      source.currency = lines.find((line) => line.price)?.price?.currency ?? context.currency;
      source.value = lines.reduce((sum, line) => sum + (line.price?.amount ?? 0) * line.quantity, 0);
    }
  }
  return source;
}

/** `checkouts/*`: its amounts are in `presentment_currency`, though `currency` names the shop's. */
export function mapCheckout(body: unknown, context: MapContext): { cart: CartSource; contact: ContactSource | null } {
  const checkout = Checkout.parse(body);
  const token = checkout.token ?? null;
  if (token === null && !checkout.cart_token) throw new UnusableBody("the checkout has no token");
  const version = versionAt(checkout.updated_at, context);
  const currency = checkout.presentment_currency ?? checkout.currency ?? context.currency;
  const cart: CartSource = {
    kind: "checkout",
    token: checkout.cart_token ?? null,
    checkoutToken: token,
    completedAt: checkout.completed_at ?? null,
    tracker: trackerOf(checkout.note_attributes),
    version,
    currency,
  };
  if (checkout.total_price !== null && checkout.total_price !== undefined) {
    cart.value = minor(checkout.total_price, currency);
  }
  if (checkout.line_items) cart.items = checkout.line_items.map((line) => mapLine(line, currency));
  if (checkout.abandoned_checkout_url !== undefined) {
    const url = checkout.abandoned_checkout_url;
    // What is no address of a page says nothing about the one that is known.
    if (url === null || /^https?:\/\//.test(url)) cart.checkoutUrl = url;
  }
  return { cart, contact: contactOf(checkout, context) };
}

/** `checkouts/delete` names the cart; older bodies also the checkout. Null where neither is there. */
export function mapDeletedCheckout(body: unknown): string | null {
  const deleted = DeletedCheckout.parse(body);
  return deleted.cart_token ?? deleted.token ?? null;
}

/** A line as the body tells it; members of keys that it leaves out are absent. */
function mapLine(line: z.infer<typeof Line>, currency: string): CartLineSource {
  const mapped: CartLineSource = { quantity: line.quantity };
  if (line.key !== undefined) mapped.lineId = line.key;
  if (line.product_id !== undefined) mapped.productId = line.product_id;
  if (line.variant_id !== undefined) mapped.variantId = line.variant_id;
  if (line.sku !== undefined) mapped.sku = line.sku;
  if (line.title !== undefined) mapped.title = line.title;
  if (line.vendor !== undefined) mapped.vendor = line.vendor;
  const seen = (line.discounted_price_set ?? line.price_set)?.presentment_money;
  const price = line.discounted_price ?? line.price;
  if (seen) mapped.price = { amount: minor(seen.amount, seen.currency_code), currency: seen.currency_code };
  else if (price !== undefined) mapped.price = price === null ? null : { amount: minor(price, currency), currency };
  return mapped;
}

function contactOf(checkout: z.infer<typeof Checkout>, context: MapContext): ContactSource | null {
  const version = versionAt(checkout.updated_at, context);
  if (checkout.customer) return contactOfCustomer(checkout.customer, context, version.updatedAt, true);
  const address = checkout.shipping_address ?? checkout.billing_address ?? undefined;
  return contactOfGuest({ email: checkout.email ?? null, phone: checkout.phone ?? null, address }, version, []);
}
