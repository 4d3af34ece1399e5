import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";

import { listContacts } from "../../src/contacts/list";
import type { ContactFilter } from "../../src/contacts/schemas";
import type { Ctx } from "../../src/context";
import { getShopOrThrow } from "../../src/shops";
import { type MintedShop, mintShop } from "../helpers/api";

let shop: MintedShop;
const SIZE = 3_000;

/** 3,000 contacts: every 500th in the stage `lost`, every 100th tagged, every 1,000th called Quintessa. */
beforeAll(async () => {
  shop = await mintShop();
  const neighbour = await mintShop();
  for (const key of [neighbour.key, shop.key]) await fill(key, `con_${key}_`);
}, 60_000);

async function fill(shopKey: number, prefix: string) {
  const rows = JSON.stringify(
    Array.from({ length: SIZE }, (_, i) => ({
      id: `${prefix}${i}`,
      email: `person${i}@mail.example`,
      first: i % 1000 === 7 ? "Quintessa" : "Ann",
      stage: i % 500 === 3 ? "lost" : "lead",
    })),
  );
  await env.DB.batch([
    env.DB.prepare(
      `insert into contacts (shop, id, email, first_name, source, verified, stage, created_at, updated_at)
       select ?1, value ->> 'id', value ->> 'email', value ->> 'first', 'Import', 1, value ->> 'stage', 1, 1 from json_each(?2)`,
    ).bind(shopKey, rows),
    env.DB.prepare(
      `insert into identities (shop, kind, value, contact, evidence, created_at)
       select shop, 'email', email, key, 'verified', 1 from contacts where shop = ?1`,
    ).bind(shopKey),
    env.DB.prepare(
      `insert into contact_tags (shop, tag, contact, label, origin, at)
       select shop, 'wholesale', key, 'Wholesale', 'crm', 1 from contacts where shop = ?1 and key % 100 = 0`,
    ).bind(shopKey),
    env.DB.prepare(`update contacts set deleted_at = key where shop = ?1 and key % 300 = 1`).bind(shopKey),
  ]);
}

/** Runs a list against a database that counts what the runtime says it read. */
async function counted(filter: ContactFilter, page: { limit: number; cursor?: string; deleted?: boolean }, of = shop) {
  let read = 0;
  const db = new Proxy(env.DB, {
    get: (target, name) =>
      name === "prepare"
        ? (text: string) => countReads(target.prepare(text), (rows) => (read += rows))
        : Reflect.get(target, name),
  });
  const ctx: Ctx = {
    env,
    db,
    now: Date.now(),
    shop: await getShopOrThrow(env.DB, of.key),
    actor: { kind: "operator" },
    requestId: "req_test",
    later: () => undefined,
  };
  const result = await listContacts(ctx, filter, { deleted: false, ...page });
  return { ...result, read };
}

function countReads(statement: D1PreparedStatement, add: (rows: number) => void): D1PreparedStatement {
  return new Proxy(statement, {
    get: (target, name) => {
      if (name === "bind") return (...values: unknown[]) => countReads(target.bind(...values), add);
      if (name === "all") {
        return async () => {
          const result = await target.all();
          add(result.meta.rows_read);
          return result;
        };
      }
      return Reflect.get(target, name);
    },
  });
}

