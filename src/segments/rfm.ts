import { sql } from "../db/client";
import { ofContacts, type Field, type Place } from "./field";
import type { Frame } from "./compile/frame";

/**
 * Recency, frequency and monetary scores, 1 to 5, by fifths of the shop's customers, and the groups that Shopify made
 * of them (shopify.dev, `CustomerRfmGroup`). What customers are compared with is worked out once a day; where somebody
 * stands between these bounds follows every order. Equal values have equal scores, the lower one.
 */
export const RFM_GROUPS = [
  "champions", "loyal", "active", "new", "promising", "needs_attention", "at_risk", "almost_lost", "previously_loyal",
  "dormant", "prospects",
] as const; // prettier-ignore

export type RfmGroup = (typeof RFM_GROUPS)[number];

/** By recency from 5 to 1: the groups of low, middle and high frequency and spend. */
const GROUPS: [low: RfmGroup, middle: RfmGroup, high: RfmGroup][] = [
  ["new", "active", "champions"],
  ["promising", "active", "loyal"],
  ["needs_attention", "needs_attention", "loyal"],
  ["almost_lost", "at_risk", "previously_loyal"],
  ["dormant", "dormant", "previously_loyal"],
];

/** Frequency and spend together, 2 to 10, from which on they are middle and high. */
const MIDDLE = 5;
const HIGH = 8;

const DAY_MS = 86_400_000;

type Measure = "recency" | "frequency" | "monetary";

const LAST_ORDER = `(select max(o.placed_at) from orders o where o.contact = s.key and +o.shop = s.shop and o.test = 0
  and o.cancelled_at is null)`;

const VALUES: Record<Measure, string> = {
  recency: LAST_ORDER,
  frequency: "s.orders_count",
  monetary: "s.orders_total",
};

/** SQL of a score; null for who has not bought, and before there are bounds. */
function score({ shop }: Frame, measure: Measure): string {
  const bound = (n: number) => `(select b.${measure} ->> ${n} from rfm_bounds b where b.shop = ${shop})`;
  const above = [0, 1, 2, 3].map((n) => `(x.value > ${bound(n)})`);
  return `iif(s.orders_count > 0, (select 1 + ${above.join(" + ")} from (select ${VALUES[measure]} as value) x), null)`;
}

function group(frame: Frame): string {
  const cases = GROUPS.map(
    ([low, middle, high], i) =>
      `when ${5 - i} then case when y.fm >= ${HIGH} then '${high}' when y.fm >= ${MIDDLE} then '${middle}'
        when y.fm is not null then '${low}' end`,
  );
  return `iif(s.orders_count > 0, (select case y.r ${cases.join(" ")} end from (select ${score(frame, "recency")} as r,
    ${score(frame, "frequency")} + ${score(frame, "monetary")} as fm) y), 'prospects')`;
}

const computed = (make: (frame: Frame) => string): Place => ({
  kind: "column",
  value: (frame) => ({ sql: make(frame) }),
});

export const RFM: Field[] = [
  ofContacts("totals", "rfm_group", "RFM group", "text", computed(group), { options: RFM_GROUPS }),
  ...(["recency", "frequency", "monetary"] as const).map((measure) =>
    ofContacts(
      "totals",
      `rfm_${measure}`,
      `RFM: ${measure}, 1 to 5`,
      "number",
      computed((frame) => score(frame, measure)),
    ),
  ),
];

/** The bounds between the fifths of the shop's customers: the value at the end of each of the first four. */
const BOUNDS = `with c as (select s.orders_count as frequency, s.orders_total as monetary, ${LAST_ORDER} as recency
    from contacts s where s.shop = ?1 and s.deleted_at is null and s.orders_count > 0),
  n as (select value as fifth from json_each('[1,2,3,4]'))
  insert into rfm_bounds (shop, at, recency, frequency, monetary)
  select ?1, ?2, ${(["recency", "frequency", "monetary"] as const)
    .map(
      (measure) => `(select coalesce(json_group_array(v.value order by n.fifth), '[]') from n join (
        select ${measure} as value, row_number() over (order by ${measure}) as place, count(*) over () as all_of
        from c where ${measure} is not null) v on v.place = (v.all_of * n.fifth + 4) / 5)`,
    )
    .join(", ")}
  where true on conflict do update set at = excluded.at, recency = excluded.recency,
    frequency = excluded.frequency, monetary = excluded.monetary`;

/**
 * Works the bounds out anew where they are a day old or not there yet.
 *
 * @returns when they will be a day old
 */
export async function freshBounds(db: D1Database, shop: number, now: number): Promise<number> {
  const row = await sql(db, "select at from rfm_bounds where shop = ?", shop).first<{ at: number }>();
  if (row && row.at > now - DAY_MS) return row.at + DAY_MS;
  await sql(db, BOUNDS, shop, now).run();
  return now + DAY_MS;
}

/** True for a definition that asks about them. */
export function asksForRfm(fields: readonly string[]): boolean {
  return fields.some((name) => name.startsWith("rfm_"));
}
