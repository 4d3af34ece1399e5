import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { handleInboxRow, unpackBody } from "../../src/shopify";
import type { Shop } from "../../src/shops";
import { customer, order } from "./bodies";
import { all, type Delivery, deliver, newShop, NOW, one, quiet, receive, requestOf } from "./deliver";

const inbox = (shop: Shop) =>
  all<{ topic: string; state: string }>("select topic, state from webhook_inbox where shop = ?", shop.key);

async function untouched(shop: Shop) {
  for (const table of ["contacts", "orders", "carts", "products", "outbox", "refunds", "webhook_inbox"]) {
    expect(await all(`select * from ${table} where shop = ?`, shop.key), table).toEqual([]);
  }
}

describe("POST /webhooks/shopify", () => {
  it("stores a signed delivery and answers 200, over the Worker's own route", async () => {
    const shop = await newShop();
    const response = await exports.default.fetch(
      await requestOf(shop, { topic: "themes/publish", body: { id: 1 }, triggeredAt: Date.now() }),
    );
    expect(response.status).toBe(200);
    expect(await inbox(shop)).toHaveLength(1);
  });

  it("accepts the current and the previous secret, and no other", async () => {
    const shop = await newShop();
    const body = { id: 1 };
    expect((await receive(shop, { topic: "themes/publish", body, secret: "test-api-secret-before" })).status).toBe(200);
    const other = await newShop();
    for (const headers of [
      { "x-shopify-hmac-sha256": null },
      { "x-shopify-hmac-sha256": "" },
      { "x-shopify-hmac-sha256": "not base64 %%%" },
      { "x-shopify-hmac-sha256": btoa("short") },
      { "x-shopify-hmac-sha256": "A".repeat(10_000) },
    ]) {
      expect((await receive(other, { topic: "themes/publish", body, headers })).status).toBe(401);
    }
    expect((await receive(other, { topic: "themes/publish", body, secret: "another-secret" })).status).toBe(401);
    const signed = await requestOf(other, { topic: "themes/publish", body });
    const changed = new Request(signed.url, { method: "POST", headers: signed.headers, body: '{"id":2}' });
    expect((await exports.default.fetch(changed)).status).toBe(401);
    await untouched(other);
  });

  it("answers 404 for an unknown shop, and writes to the named shop alone", async () => {
    const shop = await newShop();
    const stranger = { ...shop, domain: "unknown.myshopify.com" };
    expect((await receive(stranger, { topic: "orders/create", body: order() })).status).toBe(404);
    expect(
      (await receive(shop, { topic: "orders/create", body: order(), headers: { "x-shopify-shop-domain": null } }))
        .status,
    ).toBe(404);
    const second = await newShop();
    await deliver(second, "orders/create", order());
    await untouched(shop);
  });

  it("a signed delivery that nothing could be done with is 400 with a problem document", async () => {
    const shop = await newShop();
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const cases: Delivery[] = [
      { topic: "orders/create", body: "not json" },
      { topic: "orders/create", body: "" },
      { topic: "orders/create", body: "[]" },
      { topic: "orders/create", body: "null" },
      { topic: "orders/create", body: '"text"' },
      { topic: "orders/create", body: `{"a":${deep}}` },
      { topic: "orders/create", body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]).buffer },
      { topic: "orders/create", body: order(), headers: { "x-shopify-topic": null } },
      { topic: "orders/create", body: order(), headers: { "x-shopify-topic": "orders" } },
      { topic: "orders/create", body: order(), headers: { "x-shopify-topic": "__proto__/constructor".repeat(40) } },
      { topic: "orders/create", body: order(), headers: { "x-shopify-webhook-id": null } },
      { topic: "orders/create", body: order(), headers: { "x-shopify-webhook-id": "x".repeat(5_000) } },
    ];
    for (const delivery of cases) {
      const response = await receive(shop, delivery);
      expect(response.status, JSON.stringify(delivery).slice(0, 120)).toBe(400);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
    await untouched(shop);
  });

  it(
    "takes bodies to 5 MB: what a row cannot hold is compressed, and nothing is lost",
    { timeout: 30_000 },
    async () => {
      const shop = await newShop();
      const big = order({ note: "ä lamp, ".repeat(400_000) });
      const response = await receive(shop, { topic: "orders/create", body: big });
      expect(response.status).toBe(200);
      const row = await one<{ key: number; body: string }>(
        "select key, body from webhook_inbox where shop = ?",
        shop.key,
      );
      if (!row) throw new Error("not stored");
      expect(row.body.length).toBeLessThan(2_000_000);
      expect(await unpackBody(row.body)).toBe(JSON.stringify(big));
      expect(await handleInboxRow(quiet, row.key, NOW)).toBe("handled");
      expect(await one("select total from orders where shop = ?", shop.key)).toEqual({ total: 11_500 });
      const larger = await receive(shop, {
        topic: "orders/create",
        body: order({ note: "x".repeat(5 * 1024 * 1024) }),
      });
      expect(larger.status).toBe(413);
    },
  );

  it("answers 503 while the database does not take the row, so that Shopify sends it again", async () => {
    const shop = await newShop();
    await receive(shop, { topic: "themes/publish", body: { id: 1 } });
    await env.DB.prepare(
      "create trigger refuse_inbox before insert on webhook_inbox begin select raise(abort, 'disk is full'); end",
    ).run();
    const refused = await receive(shop, { topic: "orders/create", body: order() });
    expect(refused.status).toBe(503);
    await env.DB.prepare("drop trigger refuse_inbox").run();
    expect((await receive(shop, { topic: "orders/create", body: order() })).status).toBe(200);
    expect(await inbox(shop)).toHaveLength(2);
  });
});

