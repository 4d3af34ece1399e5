import { fromNow } from "./compile/bounds";
import type { Frame, Relation } from "./compile/frame";
import { LINE_FACTS, type LineFact, lineValue, orderLines } from "./compile/lines";
import { lastOrder, orders, refunds } from "./compile/relations";
import { aggregate, column, each, type Field, ofContacts } from "./field";

const DAY_MS = 86_400_000;

const inShopCurrency = (rows: (frame: Frame) => Relation) => (frame: Frame) => {
  const relation = rows(frame);
  return { ...relation, where: [...relation.where, `o.currency = ${frame.currency}`] };
};

const refundsInShopCurrency = (frame: Frame): Relation => {
  const relation = refunds(frame);
  return { ...relation, where: [...relation.where, `r.currency = ${frame.currency}`] };
};

export const TOTALS: Field[] = [
  ofContacts("totals", "orders_count", "Orders", "number", column("s.orders_count")),
  ofContacts("totals", "total_revenue", "Revenue after edits and refunds", "money", column("s.orders_total")),
  ofContacts(
    "totals",
    "gross_revenue",
    "Revenue as ordered",
    "money",
    aggregate(inShopCurrency(orders), "sum(o.original_total)", true),
  ),
  ofContacts(
    "totals",
    "products_purchased",
    "Pieces bought",
    "number",
    aggregate(orders, `sum((select sum(i.current_quantity) from order_items i where i."order" = o.key))`, true),
  ),
  ofContacts(
    "totals",
    "average_order_value",
    "Average order value",
    "money",
    column("iif(s.orders_count > 0, 1.0 * s.orders_total / s.orders_count, null)"),
  ),
  ofContacts("totals", "refunds_count", "Refunds", "number", aggregate(refunds, "count(*)", true)),
  ofContacts(
    "totals",
    "refunds_total",
    "Refunded amount",
    "money",
    aggregate(refundsInShopCurrency, "sum(r.amount)", true),
  ),
  ofContacts("totals", "first_order_date", "First order", "date", aggregate(orders, "min(o.placed_at)")),
  ofContacts("totals", "last_order_date", "Last order", "date", aggregate(orders, "max(o.placed_at)")),
  ofContacts("totals", "days_since_last_order", "Days since the last order", "number", {
    kind: "aggregate",
    rows: orders,
    value: ({ parameters }) => ({ sql: `(${parameters.one(fromNow())} - max(o.placed_at)) / ${DAY_MS}` }),
  }),
  ofContacts(
    "totals",
    "average_days_between_orders",
    "Average days between orders",
    "number",
    aggregate(orders, `iif(count(*) > 1, (max(o.placed_at) - min(o.placed_at)) / ${DAY_MS}.0 / (count(*) - 1), null)`),
  ),
];

/** One row `f` a subject: the category of which it holds the most pieces, of equals the first by name. */
function favouriteCategory(frame: Frame): Relation {
  const { from, where, key } = orders(frame);
  const lines = orderLines(frame, false);
  const category = lineValue(frame, lines, "category") ?? "null";
  const pieces = `select ${key} as subject, ${category} as category, i.current_quantity as pieces
    from ${from} cross join ${lines.from} where ${[...where, ...lines.where].join(" and ")}`;
  const sums = `select subject, category, sum(pieces) as pieces from (${pieces}) where category <> '' group by subject, category`;
  const ranked = `select subject, category, row_number() over (partition by subject order by pieces desc, category) as rank
    from (${sums})`;
  return { from: `(${ranked}) f`, where: ["f.rank = 1"], key: "f.subject", all: frame.one === null };
}

/** The members `g` of a JSON array of each order. */
const unfolded = (rows: (frame: Frame) => Relation, column: "discount_codes" | "tags") => (frame: Frame) => {
  const relation = rows(frame);
  return { ...relation, from: `${relation.from} cross join json_each(o.${column}) g` };
};

export const FAVOURITES: Field[] = [
  ofContacts("totals", "favourite_category", "Favourite category", "text", each(favouriteCategory, "f.category")),
];

export const LAST_ORDER: Field[] = [
  ofContacts("last_order", "last_order_total", "Total", "money", each(inShopCurrency(lastOrder), "o.total")),
  ofContacts(
    "last_order",
    "last_order_currency",
    "Currency paid in",
    "text",
    each(lastOrder, "coalesce(o.presentment_currency, o.currency)"),
  ),
  ofContacts("last_order", "last_order_state", "State", "text", each(lastOrder, "o.state")),
  ofContacts(
    "last_order",
    "last_order_product_count",
    "Pieces",
    "number",
    each(lastOrder, `(select coalesce(sum(i.current_quantity), 0) from order_items i where i."order" = o.key)`),
  ),
  ofContacts(
    "last_order",
    "last_order_shipping_method",
    "Shipping method",
    "text",
    each(lastOrder, "o.shipping_method"),
  ),
  ofContacts(
    "last_order",
    "last_order_discount_code",
    "Discount code",
    "text",
    each(unfolded(lastOrder, "discount_codes"), "g.value"),
    {
      many: true,
    },
  ),
  ofContacts(
    "last_order",
    "last_order_order_tags",
    "Tags of the order",
    "text",
    each(unfolded(lastOrder, "tags"), "g.value"),
    {
      many: true,
    },
  ),
  ofContacts("last_order", "last_order_source", "Sales channel", "text", each(lastOrder, "o.source_name")),
  ofContacts(
    "last_order",
    "last_order_location",
    "Point of sale",
    "text",
    each(lastOrder, "coalesce(o.location_name, o.location_id)"),
  ),
];

export const ANY_ORDER: Field[] = [
  ofContacts("any_order", "order_tags", "Tags of the orders", "text", each(unfolded(orders, "tags"), "g.value"), {
    many: true,
  }),
];

/** Facts of the lines of orders: a field with many values, one a line. */
export function lineFields(group: "last_order" | "any_order", rows: (frame: Frame) => Relation): Field[] {
  return Object.entries(LINE_FACTS).map(([fact, { label, type }]): Field => {
    const name = Object.keys(LINE_FACTS).find((known): known is LineFact => known === fact);
    if (name === undefined) throw new Error(`no fact: ${fact}`);
    return ofContacts(
      group,
      `${group}_${fact}`,
      label,
      type,
      { kind: "lines", orders: rows, fact: name },
      { many: true },
    );
  });
}
