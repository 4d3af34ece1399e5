import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { continueJob } from "../../src/shopify/privacy/run";
import { api, type MintedShop, mintShop, operator } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, SECOND, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook, postWebhook } from "../helpers/webhook";
import { connectedPair, deliverTo } from "../shopify/connect/stores";
import { all, one } from "../shopify/deliver";
import { dumpEverything, placesOf, traces } from "./privacy-dump";
import { plant, type Planted, somebody } from "./privacy-plant";

useFakeClock();

const SETTINGS = { consentMode: "opt_out" };

const redaction = (shop: MintedShop) => ({ shop_id: 1, shop_domain: shop.domain });

const shopOf = (shop: MintedShop) => ({
  id: 1,
  name: "Shop",
  domain: null,
  myshopify_domain: shop.domain,
});

const secretsOf = (person: Planted): Record<string, string> => ({ ...person });

/** What a queue may still be carrying over from one of these to another while a test looks. */
const MOVING = ["outbox", "endpoint_deliveries", "intake_hours"];

function settled(rows: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(rows).filter(([table]) => !MOVING.includes(table)));
}

/** Rows of a shop by table, in every table that has one. */
async function rowsOf(shop: MintedShop): Promise<Record<string, number>> {
  const tables = await all<{ name: string }>(
    `select m.name from sqlite_master m join pragma_table_info(m.name) c on c.name = 'shop'
     where m.type = 'table' and m.name not like 'contacts_search%' and m.name not like '\\_cf%' escape '\\'`,
  );
  const rows: Record<string, number> = {};
  for (const { name } of tables) {
    const row = await one<{ n: number }>(`select count(*) as n from "${name}" where shop = ?`, shop.key);
    if (row && row.n > 0) rows[name] = row.n;
  }
  return rows;
}

const requestOf = (shop: MintedShop) =>
  one<{ id: string; state: string; receipt: string }>(
    "select * from privacy_requests where shop = ? order by key desc",
    shop.key,
  );

test("shop/redact after an uninstall removes everything of the shop, objects included, and nothing of another", async () => {
  const [gone, kept] = [await mintShop(SETTINGS), await mintShop(SETTINGS)];
  const [theirs, ours] = [somebody("zyq", 87_654_321), somebody("wvk", 12_345_678)];
  await plant(gone, theirs);
  await plant(kept, ours);
  await operator.post("/v1/api-keys", { shop: gone.id, name: "x", scopes: ["read"] }, { "idempotency-key": "k-gone" });
  expect(await deliverWebhook(gone.domain, "app/uninstalled", shopOf(gone))).toBe("handled");
  travel(2 * DAY);
  const before = await dumpEverything();
  const stays = await rowsOf(kept);
  expect(placesOf(before, theirs.email)).toEqual(
    expect.arrayContaining(["contacts", "webhook_inbox", "idempotency_keys"]),
  );
  expect(Object.keys(await rowsOf(gone)).length).toBeGreaterThan(20);
  const orders = await all<{ key: number }>("select key from orders where shop = ?", gone.key);
  const personas = await all<{ key: number }>("select key from visitors where shop = ?", gone.key);

  expect(await deliverWebhook(gone.domain, "shop/redact", redaction(gone))).toBe("handled");

  expect(await rowsOf(gone)).toEqual({ privacy_requests: 1 });
  const after = await dumpEverything();
  expect(traces(after, secretsOf(theirs))).toEqual({});
  expect(traces(after, { domain: gone.domain, pixelKey: gone.pixelKey })).toEqual({});
  expect(placesOf(after, gone.id)).toEqual(["privacy_requests"]);
  const left = async (table: string, column: string, keys: { key: number }[]) =>
    one(
      `select 1 from ${table} where "${column}" in (select value from json_each(?))`,
      JSON.stringify(keys.map(({ key }) => key)),
    );
  expect(await left("order_items", "order", orders)).toBeNull();
  expect(await left("visits", "visitor", personas)).toBeNull();
  expect(await one("select 1 from idempotency_keys where key = 'k-gone'")).toBeNull();

  // The other shop has all that it had.
  expect(settled(await rowsOf(kept))).toEqual(settled(stays));
  for (const [name, places] of Object.entries(traces(before, secretsOf(ours)))) {
    const still = placesOf(after, secretsOf(ours)[name] ?? "");
    expect(still, name).toEqual(expect.arrayContaining(places.filter((place) => !MOVING.includes(place))));
  }

  // The receipt is the operator's.
  const request = await requestOf(gone);
  const shown = await operator.get(`/v1/privacy-requests/${request?.id}`);
  expect(shown.body).toMatchObject({ kind: "shop_redact", state: "done", shopId: gone.id, overdue: false });
  const counts = Object.fromEntries(
    shown.body.receipt.map(({ what, count }: { what: string; count: number }) => [what, count]),
  );
  expect(counts).toMatchObject({ contacts: 1, orders: 2, visitors: personas.length, shops: 1 });
  const listed = await operator.get("/v1/privacy-requests?kind=shop_redact");
  expect(listed.body.items.map(({ id }: { id: string }) => id)).toContain(request?.id);
  expect((await operator.get("/v1/privacy-requests")).status).toBe(400);
  expect((await kept.full.get(`/v1/privacy-requests/${request?.id}`)).status).toBe(404);
  expect((await kept.full.get("/v1/privacy-requests?kind=shop_redact")).body.items).toEqual([]);

  // Nobody gets in any more.
  expect((await api(gone.fullKey).get("/v1/contacts")).status).toBe(401);
  expect((await operator.get(`/v1/shops/${gone.id}`)).status).toBe(404);
  travel(10 * SECOND);
  const page = { type: "page_viewed", url: "https://shop.example/" };
  await send(gone.domain, theirs.browser, [page]);
  expect((await send(gone.domain, theirs.browser, [page])).status).toBe(404);
  const late = { domain: gone.domain, topic: "shop/redact", body: JSON.stringify(redaction(gone)) };
  expect((await postWebhook(late)).status).toBe(404);
}, 60_000);