test.each<[string, ContactFilter, boolean]>([
  ["all", {}, false],
  ["the trash", {}, true],
  ["a rare stage", { stage: "lost" }, false],
  ["a tag", { tag: "WHOLESALE" }, false],
  ["an e-mail address", { email: "person1234@mail.example" }, false],
  ["a rare word", { q: "quint" }, false],
  ["a common word", { q: "ann" }, false],
  ["a common and a rare word", { q: "example person2999" }, false],
])("a page of %s reads at most three rows per row returned, first and later pages", async (_, filter, deleted) => {
  let cursor: string | undefined;
  for (let pages = 0; pages < 3; pages++) {
    const page = await counted(filter, { limit: 50, deleted, ...(cursor ? { cursor } : {}) });
    expect(page.items.length).toBeGreaterThan(0);
    const tags = page.items.reduce((sum, item) => sum + item.tags.length, 0);
    expect(page.read).toBeLessThanOrEqual(3 * (page.items.length + 1 + tags));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
});

test("consents and tags cost no more than their own rows", async () => {
  const mine = await mintShop();
  for (let i = 0; i < 10; i++) {
    await mine.full.post("/v1/contacts", {
      phone: `+4930111111${10 + i}`,
      tags: ["a", "b"],
      consents: { email: { state: "pending" } },
    });
  }
  const { items, read } = await counted({}, { limit: 10 }, mine);
  expect(items).toHaveLength(10);
  expect(read).toBeLessThanOrEqual(10 * (1 + 2 + 3) + 11);
});

test("paging shows each contact once, the newest first, also when others are added and deleted meanwhile", async () => {
  const mine = await mintShop();
  const ids: string[] = [];
  for (let i = 0; i < 25; i++) ids.push((await mine.full.post("/v1/contacts", { email: `p${i}@b.example` })).body.id);
  const seen: string[] = [];
  let cursor = "";
  for (let page = 0; ; page++) {
    const { body } = await mine.full.get(`/v1/contacts?limit=4${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map((item: { id: string }) => item.id));
    if (body.nextCursor === null) break;
    cursor = body.nextCursor;
    await mine.full.post("/v1/contacts", { email: `late${page}@b.example` });
    if (page === 1) await mine.full.delete(`/v1/contacts/${seen[0]}`);
  }
  expect(seen).toEqual(ids.toReversed());
});

test("the trash pages by when contacts were put there", async () => {
  const first = await counted({}, { limit: 4, deleted: true });
  const second = await counted({}, { limit: 4, deleted: true, cursor: first.nextCursor ?? "" });
  const numbers = [...first.items, ...second.items].map(({ id }) => Number(id.split("_").at(-1)));
  expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
  expect(new Set(numbers).size).toBe(8);
});

test("words find beginnings in name, e-mail, phone and company, in any script, in this shop alone", async () => {
  const mine = await mintShop();
  const other = await mintShop();
  const { body } = await mine.full.post("/v1/contacts", {
    email: "zoe@wolle-laden.example",
    phone: "+49 170 1234567",
    firstName: "Zoë",
    lastName: "O'Müller",
    company: "Größte Wolle GmbH",
  });
  await other.full.post("/v1/contacts", { email: "zoe@wolle-laden.example", firstName: "Zoë" });
  const found = async (q: string) =>
    (await mine.full.get(`/v1/contacts?q=${encodeURIComponent(q)}`)).body.items.map((item: { id: string }) => item.id);
  for (const q of [
    "zo",
    "ZOE",
    "zoë mü",
    "mull zoe",
    "wolle-l",
    "zoe@wolle-laden.example",
    "+49 170 12",
    "größ",
    "o'm",
  ]) {
    expect([q, await found(q)]).toEqual([q, [body.id]]);
  }
  for (const q of [
    "oe",
    "zoe xavier",
    "!!!",
    '"',
    "*",
    "zoe AND",
    "NEAR(",
    "shop : 1",
    "a OR b",
    "' or 1=1 --",
    "\u0000",
  ]) {
    expect([q, await found(q)]).toEqual([q, []]);
  }
  await mine.full.patch(`/v1/contacts/${body.id}`, { firstName: "Renate" });
  expect(await found("renate")).toEqual([body.id]);
  expect(await found("zoe mull")).toEqual([body.id]);
  await mine.full.patch(`/v1/contacts/${body.id}`, { email: "r@b.example" });
  expect(await found("zoe")).toEqual([]);
});

test("filters add up", async () => {
  const tagged = await counted({ tag: "wholesale", stage: "lead", q: "ann" }, { limit: 250 });
  expect(tagged.items.length).toBeGreaterThan(20);
  expect(tagged.items.every(({ tags }) => tags.includes("Wholesale"))).toBe(true);
  expect((await counted({ email: "person5@mail.example", stage: "lost" }, { limit: 5 })).items).toEqual([]);
});
