import { setImmediate } from "node:timers/promises";
import { ordersOfWorld } from "./generate.ts";
import { type GenerateOptions, type Profile, worldOf } from "./world.ts";

/** What a generated store comes to, in exact integers (as decimal text, minor units). */
export type Summary = {
  customers: number;
  orders: number;
  lines: number;
  refunds: number;
  test: number;
  cancelled: number;
  pos: number;
  withoutCustomer: number;
  /** Orders that are neither tests nor cancelled, and what they are worth now. */
  counted: number;
  revenue: string;
  currency: string;
  /** The same orders by the currency that the shopper saw. */
  presentment: Record<string, { orders: number; revenue: string }>;
};

/** Adds a generated store up from its ledgers, not from the totals that GraphQL tells. */
export async function summarise(profile: Profile, options: GenerateOptions): Promise<Summary> {
  const world = worldOf(profile, options);
  const { draft } = ordersOfWorld(world);
  const sums = new Map<string, { orders: number; revenue: bigint }>();
  let revenue = 0n;
  const counts = { lines: 0, refunds: 0, test: 0, cancelled: 0, pos: 0, withoutCustomer: 0, counted: 0 };
  for (let n = 0; n < world.orders; n += 1) {
    if (n % 2000 === 0) await setImmediate();
    const { order, ledger } = draft(n);
    counts.lines += order.lines.length;
    counts.refunds += order.refunds.length;
    if (order.test) counts.test += 1;
    if (order.cancelledAt !== null) counts.cancelled += 1;
    if (order.sourceName === "pos") counts.pos += 1;
    if (order.customerId === null) counts.withoutCustomer += 1;
    if (order.test || order.cancelledAt !== null) continue;
    counts.counted += 1;
    const worth = (side: "shop" | "presentment"): bigint =>
      BigInt(ledger.placed[side]) +
      BigInt(ledger.added[side]) -
      BigInt(ledger.removed[side]) -
      BigInt(ledger.refunded[side]);
    revenue += worth("shop");
    const sum = sums.get(order.presentmentCurrency) ?? { orders: 0, revenue: 0n };
    sums.set(order.presentmentCurrency, { orders: sum.orders + 1, revenue: sum.revenue + worth("presentment") });
  }
  return {
    customers: world.customers,
    orders: world.orders,
    ...counts,
    revenue: String(revenue),
    currency: world.currency,
    presentment: Object.fromEntries(
      [...sums].map(([currency, sum]) => [currency, { orders: sum.orders, revenue: String(sum.revenue) }]),
    ),
  };
}
