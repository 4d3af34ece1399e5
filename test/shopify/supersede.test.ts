import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { handleInboxRows } from "../../src/shopify";
import { mapBody, type MapContext } from "../../src/shopify/map";
import { supersedes } from "../../src/shopify/supersede";
import { customer, iso } from "./bodies";
import { all, newShop, NOW, quiet, receive } from "./deliver";

const context: MapContext = {
  currency: "EUR",
  domain: "lamps.myshopify.com",
  keepQueryParams: [],
  triggeredAt: NOW,
  receivedAt: NOW,
};

/** A body as a change; `at` seconds later than the first. */
function change(topic: string, body: Record<string, unknown>, at = 0) {
  const mapped = mapBody(topic, JSON.stringify(body), { ...context, triggeredAt: NOW + at * 1000 });
  if (!mapped) throw new Error(`no rule for ${topic}`);
  return mapped;
}

const update = (more: Record<string, unknown>, at: number) =>
  change("customers/update", customer({ updated_at: iso(NOW + at * 1000), ...more }), at);

const newest = update({}, 10);

it.each([
  ["an older body of the same customer", update({ first_name: "Mia" }, 5), true],
  ["an older body with a key less", update({ last_name: undefined }, 5), true],
  ["a younger body", update({}, 11), false],
  ["one of the very same moment", update({ first_name: "Other" }, 10), false],
  ["another customer", update({ id: 1, email: "b@c.example" }, 5), false],
  [
    "one with another e-mail address, which goes on leading there",
    update({ email: "former@nordlicht.example" }, 5),
    false,
  ],
  ["one with a phone number of its own", update({ phone: "+49 171 5550001" }, 5), false],
  ["one with tags, of a version that has them", update({ tags: "VIP" }, 5), false],
  [
    "one with a consent",
    update(
      { email_marketing_consent: { state: "subscribed", opt_in_level: "single_opt_in", consent_updated_at: iso(NOW) } },
      5,
    ),
    false,
  ],
  ["a product", change("products/update", { id: 7_101, title: "Lamp", updated_at: iso(NOW) }), false],
])("a newer body of a customer makes needless: %s: %#", (_, older, wanted) => {
  expect(supersedes(newest, older)).toBe(wanted);
});

it("a key that only the older body has keeps it", () => {
  expect(supersedes(update({ last_name: undefined }, 10), update({}, 5))).toBe(false);
});

it("an older body of a product is needless unless it tells more", () => {
  const product = (more: Record<string, unknown>, at: number) =>
    change("products/update", { id: 1, title: "Lamp", vendor: "Glow", updated_at: iso(NOW + at * 1000), ...more }, at);
  expect(supersedes(product({}, 2), product({ title: "Old" }, 1))).toBe(true);
  expect(supersedes(product({ vendor: undefined }, 2), product({}, 1))).toBe(false);
});

it("a storm is one batch of writes: the newest is handled, the others are stale, and one that does not fit is dead", async () => {
  const shop = await newShop();
  for (let i = 0; i < 20; i++) {
    const at = NOW - 60_000 + ((i * 7) % 20) * 1_000;
    await receive(shop, {
      topic: "customers/update",
      body: customer({ updated_at: iso(at), first_name: `Storm ${(i * 7) % 20}` }),
      triggeredAt: at + 500,
    });
  }
  await receive(shop, { topic: "customers/update", body: { id: "nobody", updated_at: 7 } });
  const rows = await all<{ key: number }>("select key from webhook_inbox where shop = ? order by key", shop.key);
  await handleInboxRows(
    quiet,
    shop.key,
    rows.map(({ key }) => key),
    () => NOW,
  );
  expect(
    await all("select state, count(*) as n from webhook_inbox where shop = ? group by 1 order by 1", shop.key),
  ).toEqual([
    { state: "dead", n: 1 },
    { state: "handled", n: 1 },
    { state: "stale", n: 19 },
  ]);
  expect(await all("select first_name from contacts where shop = ?", shop.key)).toEqual([{ first_name: "Storm 19" }]);
  expect(await env.DB.prepare("select revision from contacts where shop = ?").bind(shop.key).first("revision")).toBe(0);
});

it("while the newest of a storm cannot be handled, those before it wait with it and are not lost", async () => {
  const shop = await newShop();
  for (const i of [1, 2]) {
    await receive(shop, {
      topic: "customers/update",
      body: customer({ updated_at: iso(NOW - i * 1_000), first_name: `Storm ${i}` }),
      triggeredAt: NOW - i * 1_000,
    });
  }
  const keys = (await all<{ key: number }>("select key from webhook_inbox where shop = ? order by key", shop.key)).map(
    ({ key }) => key,
  );
  await env.DB.exec("create trigger refuses before insert on contacts begin select raise(abort, 'refused'); end");
  await handleInboxRows(quiet, shop.key, keys, () => NOW);
  expect(await all("select state from webhook_inbox where shop = ?", shop.key)).toEqual([
    { state: "pending" },
    { state: "pending" },
  ]);
  await env.DB.exec("drop trigger refuses");
  await handleInboxRows(quiet, shop.key, keys, () => NOW);
  expect(await all("select state from webhook_inbox where shop = ? order by key", shop.key)).toEqual([
    { state: "handled" },
    { state: "stale" },
  ]);
});

it("deliveries about different people are handled in few round trips, and one that is refused holds up no other", async () => {
  const shop = await newShop();
  const PEOPLE = 20;
  for (let i = 0; i < PEOPLE; i++) {
    await receive(shop, {
      topic: "customers/create",
      body: customer({ id: 9_000 + i, email: `one${i}@post.example`, phone: null }),
    });
  }
  const keys = (await all<{ key: number }>("select key from webhook_inbox where shop = ? order by key", shop.key)).map(
    ({ key }) => key,
  );
  await env.DB.exec(
    "create trigger refuses before insert on contacts when new.email = 'one7@post.example' begin select raise(abort, 'refused'); end",
  );
  await handleInboxRows(quiet, shop.key, keys, () => NOW);
  await env.DB.exec("drop trigger refuses");
  const waiting = await all("select key, attempts from webhook_inbox where shop = ? and state = 'pending'", shop.key);
  expect(waiting).toEqual([{ key: keys[7], attempts: 1 }]);
  expect(await all("select count(*) as n from contacts where shop = ?", shop.key)).toEqual([{ n: PEOPLE - 1 }]);

  let trips = 0;
  const counting: Env = {
    ...quiet,
    DB: new Proxy(env.DB, {
      get(target, property) {
        if (property === "batch") trips++;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  };
  const second = await newShop();
  for (let i = 0; i < PEOPLE; i++) {
    await receive(second, {
      topic: "customers/create",
      body: customer({ id: 9_000 + i, email: `one${i}@post.example`, phone: null }),
    });
  }
  const next = await all<{ key: number }>("select key from webhook_inbox where shop = ? order by key", second.key);
  await handleInboxRows(
    counting,
    second.key,
    next.map(({ key }) => key),
    () => NOW,
  );
  expect(await all("select count(*) as n from contacts where shop = ?", second.key)).toEqual([{ n: PEOPLE }]);
  expect(await all("select distinct state from webhook_inbox where shop = ?", second.key)).toEqual([
    { state: "handled" },
  ]);
  // What is read, and what is written.
  expect(trips).toBeLessThanOrEqual(4);
});