describe("a delivery is stored once", () => {
  it("by its webhook id", async () => {
    const shop = await newShop();
    const first = { topic: "orders/create", body: order(), webhookId: "w-1" };
    expect((await receive(shop, first)).status).toBe(200);
    expect((await receive(shop, { ...first, body: order({ total_price: "1.00" }) })).status).toBe(200);
    expect((await receive(shop, { ...first, triggeredAt: NOW - 5 })).status).toBe(200);
    expect(await inbox(shop)).toHaveLength(1);
    const other = await newShop();
    await receive(other, first);
    expect(await inbox(other)).toHaveLength(1);
  });

  it("by topic, bytes and trigger time, since the headers are not signed", async () => {
    const shop = await newShop();
    const first = { topic: "orders/create", body: order() };
    for (const webhookId of ["w-1", "w-2", "w-3"]) {
      expect((await receive(shop, { ...first, webhookId })).status).toBe(200);
    }
    expect(await inbox(shop)).toHaveLength(1);
    await receive(shop, { ...first, triggeredAt: NOW + 1_000 });
    await receive(shop, { ...first, topic: "orders/updated" });
    expect(await inbox(shop)).toHaveLength(3);
  });

  it("without a believable trigger time equal bytes under another id are another delivery", async () => {
    const shop = await newShop();
    const body = { customer_id: 1, email_marketing_consent: { state: "subscribed" } };
    const topic = "customers_email_marketing_consent/update";
    await receive(shop, { topic, body, triggeredAt: null, webhookId: "w-1" });
    await receive(shop, { topic, body, triggeredAt: null, webhookId: "w-2" });
    await receive(shop, { topic, body, headers: { "x-shopify-triggered-at": "soon" }, webhookId: "w-3" });
    await receive(shop, {
      topic,
      body,
      headers: { "x-shopify-triggered-at": "2999-01-01T00:00:00Z" },
      webhookId: "w-4",
    });
    await receive(shop, { topic, body, triggeredAt: null, webhookId: "w-1" });
    const rows = await all<{ triggered_at: number }>("select triggered_at from webhook_inbox where shop = ?", shop.key);
    expect(rows).toEqual([NOW, NOW, NOW, NOW].map((triggered_at) => ({ triggered_at })));
  });

  it("reads trigger times with nanoseconds", async () => {
    const shop = await newShop();
    await receive(shop, {
      topic: "themes/publish",
      body: {},
      headers: { "x-shopify-triggered-at": "2026-03-30T14:30:00.123456789Z" },
    });
    expect(await one("select triggered_at from webhook_inbox where shop = ?", shop.key)).toEqual({
      triggered_at: Date.UTC(2026, 2, 30, 14, 30, 0, 123),
    });
  });
});

