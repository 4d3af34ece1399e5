import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { react } from "../../src/jobs/reactions";
import { dueInboxRows, handleInboxRow } from "../../src/shopify";
import { mintShop } from "../helpers/api";
import { BROWSER, newEventId, newVisitor, objectOf, send } from "../helpers/beacon";
import { Random } from "../helpers/random";
import { seedCart, seedContact, seedOrder, seedVisitor } from "../helpers/seed";
import { deliverWebhook, postWebhook } from "../helpers/webhook";
import { broken, type Case, oneWrongField, type Scene } from "./hostile-beacons";
import { oddRequest, type Records } from "./hostile-requests";
import { type Bodies, brokenDelivery, oneWrongMember, type WebhookCase } from "./hostile-webhooks";

const SEED = 20_261_122;

/** At least half is valid JSON, correctly signed, with one wrong member. */
const COUNTS = { wrongBeacons: 5_000, brokenBeacons: 2_600, wrongWebhooks: 1_200, brokenWebhooks: 800, requests: 400 };

/** Requests under way together. */
const TOGETHER = 16;

/** Everything but the inbox, which keeps what is signed, and the counts of what was dropped. */
const MAY_GROW = new Set(["webhook_inbox", "drops", "idempotency_keys", "d1_migrations"]);

/** What only the inside of the product would say. */
const LEAK =
  /sqlite|d1_error|\b(select|insert into|update)\b.*\b(from|where|values)\b|\.(ts|js):\d+|node_modules|\bat \w+ \(|(Type|Range|Reference|Syntax|Zod)Error/i;

const HOUR = 3_600_000;
const iso = (at: number) => new Date(at).toISOString();

interface Failure {
  name: string;
  wrong: string;
}

describe("hostile input", () => {
  it("10,000 beacons, webhooks and requests: no 5xx, no row changed, no leak", async () => {
    const random = new Random(SEED);
    const [shop, other] = [await mintShop({ beaconsPerMinutePerAddress: 0 }), await mintShop()];
    const scene = await visit(shop);
    const bodies = await trade(shop.domain);
    const records = await recordsOf(shop, other, scene.visitor);
    await settle([shop, other]);
    await objectOf(shop, scene.visitor).flush();
    const before = await snapshot();
    expect(before.size).toBeGreaterThan(20);

    const failures: Failure[] = [];
    const send = (cases: Case[]) => inTurn(cases, async (one) => check(one, await request(one), failures));
    await send(Array.from({ length: COUNTS.wrongBeacons }, () => oneWrongField(scene, random)));
    await send(Array.from({ length: COUNTS.brokenBeacons }, () => broken(scene, random)));
    await send(Array.from({ length: COUNTS.requests }, () => oddRequest(records, random)));
    const deliveries = [
      ...Array.from({ length: COUNTS.wrongWebhooks }, () => oneWrongMember(shop.domain, bodies, random)),
      ...Array.from({ length: COUNTS.brokenWebhooks }, () => brokenDelivery(shop.domain, other.domain, bodies, random)),
    ];
    const sent = new Map<string, WebhookCase>();
    await inTurn(deliveries, async (one) => {
      const webhookId = crypto.randomUUID();
      sent.set(webhookId, one);
      await check(one, await postWebhook({ ...one, webhookId }), failures);
    });
    expect(failures.slice(0, 20)).toEqual([]);

    await settle([shop, other]);
    await objectOf(shop, scene.visitor).flush();
    expect((await outcomes(sent)).slice(0, 20)).toEqual([]);
    const after = await snapshot();
    for (const [table, rows] of before) expect({ table, rows: after.get(table) }).toEqual({ table, rows });
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  }, 240_000);
});

async function request(one: Case): Promise<Response> {
  const hasBody = one.method !== "GET" && one.body !== "";
  return exports.default.fetch(`https://footfall.test${one.path}`, {
    method: one.method,
    headers: one.headers,
    redirect: "manual",
    ...(hasBody || one.path === "/ff" ? { body: one.body } : {}),
  });
}

async function check(
  one: { name: string; statuses: number[]; body: unknown },
  response: Response,
  failures: Failure[],
) {
  const text = await response.text();
  const shown = typeof one.body === "string" ? one.body.slice(0, 300) : "bytes";
  if (!one.statuses.includes(response.status)) {
    failures.push({
      name: one.name,
      wrong: `${response.status}, not ${one.statuses.join(" or ")}: ${text.slice(0, 200)} for ${shown}`,
    });
  }
  if (LEAK.test(text)) failures.push({ name: one.name, wrong: `says ${text.slice(0, 300)}` });
}

async function inTurn<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += TOGETHER)
    await Promise.all(items.slice(from, from + TOGETHER).map(work));
}

/** Somebody who was there before, with one page seen. */
async function visit(shop: { domain: string; key: number }): Promise<Scene> {
  const visitor = newVisitor();
  const known = { id: newEventId(), type: "page_viewed", at: Date.now(), url: "https://acme.example/" };
  await send(shop.domain, visitor, [
    known,
    { type: "cart_updated", data: { token: "hostile", value: { amount: 100, currency: "EUR" } } },
  ]);
  await objectOf(shop, visitor).flush();
  return { domain: shop.domain, visitor, known, browser: BROWSER };
}

