import { decimal } from "../money.ts";
import { SHOP_CURRENCY } from "../shop.ts";
import type { Address, Customer, Order } from "../store/state.ts";
import { orderMoney } from "../store/order-money.ts";
import { shopTime, utcTime } from "../time.ts";

export const gid = (kind: string, id: number): string => `gid://shopify/${kind}/${id}`;

/** The address of an order or a checkout. */
export function addressPayload(address: Address) {
  return {
    first_name: address.firstName,
    address1: address.address1,
    phone: address.phone,
    city: address.city,
    zip: address.zip,
    province: address.province,
    country: address.country,
    last_name: address.lastName,
    address2: address.address2,
    company: address.company,
    latitude: null,
    longitude: null,
    name: `${address.firstName} ${address.lastName}`,
    country_code: address.countryCode,
    province_code: address.provinceCode,
  };
}

function customerAddress(customer: Customer, address: Address) {
  return {
    id: customer.addressId,
    customer_id: customer.id,
    first_name: address.firstName,
    last_name: address.lastName,
    company: address.company,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    province: address.province,
    country: address.country,
    zip: address.zip,
    phone: address.phone,
    name: `${address.firstName} ${address.lastName}`,
    province_code: address.provinceCode,
    country_code: address.countryCode,
    country_name: address.country,
    default: true,
  };
}

const defaultAddress = (customer: Customer) =>
  customer.address === null ? {} : { default_address: customerAddress(customer, customer.address) };

/** The `customer` object inside orders and checkouts: no tags, no consents, no counts since 2025-01. */
export function embeddedCustomer(customer: Customer) {
  return {
    id: customer.id,
    created_at: shopTime(customer.createdAt),
    updated_at: shopTime(customer.updatedAt),
    first_name: customer.firstName,
    last_name: customer.lastName,
    state: customer.state,
    note: customer.note,
    verified_email: true,
    multipass_identifier: null,
    tax_exempt: false,
    email: customer.email,
    phone: customer.phone,
    currency: SHOP_CURRENCY,
    tax_exemptions: [],
    admin_graphql_api_id: gid("Customer", customer.id),
    ...defaultAddress(customer),
  };
}

/** Body of customers/create and customers/update. `default_address` is absent while there is none. */
export function customerPayload(customer: Customer) {
  return {
    ...embeddedCustomer(customer),
    addresses: customer.address === null ? [] : [customerAddress(customer, customer.address)],
  };
}

export function emailConsentPayload(customer: Customer) {
  const { state, optInLevel, updatedAt } = customer.emailConsent;
  return {
    customer_id: customer.id,
    email_address: customer.email,
    email_marketing_consent: {
      state,
      opt_in_level: optInLevel,
      consent_updated_at: updatedAt === null ? null : shopTime(updatedAt),
    },
  };
}

export function smsConsentPayload(customer: Customer) {
  const { state, optInLevel, updatedAt } = customer.smsConsent;
  return {
    id: customer.id,
    phone: customer.phone,
    sms_marketing_consent: {
      state,
      opt_in_level: optInLevel,
      consent_updated_at: updatedAt === null ? null : shopTime(updatedAt),
      consent_collected_from: "other",
    },
  };
}

/** Body of customers/purchasing_summary: what was spent is net of refunds, test and cancelled orders left out. */
export function purchasingSummaryPayload(customer: Customer, orders: Order[], last: Order, at: number) {
  const counted = orders.filter((order) => !order.test && order.cancelledAt === null);
  return {
    customerId: gid("Customer", customer.id),
    numberOfOrders: counted.length,
    amountSpent: {
      amount: decimal(
        counted.reduce((sum, order) => sum + orderMoney(order).currentTotal.shop, 0),
        SHOP_CURRENCY,
      ),
      currencyCode: SHOP_CURRENCY,
    },
    lastOrderId: gid("Order", last.id),
    occurredAt: utcTime(at),
  };
}
