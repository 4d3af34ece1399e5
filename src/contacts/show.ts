import { z } from "zod";

import { systemValues } from "../fields";
import { iso } from "../lib/time";
import type { Channel, Contact } from "./schemas";

const Labels = z.array(z.string());
const Fields = z.record(z.string(), z.unknown());
const States = z.enum(["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"]);
const Levels = z.enum(["single_opt_in", "confirmed_opt_in", "unknown"]);
const StoredConsent = z.tuple([States, Levels.nullable(), z.string(), z.string().nullable(), z.int()]);

/** A contact as `CONTACT_COLUMNS` reads it. */
export interface ContactRow {
  key: number;
  id: string;
  externalId: string | null;
  email: string | null;
  phone: string | null;
  firstName: string | null;
  lastName: string | null;
  company: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  province: string | null;
  country: string | null;
  zip: string | null;
  shopifyCustomerId: string | null;
  source: Contact["source"];
  stage: string;
  status: Contact["lifecycle"]["status"];
  score: number;
  fields: string;
  ordersCount: number;
  /** Minor units of the shop's currency. */
  ordersTotal: number;
  taxExempt: number | null;
  /** 1 where the shop has the fields of a connected store. */
  systemFields: number;
  createdAt: number;
  updatedAt: number;
  shopifyCreatedAt: number | null;
  shopifyUpdatedAt: number | null;
  deletedAt: number | null;
  /** JSON array of labels. */
  tags: string;
  /** JSON `[state, level, basis, source, time]`; null without a row. */
  emailConsent: string | null;
  smsConsent: string | null;
  whatsappConsent: string | null;
}

/** One seek by key each: as a list the three would read one row more to see its end. */
function consentColumn(channel: Channel): string {
  return `(select json_array(state, level, basis, source, coalesce(decided_at, updated_at)) from consents
    where contact = c.key and channel = '${channel}') as ${channel}Consent`;
}

/** What a `ContactRow` selects from `contacts c`; `?1` is the shop, so that its fields are looked up once. */
export const CONTACT_COLUMNS = `c.key, c.id, c.external_id as externalId, c.email, c.phone, c.first_name as firstName,
  c.last_name as lastName, c.company, c.line1, c.line2, c.city, c.province, c.country, c.zip,
  c.shopify_customer_id as shopifyCustomerId, c.source, c.stage, c.status, c.score, c.fields,
  c.orders_count as ordersCount, c.orders_total as ordersTotal, c.tax_exempt as taxExempt,
  exists (select 1 from fields where shop = ?1 and name = 'lifetime_value' and system = 1) as systemFields,
  c.created_at as createdAt, c.updated_at as updatedAt,
  c.shopify_created_at as shopifyCreatedAt, c.shopify_updated_at as shopifyUpdatedAt, c.deleted_at as deletedAt,
  (select json_group_array(t.label) from contact_tags t where t.contact = c.key and t.removed = 0) as tags,
  ${consentColumn("email")}, ${consentColumn("sms")}, ${consentColumn("whatsapp")}`;

/** A contact of the shop as the API shows it. */
export function showContact(row: ContactRow, shop: { name: string; currency: string }): Contact {
  return {
    id: row.id,
    externalId: row.externalId,
    email: row.email,
    phone: row.phone,
    firstName: row.firstName,
    lastName: row.lastName,
    company: row.company,
    address: {
      line1: row.line1,
      line2: row.line2,
      city: row.city,
      province: row.province,
      country: row.country,
      zip: row.zip,
    },
    shopifyCustomerId: row.shopifyCustomerId,
    source: row.source,
    tags: Labels.parse(JSON.parse(row.tags)).toSorted((a, b) => a.localeCompare(b, "en")),
    lifecycle: { stage: row.stage, status: row.status },
    consents: {
      email: showConsent(row.emailConsent),
      sms: showConsent(row.smsConsent),
      whatsapp: showConsent(row.whatsappConsent),
    },
    fields: { ...Fields.parse(JSON.parse(row.fields)), ...computedFields(row, shop) },
    score: row.score,
    ordersCount: row.ordersCount,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
    shopifyCreatedAt: iso(row.shopifyCreatedAt),
    shopifyUpdatedAt: iso(row.shopifyUpdatedAt),
  };
}

function showConsent(stored: string | null): Contact["consents"]["email"] {
  if (stored === null) return { state: "not_subscribed", level: null, basis: null, source: null, updatedAt: null };
  const [state, level, basis, source, at] = StoredConsent.parse(JSON.parse(stored));
  return { state, level, basis, source, updatedAt: iso(at) };
}

/** The order count for every shop; the rest of a store's fields once it is connected. */
function computedFields(row: ContactRow, shop: { name: string; currency: string }): Record<string, unknown> {
  if (row.systemFields === 0) return { total_order_count: row.ordersCount };
  const isCustomer = row.shopifyCustomerId !== null || row.source === "Shopify";
  return systemValues(shop, { ...row, isCustomer });
}
