import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { config } from "../../src/config";
import { dueInboxRows, handleInboxRow, replayInboxRow } from "../../src/shopify";
import { getShopOrThrow, type Shop } from "../../src/shops";
import { customer, iso, order } from "./bodies";
import { all, deliver, newShop, NOW, one, quiet, receive } from "./deliver";

interface Row {
  key: number;
  id: string;
  state: string;
  attempts: number;
  next_attempt_at: number;
  error: string | null;
  handled_at: number | null;
}

const rows = (shop: Shop) => all<Row>("select * from webhook_inbox where shop = ? order by key", shop.key);
async function stored(shop: Shop, topic: string, body: unknown, triggeredAt = NOW): Promise<Row> {
  await receive(shop, { topic, body, triggeredAt });
  const row = (await rows(shop)).at(-1);
  if (!row) throw new Error("not stored");
  return row;
}

afterEach(async () => {
  await env.DB.prepare("drop trigger if exists refuse").run();
  vi.restoreAllMocks();
});

describe("handling", () => {
  it("writes the rows, their events and the end of the delivery together, once, however many try at once", async () => {
    const shop = await newShop();
    const { key } = await stored(shop, "orders/create", order());
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => handleInboxRow(quiet, key, NOW)));
    expect(outcomes).toEqual(Array(8).fill("handled"));
    expect(await all("select 1 from orders where shop = ?", shop.key)).toHaveLength(1);
    expect(await all("select 1 from contacts where shop = ?", shop.key)).toHaveLength(1);
    expect(await all("select type from outbox where shop = ? and type = 'order_placed'", shop.key)).toHaveLength(1);
    expect(await rows(shop)).toMatchObject([{ state: "handled", handled_at: NOW, error: null }]);
    expect(await handleInboxRow(quiet, 999_999_999, NOW)).toBe("handled");
  });

  it("different bodies of one person at once end in one contact with all its orders", async () => {
    const shop = await newShop();
    const keys: number[] = [];
    for (let i = 0; i < 12; i++) {
      const person = customer({ updated_at: iso(NOW - 60_000 + i * 1_000), first_name: `Mira ${i}` });
      const row = await stored(
        shop,
        "orders/create",
        order({ id: 8_600 + i, cart_token: null, checkout_token: null, customer: person }),
      );
      keys.push(row.key);
    }
    // The newest body neither first nor last: whoever decides on a stale read would overwrite it.
    const crowd = [5, 11, 7, 9, 0, 1, 2, 3, 4, 6, 8, 10].map((i) => keys[i] ?? 0);
    await Promise.all(crowd.map((key) => handleInboxRow(quiet, key, NOW)));
    for (let turn = 0; turn < 8; turn++) {
      for (const key of await dueInboxRows(env.DB, shop.key, NOW + 3_600_000, 50))
        await handleInboxRow(quiet, key, NOW);
    }
    expect((await rows(shop)).map((row) => row.state)).toEqual(Array(12).fill("handled"));
    expect(await all("select first_name, orders_count, status from contacts where shop = ?", shop.key)).toEqual([
      { first_name: "Mira 11", orders_count: 12, status: "paying" },
    ]);
  });

  it("a failing batch leaves nothing behind; the row waits longer each time and is handled later", async () => {
    const shop = await newShop();
    const { key } = await stored(shop, "orders/create", order());
    await env.DB.prepare(
      "create trigger refuse before insert on order_items begin select raise(abort, 'no space'); end",
    ).run();
    const waits: number[] = [];
    for (let turn = 1; turn <= 3; turn++) {
      expect(await handleInboxRow(quiet, key, NOW)).toBe("retry");
      const [row] = await rows(shop);
      expect(row).toMatchObject({ state: "pending", attempts: turn });
      expect(row?.error).toMatch(/no space/);
      waits.push((row?.next_attempt_at ?? 0) - NOW);
    }
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(1_000);
      expect(wait).toBeLessThanOrEqual(1_000 + 1_000 * 2 ** (i + 1));
    }
    for (const table of ["orders", "contacts", "outbox", "identities"]) {
      expect(await all(`select * from ${table} where shop = ?`, shop.key), table).toEqual([]);
    }
    await env.DB.prepare("drop trigger refuse").run();
    expect(await dueInboxRows(env.DB, shop.key, NOW, 10)).toEqual([]);
    expect(await dueInboxRows(env.DB, shop.key, NOW + 600_000, 10)).toEqual([key]);
    expect(await handleInboxRow(quiet, key, NOW + 600_000)).toBe("handled");
    expect(await all("select 1 from orders where shop = ?", shop.key)).toHaveLength(1);
  });

  it("when even the failure cannot be written down, the row is as it was", async () => {
    const shop = await newShop();
    const { key } = await stored(shop, "orders/create", order());
    await env.DB.prepare(
      "create trigger refuse before update on webhook_inbox begin select raise(abort, 'read only'); end",
    ).run();
    expect(await handleInboxRow(quiet, key, NOW)).toBe("retry");
    await env.DB.prepare("drop trigger refuse").run();
    expect(await rows(shop)).toMatchObject([{ state: "pending", attempts: 0 }]);
    expect(await all("select 1 from orders where shop = ?", shop.key)).toEqual([]);
    expect(await handleInboxRow(quiet, key, NOW)).toBe("handled");
  });

  it("after eight failures a row is a dead letter, blocks nobody, and a replay brings it back", async () => {
    const shop = await newShop();
    const { key, id } = await stored(shop, "orders/create", order());
    await env.DB.prepare(
      "create trigger refuse before insert on order_items begin select raise(abort, 'no space'); end",
    ).run();
    const outcomes: string[] = [];
    for (let turn = 0; turn < 8; turn++) outcomes.push(await handleInboxRow(quiet, key, NOW));
    expect(outcomes).toEqual([...Array<string>(7).fill("retry"), "dead"]);
    expect(await dueInboxRows(env.DB, shop.key, NOW * 2, 10)).toEqual([]);
    expect(await handleInboxRow(quiet, key, NOW)).toBe("dead");
    await env.DB.prepare("drop trigger refuse").run();
    expect(await deliver(shop, "customers/create", customer())).toBe("handled");
    const other = await newShop();
    expect(await replayInboxRow(env.DB, other.key, id, NOW)).toBe(false);
    expect(await replayInboxRow(env.DB, shop.key, id, NOW)).toBe(true);
    expect(await handleInboxRow(quiet, key, NOW)).toBe("handled");
    expect(await all("select 1 from orders where shop = ?", shop.key)).toHaveLength(1);
    await replayInboxRow(env.DB, shop.key, id, NOW);
    expect(await handleInboxRow(quiet, key, NOW)).toBe("handled");
    expect(await all("select type from outbox where shop = ? and type like 'order%'", shop.key)).toHaveLength(2);
  });

  it("the same bytes under another topic of the family are applied once", async () => {
    const shop = await newShop();
    await deliver(shop, "customers/create", customer());
    await env.DB.prepare("update contacts set first_name = 'Edited' where shop = ?").bind(shop.key).run();
    expect(await deliver(shop, "customers/enable", customer(), NOW + 5)).toBe("handled");
    expect(await one("select first_name from contacts where shop = ?", shop.key)).toEqual({ first_name: "Edited" });
  });
});

