import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { pokeClocks } from "../../src/jobs/maintain";
import { react, replayDeadLetter } from "../../src/jobs/reactions";
import { enforceRetention } from "../../src/jobs/retention";
import { mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, T0, useFakeClock } from "../helpers/clock";

useFakeClock();

async function rows<T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

const clockOf = (shop: { key: number }) => env.CLOCK.getByName(String(shop.key));
const alarmOf = (shop: { key: number }) => runInDurableObject(clockOf(shop), (_, state) => state.storage.getAlarm());

async function cart(shop: { key: number }, token: string, activityAt: number): Promise<void> {
  await env.DB.prepare(
    `insert into carts (shop, id, token, state, reached, activity_at, created_at, updated_at)
     values (?, ?, ?, 'open', 1, ?, ?, ?)`,
  )
    .bind(shop.key, `crt_${token}`, token, activityAt, activityAt, activityAt)
    .run();
}

async function outbox(shop: { key: number }, type: string, subject: string, data: unknown): Promise<number> {
  const row = await env.DB.prepare(
    `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at) values (?, ?, ?, ?, ?, ?, ?) returning key`,
  )
    .bind(shop.key, type, subject, crypto.randomUUID(), JSON.stringify(data), T0, T0)
    .first<{ key: number }>();
  return row?.key ?? 0;
}

describe("the clock", () => {
  it("B17: abandons a cart known only from webhooks at its threshold, once, and sleeps when nothing is left", async () => {
    const shop = await mintShop();
    const token = crypto.randomUUID();
    await cart(shop, token, T0);
    await pokeClocks(env, T0);
    expect(await alarmOf(shop)).toBeLessThanOrEqual(T0 + 30_000);
    vi.setSystemTime(T0 + 59 * 60_000);
    await runDurableObjectAlarm(clockOf(shop));
    expect(await rows("select state from carts where token = ?", token)).toEqual([{ state: "open" }]);
    expect(await alarmOf(shop)).toBeLessThanOrEqual(T0 + 59 * 60_000 + 30_000);
    vi.setSystemTime(T0 + 3 * 3_600_000);
    await runDurableObjectAlarm(clockOf(shop));
    expect(await rows("select state, abandoned_at from carts where token = ?", token)).toEqual([
      { state: "abandoned", abandoned_at: T0 + 3_600_000 },
    ]);
    await vi.waitFor(async () => {
      vi.setSystemTime(Date.now() + 30_000);
      await runDurableObjectAlarm(clockOf(shop));
      expect(await rows("select * from outbox where shop = ?", shop.key)).toHaveLength(0);
    }, 10_000);
    vi.setSystemTime(Date.now() + 30_000);
    await runDurableObjectAlarm(clockOf(shop));
    expect(await alarmOf(shop)).toBeNull();
  });

  it("one sweep sets a whole backlog of webhooks going", async () => {
    const shop = await mintShop();
    const ids = JSON.stringify(Array.from({ length: 600 }, (_, i) => `${shop.key}-${i}`));
    await env.DB.prepare(
      `insert into webhook_inbox
         (id, shop, topic, webhook_id, triggered_at, received_at, body_hash, body, state, next_attempt_at)
       select value, ?1, 'themes/publish', value, ?2, ?2, value, '{}', 'pending', ?2 from json_each(?3)`,
    )
      .bind(shop.key, T0, ids)
      .run();
    await pokeClocks(env, T0);
    vi.setSystemTime(T0 + 30_000);
    await runDurableObjectAlarm(clockOf(shop));
    await vi.waitFor(async () => {
      expect(
        await rows("select count(*) as n from webhook_inbox where shop = ? and state = 'pending'", shop.key),
      ).toEqual([{ n: 0 }]);
    }, 15_000);
  });

  it("a shop's own threshold is read in the database", async () => {
    const shop = await mintShop({ abandonAfterSeconds: 10 });
    const token = crypto.randomUUID();
    await cart(shop, token, T0);
    await pokeClocks(env, T0);
    vi.setSystemTime(T0 + 10_000);
    await runDurableObjectAlarm(clockOf(shop));
    expect(await rows("select state from carts where token = ?", token)).toEqual([{ state: "abandoned" }]);
  });
});

