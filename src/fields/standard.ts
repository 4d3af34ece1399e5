/** A fact that every contact has a place for. */
export interface StandardField {
  /** As in the contact's JSON; a dot leads into an object. */
  name: string;
  label: string;
  type: "text" | "number" | "date" | "tags";
  /** `shopify`: kept in step with the store, whose next change of it replaces what was edited here. */
  source: "shopify" | "crm";
}

/** The standard fields of contacts, with the labels that a page shows. */
export const STANDARD_FIELDS: StandardField[] = [
  { name: "firstName", label: "First name", type: "text", source: "shopify" },
  { name: "lastName", label: "Last name", type: "text", source: "shopify" },
  { name: "email", label: "E-mail", type: "text", source: "shopify" },
  { name: "phone", label: "Mobile", type: "text", source: "shopify" },
  { name: "company", label: "Company", type: "text", source: "shopify" },
  { name: "address.line1", label: "Address", type: "text", source: "shopify" },
  { name: "address.line2", label: "Address, second line", type: "text", source: "shopify" },
  { name: "address.city", label: "City", type: "text", source: "shopify" },
  { name: "address.province", label: "State", type: "text", source: "shopify" },
  { name: "address.country", label: "Country", type: "text", source: "shopify" },
  { name: "address.zip", label: "Zip code", type: "text", source: "shopify" },
  { name: "shopifyCustomerId", label: "Shopify customer ID", type: "text", source: "shopify" },
  { name: "shopifyCreatedAt", label: "Created at", type: "date", source: "shopify" },
  { name: "shopifyUpdatedAt", label: "Updated at", type: "date", source: "shopify" },
  { name: "tags", label: "Tags", type: "tags", source: "shopify" },
  { name: "externalId", label: "External ID", type: "text", source: "crm" },
  { name: "source", label: "Source", type: "text", source: "crm" },
  { name: "lifecycle.stage", label: "Lifecycle stage", type: "text", source: "crm" },
  { name: "lifecycle.status", label: "Status", type: "text", source: "crm" },
  { name: "score", label: "Score", type: "number", source: "crm" },
];
