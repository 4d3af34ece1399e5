import { afterAll, beforeAll, expect, it } from "vitest";
import { finished, linesOf, runBulk, startStandin } from "./client.ts";

let standin: Awaited<ReturnType<typeof startStandin>>;
beforeAll(async () => {
  standin = await startStandin();
});
afterAll(() => standin.close());

const ORDERS = `{ orders { edges { node { id name currentTotalPriceSet { shopMoney { amount } } lineItems { edges { node { id title quantity } } } } } } }`;

const withOrders = (count: number) => {
  const shop = standin.shop();
  const { orders } = shop.seed({
    orders: Array.from({ length: count }, (_, n) => ({
      createdAt: Date.now() - n * 1000,
      lines: [
        { title: `A${n}`, price: 1000 },
        { title: `B${n}`, price: 550, quantity: 2 },
      ],
    })),
  });
  return { shop, orders };
};

it("writes children after their parent when grouped, and mixes them when not", async () => {
  const { shop, orders } = withOrders(300);
  const grouped = await runBulk(shop, ORDERS, true);
  expect(grouped).toMatchObject({ status: "CREATED", errors: [] });
  const done = await finished(shop, grouped.id ?? "");
  expect(done).toMatchObject({ status: "COMPLETED", errorCode: null, objectCount: "900", rootObjectCount: "300" });
  const text = await (await fetch(String(done["url"]))).text();
  expect(String(Buffer.byteLength(text))).toBe(done["fileSize"]);
  const lines = linesOf(text);
  expect(lines[0]).toMatchObject({ currentTotalPriceSet: { shopMoney: { amount: "21.0" } } });
  for (let at = 0; at < lines.length; at += 3) {
    const parent = lines[at]?.["id"];
    expect(lines.slice(at + 1, at + 3).map((line) => line["__parentId"])).toEqual([parent, parent]);
  }

  const mixed = await finished(shop, (await runBulk(shop, ORDERS)).id ?? "");
  const loose = linesOf(await (await fetch(String(mixed["url"]))).text());
  const key = (line: Record<string, unknown>): string => JSON.stringify(line);
  expect(loose.map(key).sort()).toEqual(lines.map(key).sort());
  const place = new Map(loose.map((line, at) => [line["id"], at]));
  const early = loose.filter((line, at) => at < (place.get(line["__parentId"]) ?? -1));
  expect(early.length).toBeGreaterThan(10);
  expect(orders).toHaveLength(300);
});

it("keeps the file as it was, gives ranges of it, and lets it expire", async () => {
  const { shop, orders } = withOrders(5);
  const { id } = await runBulk(shop, ORDERS);
  const done = await finished(shop, id ?? "");
  const url = String(done["url"]);
  const whole = await (await fetch(url)).text();
  shop.seed({ deleted: { orders } });
  const part = await fetch(url, { headers: { range: "bytes=10-29" } });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
    206,
    `bytes 10-29/${whole.length}`,
    whole.slice(10, 30),
  ]);
  expect(await (await fetch(url, { headers: { range: "bytes=100-" } })).text()).toBe(whole.slice(100));
  expect(await (await fetch(url, { headers: { range: "bytes=-7" } })).text()).toBe(whole.slice(-7));
  expect((await fetch(url, { headers: { range: `bytes=${whole.length}-` } })).status).toBe(416);
  shop.store.setNow(Date.now() + 8 * 86_400_000);
  expect((await fetch(url)).status).toBe(400);
});

it("drops the connection of a file, ends an operation halfway, and has no file for nothing", async () => {
  const { shop } = withOrders(400);
  const { id } = await runBulk(shop, ORDERS, true);
  const done = await finished(shop, id ?? "");
  shop.store.failures.push({ on: "bulk", dropAfterBytes: 5_000, afterEffect: false, times: 1, skip: 0, headers: {} });
  await expect(fetch(String(done["url"])).then((answer) => answer.text())).rejects.toThrow();
  expect((await fetch(String(done["url"]))).status).toBe(200);

  shop.store.failures.push({
    on: "bulk-operation",
    errorCode: "TIMEOUT",
    afterObjects: 30,
    afterEffect: false,
    times: 1,
    skip: 0,
    headers: {},
  });
  const half = await finished(shop, (await runBulk(shop, ORDERS, true)).id ?? "");
  expect(half).toMatchObject({ status: "FAILED", errorCode: "TIMEOUT", url: null, objectCount: "30" });
  expect(linesOf(await (await fetch(String(half["partialDataUrl"]))).text())).toHaveLength(30);

  const none = await finished(shop, (await runBulk(shop, `{ customers { edges { node { id } } } }`)).id ?? "");
  expect(none).toMatchObject({ status: "COMPLETED", url: null, objectCount: "0" });
});

it("refuses what Shopify refuses of a bulk query", async () => {
  const shop = standin.shop({ scopes: ["read_orders"] });
  const refusal = async (query: string): Promise<string> => (await runBulk(shop, query)).errors.join();
  expect(await refusal("{ shop { name } }")).toMatch(/at least one connection/);
  expect(await refusal("{ orders { edges { node { nothing } } } }")).toMatch(/Invalid bulk query.*nothing/);
  expect(await refusal("{ orders { edges { node { id } } } shop { id } }")).toMatch(/single top-level field/);
  expect(await refusal("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }")).toMatch(
    /'id' field/,
  );
  expect(
    await refusal("{ orders { edges { node { id refunds { refundLineItems { edges { node { quantity } } } } } } } }"),
  ).toMatch(/within a list field/);
  const denied = await runBulk(shop, "{ products { edges { node { id } } } }");
  expect(await finished(shop, denied.id ?? "")).toMatchObject({ status: "FAILED", errorCode: "ACCESS_DENIED" });
  const begun: string[] = [];
  for (let n = 0; n < 4; n += 1) begun.push((await runBulk(shop, "{ orders { edges { node { id } } } }")).id ?? "");
  expect(shop.store.bulk.size).toBe(5);
  // Their own ends come first, so that none comes in between.
  for (const id of begun) await finished(shop, id);
  for (const operation of shop.store.bulk.values()) operation.status = "RUNNING";
  expect(await refusal("{ orders { edges { node { id } } } }")).toMatch(/limit of 5/);
});