describe("reactions", () => {
  it("fail with back-off, end as a dead letter that can be replayed, and block nobody", async () => {
    const shop = await mintShop();
    const other = await outbox(shop, "order_placed", "order:2", {});
    const visitor = newVisitor();
    await send(shop.domain, visitor, [{ type: "page_viewed", url: "https://acme.example/" }]);
    const poison = await outbox(shop, "visitor_joined", "contact:1", { tracker: visitor, contact: "con_x" });
    await env.DB.exec("alter table contact_aliases rename to aliases_away");
    let now = T0;
    for (let i = 0; i < 8; i++) {
      await react(env, shop.key, [poison], now);
      const [row] = await rows<{ next_attempt_at: number }>("select next_attempt_at from outbox where key = ?", poison);
      if (row) expect(row.next_attempt_at).toBeGreaterThan(now);
      now = (row?.next_attempt_at ?? now) + 1;
    }
    await react(env, shop.key, [other], now);
    expect(await rows("select * from outbox where shop = ?", shop.key)).toHaveLength(0);
    const [letter] = await rows<{ id: string; error: string }>(
      "select id, error from dead_letters where shop = ?",
      shop.key,
    );
    expect(letter?.error).toMatch(/contact_aliases/);
    await env.DB.exec("alter table aliases_away rename to contact_aliases");
    expect(await replayDeadLetter(env.DB, shop.key, letter?.id ?? "", now)).toBe(true);
    expect(await replayDeadLetter(env.DB, shop.key, letter?.id ?? "", now)).toBe(false);
    const [again] = await rows<{ key: number }>("select key from outbox where shop = ?", shop.key);
    await react(env, shop.key, [again?.key ?? 0], now);
    expect(await rows("select * from outbox where shop = ?", shop.key)).toHaveLength(0);
  });
});

describe("rows of one subject", () => {
  it("go by key: a later one does not wake an earlier one that waits, and comes up with it", async () => {
    const shop = await mintShop();
    const first = await outbox(shop, "order_placed", "contact:7", {});
    const second = await outbox(shop, "order_paid", "contact:7", {});
    await env.DB.prepare("update outbox set next_attempt_at = ?, attempts = 3 where key = ?")
      .bind(T0 + 60_000, first)
      .run();
    await react(env, shop.key, [second], T0);
    expect(await rows("select key, attempts, next_attempt_at from outbox where shop = ?", shop.key)).toEqual([
      { key: first, attempts: 3, next_attempt_at: T0 + 60_000 },
      { key: second, attempts: 0, next_attempt_at: T0 + 60_000 },
    ]);
    await react(env, shop.key, [second], T0 + 60_000);
    expect(await rows("select * from outbox where shop = ?", shop.key)).toHaveLength(0);
  });
});

describe("retention", () => {
  it("drops old events with their visits, and anonymous visitors with their objects; the rest stays", async () => {
    const shop = await mintShop({ eventRetentionDays: 30, visitorRetentionDays: 60 });
    const [old, recent] = [newVisitor(), newVisitor()];
    const view = { type: "page_viewed", url: "https://acme.example/" };
    for (const v of [old, recent]) {
      await send(shop.domain, v, [view]);
      await objectOf(shop, v).flush();
    }
    vi.setSystemTime(T0 + 40 * DAY);
    await send(shop.domain, recent, [view]);
    await objectOf(shop, recent).flush();
    await enforceRetention(env, Date.now());
    expect(await rows("select at from events where shop = ?", shop.key)).toEqual([{ at: T0 + 40 * DAY }]);
    expect(
      await rows("select no from visits where visitor in (select key from visitors where shop = ?)", shop.key),
    ).toEqual([{ no: 2 }]);
    expect(await rows("select * from visitors where shop = ?", shop.key)).toHaveLength(2);
    vi.setSystemTime(T0 + 70 * DAY);
    await enforceRetention(env, Date.now());
    expect(await rows("select tracker from visitors where shop = ?", shop.key)).toEqual([{ tracker: recent }]);
    await runInDurableObject(objectOf(shop, old), (_, state) => {
      expect([...state.storage.kv.list()]).toHaveLength(0);
    });
    await send(shop.domain, old, [view]);
    await objectOf(shop, old).flush();
    expect(await rows("select * from visitors where shop = ?", shop.key)).toHaveLength(2);
  });
});