test("a removal that is cut off after every step goes on, and its receipt counts everything once", async () => {
  const shop = await mintShop(SETTINGS);
  const person = somebody("qyx", 55_667_788);
  await plant(shop, person);
  await deliverWebhook(shop.domain, "app/uninstalled", shopOf(shop));
  travel(2 * DAY);
  const had = await rowsOf(shop);
  await env.DB.prepare(
    `insert into jobs (id, shop, kind, state, created_at, updated_at) values ('job_cutshop', ?, 'privacy.shop_redact', 'running', 1, 1)`,
  )
    .bind(shop.key)
    .run();
  await env.DB.prepare(
    `insert into privacy_requests (id, shop, kind, webhook_id, state, receipt, received_at, due_at)
     values ('prv_cutshop', ?, 'shop_redact', 'w-cutshop', 'running', '{"shopId":"shp_x"}', 1, 2)`,
  )
    .bind(shop.key)
    .run();
  let steps = 0;
  while (steps < 500 && (await continueJob(env, "job_cutshop", Date.now(), 1)) !== "done") {
    steps++;
    travel(MINUTE);
    const shown = await operator.get("/v1/privacy-requests/prv_cutshop");
    expect(shown.body).toMatchObject({ state: expect.stringMatching("running|done") });
  }
  expect(steps).toBeGreaterThan(30);
  expect(await rowsOf(shop)).toEqual({ privacy_requests: 1 });
  expect(traces(await dumpEverything(), secretsOf(person))).toEqual({});
  const { receipt } = (await operator.get("/v1/privacy-requests/prv_cutshop")).body;
  const counts: Record<string, number> = Object.fromEntries(
    receipt.map(({ what, count }: { what: string; count: number }) => [what, count]),
  );
  for (const table of ["contacts", "orders", "visitors", "events", "webhook_inbox", "audit_log"]) {
    expect(counts[table], table).toBe(had[table]);
  }
}, 60_000);

