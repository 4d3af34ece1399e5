import { addressNode } from "./address-nodes.ts";
import { listOf, listTable, type Args, type Listing, type Source } from "./listing.ts";
import { add, decimalOf, NOTHING } from "./money.ts";
import { orderVisible, searchOrders } from "./order-search.ts";
import type { Consent, CustomerRecord, OrderRecord } from "./records.ts";
import type { SearchFields } from "./search.ts";
import { gid, stampOf, stampOrNull } from "./stamps.ts";
import type { AdminStore } from "./store.ts";
import { Table } from "./table.ts";

export const searchCustomers: SearchFields<CustomerRecord> = {
  id: (customer) => customer.id,
  created_at: (customer) => ({ time: customer.createdAt }),
  customer_date: (customer) => ({ time: customer.createdAt }),
  updated_at: (customer) => ({ time: customer.updatedAt }),
  email: (customer) => customer.email,
  phone: (customer) => customer.phone,
  first_name: (customer) => customer.firstName,
  last_name: (customer) => customer.lastName,
  state: (customer) => customer.state,
  tag: (customer) => customer.tags,
  accepts_marketing: (customer) => customer.emailConsent.state === "SUBSCRIBED",
};

export function listCustomers(store: AdminStore, args: Args): Listing {
  return listTable(store.records().customers, args, searchCustomers, store.nodes.customer);
}

export function ordersOf(store: AdminStore, customerId: number): OrderRecord[] {
  const { orders, ordersOf: known } = store.records();
  if (known !== undefined) return known(customerId);
  return [...orders].filter((order) => order.customerId === customerId);
}

function emailNode(store: AdminStore, customer: CustomerRecord): Source | null {
  if (customer.email === null) return null;
  const { state, level, at } = customer.emailConsent;
  const unsubscribe = `https://${store.domain}/account/unsubscribe/${customer.id}`;
  return {
    __typename: "CustomerEmailAddress",
    emailAddress: customer.email,
    marketingState: state === "REDACTED" ? "UNSUBSCRIBED" : state,
    marketingOptInLevel: level,
    marketingUpdatedAt: stampOrNull(at),
    marketingUnsubscribeUrl: unsubscribe,
    openTrackingLevel: "UNKNOWN",
    openTrackingUrl: unsubscribe,
    sourceLocation: null,
    validFormat: customer.email.includes("@"),
  };
}

const consentNode = (type: string, { state, level, at, from }: Consent): Source => ({
  __typename: type,
  state,
  optInLevel: level,
  updatedAt: stampOrNull(at),
  collectedFrom: from,
  sourceLocation: null,
});

function phoneNode(customer: CustomerRecord): Source | null {
  if (customer.phone === null) return null;
  const { state, level, at, from } = customer.smsConsent;
  return {
    __typename: "CustomerPhoneNumber",
    phoneNumber: customer.phone,
    marketingState: state === "INVALID" ? "NOT_SUBSCRIBED" : state,
    marketingOptInLevel: level,
    marketingUpdatedAt: stampOrNull(at),
    marketingCollectedFrom: from,
    sourceLocation: null,
    smsMarketingConsent: () => consentNode("CustomerSmsMarketingConsent", customer.smsConsent),
    whatsAppMarketingConsent: () => consentNode("CustomerWhatsAppMarketingConsent", customer.whatsAppConsent),
  };
}

function deprecatedSms(customer: CustomerRecord): Source | null {
  if (customer.phone === null) return null;
  const { state, level, at, from } = customer.smsConsent;
  return {
    consentCollectedFrom: from,
    consentUpdatedAt: stampOrNull(at),
    marketingOptInLevel: level ?? "UNKNOWN",
    marketingState: state,
    sourceLocation: null,
  };
}

/** What the customer spent: tests and cancelled orders left out, refunds taken off. */
function spentBy(store: AdminStore, customer: CustomerRecord): Source {
  const counted = ordersOf(store, customer.id).filter((order) => !order.test && order.cancelledAt === null);
  const sum = counted.reduce((total, order) => add(total, order.totals.currentTotal), NOTHING);
  return { amount: decimalOf(sum.shop, store.currency), currencyCode: store.currency };
}

/** A customer as the schema has it. */
export function customerNode(store: AdminStore, customer: CustomerRecord): Source {
  const name = [customer.firstName, customer.lastName].filter(Boolean).join(" ");
  const addresses = (): Source[] => customer.addresses.map(addressNode);
  return {
    __typename: "Customer",
    id: gid("Customer", customer.id),
    legacyResourceId: String(customer.id),
    createdAt: () => stampOf(customer.createdAt),
    updatedAt: () => stampOf(customer.updatedAt),
    firstName: customer.firstName,
    lastName: customer.lastName,
    displayName: name || (customer.email ?? customer.phone ?? "No name"),
    email: customer.email,
    phone: customer.phone,
    state: customer.state,
    note: customer.note,
    tags: customer.tags,
    locale: customer.locale,
    verifiedEmail: customer.verifiedEmail,
    validEmailAddress: customer.email !== null,
    taxExempt: customer.taxExempt,
    taxExemptions: [],
    multipassIdentifier: null,
    dataSaleOptOut: false,
    canDelete: () => ordersOf(store, customer.id).length === 0,
    productSubscriberStatus: "NEVER_SUBSCRIBED",
    lifetimeDuration: "about 1 year",
    defaultEmailAddress: () => emailNode(store, customer),
    defaultPhoneNumber: () => phoneNode(customer),
    emailMarketingConsent: () =>
      customer.email === null
        ? null
        : {
            consentUpdatedAt: stampOrNull(customer.emailConsent.at),
            marketingOptInLevel: customer.emailConsent.level,
            marketingState: customer.emailConsent.state,
            sourceLocation: null,
          },
    smsMarketingConsent: () => deprecatedSms(customer),
    defaultAddress: () => (customer.addresses[0] === undefined ? null : addressNode(customer.addresses[0])),
    addresses,
    addressesV2: () => listOf(addresses()),
    numberOfOrders: () => String(ordersOf(store, customer.id).length),
    amountSpent: () => spentBy(store, customer),
    lastOrder: () => {
      const last = ordersOf(store, customer.id).at(-1);
      return last === undefined ? null : store.nodes.order(last);
    },
    orders: (args: Args) =>
      listTable(
        Table.of(ordersOf(store, customer.id)),
        args,
        searchOrders,
        (order) => store.nodes.order(order),
        orderVisible(store),
      ),
    companyContactProfiles: [],
    metafield: null,
    metafields: listOf([]),
    events: listOf([]),
    statistics: { predictedSpendTier: null, rfmGroup: null },
  };
}
