import { z } from "zod";

import {
  ACCOUNT_STATES,
  type ConsentDecision,
  type ContactSource,
  type SourceValues,
  type Version,
} from "../../contacts";
import { normaliseEmail, normalisePhone } from "../../identity/normalise";
import { consentsOf, EmailConsent, SmsConsent } from "./consent";
import { Decimal, idOf, type MapContext, minor, Moment, text, versionAt, WithId } from "./fields";

/** An address; Shopify writes `[]` where a body has none, which says nothing about the one that is known. */
export const Address = z.preprocess(
  (value) => (Array.isArray(value) && value.length === 0 ? undefined : value),
  z
    .object({
      first_name: text().optional(),
      last_name: text().optional(),
      company: text().optional(),
      address1: text().optional(),
      address2: text().optional(),
      city: text().optional(),
      province: text().optional(),
      country: text().optional(),
      country_code: text().optional(),
      zip: text(40).optional(),
      phone: text(60).optional(),
    })
    .nullable()
    .optional(),
);

export type Address = z.infer<typeof Address>;

/** A customer in a body of its own, and inside orders and checkouts. Every key may be missing. */
export const Customer = z.object({
  ...WithId,
  email: text(320).optional(),
  phone: text(60).optional(),
  first_name: text().optional(),
  last_name: text().optional(),
  state: z.string().nullable().optional(),
  tax_exempt: z.boolean().nullable().optional(),
  created_at: Moment.nullable().optional(),
  updated_at: Moment.nullable().optional(),
  default_address: Address.optional(),
  tags: z
    .union([z.string(), z.array(z.string())])
    .nullable()
    .optional(),
  orders_count: z.int().min(0).nullable().optional(),
  total_spent: Decimal.nullable().optional(),
  email_marketing_consent: EmailConsent.nullable().optional(),
  sms_marketing_consent: SmsConsent.nullable().optional(),
  /** Only the Admin API tells it with the customer. */
  whats_app_marketing_consent: SmsConsent.nullable().optional(),
});

export type Customer = z.infer<typeof Customer>;

const AccountState = z.enum(ACCOUNT_STATES);

/** A comma string or a list of tags. */
export function tagsOf(tags: string | string[] | null): string[] {
  const list = Array.isArray(tags) ? tags : (tags ?? "").split(",");
  return list
    .map((tag) => tag.trim().slice(0, 255))
    .filter((tag) => tag !== "")
    .slice(0, 250);
}

/**
 * The person that a customer's body describes. The customer's own phone number comes first, that of the default
 * address is the fallback; an address or number that nobody could reach is as good as not told.
 *
 * @param otherwise moment of the body where the customer carries none
 */
export function contactOfCustomer(
  customer: Customer,
  context: MapContext,
  otherwise: number,
  revives: boolean,
): ContactSource {
  const version = versionAt(customer.updated_at ?? otherwise, context);
  const address = customer.default_address;
  const country = address?.country_code ?? address?.country;
  const values: SourceValues = { ...reachable(customer, country), ...addressValues(address) };
  if (customer.first_name !== undefined) values.firstName = customer.first_name;
  if (customer.last_name !== undefined) values.lastName = customer.last_name;
  const state = AccountState.safeParse(customer.state?.toLowerCase());
  if (state.success) values.accountState = state.data;
  if (typeof customer.tax_exempt === "boolean") values.taxExempt = Number(customer.tax_exempt);
  if (typeof customer.created_at === "number") values.createdAt = customer.created_at;
  if (typeof customer.updated_at === "number") values.updatedAt = customer.updated_at;
  if (typeof customer.orders_count === "number") values.ordersCount = customer.orders_count;
  if (typeof customer.total_spent === "string" || typeof customer.total_spent === "number") {
    values.totalSpent = minor(customer.total_spent, context.currency);
  }
  const tags = customer.tags === undefined ? null : tagsOf(customer.tags);
  if (tags !== null) values.tags = tags.join(",");
  return {
    customerId: idOf(customer),
    values,
    trust: "customer",
    version,
    consents: embeddedConsents(customer, version),
    tags,
    revives,
  };
}

/** Who ordered without a customer record: the address that was given, and what the delivery says. Null for nobody. */
export function contactOfGuest(
  guest: { email?: string | null; phone?: string | null; address: Address | undefined },
  version: Version,
  consents: ConsentDecision[],
): ContactSource | null {
  const country = guest.address?.country_code ?? guest.address?.country;
  const values: SourceValues = addressValues(guest.address);
  const email = typeof guest.email === "string" ? normaliseEmail(guest.email) : null;
  const phone = typeof guest.phone === "string" ? normalisePhone(guest.phone, country) : null;
  // The order's own number tells who it is only where nothing else does.
  if (email !== null) values.email = email;
  else if (phone !== null) values.phone = phone;
  else return null;
  if (guest.address?.first_name) values.firstName = guest.address.first_name;
  if (guest.address?.last_name) values.lastName = guest.address.last_name;
  return {
    customerId: null,
    values: withoutNulls(values),
    trust: "order",
    version,
    consents,
    tags: null,
    revives: true,
  };
}

function reachable(customer: Pick<Customer, "email" | "phone">, country: string | null | undefined): SourceValues {
  const values: SourceValues = {};
  if (customer.email === null) values.email = null;
  else if (customer.email !== undefined) {
    const email = normaliseEmail(customer.email);
    if (email !== null) values.email = email;
  }
  if (customer.phone === null) values.phone = null;
  else if (customer.phone !== undefined) {
    const phone = normalisePhone(customer.phone, country);
    if (phone !== null) values.phone = phone;
  }
  return values;
}

function addressValues(address: Address | undefined): SourceValues {
  if (address === undefined) return {};
  if (address === null) return { addressPhone: null };
  const values: SourceValues = {};
  if (address.company !== undefined) values.company = address.company;
  if (address.address1 !== undefined) values.line1 = address.address1;
  if (address.address2 !== undefined) values.line2 = address.address2;
  if (address.city !== undefined) values.city = address.city;
  if (address.province !== undefined) values.province = address.province;
  if (address.country !== undefined) values.country = address.country;
  if (address.zip !== undefined) values.zip = address.zip;
  if (address.phone === null) values.addressPhone = null;
  else if (address.phone !== undefined) {
    const phone = normalisePhone(address.phone, address.country_code ?? address.country);
    if (phone !== null) values.addressPhone = phone;
  }
  return values;
}

function withoutNulls(values: SourceValues): SourceValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

function embeddedConsents(customer: Customer, version: Version): ConsentDecision[] {
  return [
    ...consentsOf("email", customer.email_marketing_consent ?? null, version.updatedAt),
    ...consentsOf("sms", customer.sms_marketing_consent ?? null, version.updatedAt),
    ...consentsOf("whatsapp", customer.whats_app_marketing_consent ?? null, version.updatedAt),
  ];
}
