import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { importStream, isItsOwn } from "../../../src/shopify/sync/import";
import { listStreams } from "../../../src/shopify/sync/streams";
import { getShopOrThrow } from "../../../src/shops";
import { useFakeClock } from "../../helpers/clock";
import { standinStore } from "../../helpers/standin";
import { one } from "../deliver";
import { connected, people, SYNC, until, untilDone } from "./running";

useFakeClock();

it("stored one by one, a record that D1 does not take is skipped and named", async () => {
  const store = await standinStore();
  await store.seed({ customers: people(5) });
  const shop = await connected(store);
  await env.DB.exec(
    `create trigger never_${shop.key} before insert on contacts when new.shop = ${shop.key} and new.email = 'person3@backfill.example' begin select raise(abort, 'never'); end`,
  );
  await untilDone(shop);
  const { body } = await shop.full.get(SYNC(shop));
  expect(body.state).toBe("done");
  const stream = body.streams.find((one: { resource: string; stretch: string; skipped: number }) => one.skipped > 0);
  expect(stream).toMatchObject({ resource: "customers", done: 4, skipped: 1 });
  expect(stream.error).toMatch(/gid:\/\/shopify\/Customer\/\d+: .*never/);
  expect(await one("select count(*) as n from contacts where shop = ?", shop.key)).toEqual({ n: 4 });
});

it("stored one by one, nothing is skipped while the database is away", async () => {
  const store = await standinStore();
  await store.seed({ customers: people(5) });
  await store.fail({ on: "bulk", status: 503 });
  const shop = await connected(store);
  await until(shop, (body) => body.streams.some(({ state }) => state === "reading"));
  const [stream] = (await listStreams(env.DB, shop.key)).filter(({ state }) => state === "reading");
  if (!stream) throw new Error("no file is there");
  // As D1 says it, for everything that is written.
  const away = "D1_ERROR: D1 DB is overloaded. Requests queued for too long.";
  const DB = new Proxy(env.DB, {
    get(db, name) {
      if (name === "batch") return () => Promise.reject(new Error(away));
      const value: unknown = Reflect.get(db, name, db);
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
  const context = {
    env: { ...env, DB },
    shop: await getShopOrThrow(env.DB, shop.key),
    quietBefore: Date.now(),
    clock: Date.now,
    until: Date.now() + 10_000,
    careful: true,
  };
  await expect(importStream(context, stream)).rejects.toThrow(away);
  expect(
    await one('select sum(skipped) as skipped, sum("offset") as at from sync_streams where shop = ?', shop.key),
  ).toEqual({
    skipped: 0,
    at: 0,
  });
  await untilDone(shop);
  expect(await one("select count(*) as n from contacts where shop = ?", shop.key)).toEqual({ n: 5 });
});

it("tells a record that cannot be stored from a database that cannot store", () => {
  for (const own of [
    "D1_ERROR: UNIQUE constraint failed: a.b: SQLITE_CONSTRAINT",
    "string or blob too big: SQLITE_TOOBIG",
  ])
    expect(isItsOwn(new Error(own)), own).toBe(true);
  expect(isItsOwn(new TypeError("not a function"))).toBe(true);
  for (const other of [
    "D1_ERROR: Network connection lost.",
    "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
    "D1_ERROR: no such table: contacts: SQLITE_ERROR",
    "D1_ERROR: database or disk is full: SQLITE_FULL",
  ])
    expect(isItsOwn(new Error(other)), other).toBe(false);
});
