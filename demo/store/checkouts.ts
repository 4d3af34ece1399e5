import { checkoutPayload } from "../shopify/checkout-payload.ts";
import { ensureCustomer, learnAddress, setConsent } from "./customers.ts";
import { findDiscount, findRate, price, type Priced } from "./pricing.ts";
import type { Address, Cart, Checkout } from "./state.ts";
import { type Action, actionAt, hex, nextId, type Store } from "./store.ts";

export function findCheckout(store: Store, cartToken: string): Checkout | undefined {
  return store.state.checkouts.findLast((checkout) => checkout.cartToken === cartToken);
}

export function priceCheckout(checkout: Checkout): Priced {
  return price(checkout.lines, checkout.country, checkout.shippingCode, checkout.discountCode);
}

/**
 * Enters the checkout of a cart: a new one (checkouts/create), or the open one brought up to date with the cart.
 * Every entry asks the pixel for `checkout_started`.
 */
export function enterCheckout(store: Store, cart: Cart, customerId: number | null, at: number): Checkout {
  const open = findCheckout(store, cart.token);
  const known = store.state.customers.find((customer) => customer.id === customerId);
  const checkout: Checkout = open ?? {
    id: nextId(store),
    token: hex(16),
    cartToken: cart.token,
    country: cart.country,
    lines: [],
    note: null,
    attributes: {},
    email: known?.email ?? null,
    phone: known?.phone ?? null,
    acceptsMarketing: false,
    shippingAddress: known?.address ?? null,
    shippingCode: null,
    discountCode: null,
    customerId: known?.id ?? null,
    landingSite: cart.landingSite,
    referringSite: cart.referringSite,
    orderId: null,
    createdAt: at,
    updatedAt: at,
    completedAt: null,
    pendingEvents: [],
  };
  const now = {
    lines: structuredClone(cart.lines),
    attributes: { ...cart.attributes },
    note: cart.note,
    country: cart.country,
  };
  const before = {
    lines: checkout.lines,
    attributes: checkout.attributes,
    note: checkout.note,
    country: checkout.country,
  };
  Object.assign(checkout, now);
  if (!checkout.pendingEvents.includes("checkout_started")) checkout.pendingEvents.push("checkout_started");
  if (open === undefined) {
    store.state.checkouts.push(checkout);
    store.emit(actionAt(at), "checkouts/create", checkoutPayload(store, checkout));
  } else if (JSON.stringify(before) !== JSON.stringify(now)) {
    announceCheckout(store, checkout, actionAt(at));
  }
  store.save();
  return checkout;
}

export type Contact = {
  email: string | null;
  phone: string | null;
  acceptsMarketing: boolean;
  shippingAddress: Address | null;
};

/**
 * What the shopper typed about themselves. The first known e-mail or phone makes them a Shopify customer
 * (customers/create), also when they never pay; a ticked box subscribes them; then checkouts/update.
 */
export function setContact(store: Store, checkout: Checkout, contact: Contact, at: number): void {
  const action = actionAt(at);
  checkout.email = contact.email;
  checkout.phone = contact.phone;
  checkout.acceptsMarketing = contact.acceptsMarketing;
  checkout.shippingAddress = contact.shippingAddress ?? checkout.shippingAddress;
  const customer = ensureCustomer(store, { email: contact.email, phone: contact.phone }, action);
  checkout.customerId = customer.id;
  if (contact.shippingAddress !== null && customer.address === null)
    learnAddress(store, customer, { address: contact.shippingAddress, phone: contact.phone }, action);
  if (contact.acceptsMarketing && contact.email !== null) setConsent(store, customer, "email", "subscribed", action);
  announceCheckout(store, checkout, action);
}

/** Picks a shipping rate. False when the shop has no such rate. */
export function setShipping(store: Store, checkout: Checkout, code: string, at: number): boolean {
  if (findRate(code) === undefined) return false;
  checkout.shippingCode = code;
  announceCheckout(store, checkout, actionAt(at));
  return true;
}

/** Applies or, with an empty code, removes a discount. False when the code is not known. */
export function setDiscount(store: Store, checkout: Checkout, code: string, at: number): boolean {
  const found = findDiscount(code);
  if (code !== "" && found === undefined) return false;
  checkout.discountCode = found?.code ?? null;
  announceCheckout(store, checkout, actionAt(at));
  return true;
}

/** Sends checkouts/update with the checkout as it is now. */
export function announceCheckout(store: Store, checkout: Checkout, action: Action): void {
  checkout.updatedAt = Math.max(checkout.updatedAt, action.at);
  store.emit(action, "checkouts/update", checkoutPayload(store, checkout));
  store.save();
}