test("a large shop goes at one stretch: no run waits for the next half minute", async () => {
  const shop = await mintShop(SETTINGS);
  await deliverWebhook(shop.domain, "app/uninstalled", shopOf(shop));
  travel(2 * DAY);
  const many = (insert: string, n: number) =>
    env.DB.prepare(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${n}) ${insert} from n`,
    ).bind(shop.key);
  await env.DB.batch([
    many(
      `insert into visitors (shop, tracker, person, channel, visits, page_views, first_seen_at, last_seen_at, flushed_seq)
       select ?, 'many-' || i, 1, 'browser', 1, 1, 1, 1, 1`,
      120,
    ),
    many("insert into tombstones (shop, kind, external_id, at) select ?, 'product', 'many-' || i, 1", 180_000),
  ]);
  expect(await deliverWebhook(shop.domain, "shop/redact", redaction(shop))).toBe("handled");
  expect((await requestOf(shop))?.state).toBe("running");
  expect(await one("select 1 from visitors where shop = ?", shop.key)).toBeNull();
  // Nobody is at it for half a minute; from then on one run follows the other.
  travel(31 * SECOND);
  const begun = Date.now();
  let runs = 0;
  while ((await requestOf(shop))?.state === "running" && runs < 5) {
    runs++;
    await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
    travel(100);
  }
  expect((await requestOf(shop))?.state).toBe("done");
  expect(Date.now() - begun).toBeLessThan(SECOND);
  expect(JSON.parse((await requestOf(shop))?.receipt ?? "{}")).toMatchObject({ visitors: 120, tombstones: 180_000 });
}, 60_000);

test("a shop that was open until now is looked at again once its visitors have brought what they held", async () => {
  const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 300 });
  const [seen, unseen] = [newVisitor(), newVisitor()];
  const page = { type: "page_viewed", url: "https://shop.example/" };
  await send(shop.domain, seen, [page]);
  await objectOf(shop, seen).flush();
  // No row names this one yet.
  await send(shop.domain, unseen, [page]);
  expect(await deliverWebhook(shop.domain, "shop/redact", redaction(shop))).toBe("handled");
  const request = await requestOf(shop);
  expect(request?.state).toBe("running");
  expect((await operator.get(`/v1/shops/${shop.id}`)).status).toBe(404);
  expect(await one("select 1 from visitors where shop = ?", shop.key)).toBeNull();
  // What the object held arrives late.
  await objectOf(shop, unseen).flush();
  expect(await one("select 1 from visitors where shop = ?", shop.key)).not.toBeNull();
  travel(2 * MINUTE);
  await continueLongJobs(env, Date.now(), shop.key);
  expect((await requestOf(shop))?.state).toBe("running");
  travel(5 * MINUTE);
  await continueLongJobs(env, Date.now(), shop.key);
  expect((await requestOf(shop))?.state).toBe("done");
  expect(await rowsOf(shop)).toEqual({ privacy_requests: 1 });
  const held = await runInDurableObject(objectOf(shop, unseen), (_, state) => [...state.storage.kv.list()]);
  expect(held).toEqual([]);
});

test("shop/redact from before the present installation, or about another shop, changes nothing", async () => {
  const shop = await mintShop(SETTINGS);
  await shop.full.post("/v1/contacts", { email: "stays@b.example" });
  const before = new Date(Date.now() - DAY).toISOString();
  const webhookId = crypto.randomUUID();
  await postWebhook({
    domain: shop.domain,
    topic: "shop/redact",
    body: JSON.stringify(redaction(shop)),
    webhookId,
    headers: { "x-shopify-triggered-at": before },
  });
  const { handleInboxRow } = await import("../../src/shopify");
  const row = await one<{ key: number }>("select key from webhook_inbox where webhook_id = ?", webhookId);
  expect(await handleInboxRow(env, row?.key ?? 0, Date.now())).toBe("stale");
  const foreign = { shop_id: 1, shop_domain: "somebody-else.myshopify.com" };
  expect(await deliverWebhook(shop.domain, "shop/redact", foreign)).toBe("dead");
  expect((await shop.full.get("/v1/privacy-requests")).body.items).toEqual([]);
  expect((await shop.full.get("/v1/contacts?email=stays@b.example")).body.items).toHaveLength(1);
});

test("while a store's token works, shop/redact is stale; once the store is uninstalled, the tokens go as well", async () => {
  const pair = await connectedPair();
  const { shop, store } = pair;
  const objects = async () => (await dumpEverything()).get("object:CONNECTION") ?? [];
  expect((await objects()).length).toBeGreaterThan(0);
  expect(await deliverTo(pair, "shop/redact", redaction(shop))).toBe("stale");
  expect((await operator.get(`/v1/shops/${shop.id}`)).body).toMatchObject({ status: "active" });
  await store.uninstall();
  travel(MINUTE);
  expect(await deliverTo(pair, "shop/redact", redaction(shop))).toBe("handled");
  expect((await operator.get(`/v1/shops/${shop.id}`)).status).toBe(404);
  expect(await objects()).toEqual([]);
  travel(DAY);
  await continueLongJobs(env, Date.now(), shop.key);
  expect(await rowsOf(shop)).toEqual({ privacy_requests: 1 });
});

test("every table is removed with its shop, or named here with the reason why it is not", async () => {
  const { PIECES } = await import("../../src/shopify/privacy/shop-tables");
  const children = ["order_items", "delivery_bodies", "delivery_events", "visits", "visitors"];
  const shared = {
    event_types: "names of event types, shared by all shops",
    installation: "what the installation knows of itself, of no shop",
  };
  const tables = await all<{ name: string }>(
    `select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '\\_cf%' escape '\\'
       and name not like 'd1\\_%' escape '\\' and name not like 'contacts_search%'`,
  );
  const removed = [...PIECES.map(({ what }) => what), ...children, ...Object.keys(shared)];
  expect(tables.map(({ name }) => name).sort()).toEqual([...new Set(removed)].sort());
});
