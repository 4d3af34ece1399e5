import type { AskedSegment } from "../worker/segment-order.ts";

/** A segment as a merchant would ask it, and the count that somebody would write by hand for it. */
export interface Asked extends AskedSegment {
  name: string;
  /** Of the shop 1, about the moment at which the data ends. */
  sql: string;
}

/** When the data ends, and the beginning of the local day thirty days before: in Berlin, still in summer time. */
const NOW = Date.UTC(2026, 10, 20, 12);
const FROM_30 = Date.UTC(2026, 9, 20, 22);
const DAY = 86_400_000;
const HOUR = 3_600_000;

const LAST_30 = { inLast: { n: 30, unit: "day" } };
const PEOPLE = "select count(*) as count from contacts c where c.shop = 1 and c.deleted_at is null";
const ANONYMOUS = "visitors v where v.shop = 1 and v.contact is null and v.channel = 'browser'";
const COUNTING = "o.shop = 1 and o.test = 0 and o.cancelled_at is null";
const type = (name: string) => `(select key from event_types where name = '${name}')`;
const happened = (name: string) => `e.shop = 1 and e.type = ${type(name)} and e.at between ${FROM_30} and ${NOW}`;

const field = (name: string, op: string, value?: unknown) =>
  value === undefined ? { field: name, op } : { field: name, op, value };

const contacts = (name: string, leaf: unknown, sql: string): Asked => ({
  name,
  audience: "contacts",
  definition: { all: [leaf] },
  sql,
});

