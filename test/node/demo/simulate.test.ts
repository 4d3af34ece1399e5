import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { seed } from "../../../demo/seed.ts";
import { startDemo, type Demo } from "../../../demo/server.ts";
import { startSimulation } from "../../../demo/simulate.ts";
import { chanceFrom } from "../../../demo/simulator/chance.ts";
import { pagesOfVisit, planShopper } from "../../../demo/simulator/plan.ts";
import { shopperAt } from "./browser-without-window.ts";
import { startRecorder, type Recorder } from "./recorder.ts";

const SHOP = "sim-test.myshopify.com";
let product: Recorder;
let demo: Demo;
beforeEach(async () => {
  product = await startRecorder();
  demo = await startDemo({ port: 0, footfallUrl: product.url, shop: SHOP, apiSecret: "s" });
});
afterEach(async () => {
  await demo.close();
  await product.close();
});

/** The contract of POST /ff. */
const beacon = z.strictObject({
  shop: z.literal(SHOP),
  visitor: z.uuid(),
  events: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
        type: z.string(),
        at: z.number().int(),
        url: z.url(),
        title: z.string(),
        referrer: z.string(),
        data: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .min(1),
  consent: z.strictObject({ analytics: z.literal(true), marketing: z.boolean() }),
  sent: z.number(),
});

const tell = async (seedNumber: number) => {
  const from = product.requests.length;
  const simulation = startSimulation({
    footfallUrl: product.url,
    storeUrl: demo.url,
    shop: SHOP,
    ratePerMinute: 0,
    burst: 60,
    seed: seedNumber,
  });
  await simulation.told;
  await simulation.stop();
  await shopperAt(demo.url).ajax("/_admin/api/flush", {});
  return product.requests.slice(from);
};

describe("the simulator", () => {
  it("sends beacons by the contract, from many cities, with times of the last two days, and orders follow", async () => {
    await tell(1);
    const beacons = product.beacons().map(({ body }) => beacon.parse(body));
    const times = beacons.flatMap((one) => one.events.map(({ at }) => at));
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
    expect(Math.min(...times)).toBeGreaterThan(Date.now() - 3 * 86_400_000);
    expect(new Set(product.beacons().map(({ headers }) => headers["cf-ipcity"])).size).toBeGreaterThan(8);
    const topics = new Set(product.webhooks().map(({ topic }) => topic));
    for (const topic of ["carts/create", "checkouts/create", "customers/create", "orders/create", "orders/paid"])
      expect(topics).toContain(topic);
    const bought = beacons.flatMap((one) => one.events).filter(({ type }) => type === "checkout_completed");
    expect(bought.length).toBe(product.webhooks().filter(({ topic }) => topic === "orders/create").length);
    const visitors = new Set(beacons.map(({ visitor }) => visitor));
    const order = product.webhooks().find(({ topic }) => topic === "orders/create");
    const named = z.array(z.object({ name: z.string(), value: z.string() })).parse(order?.body["note_attributes"]);
    expect(visitors).toContain(named.find(({ name }) => name === "__ff_visitor")?.value);
  });

  it("tells the same story for the same seed", async () => {
    const visitors = (requests: { path: string; raw: string }[]) =>
      requests.filter(({ path }) => path === "/ff").map(({ raw }) => beacon.parse(JSON.parse(raw)).visitor);
    expect(visitors(await tell(3))).toEqual(visitors(await tell(3)));
    expect(visitors(await tell(4))).not.toEqual(visitors(await tell(3)));
  });

  it("mixes visits as shops see them: 45% of one page, 3.7 pages on average", () => {
    const chance = chanceFrom(5);
    const pages = Array.from({ length: 20_000 }, () => pagesOfVisit(chance));
    expect(pages.filter((count) => count === 1).length / pages.length).toBeCloseTo(0.45, 1);
    expect(pages.reduce((sum, count) => sum + count, 0) / pages.length).toBeCloseTo(3.7, 0);
  });

  it("has shoppers of every outcome and every kind of source", () => {
    const chance = chanceFrom(6);
    const plans = Array.from({ length: 500 }, () => planShopper(chance));
    expect(new Set(plans.map(({ outcome }) => outcome))).toEqual(
      new Set(["browse", "cart", "signup", "checkout", "order"]),
    );
    expect(plans.some(({ source }) => source.path.includes("utm_medium=cpc"))).toBe(true);
    expect(plans.some(({ source }) => source.referrer === "")).toBe(true);
  });
});

describe("seeding", () => {
  const asked = () =>
    product.requests.filter(({ path }) => path.startsWith("/v1/")).map(({ method, path }) => `${method} ${path}`);
  const options = () => ({ footfallUrl: product.url, operatorToken: "operator", shop: SHOP });

  it("makes the shop and a key with the operator's token", async () => {
    expect(await seed(options())).toEqual({ apiKey: "ff_key" });
    expect(asked()).toEqual(["POST /v1/shops", "POST /v1/api-keys"]);
    const made = product.requests.find(({ path }) => path === "/v1/shops");
    expect(made?.headers["authorization"]).toBe("Bearer operator");
    expect(JSON.parse(made?.raw ?? "")).toMatchObject({ domain: SHOP, currency: "EUR", timezone: "Europe/Berlin" });
  });

  it("done again, takes 409 for an answer and keeps a key that still works", async () => {
    product.answer = ({ path }) => (path === "/v1/shops" ? { status: 409, body: "{}" } : { status: 200, body: "{}" });
    expect(await seed({ ...options(), apiKey: "mine" })).toEqual({ apiKey: "mine" });
    expect(asked()).toEqual(["POST /v1/shops", "GET /v1/contacts?limit=1"]);
  });

  it("says what the product answered when it refuses", async () => {
    product.answer = ({ path }) => (path === "/v1/shops" ? { status: 401, body: "no" } : { status: 200 });
    await expect(seed(options())).rejects.toThrow("401 no");
  });
});
