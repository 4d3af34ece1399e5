import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { checkIntake, closeAlert, openAlert } from "../../src/health";
import { api, mintShop, type MintedShop, operator } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { HOUR, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { postWebhook } from "../helpers/webhook";

useFakeClock();

async function rows<T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

/**
 * Three weeks in which the shop had this much every hour, up to and without the hour of T0. The last two are counted
 * again by the next check, which finds nothing of them stored.
 */
async function history(shop: MintedShop, kind: "beacons" | "webhooks", count: number): Promise<void> {
  await env.DB.prepare(
    `with recursive h(hour) as (select ?4 - 504 * ?5 union all select hour + ?5 from h where hour < ?4 - ?5)
     insert into intake_hours (shop, kind, hour, count) select ?1, ?2, hour, ?3 from h`,
  )
    .bind(shop.key, kind, count, T0, HOUR)
    .run();
}

const alerts = async (shop: MintedShop, query = "") => (await shop.readOnly.get(`/v1/alerts${query}`)).body.items;
const told = (shop: MintedShop) =>
  rows("select type, data ->> 'kind' as kind from outbox where shop = ? order by key", shop.key);

describe("intake", () => {
  it("is counted per whole hour from what is stored: page views and webhooks, each hour once", async () => {
    const shop = await mintShop();
    const counted = () =>
      rows("select kind, hour, count from intake_hours where shop = ? and hour >= ? order by kind, hour", shop.key, T0);
    const visitor = newVisitor();
    const view = { type: "page_viewed", url: "https://acme.example/" };
    await postWebhook({ domain: shop.domain, topic: "products/update", body: JSON.stringify({ id: 1 }) });
    travel(HOUR);
    await send(shop.domain, visitor, [view, view, { type: "product_viewed", url: "https://acme.example/" }]);
    for (const id of [1, 2, 3])
      await postWebhook({ domain: shop.domain, topic: "products/update", body: JSON.stringify({ id }) });
    await objectOf(shop, visitor).flush();
    travel(HOUR);
    await postWebhook({ domain: shop.domain, topic: "products/update", body: JSON.stringify({ id: 4 }) });
    travel(9 * MINUTE);
    await checkIntake(env, Date.now());
    expect(await counted()).toEqual([
      { kind: "beacons", hour: T0, count: 0 },
      { kind: "webhooks", hour: T0, count: 1 },
    ]);
    travel(MINUTE);
    await checkIntake(env, Date.now());
    await checkIntake(env, Date.now());
    expect(await counted()).toEqual([
      { kind: "beacons", hour: T0, count: 0 },
      { kind: "beacons", hour: T0 + HOUR, count: 2 },
      { kind: "webhooks", hour: T0, count: 1 },
      { kind: "webhooks", hour: T0 + HOUR, count: 3 },
    ]);
  });

  it("of an hour that a late flush filled is corrected, and hours that were missed are made up for", async () => {
    const shop = await mintShop({ flushSeconds: 3600 });
    const visitor = newVisitor();
    await history(shop, "beacons", 1);
    await send(shop.domain, visitor, [{ type: "page_viewed", url: "https://acme.example/" }]);
    travel(HOUR + 10 * MINUTE);
    await checkIntake(env, Date.now());
    await objectOf(shop, visitor).flush();
    travel(3 * HOUR);
    await checkIntake(env, Date.now());
    expect(
      await rows(
        "select hour, count from intake_hours where shop = ? and kind = 'beacons' and hour >= ? order by hour",
        shop.key,
        T0,
      ),
    ).toEqual([
      { hour: T0, count: 1 },
      { hour: T0 + HOUR, count: 0 },
      { hour: T0 + 2 * HOUR, count: 0 },
      { hour: T0 + 3 * HOUR, count: 0 },
    ]);
  });
});

it("beacons that fall silent open one alert, told to outgoing webhooks; it closes by itself when they are back", async () => {
  const shop = await mintShop();
  await history(shop, "beacons", 5);
  await history(shop, "webhooks", 0);
  travel(2 * HOUR + 10 * MINUTE);
  await checkIntake(env, Date.now());
  expect(await alerts(shop)).toMatchObject([
    {
      kind: "beacons_silent",
      state: "open",
      closedAt: null,
      data: { since: T0 - 2 * HOUR, expected: 20 },
      openedAt: new Date(Date.now()).toISOString(),
    },
  ]);
  travel(HOUR);
  await checkIntake(env, Date.now());
  expect(await alerts(shop)).toHaveLength(1);
  const visitor = newVisitor();
  await send(shop.domain, visitor, [{ type: "page_viewed", url: "https://acme.example/" }]);
  await objectOf(shop, visitor).flush();
  travel(HOUR);
  await checkIntake(env, Date.now());
  expect(await alerts(shop, "?state=open")).toEqual([]);
  expect(await alerts(shop, "?state=closed")).toMatchObject([{ kind: "beacons_silent", state: "closed" }]);
  expect((await told(shop)).filter(({ kind }) => kind === "beacons_silent")).toEqual([
    { type: "alert_opened", kind: "beacons_silent" },
    { type: "alert_closed", kind: "beacons_silent" },
  ]);
});

it("webhooks have an alert of their own, and a shop that was uninstalled has none", async () => {
  const [shop, gone] = [await mintShop(), await mintShop()];
  for (const one of [shop, gone]) await history(one, "webhooks", 20);
  await env.DB.prepare("update shops set status = 'uninstalled' where key = ?").bind(gone.key).run();
  travel(HOUR + 10 * MINUTE);
  await checkIntake(env, Date.now());
  expect(await alerts(shop)).toMatchObject([{ kind: "webhooks_silent" }]);
  expect((await operator.get(`/v1/alerts?shop=${gone.id}`)).body.items).toEqual([]);
});

it("an alert of a kind and subject is open once; closing what is not open tells nothing", async () => {
  const shop = await mintShop();
  const key = { shop: shop.key, kind: "subscriptions_lost" as const };
  await env.DB.batch(closeAlert(env.DB, key, T0));
  await env.DB.batch(openAlert(env.DB, { ...key, data: { missing: 2 } }, T0));
  await env.DB.batch(openAlert(env.DB, { ...key, data: { missing: 3 } }, T0 + 1));
  await env.DB.batch(openAlert(env.DB, { ...key, kind: "connection_broken", subject: "token" }, T0 + 2));
  await env.DB.batch(closeAlert(env.DB, key, T0 + 3));
  await env.DB.batch(openAlert(env.DB, key, T0 + 4));
  expect(await alerts(shop)).toMatchObject([
    { kind: "subscriptions_lost", state: "open", data: {} },
    { kind: "connection_broken", subject: "token", state: "open" },
    { kind: "subscriptions_lost", state: "closed", data: { missing: 2 }, closedAt: new Date(T0 + 3).toISOString() },
  ]);
  expect(await told(shop)).toEqual([
    { type: "alert_opened", kind: "subscriptions_lost" },
    { type: "alert_opened", kind: "connection_broken" },
    { type: "alert_closed", kind: "subscriptions_lost" },
    { type: "alert_opened", kind: "subscriptions_lost" },
  ]);
  expect(await alerts(shop, "?kind=connection_broken&limit=1")).toHaveLength(1);
});

it("alerts are the shop's own: no key, a wrong scope, another shop", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  await env.DB.batch(openAlert(env.DB, { shop: shop.key, kind: "connection_broken" }, T0));
  expect((await api(null).get("/v1/alerts")).status).toBe(401);
  expect((await shop.writeOnly.get("/v1/alerts")).status).toBe(403);
  expect(await alerts(other)).toEqual([]);
  expect((await other.full.get(`/v1/alerts?shop=${shop.id}`)).status).toBe(404);
  const first = await shop.full.get("/v1/alerts?limit=1");
  expect(first.body).toMatchObject({ items: [{ shopId: shop.id }], nextCursor: null });
});