describe("app/uninstalled", () => {
  const status = async (shop: Shop) => (await getShopOrThrow(env.DB, shop.id)).status;

  it("without a stored token there is nothing to ask: the shop is uninstalled, and its later bodies are kept unhandled", async () => {
    const shop = await newShop();
    const fetched = vi.spyOn(globalThis, "fetch");
    expect(await deliver(shop, "app/uninstalled", { id: 1, domain: null, myshopify_domain: null })).toBe("handled");
    expect(await status(shop)).toBe("uninstalled");
    expect(fetched).not.toHaveBeenCalled();
    expect(await deliver(shop, "orders/create", order())).toBe("unhandled");
    expect(await all("select 1 from orders where shop = ?", shop.key)).toEqual([]);
  });

  it("a late one from before the re-installation, or one that names another shop, disables nothing", async () => {
    const shop = await newShop();
    expect(await deliver(shop, "app/uninstalled", { id: 1, myshopify_domain: null }, shop.installedAt - 1)).toBe(
      "stale",
    );
    expect(await deliver(shop, "app/uninstalled", { id: 1, myshopify_domain: "other.myshopify.com" })).toBe("stale");
    expect(await status(shop)).toBe("active");
  });

  it("with a stored token Shopify is asked: only a refused token confirms it", async () => {
    const minted = await newShop();
    await env.CONNECTION.getByName(String(minted.key)).store({
      id: "cnn_test",
      storedAt: NOW,
      domain: minted.domain,
      method: "token",
      app: null,
      token: "shpat_test",
      tokenExpiresAt: null,
      refreshToken: null,
      refusedAt: null,
    });
    await env.DB.prepare("update shops set connected_at = ? where key = ?").bind(NOW, minted.key).run();
    const shop = await getShopOrThrow(env.DB, minted.key);
    const answers = [
      Response.json({ data: { shop: { id: "gid://shopify/Shop/1" } } }),
      new Response("", { status: 503 }),
      new Response("", { status: 503 }),
      new Response("", { status: 401 }),
    ];
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async () => answers.shift() ?? Response.error());
    expect(await deliver(shop, "app/uninstalled", { id: 1, myshopify_domain: null }, NOW)).toBe("stale");
    expect(await deliver(shop, "app/uninstalled", { id: 1, myshopify_domain: null }, NOW + 1)).toBe("retry");
    expect(await status(shop)).toBe("active");
    const waiting = (await rows(shop)).at(-1);
    expect(await handleInboxRow(quiet, waiting?.key ?? 0, NOW)).toBe("handled");
    expect(await status(shop)).toBe("uninstalled");
    expect(await one("select connected_at from shops where key = ?", shop.key)).toEqual({ connected_at: null });
    expect(await env.CONNECTION.getByName(String(shop.key)).accessToken()).toEqual({ problem: "not_connected" });
    expect(fetched.mock.calls.map(([url]) => url)).toEqual(
      Array(4).fill(`${config(env).shopifyOrigin(shop.domain)}/admin/api/2026-10/graphql.json`),
    );
  });
});
