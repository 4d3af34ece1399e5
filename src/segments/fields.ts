import type { Frame } from "./compile/frame";
import type { Value } from "./compile/predicate";
import { lastOrder, orders } from "./compile/relations";
import type { Field, Place } from "./field";
import { CARTS } from "./fields-of-carts";
import { ANY_ORDER, FAVOURITES, LAST_ORDER, lineFields, TOTALS } from "./fields-of-commerce";
import { ADDRESS, consent, IDENTITY, LIFECYCLE, TAGS } from "./fields-of-people";
import { VISITS } from "./fields-of-visits";
import { RFM } from "./rfm";

export { ECOMMERCE, type Field, type Group, GROUPS, type Place } from "./field";

/** Every field that all shops have, by name. The only source of columns in a segment's SQL. */
export const FIELDS: ReadonlyMap<string, Field> = new Map(
  [
    ...IDENTITY,
    ...ADDRESS,
    ...LIFECYCLE,
    ...consent("email", "E-mail", "email"),
    ...consent("sms", "SMS", "phone"),
    ...consent("whatsapp", "WhatsApp", "phone"),
    ...TAGS,
    ...TOTALS,
    ...FAVOURITES,
    ...RFM,
    ...LAST_ORDER,
    ...lineFields("last_order", lastOrder),
    ...ANY_ORDER,
    ...lineFields("any_order", orders),
    ...CARTS,
    ...VISITS,
  ].map((field) => [field.name, field]),
);

/** A custom field as segments need it. */
export interface CustomField {
  name: string;
  label: string;
  type: "text" | "number" | "date" | "boolean" | "radio" | "multiselect";
  options: string[];
}

/** SQL of the members of an array; anything else has none. */
const onlyArray = (path: string) => `json_each(iif(json_type(s.fields, ${path}) = 'array', s.fields -> ${path}, '[]'))`;

/** A custom field of the shop, called `fields.<name>`. A value of another type than the field's is missing. */
export function customField({ name, label, type, options }: CustomField): Field {
  // Written out where it can be: inside of a condition SQLite takes a parameter apart anew for every row.
  const path = ({ parameters }: Frame) =>
    /^[a-z][a-z0-9_]*$/.test(name) ? `'$.${name}'` : parameters.one(`$."${name}"`);
  const typed = (types: string) => (frame: Frame) =>
    `iif(json_type(s.fields, ${path(frame)}) in (${types}), s.fields ->> ${path(frame)}, null)`;
  const place = (types: string, more: Omit<Value, "sql"> = {}): Place => ({
    kind: "column",
    value: (frame) => ({ sql: typed(types)(frame), ...more }),
  });
  const base = { name: `fields.${name}`, label, group: "fields" as const, options };
  switch (type) {
    case "text":
    case "radio":
      return { ...base, type: "text", places: { contact: place("'text'") } };
    case "number":
      return { ...base, type: "number", places: { contact: place("'integer', 'real'") } };
    case "boolean":
      return { ...base, type: "bool", places: { contact: place("'true', 'false'") } };
    case "date":
      return { ...base, type: "date", places: { contact: place("'text'", { written: true }) } };
    case "multiselect":
      return {
        ...base,
        type: "text",
        many: true,
        places: { contact: { kind: "array", array: (frame) => onlyArray(path(frame)) } },
      };
    default:
      return type satisfies never;
  }
}
