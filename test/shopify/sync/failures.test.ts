import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { MintedShop } from "../../helpers/api";
import { DAY, HOUR, travel, useFakeClock } from "../../helpers/clock";
import { type StandinStore, standinStore } from "../../helpers/standin";
import { deliverWebhook, postWebhook } from "../../helpers/webhook";
import { all, one } from "../deliver";
import { connected, people, run, type Shown, SYNC, until, untilDone } from "./running";

useFakeClock();

const contacts = async (shop: MintedShop) =>
  (await one<{ n: number }>("select count(*) as n from contacts where shop = ?", shop.key))?.n;

const shown = async (shop: MintedShop): Promise<Shown> => (await shop.full.get(SYNC(shop))).body;

const streamOf = ({ streams }: Shown, resource: string, stretch: string) =>
  streams.find((stream) => stream.resource === resource && stream.stretch === stretch);

const bulkRuns = async (store: StandinStore) =>
  (await store.log()).filter(({ operation }) => operation === "RunBulk").length;

/** A store with people whose file is there and has not been read: its first requests fail. */
async function withFile(n: number, status = 503, times = 1) {
  const store = await standinStore();
  await store.seed({ customers: people(n) });
  await store.fail({ on: "bulk", status, times });
  const shop = await connected(store);
  await until(shop, (body) => streamOf(body, "customers", "rest")?.state === "reading");
  return { store, shop };
}

describe("a file that cannot be read", () => {
  it("is read later when its server fails, without asking for it anew", async () => {
    const { store, shop } = await withFile(3);
    const before = await bulkRuns(store);
    await untilDone(shop);
    expect(await contacts(shop)).toBe(3);
    expect((await shown(shop)).state).toBe("done");
    expect(await bulkRuns(store)).toBe(before);
  });

  it("is asked for anew when nobody gets further in it for ten minutes; the other files are read meanwhile", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3), products: [{ title: "Mug", variants: [{ price: 100 }] }] });
    const shop = await connected(store);
    await store.fail({ on: "bulk", status: 503, times: 12 });
    await until(shop, (body) => streamOf(body, "products", "rest")?.state === "reading");
    travel(11 * 60_000);
    const before = await bulkRuns(store);
    await untilDone(shop);
    expect((await shown(shop)).state).toBe("done");
    expect(await contacts(shop)).toBe(3);
    expect(await bulkRuns(store)).toBeGreaterThan(before);
  });

  it("whose address has run out is asked for anew", async () => {
    const { store, shop } = await withFile(3);
    travel(8 * DAY);
    await store.setNow(Date.now());
    const before = await bulkRuns(store);
    await untilDone(shop);
    expect(await contacts(shop)).toBe(3);
    expect(await bulkRuns(store)).toBeGreaterThan(before);
  });

  it("is gone on with at the checkpoint, also where the server sends the whole file instead of a range", async () => {
    const { store, shop } = await withFile(600);
    await env.DB.exec(
      `create trigger stop_at_${shop.key} before insert on contacts when new.shop = ${shop.key} and new.email = 'person400@backfill.example' begin select raise(abort, 'gone'); end`,
    );
    await until(shop, (body) => (streamOf(body, "customers", "rest")?.done ?? 0) > 0);
    await env.DB.exec(`drop trigger stop_at_${shop.key}`);
    await store.fail({ on: "bulk", ignoreRange: true });
    await untilDone(shop);
    expect(await contacts(shop)).toBe(600);
    const stream = streamOf(await shown(shop), "customers", "rest");
    expect(stream).toMatchObject({ state: "done", done: 600, skipped: 0, error: null });
  });

  it.each([
    ["has become shorter (416)", 9_999_999],
    ["has changed", 7],
  ])("that %s is asked for anew, from its beginning", async (_, offset) => {
    const { store, shop } = await withFile(5);
    await env.DB.prepare(
      `update sync_streams set "offset" = ?, done = 1 where shop = ? and resource = 'customers' and stretch = 'rest'`,
    )
      .bind(offset, shop.key)
      .run();
    const before = await bulkRuns(store);
    await untilDone(shop);
    expect(await contacts(shop)).toBe(5);
    expect(streamOf(await shown(shop), "customers", "rest")).toMatchObject({ state: "done", done: 5 });
    expect(await bulkRuns(store)).toBe(before + 1);
  });
});

