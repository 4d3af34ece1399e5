import { sql } from "../db/client";
import type { Figures, PurchaseFigures } from "./schemas";

/** What happened to the messages of one variant, counted; money in minor units of the shop's currency. */
export interface Tally {
  /** Null for those who got none. */
  variant: string | null;
  people: number;
  recipients: number;
  delivered: number;
  opened: number;
  machineOpened: number;
  clicked: number;
  bounced: number;
  failed: number;
  complained: number;
  unsubscribed: number;
  /** Occurrences; of people alone. */
  opens: number;
  clicks: number;
  unsubscribes: number;
  conversions: number;
  converted: number;
  value: number;
  buyers: number;
  orders: number;
  revenue: number;
}

const NONE: Omit<Tally, "variant"> = {
  people: 0,
  recipients: 0,
  delivered: 0,
  opened: 0,
  machineOpened: 0,
  clicked: 0,
  bounced: 0,
  failed: 0,
  complained: 0,
  unsubscribed: 0,
  opens: 0,
  clicks: 0,
  unsubscribes: 0,
  conversions: 0,
  converted: 0,
  value: 0,
  buyers: 0,
  orders: 0,
  revenue: 0,
};

type Part = Partial<Tally> & { variant: string | null };

/**
 * Counts a campaign by variant, the holdout among them.
 *
 * @param windowMs how long after the audience was taken down a purchase counts for `buyers`, `orders` and `revenue`
 */
export async function tally(db: D1Database, campaign: number, windowMs: number): Promise<Map<string | null, Tally>> {
  const from = "from deliveries d indexed by deliveries_campaign";
  const parts = await db.batch<Part>([
    sql(
      db,
      `select variant, count(*) as people, sum(state in ('sent', 'failed', 'unknown')) as recipients,
         sum(state = 'sent' and bounced_at is null) as delivered, sum(opened_at is not null) as opened,
         sum(machine_opened_at is not null) as machineOpened, sum(clicked_at is not null) as clicked,
         sum(bounced_at is not null) as bounced, sum(state = 'failed') as failed,
         sum(complained_at is not null) as complained, sum(unsubscribed_at is not null) as unsubscribed
       ${from} where campaign = ? group by variant`,
      campaign,
    ),
    sql(
      db,
      `select d.variant, sum(e.type = 'opened') as opens, sum(e.type = 'clicked') as clicks,
         sum(e.type = 'unsubscribed') as unsubscribes
       ${from} cross join delivery_events e on e.delivery = d.key and e.machine = 0 where d.campaign = ? group by d.variant`,
      campaign,
    ),
    sql(
      db,
      `select d.variant, count(*) as conversions, count(distinct d.key) as converted,
         sum(iif(o.cancelled_at is null, o.total, 0)) as value
       ${from} cross join order_credits c indexed by order_credits_delivery on c.delivery = d.key
       cross join orders o on o.key = c."order" where d.campaign = ? group by d.variant`,
      campaign,
    ),
    sql(
      db,
      `select d.variant, count(distinct d.key) as buyers, count(*) as orders, sum(o.total) as revenue
       ${from} cross join orders o on o.contact = d.contact and o.test = 0 and o.cancelled_at is null
         and o.placed_at >= d.created_at and o.placed_at < d.created_at + ?2
       where d.campaign = ?1 and d.variant is not null group by d.variant`,
      campaign,
      windowMs,
    ),
  ]);
  const all = new Map<string | null, Tally>();
  for (const row of parts.flatMap(({ results }) => results)) {
    all.set(row.variant, { ...NONE, ...all.get(row.variant), ...row });
  }
  return all;
}

/** Several variants as one. */
export function added(tallies: readonly Tally[]): Tally {
  const sum = (name: keyof typeof NONE) => tallies.reduce((all, one) => all + one[name], 0);
  return {
    variant: null,
    people: sum("people"),
    recipients: sum("recipients"),
    delivered: sum("delivered"),
    opened: sum("opened"),
    machineOpened: sum("machineOpened"),
    clicked: sum("clicked"),
    bounced: sum("bounced"),
    failed: sum("failed"),
    complained: sum("complained"),
    unsubscribed: sum("unsubscribed"),
    opens: sum("opens"),
    clicks: sum("clicks"),
    unsubscribes: sum("unsubscribes"),
    conversions: sum("conversions"),
    converted: sum("converted"),
    value: sum("value"),
    buyers: sum("buyers"),
    orders: sum("orders"),
    revenue: sum("revenue"),
  };
}

/** A part of a whole; null of nothing. */
export function rate(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** Counts and rates as the API tells them. */
export function figuresOf(t: Tally, currency: string): Figures {
  return {
    recipients: t.recipients,
    delivered: t.delivered,
    deliveryRate: rate(t.delivered, t.recipients),
    opens: t.opens,
    opensUnique: t.opened,
    openRate: rate(t.opened, t.delivered),
    machineOpensUnique: t.machineOpened,
    clicks: t.clicks,
    clicksUnique: t.clicked,
    clickRate: rate(t.clicked, t.delivered),
    clickToOpenRate: rate(t.clicked, t.opened),
    bounced: t.bounced,
    bounceRate: rate(t.bounced, t.recipients),
    failed: t.failed,
    failedRate: rate(t.failed, t.recipients),
    spamComplaints: t.complained,
    spamComplaintRate: rate(t.complained, t.delivered),
    unsubscribes: t.unsubscribes,
    unsubscribeUniques: t.unsubscribed,
    unsubscribeRate: rate(t.unsubscribed, t.delivered),
    conversions: t.conversions,
    conversionUniques: t.converted,
    conversionRate: rate(t.converted, t.delivered),
    conversionValue: { amount: t.value, currency },
    averageOrderValue: t.conversions === 0 ? null : { amount: Math.round(t.value / t.conversions), currency },
    revenuePerRecipient: rate(t.value, t.recipients),
  };
}

/** What a group bought, whoever touched the message. */
export function purchasesOf(t: Tally, currency: string): PurchaseFigures {
  return {
    people: t.people,
    buyers: t.buyers,
    buyerRate: rate(t.buyers, t.people),
    orders: t.orders,
    revenue: { amount: t.revenue, currency },
    revenuePerPerson: rate(t.revenue, t.people),
  };
}

/** The tally of a variant that nobody has got yet. */
export function noTally(variant: string): Tally {
  return { ...NONE, variant };
}
