import type { Frame, Relation } from "./compile/frame";
import { LINE_FACTS, type LineFact, moneyIn } from "./compile/lines";
import { carts } from "./compile/relations";
import type { ValueType } from "./condition";
import { aggregate, both, each, type Field, ofContacts, type Place } from "./field";

const inState =
  (state: string) =>
  (frame: Frame): Relation => {
    const relation = carts(frame);
    return { ...relation, where: [...relation.where, `k.state = '${state}'`] };
  };

const openCartValue: Place = {
  kind: "rows",
  rows: inState("open"),
  value: ({ currency }) => ({ sql: `iif(k.currency = ${currency}, k.value, null)` }),
};

const openCartQuantity = each(
  inState("open"),
  `(select coalesce(sum(coalesce(i.value ->> '$.quantity', 1)), 0) from json_each(k.items) i)`,
);

/** Lines `i` of open carts. */
const openLines = (frame: Frame): Relation => {
  const relation = inState("open")(frame);
  return { ...relation, from: `${relation.from} cross join json_each(k.items) i` };
};

/** The members `g` of a JSON array of the products of those lines. */
const ofProducts =
  (column: "tags" | "collections") =>
  (frame: Frame): Relation => {
    const relation = openLines(frame);
    const products = `products q on q.shop = ${frame.shop} and q.external_id = i.value ->> '$.productId'`;
    return { ...relation, from: `${relation.from} cross join ${products} cross join json_each(q.${column}) g` };
  };

/** What a line says itself, or else its product. */
const ownOrProduct = (column: "category" | "vendor"): Place => ({
  kind: "rows",
  rows: openLines,
  value: ({ shop }) => ({
    sql: `coalesce(${column === "vendor" ? "i.value ->> '$.vendor'" : "null"}, (select q.${column} from products q
      where q.shop = ${shop} and q.external_id = i.value ->> '$.productId'))`,
  }),
});

const ofLine = (member: string) => each(openLines, `(i.value ->> '$.${member}')`);

const OPEN_LINES: [LineFact, Place][] = [
  ["product_id", ofLine("productId")],
  ["variant_id", ofLine("variantId")],
  ["sku", ofLine("sku")],
  ["title", ofLine("title")],
  ["category", ownOrProduct("category")],
  ["vendor", ownOrProduct("vendor")],
  ["tag", each(ofProducts("tags"), "g.value")],
  ["collection", each(ofProducts("collections"), "g.value")],
  ["price", { kind: "rows", rows: openLines, value: (frame) => ({ sql: moneyIn(frame, "i.value", "price") }) }],
];

export const CARTS: Field[] = [
  {
    ...ofContacts("carts", "open_cart_value", "Value of an open cart", "money", openCartValue, { many: true }),
    places: both(openCartValue),
  },
  {
    ...ofContacts("carts", "open_cart_quantity", "Pieces in an open cart", "number", openCartQuantity, { many: true }),
    places: both(openCartQuantity),
  },
  ...(
    [
      [
        "abandoned_carts",
        "Carts abandoned and not recovered",
        "number",
        aggregate(inState("abandoned"), "count(*)", true),
      ],
      ["recovered_carts", "Carts recovered", "number", aggregate(inState("recovered"), "count(*)", true)],
      ["last_cart_at", "Last change of a cart", "date", aggregate(carts, "max(k.activity_at)")],
      ["last_cart_abandoned_at", "Last cart abandoned", "date", aggregate(carts, "max(k.abandoned_at)")],
      ["last_cart_recovered_at", "Last cart recovered", "date", aggregate(carts, "max(k.recovered_at)")],
    ] satisfies [string, string, ValueType, Place][]
  ).map(([name, label, type, place]): Field => ({ name, label, group: "carts", type, places: both(place) })),
  ...OPEN_LINES.map(([fact, place]): Field => ({
    name: `open_cart_${fact}`,
    label: `In an open cart: ${LINE_FACTS[fact].label}`,
    group: "carts",
    type: LINE_FACTS[fact].type,
    many: true,
    places: both(place),
  })),
];