describe("an operation that does not get through", () => {
  it("leaves what Shopify had (partialDataUrl) when it fails four times, and says that it is incomplete", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(9) });
    await store.fail({ on: "bulk-operation", errorCode: "INTERNAL_SERVER_ERROR", afterObjects: 4, times: 100 });
    const shop = await connected(store);
    await untilDone(shop, 200);
    const body = await shown(shop);
    expect(body.state).toBe("failed");
    expect(streamOf(body, "customers", "rest")).toMatchObject({ state: "failed", done: 4 });
    expect(streamOf(body, "customers", "rest")?.error).toContain("incomplete");
    expect(await contacts(shop)).toBe(4);
  });

  it("waits its turn while more operations run than Shopify takes, which costs no attempt", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3) });
    const token = await store.permanentToken();
    await store.fail({ on: "bulk-operation", hold: true, times: 5 });
    for (let n = 0; n < 5; n++) {
      await fetch(`${store.origin}/admin/api/2026-10/graphql.json`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-shopify-access-token": token },
        body: JSON.stringify({
          query: `mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") { userErrors { code } } }`,
        }),
      });
    }
    const shop = await connected(store);
    await run(shop);
    const rows = await all<{ state: string; attempts: number }>(
      "select distinct state, attempts from sync_streams where shop = ? and stretch <> 'changes'",
      shop.key,
    );
    expect(rows).toEqual([{ state: "waiting", attempts: 0 }]);
    await store.release();
    await untilDone(shop);
    expect(await contacts(shop)).toBe(3);
  });

  it("is asked for later when Shopify throttles", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3) });
    await store.fail({ on: "RunBulk", status: 429, headers: { "retry-after": "30" }, times: 2 });
    const shop = await connected(store);
    await untilDone(shop);
    expect((await shown(shop)).state).toBe("done");
    expect(await contacts(shop)).toBe(3);
  });

  it("that is refused leaves the others alone", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3) });
    await store.fail({ on: "bulk-operation", errorCode: "ACCESS_DENIED" });
    await store.fail({ on: "RunBulk", status: 400 });
    const shop = await connected(store);
    await untilDone(shop);
    expect((await shown(shop)).state).toBe("done");
    expect(await contacts(shop)).toBe(3);
  });

  it("has nothing to read in a store without a record", async () => {
    const shop = await connected(await standinStore());
    await untilDone(shop);
    const body = await shown(shop);
    expect(body).toMatchObject({ state: "done", progress: 100, notes: [] });
    expect(body.streams.every(({ state, done }) => state === "done" && done === 0)).toBe(true);
  });
});

