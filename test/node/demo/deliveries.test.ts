import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startDemo, type Demo, type DemoOptions } from "../../../demo/server.ts";
import { chanceFrom } from "../../../demo/simulator/chance.ts";
import { shopperAt } from "./browser-without-window.ts";
import { startRecorder, type Recorder } from "./recorder.ts";

const seeded = (): (() => number) => {
  const chance = chanceFrom(7);
  return () => chance.next();
};

let product: Recorder;
let demo: Demo;
const options = (): DemoOptions => ({
  port: 0,
  footfallUrl: product.url,
  shop: "chaos-test.myshopify.com",
  apiSecret: "s",
  random: seeded(),
});
beforeEach(async () => {
  product = await startRecorder();
  demo = await startDemo(options());
});
afterEach(async () => {
  await demo.close();
  await product.close();
});

const post = (path: string, body: object = {}) => shopperAt(demo.url).ajax(`/_admin/api/${path}`, body);
const deliver = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, at) => post("deliver", { topic: "test/topic", payload: { at } })));
const numbers = () => product.webhooks().map(({ body }) => body["at"]);
const inOrder = (count: number) => Array.from({ length: count }, (_, at) => at);

describe("chaos", () => {
  it("without it, delivers once and in the order things happened", async () => {
    for (const at of inOrder(8)) await post("deliver", { topic: "test/topic", payload: { at } });
    await post("flush");
    expect(numbers()).toEqual(inOrder(8));
  });

  it("duplicates with the same webhook id and the same bytes", async () => {
    await post("chaos", { duplicate: 1 });
    await deliver(3);
    await post("flush");
    expect(product.webhooks().length).toBe(6);
    expect(new Set(product.webhooks().map(({ headers }) => headers["x-shopify-webhook-id"])).size).toBe(3);
  });

  it("drops, and sends what was dropped when asked to", async () => {
    await post("chaos", { drop: 1 });
    const [lost] = await deliver(1);
    await post("flush");
    expect(product.webhooks()).toEqual([]);
    await post(`deliveries/${String(lost?.body["webhookId"])}/replay`);
    await post("flush");
    expect(numbers()).toEqual([0]);
  });

  it("delays until the flush", async () => {
    await post("chaos", { delayMs: 3_600_000 });
    await deliver(2);
    expect(product.webhooks()).toEqual([]);
    expect((await post("flush")).body).toEqual({ delivered: 2, failed: 0 });
  });

  it("shuffles: everything arrives, in another order", async () => {
    await post("chaos", { shuffle: true, delayMs: 3_600_000 });
    for (const at of inOrder(12)) await post("deliver", { topic: "test/topic", payload: { at } });
    await post("flush");
    expect(numbers()).not.toEqual(inOrder(12));
    expect(numbers().toSorted((a, b) => Number(a) - Number(b))).toEqual(inOrder(12));
  });
});

describe("failures", () => {
  it("keeps what the product refuses and sends it again as it was", async () => {
    product.answer = () => ({ status: 503 });
    await deliver(1);
    await expect.poll(() => product.webhooks().length).toBeGreaterThan(0);
    product.answer = () => ({ status: 200 });
    await post("flush");
    const [first, second] = [product.webhooks()[0], product.webhooks().at(-1)];
    expect(second?.raw).toBe(first?.raw);
    expect(second?.headers["x-shopify-webhook-id"]).toBe(first?.headers["x-shopify-webhook-id"]);
    expect(demo.state.deliveries.map(({ state }) => state)).toEqual(["delivered"]);
  });

  it("counts a redirect as a failure", async () => {
    product.answer = () => ({ status: 302 });
    await deliver(1);
    await expect.poll(() => demo.state.deliveries[0]?.lastStatus).toBe(302);
    expect(demo.state.deliveries[0]?.state).toBe("pending");
  });

  it("comes back by itself when the product does", async () => {
    product.answer = () => ({ status: 500 });
    await deliver(1);
    await expect.poll(() => product.webhooks().length).toBe(1);
    product.answer = () => ({ status: 200 });
    await expect.poll(() => demo.state.deliveries[0]?.state, { timeout: 5_000 }).toBe("delivered");
  });
});

it("takes only JSON on its control routes, so that another site cannot press a button", async () => {
  const answer = await shopperAt(demo.url).form("/_admin/api/uninstall", {});
  expect(answer.status).toBe(415);
  await post("flush");
  expect(product.webhooks()).toEqual([]);
});

it("goes on after a restart: carts, orders and what was not delivered", async () => {
  const directory = mkdtempSync(join(tmpdir(), "footfall-demo-"));
  // After the demo has closed and written for the last time.
  onTestFinished(() => rmSync(directory, { recursive: true }));
  await demo.close();
  demo = await startDemo({ ...options(), stateDir: directory });
  await post("chaos", { delayMs: 3_600_000 });
  const before = shopperAt(demo.url);
  await before.ajax("/cart/add.js", { id: 44_871_203_946_752 });
  const { token } = (await before.ajax("/cart.js")).body;
  await demo.close();

  demo = await startDemo({ ...options(), stateDir: directory });
  const after = shopperAt(demo.url);
  for (const [name, value] of before.cookies) after.cookies.set(name, value);
  expect((await after.ajax("/cart.js")).body).toMatchObject({ token, item_count: 1 });
  expect(product.webhooks()).toEqual([]);
  await post("flush");
  expect(product.webhooks().map(({ topic }) => topic)).toEqual(["carts/create"]);
});