/** One of each group of the vocabulary, three sequences, and two nested five deep. */
export const ASKED: Asked[] = [
  contacts(
    "identity: e-mail domain",
    field("email_domain", "eq", "A.example"),
    `${PEOPLE} and lower(substr(c.email, instr(c.email, '@') + 1)) = 'a.example'`,
  ),
  contacts(
    "address: country by name",
    field("country", "eq", "Germany"),
    `${PEOPLE} and lower(c.country) in ('de', 'germany')`,
  ),
  contacts(
    "lifecycle: customer for 30 days",
    field("lifecycle_stage", "has_been", { is: "customer", for: { n: 30, unit: "day" } }),
    `${PEOPLE} and c.stage = 'customer' and exists (select 1 from lifecycle_history h where h.contact = c.key
       and h.at < ${FROM_30 + DAY} and h.stage = c.stage and not exists (select 1 from lifecycle_history x
       where x.contact = c.key and (x.at, x.key) > (h.at, h.key) and x.stage is not c.stage))`,
  ),
  contacts(
    "consent: e-mail can be sent",
    field("email_can_receive", "is", true),
    `${PEOPLE} and c.email is not null and exists (select 1 from consents k where k.contact = c.key
       and k.channel = 'email' and k.state = 'subscribed')`,
  ),
  contacts(
    "tags: has one",
    field("tags", "has_any", ["VIP"]),
    `${PEOPLE} and c.key in (select contact from contact_tags where shop = 1 and tag = 'vip' and removed = 0)`,
  ),
  contacts(
    "custom field: birthday within 7 days",
    field("fields.birthday", "anniversary_in_next", { n: 7, unit: "day" }),
    `${PEOPLE} and substr(c.fields ->> '$.birthday', 6) between '11-20' and '11-27'`,
  ),
  contacts("score: at least 90", field("score", "gte", 90), `${PEOPLE} and c.score >= 90`),
  contacts(
    "totals: revenue as ordered",
    field("gross_revenue", "gte", 30_000),
    `${PEOPLE} and c.key in (select o.contact from orders o where ${COUNTING} and o.contact is not null and o.currency = 'EUR'
       group by o.contact having sum(o.original_total) >= 30000)`,
  ),
  contacts(
    "last order: at least 90.00",
    field("last_order_total", "gte", 9_000),
    `${PEOPLE} and c.key in (select o.contact from orders o where ${COUNTING} and o.contact is not null and o.currency = 'EUR'
       and o.total >= 9000 and not exists (select 1 from orders x where x.contact = o.contact and x.test = 0
       and x.cancelled_at is null and x.placed_at >= o.placed_at and (x.placed_at, x.key) > (o.placed_at, o.key)))`,
  ),
  contacts(
    "any order: vendor",
    field("any_order_vendor", "eq", "vendor 7"),
    `${PEOPLE} and c.key in (select o.contact from orders o cross join order_items i on i."order" = o.key
       where ${COUNTING} and o.contact is not null and i.current_quantity > 0 and case when i.vendor is not null
       then lower(i.vendor) = 'vendor 7' else i.product_id in (select external_id from products where shop = 1 and lower(vendor) = 'vendor 7') end)`,
  ),
  contacts(
    "event count: the order word for word",
    {
      did: "order_placed",
      count: { gte: 2 },
      window: LAST_30,
      where: [{ field: "items.tag", op: "has_any", value: ["X"] }],
    },
    `${PEOPLE} and c.key in (select o.contact from orders o where ${COUNTING} and o.contact is not null
       and o.placed_at between ${FROM_30} and ${NOW} and exists (select 1 from order_items i where i."order" = o.key
       and i.current_quantity > 0 and i.product_id in (select p.external_id from products p, json_each(p.tags) t
       where p.shop = 1 and lower(t.value) = 'x')) group by o.contact having count(*) >= 2)`,
  ),
  {
    name: "event count: viewed products twice",
    audience: "both",
    definition: { all: [{ did: "product_viewed", count: { gte: 2 }, window: LAST_30 }] },
    sql: `select (${PEOPLE} and c.key in (select v.contact from events e join visitors v on v.key = e.visitor
        where ${happened("product_viewed")} and v.contact is not null group by v.contact having count(*) >= 2))
      + (select count(*) from ${ANONYMOUS} and v.key in (select e.visitor from events e
        where ${happened("product_viewed")} group by e.visitor having count(*) >= 2)) as count`,
  },
  {
    name: "visits: device and campaign",
    audience: "visitors",
    definition: { all: [field("device_type", "eq", "mobile"), field("last_touch_campaign", "eq", "autumn")] },
    sql: `select count(*) as count from ${ANONYMOUS} and lower(v.device ->> '$.type') = 'mobile'
      and lower(v.last_touch ->> '$.campaign') = 'autumn'`,
  },
  {
    name: "carts: abandoned",
    audience: "both",
    definition: { all: [field("abandoned_carts", "gte", 1)] },
    sql: `select (${PEOPLE} and c.key in (select contact from carts where shop = 1 and state = 'abandoned' and contact is not null))
      + (select count(*) from ${ANONYMOUS} and v.key in (select visitor from carts where shop = 1 and state = 'abandoned'
        and contact is null and visitor is not null)) as count`,
  },
  {
    name: "sample: a tenth",
    audience: "contacts",
    definition: { all: [{ sample: { percent: 10 } }, field("city", "contains", "7")] },
    sql: `select count(*) as count from (select x from (select (((x | (x >> 16)) - (x & (x >> 16))) * 73244475) & 4294967295 as x
      from (select (((x | (x >> 16)) - (x & (x >> 16))) * 73244475) & 4294967295 as x
      from (select (((x | (x >> 16)) - (x & (x >> 16))) * 73244475) & 4294967295 as x
      from (select (c.key * 2654435761 + 2166136261) & 4294967295 as x from contacts c
      where c.shop = 1 and c.deleted_at is null and instr(lower(c.city), '7') > 0))))) where x % 1000000 < 100000`,
  },
  {
    name: "sequence: viewed, then into the cart",
    audience: "both",
    definition: {
      all: [
        {
          first: { did: "product_viewed" },
          followedBy: { did: "product_added_to_cart" },
          within: { n: 1, unit: "hour" },
          window: LAST_30,
        },
      ],
    },
    sql: sequence("product_viewed", "product_added_to_cart", HOUR, true),
  },
  {
    name: "sequence: into the cart, no checkout",
    audience: "both",
    definition: {
      all: [
        {
          first: { did: "product_added_to_cart" },
          notFollowedBy: { did: "checkout_started" },
          within: { n: 1, unit: "day" },
          window: LAST_30,
        },
      ],
    },
    sql: sequence("product_added_to_cart", "checkout_started", DAY, false),
  },
  contacts(
    "sequence: checkout, no order",
    {
      first: { did: "checkout_started" },
      notFollowedBy: { did: "order_placed" },
      within: { n: 1, unit: "day" },
      window: LAST_30,
    },
    `${PEOPLE} and c.key in (select v.contact from events e join visitors v on v.key = e.visitor where ${happened("checkout_started")}
       and v.contact is not null and e.at + ${DAY} < ${NOW} and not exists (select 1 from orders o where o.contact = v.contact
       and o.test = 0 and o.cancelled_at is null and o.placed_at > e.at and o.placed_at <= e.at + ${DAY})
       and not exists (select 1 from carts k where k.contact = v.contact and k.purchased_by = 'browser'
       and k.purchased_at > e.at and k.purchased_at <= e.at + ${DAY}))`,
  ),
  {
    name: "five deep: columns",
    audience: "contacts",
    definition: {
      all: [
        field("orders_count", "gte", 1),
        {
          any: [
            field("city", "eq", "City 7"),
            {
              none: [
                field("score", "lt", 50),
                {
                  all: [
                    field("account_state", "eq", "enabled"),
                    { any: [field("country", "eq", "FR"), field("region", "eq", "Region 3")] },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
    sql: `${PEOPLE} and c.orders_count >= 1 and (lower(c.city) = 'city 7' or not (c.score < 50 or
      coalesce(lower(c.account_state) = 'enabled' and (lower(c.country) in ('fr', 'france') or lower(c.province) = 'region 3'), false)))`,
  },
  {
    name: "five deep: columns, orders and events",
    audience: "contacts",
    definition: {
      all: [
        field("email_consent", "eq", "subscribed"),
        {
          any: [
            { did: "order_placed", count: { gte: 1 }, window: LAST_30 },
            {
              all: [
                field("tags", "has_none", ["vip"]),
                {
                  any: [
                    { none: [{ did: "product_viewed", window: LAST_30 }] },
                    field("last_order_date", "before", "2025-06-01"),
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
    sql: `${PEOPLE} and c.key in (select contact from consents where shop = 1 and channel = 'email' and lower(state) = 'subscribed')
      and (c.key in (select o.contact from orders o where ${COUNTING} and o.contact is not null and o.placed_at between ${FROM_30} and ${NOW})
      or c.key in (select contact from carts where shop = 1 and purchased_by = 'browser' and contact is not null and purchased_at between ${FROM_30} and ${NOW})
      or c.key not in (select contact from contact_tags where shop = 1 and tag = 'vip' and removed = 0)
      and (c.key not in (select v.contact from events e join visitors v on v.key = e.visitor where ${happened("product_viewed")} and v.contact is not null)
      or c.key in (select o.contact from orders o where ${COUNTING} and o.contact is not null group by o.contact
        having max(o.placed_at) < ${Date.UTC(2025, 4, 31, 22)})))`,
  },
];

/** People and visitors who did the one and then the other, or not. */
function sequence(first: string, next: string, within: number, follows: boolean): string {
  // Both in one row of time: a look for the other event after each first one would take minutes.
  const rows = (key: string, more: string) => `select subject from (select subject, at, is_first,
      min(next_at) over (partition by subject order by at desc groups between unbounded preceding and 1 preceding) as then_at
      from (select ${key} as subject, e.at, 1 as is_first, null as next_at from ${more} ${happened(first)}
        union all select ${key}, e.at, 0, e.at from ${more} e.shop = 1 and e.type = ${type(next)}
          and e.at between ${FROM_30} and ${NOW + within}))
    where is_first and ${follows ? `then_at <= at + ${within}` : `(then_at is null or then_at > at + ${within}) and at + ${within} < ${NOW}`}`;
  return `select (${PEOPLE} and c.key in (${rows("v.contact", "events e join visitors v on v.key = e.visitor where v.contact is not null and")}))
    + (select count(*) from ${ANONYMOUS} and v.key in (${rows("e.visitor", "events e where")})) as count`;
}