/** An environment that notes what its database commits and what its queue is told. */
function watched(batch: (statements: D1PreparedStatement[]) => Promise<D1Result[]> = (all_) => env.DB.batch(all_)) {
  const commits: number[] = [];
  const told: number[] = [];
  const db = new Proxy(env.DB, {
    get(target, property) {
      if (property === "batch") {
        return (statements: D1PreparedStatement[]) => {
          commits.push(statements.length);
          return batch(statements);
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const send = async ({ inbox: keys }: { inbox: number[] }) => {
    told.push(...keys);
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  };
  return { env: { ...env, DB: db, WEBHOOKS: { ...env.WEBHOOKS, send } } satisfies Env, commits, told };
}

describe("deliveries that come at the same time", () => {
  const crowd = (shop: Shop, size: number, into: Env) =>
    Promise.all(
      Array.from({ length: size }, (_, i) =>
        receive(shop, { topic: "themes/publish", body: { id: i }, webhookId: `crowd-${i}` }, NOW, into),
      ),
    );
  const stored = async (shop: Shop) =>
    (await all<{ key: number }>("select key from webhook_inbox where shop = ? order by key", shop.key)).map(
      ({ key }) => key,
    );

  it("share commits, and the queue is told of each once", async () => {
    const shop = await newShop();
    const { env: into, commits, told } = watched();
    const answers = await crowd(shop, 60, into);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await stored(shop)).toHaveLength(60);
    expect(told.toSorted((a, b) => a - b)).toEqual(await stored(shop));
    expect(commits.length).toBeLessThan(30);
    // Once more: duplicates are 200, and nothing is told.
    expect((await crowd(shop, 60, into)).every(({ status }) => status === 200)).toBe(true);
    expect(await stored(shop)).toHaveLength(60);
    expect(told).toHaveLength(60);
  });

  it("do not share the trouble of one that is refused", async () => {
    const shop = await newShop();
    await env.DB.exec(
      "create trigger refuses before insert on webhook_inbox when new.webhook_id = 'crowd-7' begin select raise(abort, 'refused'); end",
    );
    const answers = await crowd(shop, 20, watched().env);
    await env.DB.exec("drop trigger refuses");
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i === 7 ? 503 : 200)));
    expect(await stored(shop)).toHaveLength(19);
  });

  it("do not wait for ever for the commit of one that hangs", async () => {
    const shop = await newShop();
    let hangs = true;
    const { env: into } = watched((statements) => {
      if (!hangs) return env.DB.batch(statements);
      hangs = false;
      return new Promise(() => undefined);
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const ended: number[] = [];
      for (let i = 0; i < 8; i++) {
        const delivery = { topic: "themes/publish", body: { id: i }, webhookId: `crowd-${i}` };
        void receive(shop, delivery, NOW, into).then(() => ended.push(i));
      }
      // Whose own commit hangs waits on: its sender gives up and sends it again.
      for (let turn = 0; ended.length < 7 && turn < 100; turn++) {
        await vi.advanceTimersByTimeAsync(500);
        await stored(shop);
      }
      expect(ended).toHaveLength(7);
    } finally {
      vi.useRealTimers();
    }
    expect(await stored(shop)).toHaveLength(7);
  });
});

describe("signed bodies with one wrong field", () => {
  const WRONG: [string, Record<string, unknown>][] = [
    ["customers/update", customer({ email: 5 })],
    ["customers/update", customer({ email: { $ne: null } })],
    ["customers/update", customer({ first_name: ["x"] })],
    ["customers/update", customer({ id: "'; drop table contacts; --", admin_graphql_api_id: null })],
    ["customers/update", customer({ id: -1, admin_graphql_api_id: null })],
    ["customers/update", customer({ id: null, admin_graphql_api_id: null })],
    ["customers/update", customer({ updated_at: "yesterday" })],
    ["customers/update", customer({ updated_at: "2999-01-01T00:00:00Z" })],
    ["customers/update", customer({ tax_exempt: "yes" })],
    ["customers/update", customer({ default_address: "here" })],
    ["orders/create", order({ total_price: "NaN" })],
    ["orders/create", order({ total_price: "12,50" })],
    ["orders/create", order({ current_total_price: "-5.00" })],
    ["orders/create", order({ total_price: 1e308, current_total_price: 1e308 })],
    ["orders/create", order({ currency: "euro" })],
    ["orders/create", order({ currency: null })],
    ["orders/create", order({ line_items: { length: 3 } })],
    ["orders/create", order({ line_items: [{ quantity: -2, price: "1.00" }] })],
    ["orders/create", order({ line_items: [{ quantity: 1.5, price: "1.00" }] })],
    ["orders/create", order({ customer: "gid://shopify/Customer/1" })],
    ["orders/create", order({ customer: customer({ id: {} }) })],
    ["orders/create", order({ test: "false" })],
    ["orders/create", order({ created_at: null })],
    ["orders/create", order({ refunds: [{ id: 1, refund_line_items: [{ line_item_id: 1, quantity: "all" }] }] })],
    ["refunds/create", { id: 1 }],
    ["checkouts/create", { token: null, updated_at: "2026-01-01T00:00:00Z" }],
    ["checkouts/create", { token: 17, updated_at: "2026-01-01T00:00:00Z" }],
    ["carts/update", { line_items: [] }],
    ["carts/update", { token: "t", line_items: [{ quantity: 1, price: {} }] }],
    ["products/update", { id: 1, title: 4 }],
    [
      "customer.tags_added",
      { customerId: "gid://shopify/Customer/1", tags: "vip", occurredAt: "2026-01-01T00:00:00Z" },
    ],
    [
      "customers/merge",
      { admin_graphql_api_customer_kept_id: "1", admin_graphql_api_customer_deleted_id: "1", status: "completed" },
    ],
    ["customers_marketing_consent/update", { id: 1, sms_marketing_consent: "yes" }],
    ["orders/delete", {}],
  ];

  it("change no row: they go to the dead letters with a reason and without personal data", async () => {
    const shop = await newShop();
    for (const [topic, body] of WRONG) {
      expect(await deliver(shop, topic, body), `${topic} ${JSON.stringify(body).slice(0, 100)}`).toBe("dead");
    }
    await all("select 1");
    for (const table of ["contacts", "orders", "carts", "products", "outbox", "refunds", "tombstones", "identities"]) {
      expect(await all(`select * from ${table} where shop = ?`, shop.key), table).toEqual([]);
    }
    const reasons = await all<{ error: string }>("select error from webhook_inbox where shop = ?", shop.key);
    expect(reasons.length).toBeGreaterThan(25);
    for (const { error } of reasons) expect(error).not.toMatch(/nordlicht|drop table|Mira/);
  });
});