describe("a connection that changes in the middle", () => {
  it("frozen: says so, leaves the store alone, and goes on once it is open again", async () => {
    const { store, shop } = await withFile(3);
    await store.fail({ on: "graphql", status: 402, times: 3 });
    const body = await until(shop, ({ notes }) => notes.length > 0);
    expect(body).toMatchObject({ state: "running" });
    expect(body.notes[0]).toContain("frozen");
    await store.order("DELETE", "failures").catch(() => undefined);
    travel(HOUR);
    await untilDone(shop);
    expect(await contacts(shop)).toBe(3);
  });

  it("a token that is refused: says so, and goes on where it was with the next token", async () => {
    const { store, shop } = await withFile(3);
    await store.revokeTokens();
    const body = await until(shop, ({ notes, state }) => notes.length > 0 || state !== "running", 400);
    expect(body.notes[0]).toContain("refuses the token");
    const accessToken = await store.permanentToken();
    expect((await shop.full.put(`/v1/shops/${shop.id}/shopify`, { method: "token", accessToken })).status).toBe(200);
    await untilDone(shop);
    expect(await contacts(shop)).toBe(3);
    expect((await shown(shop)).notes).toEqual([]);
  });

  /** A store whose file of 600 people is stored up to the first checkpoint. */
  async function halfRead() {
    const found = await withFile(600);
    const { shop } = found;
    await env.DB.exec(
      `create trigger half_${shop.key} before insert on contacts when new.shop = ${shop.key} and new.email = 'person400@backfill.example' begin select raise(abort, 'gone'); end`,
    );
    await until(shop, (body) => (streamOf(body, "customers", "rest")?.done ?? 0) > 0);
    await env.DB.exec(`drop trigger half_${shop.key}`);
    return { ...found, before: await contacts(shop) };
  }

  const jobs = (shop: MintedShop) => all("select id, state from jobs where shop = ? and kind = 'backfill'", shop.key);

  it.each<[string, (shop: MintedShop, store: StandinStore) => Promise<unknown>]>([
    ["disconnected", (shop) => shop.full.delete(`/v1/shops/${shop.id}/shopify`)],
    [
      "uninstalled",
      async (shop, store) => {
        await store.uninstall();
        await deliverWebhook(shop.domain, "app/uninstalled", { id: store.id, myshopify_domain: store.domain });
      },
    ],
  ])(
    "%s: ends with its reason, reads nothing more, and goes on at the checkpoint with the next connect",
    async (_, end) => {
      const { store, shop, before } = await halfRead();
      expect(before).toBeGreaterThan(0);
      travel(1_000);
      await end(shop, store);
      for (let n = 0; n < 3; n++) await run(shop);
      expect(await contacts(shop)).toBe(before);
      const ended = await shown(shop);
      expect(ended).toMatchObject({ state: "failed" });
      expect(ended.progress).toBeGreaterThan(0);
      expect(ended.notes[0]).toContain("disconnected before everything was read");
      const [job] = (await shop.full.get("/v1/jobs")).body.items;
      expect(job).toMatchObject({ kind: "backfill", state: "failed", error: ended.notes[0] });

      travel(1_000);
      await store.install();
      const asked = await bulkRuns(store);
      const accessToken = await store.permanentToken();
      await shop.full.put(`/v1/shops/${shop.id}/shopify`, { method: "token", accessToken });
      expect(await shown(shop)).toMatchObject({ state: "running", notes: [] });
      await untilDone(shop);
      expect(await contacts(shop)).toBe(600);
      expect(streamOf(await shown(shop), "customers", "rest")).toMatchObject({ done: 600, error: null });
      // The same job and the same file: nothing was asked for anew.
      expect(await jobs(shop)).toEqual([{ id: job.id, state: "done" }]);
      expect(await bulkRuns(store)).toBe(asked);
    },
  );
});

