import { type Line, orderLines, orders, realOrders, some, sum } from "./facts";
import type { Value } from "./operators";
import type { Subject, World } from "./world";

const DAY = 86_400_000;

/** Null where it is no field of orders. */
export function ofOrders(world: World, subject: Subject, field: string, now: number): Value[] | null {
  const counting = orders(world, subject);
  const [first, last] = [counting[0], counting.at(-1)];
  const own = counting.filter(({ currency }) => currency === world.currency);
  const lastQuantity = last?.lines.map(({ currentQuantity }) => currentQuantity);
  const refunded = world.refunds.filter(({ order }) =>
    realOrders(world, subject).some(({ externalId }) => externalId === order),
  );
  switch (field) {
    case "gross_revenue":
      return [sum(own.map(({ originalTotal }) => originalTotal))];
    case "products_purchased":
      return [sum(counting.flatMap(({ lines }) => lines.map(({ currentQuantity }) => currentQuantity)))];
    case "refunds_count":
      return [refunded.length];
    case "refunds_total":
      return [sum(refunded.filter(({ currency }) => currency === world.currency).map((refund) => refund.amount))];
    case "first_order_date":
      return some(first?.placedAt);
    case "last_order_date":
      return some(last?.placedAt);
    case "favourite_category":
      return some(favourite(counting.flatMap((order) => orderLines(world, order, false))));
    case "days_since_last_order":
      return last ? [Math.trunc((now - last.placedAt) / DAY)] : [];
    case "average_days_between_orders":
      return first && last && counting.length > 1
        ? [(last.placedAt - first.placedAt) / DAY / (counting.length - 1)]
        : [];
    case "last_order_total":
      return last?.currency === world.currency ? [last.total] : [];
    case "last_order_currency":
      return some(last && (last.presentmentCurrency ?? last.currency));
    case "last_order_state":
      return some(last?.state);
    case "last_order_product_count":
      return lastQuantity ? [sum(lastQuantity)] : [];
    case "last_order_shipping_method":
      return some(last?.shippingMethod);
    case "last_order_discount_code":
      return last?.discountCodes ?? [];
    case "last_order_order_tags":
      return last?.tags ?? [];
    case "order_tags":
      return counting.flatMap(({ tags }) => tags);
    case "rfm_recency":
    case "rfm_frequency":
    case "rfm_monetary":
      return some(rfmScore(world, subject, field));
    case "rfm_group":
      return some(rfmGroup(world, subject));
    case "last_order_source":
      return some(last?.sourceName);
    case "last_order_location":
      return some(last && (last.locationName ?? last.locationId));
    default:
      return null;
  }
}

/** One more than the bounds that the value is above. */
function rfmScore({ rfm, ...world }: World, subject: Subject, field: string): number | null {
  if (subject.kind === "visitor" || !rfm || subject.contact.ordersCount === 0) return null;
  const { ordersCount, ordersTotal } = subject.contact;
  const last = orders({ rfm, ...world }, subject).at(-1)?.placedAt;
  const [value, bounds] =
    field === "rfm_recency"
      ? [last, rfm.recency]
      : field === "rfm_frequency"
        ? [ordersCount, rfm.frequency]
        : [ordersTotal, rfm.monetary];
  return value === undefined ? null : 1 + bounds.filter((bound) => value > bound).length;
}

function rfmGroup(world: World, subject: Subject): string | null {
  if (subject.kind === "contact" && subject.contact.ordersCount === 0) return "prospects";
  const [r, f, m] = ["rfm_recency", "rfm_frequency", "rfm_monetary"].map((name) => rfmScore(world, subject, name));
  if (r == null || f == null || m == null) return null;
  const both = (f + m) / 2;
  if (both >= 4) return r === 5 ? "champions" : r >= 3 ? "loyal" : "previously_loyal";
  if (r === 3) return "needs_attention";
  if (r === 1) return "dormant";
  if (both >= 2.5) return r === 2 ? "at_risk" : "active";
  return r === 5 ? "new" : r === 4 ? "promising" : "almost_lost";
}

/** The category of the most pieces, of equals the first by name, letter by letter. */
function favourite(lines: Line[]): Value | undefined {
  const pieces = new Map<string, number>();
  for (const { category = [], quantity = [] } of lines) {
    const name = String(category[0] ?? "");
    if (name !== "") pieces.set(name, (pieces.get(name) ?? 0) + Number(quantity[0]));
  }
  const letters = (name: string) =>
    Array.from(name, (letter) => (letter.codePointAt(0) ?? 0).toString(16).padStart(6, "0")).join();
  return [...pieces].sort(([a, m], [b, n]) => n - m || (letters(a) < letters(b) ? -1 : 1))[0]?.[0];
}

const FACTS = "product_id variant_id sku title category vendor tag collection price quantity on_sale discount".split(
  " ",
);

/** Null where it is no fact of lines. */
export function ofLines(world: World, subject: Subject, field: string): Value[] | null {
  const [, which, fact = ""] = /^(last|any)_order_(.+)$/.exec(field) ?? [];
  if (which === undefined || !FACTS.includes(fact)) return null;
  const counting = orders(world, subject);
  return (which === "last" ? counting.slice(-1) : counting)
    .flatMap((order) => orderLines(world, order, false))
    .flatMap((line) => line[fact] ?? []);
}
