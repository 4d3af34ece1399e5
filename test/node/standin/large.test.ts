import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exponentOf } from "../../../demo/admin-api/money.ts";
import { summarise } from "../../../demo/admin-api/summary.ts";
import { finished, linesOf, runBulk, type Shop, startStandin } from "./client.ts";

let standin: Awaited<ReturnType<typeof startStandin>>;
beforeAll(async () => {
  standin = await startStandin();
});
afterAll(() => standin.close());

const UNTIL = Date.UTC(2026, 9, 1);

function large(currency: string, size: { customers: number; orders: number }): Shop {
  const shop = standin.shop({ currency, taxesIncluded: currency !== "USD" });
  shop.store.generate({ seed: 7, products: 40, checkouts: 20, until: UNTIL, days: 365, ...size });
  return shop;
}

const ORDERS = `{ orders { edges { node {
  id test cancelledAt sourceName
  customer { id }
  currentTotalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
  lineItems { edges { node { id currentQuantity } } }
} } } }`;

/** "12.5" as minor units, without a float. */
function minor(text: string, currency: string): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  const digits = exponentOf(currency);
  return BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"));
}

type Money = { amount: string; currencyCode: string };
type OrderLine = {
  test: boolean;
  cancelledAt: string | null;
  sourceName: string;
  customer: { id: string } | null;
  currentTotalPriceSet: { shopMoney: Money; presentmentMoney: Money };
};

describe("a generated store", () => {
  it.each(["EUR", "USD", "JPY", "KWD"])("in %s is worth in its bulk file what its ledgers say", async (currency) => {
    const shop = large(currency, { customers: 400, orders: 1500 });
    const { store } = shop;
    const done = await finished(shop, (await runBulk(shop, ORDERS)).id ?? "");
    const lines = linesOf(await (await fetch(String(done["url"]))).text());
    const summary = await summarise(store, store.generated ?? expect.fail());
    const orders = lines.filter((line) => !("__parentId" in line)) as unknown as OrderLine[];
    expect(orders).toHaveLength(1500);
    expect(lines).toHaveLength(1500 + summary.lines);
    const counted = orders.filter((order) => !order.test && order.cancelledAt === null);
    const revenue = counted.reduce(
      (sum, { currentTotalPriceSet: { shopMoney } }) => sum + minor(shopMoney.amount, currency),
      0n,
    );
    expect([counted.length, String(revenue)]).toEqual([summary.counted, summary.revenue]);
    expect(BigInt(summary.revenue)).toBeGreaterThan(0n);
    for (const [shown, sum] of Object.entries(summary.presentment)) {
      const seen = counted.filter(
        ({ currentTotalPriceSet: { presentmentMoney } }) => presentmentMoney.currencyCode === shown,
      );
      const worth = seen.reduce(
        (total, { currentTotalPriceSet: { presentmentMoney } }) => total + minor(presentmentMoney.amount, shown),
        0n,
      );
      expect([shown, seen.length, String(worth)]).toEqual([shown, sum.orders, sum.revenue]);
    }
    expect(summary.test).toBeGreaterThan(0);
    expect(summary.cancelled).toBeGreaterThan(0);
    expect(orders.filter(({ sourceName }) => sourceName === "pos")).toHaveLength(summary.pos);
    expect(orders.filter(({ customer }) => customer === null)).toHaveLength(summary.withoutCustomer);
  });

  it("is the same whenever it is made, and knows a customer's orders both ways", async () => {
    const [one, other] = [large("EUR", { customers: 97, orders: 400 }), large("EUR", { customers: 97, orders: 400 })];
    const records = one.store.records();
    const strip = (text: string): string => text.replaceAll(/standin-\w+/g, "standin");
    for (const order of records.orders) {
      expect(records.orders.get(order.id)).toEqual(order);
      if (order.customerId !== null)
        expect(records.ordersOf?.(order.customerId).map(({ id }) => id)).toContain(order.id);
    }
    const all = [...records.customers].flatMap(({ id }) => records.ordersOf?.(id) ?? []);
    expect(all).toHaveLength([...records.orders].filter(({ customerId }) => customerId !== null).length);
    expect(strip(JSON.stringify([...records.orders]))).toBe(strip(JSON.stringify([...other.store.records().orders])));
    const emails = [...records.customers].flatMap(({ email }) => (email === null ? [] : [email]));
    expect(new Set(emails).size).toBe(emails.length);
  });

  it("pages by updated_at without missing one, changed records included", async () => {
    const shop = large("EUR", { customers: 300, orders: 900 });
    const since = UNTIL - 40 * 86_400_000;
    const expected = [...shop.store.records().orders]
      .filter((order) => order.updatedAt >= since)
      .map(({ id }) => `gid://shopify/Order/${id}`);
    const found: string[] = [];
    let after: string | null = null;
    do {
      const answer = await shop.graphql(
        `query Changed($after: String, $query: String) {
          orders(first: 50, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { id updatedAt } pageInfo { hasNextPage endCursor } }
        }`,
        { after, query: `updated_at:>='${new Date(since).toISOString()}'` },
      );
      const { orders } = answer.body.data as {
        orders: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      };
      found.push(...orders.nodes.map(({ id }) => id));
      after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
    } while (after !== null);
    expect(found.length).toBeGreaterThan(100);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
});
