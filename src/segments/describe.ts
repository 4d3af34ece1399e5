import type { ValueType } from "./condition";
import { LINE_FACTS } from "./compile/lines";
import { EVENTS } from "./event-catalogue";
import { ECOMMERCE, type Field, type Group, GROUPS } from "./field";
import { type CustomField, customField, FIELDS } from "./fields";
import { operatorsOf, type Wants } from "./operators";

/** What of a shop decides what its merchant can ask. */
export interface CatalogueShop {
  connected: boolean;
  /** It has orders, wherever they came from. */
  hasOrders: boolean;
  customFields: CustomField[];
  /** Names of its stages. */
  stages: string[];
  /** Names of the `custom:*` events it has seen. */
  customEvents: string[];
}

interface AskedFor {
  name: string;
  label: string;
  type: ValueType;
  many: boolean;
  operators: { name: string; value: Wants }[];
  /** Values that it takes, where they are few. */
  options: string[] | null;
}

export interface Catalogue {
  groups: { name: string; label: string; ecommerce: boolean; fields: (AskedFor & { audiences: string[] })[] }[];
  events: {
    name: string;
    label: string;
    group: string;
    ecommerce: boolean;
    /** Any property below `data.` may be named too. */
    open: boolean;
    properties: AskedFor[];
  }[];
}

/** Domain events that only a store's orders and carts make. */
const COMMERCE = "commerce";

/**
 * Everything a segment of this shop can be made of, for the dashboard. What needs a store is there once one is
 * connected or orders have been told over the API.
 */
export function describe(shop: CatalogueShop): Catalogue {
  const sells = shop.connected || shop.hasOrders;
  const fields = [...FIELDS.values(), ...shop.customFields.map(customField)];
  const names = Object.keys(GROUPS).filter((name): name is Group => name in GROUPS);
  return {
    groups: names
      .filter((group) => sells || !ECOMMERCE.includes(group))
      .map((group) => ({
        name: group,
        label: GROUPS[group],
        ecommerce: ECOMMERCE.includes(group),
        fields: fields
          .filter((field) => field.group === group)
          .map((field) => ({
            ...askedFor(field.name, field, field.name === "lifecycle_stage" ? shop.stages : field.options),
            audiences: [...(field.places.contact ? ["contacts"] : []), ...(field.places.visitor ? ["visitors"] : [])],
          })),
      }))
      .filter(({ fields }) => fields.length > 0),
    events: [
      ...[...EVENTS.values()]
        .filter(({ group }) => sells || group !== COMMERCE)
        .map(({ name, label, group, open, lines, properties }) => ({
          name,
          label,
          group,
          ecommerce: group === COMMERCE,
          open,
          properties: [
            ...Object.entries(properties).map(([property, asked]) => askedFor(property, asked)),
            ...(lines ? Object.entries(LINE_FACTS).map(([fact, asked]) => askedFor(`items.${fact}`, asked)) : []),
          ],
        })),
      ...shop.customEvents.map((name) => ({
        name,
        label: name.slice("custom:".length),
        group: "storefront",
        ecommerce: false,
        open: true,
        properties: [],
      })),
    ],
  };
}

function askedFor(
  name: string,
  asked: Pick<Field, "label" | "type" | "many" | "held">,
  options?: readonly string[],
): AskedFor {
  return {
    name,
    label: asked.label,
    type: asked.type,
    many: asked.many === true,
    operators: Object.entries(operatorsOf(asked)).map(([operator, value]) => ({ name: operator, value })),
    options: options && options.length > 0 ? [...options] : null,
  };
}
