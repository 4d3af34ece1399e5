import {
  customerPayload,
  emailConsentPayload,
  gid,
  purchasingSummaryPayload,
  smsConsentPayload,
} from "../shopify/customer-payload.ts";
import { utcTime } from "../time.ts";
import type { Address, Customer } from "./state.ts";
import { type Action, actionAt, nextId, type Store } from "./store.ts";

export const sameEmail = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && a.trim().toLowerCase() === b.trim().toLowerCase();

export function findCustomer(store: Store, id: number | null): Customer | undefined {
  return store.state.customers.find((customer) => customer.id === id);
}

export function customerByEmail(store: Store, email: string | null): Customer | undefined {
  return store.state.customers.find((customer) => sameEmail(customer.email, email));
}

/** The customer with this address, made and announced (customers/create) when there is none. */
export function ensureCustomer(
  store: Store,
  contact: { email: string | null; phone: string | null; address?: Address | null },
  action: Action,
): Customer {
  const known =
    customerByEmail(store, contact.email) ??
    store.state.customers.find((one) => contact.phone !== null && one.phone === contact.phone);
  if (known !== undefined) return known;
  const address = contact.address ?? null;
  const customer: Customer = {
    id: nextId(store),
    email: contact.email?.trim() ?? null,
    phone: contact.phone,
    firstName: address?.firstName ?? null,
    lastName: address?.lastName ?? null,
    state: "disabled",
    note: null,
    tags: [],
    emailConsent: { state: "not_subscribed", optInLevel: "single_opt_in", updatedAt: null },
    smsConsent: { state: "not_subscribed", optInLevel: "single_opt_in", updatedAt: null },
    addressId: address === null ? null : nextId(store),
    address,
    createdAt: action.at,
    updatedAt: action.at,
  };
  store.state.customers.push(customer);
  store.emit(action, "customers/create", customerPayload(customer));
  store.save();
  return customer;
}

/** Writes what a checkout taught about the customer and says so (customers/update) when anything changed. */
export function learnAddress(
  store: Store,
  customer: Customer,
  learned: { address: Address | null; phone: string | null },
  action: Action,
): void {
  const before = JSON.stringify([customer.address, customer.phone, customer.firstName, customer.lastName]);
  if (learned.address !== null) {
    customer.address = learned.address;
    customer.addressId ??= nextId(store);
    customer.firstName = learned.address.firstName;
    customer.lastName = learned.address.lastName;
  }
  customer.phone = learned.phone ?? customer.phone;
  if (JSON.stringify([customer.address, customer.phone, customer.firstName, customer.lastName]) === before) return;
  touchCustomer(store, customer, action);
}

export function touchCustomer(store: Store, customer: Customer, action: Action): void {
  customer.updatedAt = Math.max(customer.updatedAt, action.at);
  store.emit(action, "customers/update", customerPayload(customer));
  store.save();
}

/** Sets e-mail or SMS consent; the topic's own webhook first, then customers/update, as Shopify sends both. */
export function setConsent(
  store: Store,
  customer: Customer,
  channel: "email" | "sms",
  state: string,
  action: Action,
): void {
  const consent = channel === "email" ? customer.emailConsent : customer.smsConsent;
  if (consent.state === state) return;
  Object.assign(consent, { state, optInLevel: "single_opt_in", updatedAt: action.at });
  if (channel === "email")
    store.emit(action, "customers_email_marketing_consent/update", emailConsentPayload(customer));
  else store.emit(action, "customers_marketing_consent/update", smsConsentPayload(customer));
  touchCustomer(store, customer, action);
}

/** Adds or removes tags; the webhook names only the difference. */
export function changeTags(
  store: Store,
  customer: Customer,
  change: { add?: string[] | undefined; remove?: string[] | undefined },
  action: Action,
): void {
  const added = (change.add ?? []).filter((tag) => !customer.tags.includes(tag));
  const removed = (change.remove ?? []).filter((tag) => customer.tags.includes(tag));
  customer.tags = [...customer.tags.filter((tag) => !removed.includes(tag)), ...added];
  const tell = (topic: string, tags: string[]): void => {
    if (tags.length > 0)
      store.emit(action, topic, { customerId: gid("Customer", customer.id), tags, occurredAt: utcTime(action.at) });
  };
  tell("customer.tags_added", added);
  tell("customer.tags_removed", removed);
  if (added.length + removed.length > 0) touchCustomer(store, customer, action);
}

/** Two customers become one: orders move to `kept`, the other is gone. Order: customers/merge, update, delete. */
export function mergeCustomers(store: Store, kept: Customer, lost: Customer, at: number): void {
  const action = actionAt(at);
  for (const order of store.state.orders) if (order.customerId === lost.id) order.customerId = kept.id;
  for (const checkout of store.state.checkouts) if (checkout.customerId === lost.id) checkout.customerId = kept.id;
  kept.phone ??= lost.phone;
  kept.address ??= lost.address;
  kept.addressId ??= lost.addressId;
  kept.tags = [...new Set([...kept.tags, ...lost.tags])];
  store.state.customers = store.state.customers.filter((customer) => customer !== lost);
  store.emit(action, "customers/merge", {
    admin_graphql_api_customer_kept_id: gid("Customer", kept.id),
    admin_graphql_api_customer_deleted_id: gid("Customer", lost.id),
    admin_graphql_api_job_id: null,
    status: "completed",
    errors: [],
  });
  touchCustomer(store, kept, action);
  emitDelete(store, lost, action);
  sellSummary(store, kept, action);
}

export function deleteCustomer(store: Store, customer: Customer, at: number): void {
  store.state.customers = store.state.customers.filter((one) => one !== customer);
  for (const order of store.state.orders) if (order.customerId === customer.id) order.customerId = null;
  emitDelete(store, customer, actionAt(at));
  store.save();
}

function emitDelete(store: Store, customer: Customer, action: Action): void {
  store.emit(action, "customers/delete", {
    id: customer.id,
    tax_exemptions: [],
    admin_graphql_api_id: gid("Customer", customer.id),
  });
}

/** customers/purchasing_summary, with the counts as the store has them now. */
export function sellSummary(store: Store, customer: Customer, action: Action): void {
  const orders = store.state.orders.filter((order) => order.customerId === customer.id);
  const last = orders.at(-1);
  if (last !== undefined)
    store.emit(action, "customers/purchasing_summary", purchasingSummaryPayload(customer, orders, last, action.at));
}
