import { foldTag } from "../contacts";
import type { Frame, Relation } from "./compile/frame";
import { ofContact } from "./compile/relations";
import type { ValueType } from "./condition";
import { countryWords, EU } from "./countries";
import { aggregate, both, browserText, column, date, each, type Field, ofContacts, type Place, text } from "./field";
import { fold } from "./fold";
import { phonePrefixes } from "./phone-countries";

const DOMAIN = "iif(instr(s.email, '@') > 0, substr(s.email, instr(s.email, '@') + 1), null)";

/** What the source of visitors is called, where it is shown at all. */
const ANONYMOUS = "anonymous_website_visitors";

export const IDENTITY: Field[] = [
  text("identity", "email", "E-mail", "s.email"),
  text("identity", "email_domain", "E-mail domain", DOMAIN),
  text("identity", "phone", "Phone", "s.phone"),
  text("identity", "phone_country", "Country of the phone number", "s.phone", {
    beginnings: phonePrefixes,
    only: ["eq", "ne", "in", "not_in", "has_any", "has_none", "is_set", "not_set"],
  }),
  text("identity", "first_name", "First name", "s.first_name"),
  text("identity", "last_name", "Last name", "s.last_name"),
  text("identity", "company", "Company", "s.company"),
  text("identity", "shopify_customer_id", "Shopify customer ID", "s.shopify_customer_id"),
  text("identity", "external_id", "External ID", "s.external_id"),
  {
    ...text("identity", "source", "Source", "s.source", { options: ["Shopify", "Website", "API", "Import"] }),
    places: { contact: column("s.source"), visitor: column(`'${ANONYMOUS}'`) },
  },
  ofContacts("identity", "tax_exempt", "Tax-exempt", "bool", column("s.tax_exempt")),
  date("identity", "created_at", "Created", "s.created_at"),
  date("identity", "updated_at", "Updated", "s.updated_at"),
  date("identity", "shopify_created_at", "Created in Shopify", "s.shopify_created_at"),
];

/** In one of these countries, however they are written. */
const inCountries = (codes: string[]): Place => {
  const words = [...new Set(codes.flatMap(countryWords).map(fold))];
  return {
    kind: "column",
    value: ({ parameters }) => ({
      sql: `iif(s.country <> '', lower(s.country) in (${parameters.rows(words)}), null)`,
    }),
  };
};

const inEu = inCountries(EU);
const inUs = inCountries(["US"]);

export const ADDRESS: Field[] = [
  {
    ...text("address", "country", "Country", "s.country", { words: countryWords }),
    places: both(column("s.country")),
  },
  {
    ...text("address", "region", "State or province", "s.province"),
    places: { contact: column("s.province"), visitor: column("s.region") },
  },
  { ...text("address", "city", "City", "s.city"), places: both(column("s.city")) },
  text("address", "postal_code", "Postal code", "s.zip"),
  { ...ofContacts("address", "in_eu", "In the European Union", "bool", inEu), places: both(inEu) },
  { ...ofContacts("address", "in_us", "In the United States", "bool", inUs), places: both(inUs) },
  browserText("address", "ip_country", "Country of the last visit", "last", (a) => `${a}.country`, {
    words: countryWords,
  }),
  browserText("address", "ip_region", "State or province of the last visit", "last", (a) => `${a}.region`),
  browserText("address", "ip_city", "City of the last visit", "last", (a) => `${a}.city`),
  {
    ...browserText("address", "location", "Place of the last visit", "last", (a) => `${a}.cell`),
    type: "place",
  },
  browserText("address", "timezone", "Time zone of the last visit", "last", (a) => `${a}.timezone`),
  browserText("address", "language", "Language of the browser", "last", (a) => `${a}.language`),
];

const history = (frame: Frame) => ofContact(frame, "lifecycle_history");

export const LIFECYCLE: Field[] = [
  ofContacts("lifecycle", "lifecycle_stage", "Stage", "text", { kind: "history", column: "stage" }, { held: true }),
  ofContacts(
    "lifecycle",
    "lifecycle_status",
    "Status",
    "text",
    { kind: "history", column: "status" },
    { held: true, options: ["invited", "enabled", "paying", "disabled", "declined"] },
  ),
  ofContacts("lifecycle", "lifecycle_changed_at", "Stage or status changed", "date", aggregate(history, "max(h.at)")),
  ofContacts(
    "lifecycle",
    "lifecycle_previous_status",
    "Previous status",
    "text",
    each((frame) => {
      const relation = history(frame);
      const differs = (alias: string) =>
        `${alias}.status is not (select c.status from contacts c where c.key = ${alias}.contact)`;
      const later = `select 1 from lifecycle_history x where x.contact = h.contact and (x.at, x.key) > (h.at, h.key)`;
      return {
        ...relation,
        where: [...relation.where, differs("h"), `not exists (${later} and ${differs("x")})`],
      };
    }, "h.status"),
    { options: ["invited", "enabled", "paying", "disabled", "declined"] },
  ),
  text("lifecycle", "account_state", "Account", "s.account_state", {
    options: ["disabled", "invited", "enabled", "declined"],
  }),
];

const CONSENT_STATES = ["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"];

export function consent(channel: "email" | "sms" | "whatsapp", label: string, address: "email" | "phone"): Field[] {
  const rows = (frame: Frame): Relation => {
    const relation = ofContact(frame, "consents");
    return { ...relation, where: [...relation.where, `h.channel = '${channel}'`] };
  };
  const field = (name: string, what: string, type: ValueType, place: Place, more: Partial<Field> = {}) =>
    ofContacts("consent", `${channel}_${name}`, `${label}: ${what}`, type, place, more);
  const subscribed = `select h.contact from consents h where h.contact = s.key and h.channel = '${channel}' and h.state = 'subscribed'`;
  return [
    field(
      "consent",
      "state",
      "text",
      { kind: "state", rows, value: "h.state", since: "coalesce(h.decided_at, h.updated_at)" },
      { held: true, options: CONSENT_STATES },
    ),
    field("can_receive", "can be reached", "bool", column(`(s.${address} is not null and exists (${subscribed}))`)),
    field("opt_in_level", "opt-in level", "text", each(rows, "h.level"), {
      options: ["single_opt_in", "confirmed_opt_in", "unknown"],
    }),
    field("consent_basis", "why", "text", each(rows, "h.basis")),
    field("consent_source", "where it was collected", "text", each(rows, "h.source")),
    field("consent_at", "decided", "date", each(rows, "h.decided_at")),
  ];
}

export const TAGS: Field[] = [
  ofContacts(
    "tags",
    "tags",
    "Tags",
    "text",
    each(
      (frame) => {
        const relation = ofContact(frame, "contact_tags");
        return { ...relation, where: [...relation.where, "h.removed = 0"] };
      },
      "h.tag",
      { folded: foldTag },
    ),
    { many: true },
  ),
  ofContacts("tags", "score", "Score", "number", column("s.score")),
];