/** A customer, a checkout, an order with a refund, a product; and bodies that would change each of them. */
async function trade(domain: string): Promise<Bodies> {
  const then = iso(Date.now() - HOUR);
  const customer = {
    id: 7001,
    email: "ada@example.com",
    first_name: "Ada",
    phone: null,
    tags: "vip",
    created_at: then,
    updated_at: then,
  };
  const line = { id: 9001, product_id: 3001, title: "Mug", quantity: 2, price: "21.00" };
  const common = { cart_token: "cart-1", currency: "EUR", total_price: "42.00", line_items: [line], customer };
  const checkout = { ...common, token: "checkout-1", created_at: then, updated_at: then };
  const order = {
    ...common,
    id: 8001,
    name: "#1",
    checkout_token: "checkout-1",
    financial_status: "paid",
    created_at: then,
    updated_at: then,
  };
  const refund = {
    id: 6001,
    order_id: 8001,
    created_at: then,
    refund_line_items: [{ line_item_id: 9001, quantity: 1, subtotal: "21.00", total_tax: "0.00" }],
  };
  const product = { id: 3001, title: "Mug", tags: "kitchen", updated_at: then };
  await deliverWebhook(domain, "customers/create", customer);
  await deliverWebhook(domain, "checkouts/create", checkout);
  await deliverWebhook(domain, "orders/create", order);
  await deliverWebhook(domain, "refunds/create", refund);
  await deliverWebhook(domain, "products/create", product);
  const now = iso(Date.now());
  const changed = {
    ...customer,
    first_name: "Hostile",
    tags: "hostile",
    updated_at: now,
    default_address: { city: "Hostile" },
  };
  const figures = {
    customer: changed,
    total_price: "9999.00",
    updated_at: now,
    line_items: [{ ...line, quantity: 99 }],
  };
  return {
    customer: changed,
    checkout: { ...checkout, ...figures },
    order: { ...order, ...figures, name: "#hostile" },
    refund: { ...refund, id: 6666 },
    product: { ...product, title: "Hostile", updated_at: now },
  };
}

async function recordsOf(
  shop: { key: number; fullKey: string },
  other: { id: string; key: number },
  visitor: string,
): Promise<Records> {
  const mine = await seedContact(shop.key, { email: "mine@example.com" });
  const [contact, order, cart] = [await seedContact(other.key), await seedOrder(other.key), await seedCart(other.key)];
  const stranger = await seedVisitor(other.key);
  return {
    key: shop.fullKey,
    contact: mine.id,
    visitor,
    foreign: { shop: other.id, contact: contact.id, order: order.id, cart: cart.id, visitor: stranger.tracker },
  };
}

/** Handles every delivery and every reaction that waits, so that nothing is still to come. */
async function settle(shops: { key: number }[]): Promise<void> {
  for (const { key } of shops) {
    for (let rows = [0]; rows.length > 0;) {
      rows = await dueInboxRows(env.DB, key, Date.now() + HOUR, 200);
      await inTurn(rows, async (row) => void (await handleInboxRow(env, row, Date.now())));
    }
  }
  for (;;) {
    const { results } = await env.DB.prepare(
      "select shop, json_group_array(key) as keys from outbox group by shop",
    ).all<{ shop: number; keys: string }>();
    if (results.length === 0) return;
    await inTurn(results, ({ shop, keys }) => react(env, shop, JSON.parse(keys), Date.now() + HOUR));
  }
}

/** Deliveries that did not end as they must. */
async function outcomes(sent: Map<string, WebhookCase>): Promise<string[]> {
  const { results } = await env.DB.prepare("select webhook_id as id, state, error from webhook_inbox").all<{
    id: string;
    state: string;
    error: string | null;
  }>();
  const stored = new Map(results.map((row) => [row.id, row]));
  const wrong: string[] = [];
  for (const [id, { name, inbox, names, body }] of sent) {
    const row = stored.get(id);
    const shown = typeof body === "string" ? body.slice(0, 400) : "bytes";
    if ((row?.state ?? null) !== inbox) wrong.push(`${name} is ${row?.state}, not ${inbox}: ${shown}`);
    else if (names && !names.test(row?.error ?? "")) wrong.push(`${name} says ${row?.error}`);
  }
  return wrong;
}

/** Every row of every table that hostile input must leave alone. */
async function snapshot(): Promise<Map<string, string[]>> {
  const { results } = await env.DB.prepare(
    "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like '_cf_%' order by name",
  ).all<{ name: string }>();
  const tables = new Map<string, string[]>();
  for (const { name } of results) {
    if (MAY_GROW.has(name)) continue;
    const rows = await env.DB.prepare(`select * from "${name}"`).all();
    tables.set(name, rows.results.map((row) => JSON.stringify(row)).toSorted());
  }
  return tables;
}