describe("what the scopes do not allow", () => {
  it("without read_all_orders only 60 days of orders come, and the progress says so", async () => {
    const store = await standinStore({ scopes: ["read_customers", "read_orders", "read_products", "read_locations"] });
    await store.seed({
      orders: [10, 100].map((days) => ({
        createdAt: Date.now() - days * DAY,
        updatedAt: Date.now() - days * DAY,
        lines: [{ price: 100 }],
      })),
    });
    const shop = await connected(store);
    await untilDone(shop);
    const body = await shown(shop);
    expect(body.state).toBe("done");
    expect(body.notes).toEqual([
      "Only orders of the last 60 days could be read: older ones need the scope read_all_orders.",
    ]);
    expect(await one("select count(*) as n from orders where shop = ?", shop.key)).toEqual({ n: 1 });
  });

  it("the staff member of an order comes with read_users, the location with read_locations", async () => {
    const scopes = ["read_customers", "read_orders", "read_all_orders", "read_products"];
    const stored = async (more: string[]) => {
      const store = await standinStore({ scopes: [...scopes, ...more], plan: "plus" });
      await store.seed({
        locations: [{ id: 77, name: "Stall" }],
        staff: [{ id: 88, firstName: "Kim", lastName: "Oh", email: "kim@stall.example" }],
      });
      await store.seed({ orders: [{ lines: [{ price: 100 }], locationId: 77, staffId: 88 }] });
      const shop = await connected(store);
      await untilDone(shop);
      return one(
        "select location_id as location, location_name as name, staff_id as staff from orders where shop = ?",
        shop.key,
      );
    };
    expect(await stored(["read_locations", "read_users"])).toEqual({ location: "77", name: "Stall", staff: "88" });
    expect(await stored([])).toEqual({ location: null, name: null, staff: null });
  });

  it("an open abandoned checkout comes, one that was recovered does not", async () => {
    const store = await standinStore();
    const at = { createdAt: Date.now() - 3 * DAY, updatedAt: Date.now() - 3 * DAY };
    await store.seed({
      checkouts: [
        { email: "open@backfill.example", lines: [{ price: 100 }], ...at },
        { email: "done@backfill.example", lines: [{ price: 100 }], ...at, completedAt: Date.now() - 2 * DAY },
      ],
    });
    const shop = await connected(store);
    await untilDone(shop);
    expect((await shown(shop)).state).toBe("done");
    expect(await one("select count(*) as n from carts where shop = ?", shop.key)).toEqual({ n: 1 });
  });
});

describe("bulk_operations/finish", () => {
  const finished = (operation: string) => ({
    admin_graphql_api_id: operation,
    status: "completed",
    type: "query",
    error_code: null,
    created_at: new Date().toISOString(),
    completed_at: new Date().toISOString(),
  });

  it("has an operation looked at without waiting for its turn", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3) });
    const shop = await connected(store);
    await run(shop);
    await store.settled();
    const operations = await all<{ operation: string }>(
      "select operation from sync_streams where shop = ? and state = 'asked'",
      shop.key,
    );
    expect(operations.length).toBeGreaterThan(3);
    // The clock stands still: by itself nothing would be looked at yet.
    await run(shop);
    expect(await contacts(shop)).toBe(0);
    for (const { operation } of operations) {
      expect(await deliverWebhook(shop.domain, "bulk_operations/finish", finished(operation))).toBe("handled");
    }
    await run(shop);
    expect(await contacts(shop)).toBe(3);
    travel(1_000);
    for (const { operation } of operations) {
      expect(await deliverWebhook(shop.domain, "bulk_operations/finish", finished(operation))).toBe("stale");
    }
  });

  it("does nothing when it is made up, wrongly signed, or says that something is over which is not", async () => {
    const store = await standinStore();
    await store.seed({ customers: people(3) });
    await store.fail({ on: "bulk-operation", hold: true, times: 5 });
    const shop = await connected(store);
    await run(shop);
    const body = JSON.stringify(finished("gid://shopify/BulkOperation/1"));
    const wrong = { domain: shop.domain, topic: "bulk_operations/finish", body };
    const headers = { "x-shopify-hmac-sha256": btoa("x".repeat(32)) };
    expect((await postWebhook({ ...wrong, headers })).status).toBe(401);
    expect(await deliverWebhook(shop.domain, "bulk_operations/finish", JSON.parse(body))).toBe("stale");
    const [early] = await all<{ operation: string }>(
      "select operation from sync_streams where shop = ? and state = 'asked'",
      shop.key,
    );
    await deliverWebhook(shop.domain, "bulk_operations/finish", finished(early?.operation ?? ""));
    await run(shop);
    const [state] = await all(
      "select state from sync_streams where shop = ? and operation = ?",
      shop.key,
      early?.operation ?? "",
    );
    expect(state).toEqual({ state: "asked" });
    await store.release();
    await untilDone(shop);
    expect(await contacts(shop)).toBe(3);
  });
});
