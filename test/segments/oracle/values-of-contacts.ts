import { CUSTOM_FIELDS } from "./custom-fields";
import { scalar, some } from "./facts";
import type { Value } from "./operators";
import { countryCode, inEu, tagFold } from "./places";
import type { Contact } from "./world";

const most = (numbers: number[]) => (numbers.length > 0 ? [Math.max(...numbers)] : []);

/** Null where it is no field of the contact alone. */
export function ofContact(contact: Contact, field: string): Value[] | null {
  const { texts } = contact;
  if (field.startsWith("fields.")) return customValues(contact, field.slice("fields.".length));
  const consent =
    /^(email|sms|whatsapp)_(consent|can_receive|opt_in_level|consent_basis|consent_source|consent_at)$/.exec(field);
  if (consent) return ofConsent(contact, consent[1] ?? "", consent[2] ?? "");
  const stored = Object.entries(texts).find(([name]) => name === field)?.[1];
  switch (field) {
    case "email_domain": {
      const at = texts.email?.indexOf("@") ?? -1;
      return at < 0 ? [] : some(texts.email?.slice(at + 1));
    }
    case "phone_country":
      return some(texts.phone);
    case "region":
      return some(texts.province);
    case "postal_code":
      return some(texts.zip);
    case "in_eu":
      return inEu(texts.country);
    case "in_us":
      return texts.country ? [countryCode(texts.country) === "US"] : [];
    case "tax_exempt":
      return some(contact.taxExempt);
    case "created_at":
      return [contact.createdAt];
    case "updated_at":
      return [contact.updatedAt];
    case "shopify_created_at":
      return some(contact.shopifyCreatedAt);
    case "lifecycle_stage":
      return [contact.stage];
    case "lifecycle_status":
      return some(contact.status);
    case "lifecycle_changed_at":
      return most(contact.history.map(({ at }) => at));
    case "lifecycle_previous_status":
      return some(timeline(contact).findLast(({ status }) => status !== contact.status)?.status);
    case "tags":
      return [...new Set(contact.tags.filter(({ removed }) => !removed).map(({ label }) => tagFold(label)))];
    case "score":
      return [contact.score];
    case "orders_count":
      return [contact.ordersCount];
    case "total_revenue":
      return [contact.ordersTotal];
    case "average_order_value":
      return contact.ordersCount > 0 ? [contact.ordersTotal / contact.ordersCount] : [];
    default:
      return stored !== undefined || CONTACT_OWN.has(field) ? some(stored) : null;
  }
}

const CONTACT_OWN = new Set(
  "email phone first_name last_name company city country shopify_customer_id external_id source account_state".split(
    " ",
  ),
);

/** Oldest first; of those at one moment, as they came in. */
function timeline({ history }: Contact) {
  return history.toSorted((a, b) => a.at - b.at || a.key - b.key);
}

/** Since when the stage or status has been what it is; null where no history tells. */
export function heldSince(contact: Contact, column: "stage" | "status"): number | null {
  let since: number | null = null;
  for (const entry of timeline(contact).toReversed()) {
    if (entry[column] !== contact[column]) break;
    since = entry.at;
  }
  return since;
}

function ofConsent(contact: Contact, channel: string, what: string): Value[] {
  const consent = contact.consents.find((one) => one.channel === channel);
  switch (what) {
    case "consent":
      return some(consent?.state);
    case "can_receive":
      return [
        (channel === "email" ? contact.texts.email : contact.texts.phone) !== undefined &&
          consent?.state === "subscribed",
      ];
    case "opt_in_level":
      return some(consent?.level);
    case "consent_basis":
      return some(consent?.basis);
    case "consent_source":
      return some(consent?.source);
    default:
      return some(consent?.decidedAt);
  }
}

function customValues({ fields }: Contact, name: string): Value[] {
  const type = CUSTOM_FIELDS.find((field) => field.name === name)?.type;
  const value = fields[name];
  if (type === "multiselect") return Array.isArray(value) ? value.flatMap(scalar) : [];
  const wanted = type === "number" || type === "boolean" ? type : "string";
  return typeof value === wanted ? scalar(value) : [];
}
