import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { api, type MintedShop, mintShop } from "../helpers/api";
import { MINUTE, travel, useFakeClock } from "../helpers/clock";
import { Random } from "../helpers/random";
import { deliverWebhook } from "../helpers/webhook";
import { customer } from "../shopify/bodies";

useFakeClock();

interface Tag {
  id: string;
  label: string;
  contacts: number;
}

const list = async (shop: MintedShop, query = ""): Promise<Tag[]> =>
  (await shop.full.get(`/v1/tags${query}`)).body.items;
const counts = async (shop: MintedShop) =>
  Object.fromEntries((await list(shop)).map((tag) => [tag.label, tag.contacts]));

async function tagNamed(shop: MintedShop, label: string): Promise<Tag> {
  const found = (await list(shop)).find((tag) => tag.label === label);
  if (!found) throw new Error(`no tag ${label}`);
  return found;
}

async function contactWith(shop: MintedShop, email: string, tags: string[]): Promise<string> {
  const made = await shop.full.post("/v1/contacts", { email, tags });
  expect(made.status).toBe(201);
  return made.body.id;
}

const tagsOf = async (shop: MintedShop, id: string): Promise<string[]> =>
  (await shop.full.get(`/v1/contacts/${id}`)).body.tags;

const iso = (at: number) => new Date(at).toISOString();

/** Shopify's word on all tags of its customer 7101, as old versions and the sync tell it. */
async function shopifySays(shop: MintedShop, tags: string): Promise<void> {
  travel(1_000);
  await deliverWebhook(shop.domain, "customers/update", customer({ tags, updated_at: iso(Date.now()) }));
}

async function shopifyChanges(shop: MintedShop, change: "added" | "removed", tags: string[]): Promise<void> {
  travel(1_000);
  const body = { customerId: "gid://shopify/Customer/7101", tags, occurredAt: iso(Date.now()) };
  await deliverWebhook(shop.domain, `customer.tags_${change}`, body);
}

/** What the counts have to be, worked out from the contacts themselves. */
async function recounted(shop: MintedShop): Promise<Record<string, number>> {
  const { results } = await env.DB.prepare(
    `select g.label, (select count(*) from contact_tags t join contacts c on c.key = t.contact
       where t.shop = g.shop and t.tag = g.tag and t.removed = 0 and c.deleted_at is null) as n from tags g where g.shop = ?`,
  )
    .bind(shop.key)
    .all<{ label: string; n: number }>();
  return Object.fromEntries(results.map(({ label, n }) => [label, n]));
}

describe("E13: the tags of a shop", () => {
  test("E13: in alphabetical order with counts, found by a part of the label, in pages", async () => {
    const shop = await mintShop();
    const gone = await contactWith(shop, "a@b.example", ["VIP", "Wholesale"]);
    await contactWith(shop, "b@b.example", ["vip", "Äpfel"]);
    expect((await list(shop)).map(({ label, contacts }) => [label, contacts])).toEqual([
      ["VIP", 2],
      ["Wholesale", 1],
      ["Äpfel", 1],
    ]);
    expect(await list(shop, "?q=HOLE")).toMatchObject([{ label: "Wholesale" }]);
    expect(await list(shop, `?q=${encodeURIComponent("ÄPF")}`)).toMatchObject([{ label: "Äpfel" }]);
    const page = (await shop.full.get("/v1/tags?limit=2")).body;
    expect((await shop.full.get(`/v1/tags?limit=2&cursor=${page.nextCursor}`)).body).toMatchObject({
      items: [{ label: "Äpfel" }],
      nextCursor: null,
    });
    await shop.full.delete(`/v1/contacts/${gone}`);
    expect(await counts(shop)).toEqual({ VIP: 1, Wholesale: 0, Äpfel: 1 });
    await shop.full.post(`/v1/contacts/${gone}/restore`);
    expect(await counts(shop)).toEqual({ VIP: 2, Wholesale: 1, Äpfel: 1 });
    // A tag that nobody else has could name the person.
    await shop.full.post(`/v1/contacts/${gone}/erase`);
    expect(await counts(shop)).toEqual({ VIP: 1, Äpfel: 1 });
  });

  test("E13: counts stay right through every way that tags come and go", async () => {
    const shop = await mintShop();
    const random = new Random(11);
    const contacts: string[] = [];
    for (let i = 0; i < 6; i++) contacts.push(await contactWith(shop, `p${i}@b.example`, ["a"]));
    const label = () => random.pick(["a", "b", "c", "d", "e"]);
    for (let step = 0; step < 60; step++) {
      const id = random.pick(["", ...contacts]);
      const path = `/v1/contacts/${id || contacts[0]}`;
      const verb = random.int(0, 8);
      if (verb === 0) await shop.full.post(`${path}/tags`, { tags: [label(), label()] });
      else if (verb === 1) await shop.full.request("DELETE", `${path}/tags`, { tags: [label()] });
      else if (verb === 2) await shop.full.patch(path, { tags: [label()] });
      else if (verb === 3) await shop.full.delete(path);
      else if (verb === 4) await shop.full.post(`${path}/restore`);
      else if (verb === 5) await shopifyChanges(shop, random.pick(["added", "removed"]), [label()]);
      else if (verb === 6) await shopifySays(shop, [label(), label()].join(","));
      else if (verb === 7) {
        const action = { type: random.pick(["add_tag", "remove_tag"]), tag: label() };
        await shop.full.post("/v1/contacts/bulk", { filter: { all: true }, action });
      } else if (step > 30 && contacts.length > 3) {
        await shop.full.post(`/v1/contacts/${contacts[0]}/merge`, { from: contacts.pop() });
      }
      expect({ step, verb, ...(await counts(shop)) }).toEqual({ step, verb, ...(await recounted(shop)) });
    }
  }, 60_000);

  test("E13: a tag is added, once", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/tags", { label: " Summer sale " });
    expect(made).toMatchObject({ status: 201, body: { label: "Summer sale", contacts: 0 } });
    expect((await shop.full.post("/v1/tags", { label: "SUMMER SALE" })).status).toBe(409);
    expect((await shop.full.get(`/v1/tags/${made.body.id}`)).body).toEqual(made.body);
    for (const label of ["", " ", "x".repeat(256), 5])
      expect((await shop.full.post("/v1/tags", { label })).status).toBe(400);
  });

  test("E13: renamed, it is renamed on every contact, keeps its id, and is not taken from another", async () => {
    const shop = await mintShop();
    const id = await contactWith(shop, "a@b.example", ["old", "other"]);
    const tag = await tagNamed(shop, "old");
    expect((await shop.full.patch(`/v1/tags/${tag.id}`, { label: "OTHER" })).status).toBe(409);
    const renamed = await shop.full.patch(`/v1/tags/${tag.id}`, { label: "New" });
    expect(renamed).toMatchObject({ status: 200, body: { id: tag.id, label: "New", contacts: 1, jobId: null } });
    expect(await tagsOf(shop, id)).toEqual(["New", "other"]);
    const spelt = await shop.full.patch(`/v1/tags/${tag.id}`, { label: "NEW" });
    expect(spelt.body).toMatchObject({ id: tag.id, label: "NEW", contacts: 1 });
    expect(await tagsOf(shop, id)).toEqual(["NEW", "other"]);
    expect((await shop.full.get("/v1/contacts?tag=new")).body.items).toHaveLength(1);
    expect((await shop.full.get("/v1/contacts?tag=old")).body.items).toHaveLength(0);
  });

  test("E13: merged, both are one: nobody carries it twice, and the CRM's own stays the CRM's", async () => {
    const shop = await mintShop();
    const both = await contactWith(shop, "a@b.example", ["vip", "very important"]);
    const one = await contactWith(shop, "b@b.example", ["very important"]);
    const [from, into] = [await tagNamed(shop, "very important"), await tagNamed(shop, "vip")];
    const merged = await shop.full.post(`/v1/tags/${from.id}/merge`, { into: into.id });
    expect(merged).toMatchObject({ status: 200, body: { id: into.id, label: "vip", contacts: 2, jobId: null } });
    expect(await tagsOf(shop, both)).toEqual(["vip"]);
    expect(await tagsOf(shop, one)).toEqual(["vip"]);
    expect((await shop.full.get(`/v1/tags/${from.id}`)).status).toBe(404);
    expect((await shop.full.post(`/v1/tags/${into.id}/merge`, { into: into.id })).status).toBe(400);
    expect((await shop.full.post(`/v1/tags/${into.id}/merge`, { into: "tag_none" })).status).toBe(404);
    const log = await env.DB.prepare("select action from audit_log where shop = ? and action like 'tag.%'")
      .bind(shop.key)
      .all();
    expect(log.results).toEqual([{ action: "tag.merged" }]);
  });

  test("E13: deleted, no contact carries it", async () => {
    const shop = await mintShop();
    const id = await contactWith(shop, "a@b.example", ["old", "kept"]);
    const tag = await tagNamed(shop, "old");
    expect((await shop.full.delete(`/v1/tags/${tag.id}`)).status).toBe(204);
    expect(await tagsOf(shop, id)).toEqual(["kept"]);
    expect(await counts(shop)).toEqual({ kept: 1 });
  });

  test("E13: a large tag changes in bounded pieces, by a job that goes on by itself; a second change waits", async () => {
    const shop = await mintShop();
    await env.DB.batch([
      env.DB.prepare(
        `with recursive n(i) as (select 1 union all select i + 1 from n where i < 5600)
         insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
         select ?1, 'con_tagged_' || ?1 || '_' || i, 'Import', 1, 'lead', 1, 1 from n`,
      ).bind(shop.key),
      env.DB.prepare(
        `insert into contact_tags (shop, tag, contact, label, origin, at)
         select shop, 'big', key, 'Big', 'crm', 1763800000000 from contacts where shop = ?`,
      ).bind(shop.key),
    ]);
    const tag = await tagNamed(shop, "Big");
    expect(tag.contacts).toBe(5600);
    const begun = await shop.full.patch(`/v1/tags/${tag.id}`, { label: "Bigger" });
    expect(begun).toMatchObject({ status: 202, body: { id: tag.id, label: "Bigger", contacts: 5000 } });
    expect((await shop.full.delete(`/v1/tags/${tag.id}`)).status).toBe(409);
    expect((await shop.full.post("/v1/tags", { label: "big" })).status).toBe(409);
    await continueLongJobs(env, Date.now() + MINUTE);
    expect(await list(shop)).toMatchObject([{ id: tag.id, label: "Bigger", contacts: 5600 }]);
    expect((await shop.full.get(`/v1/jobs/${begun.body.jobId}`)).body).toMatchObject({
      kind: "tags.change",
      state: "done",
      progress: 5600,
    });
    expect((await shop.full.delete(`/v1/tags/${tag.id}`)).status).toBe(202);
    await continueLongJobs(env, Date.now() + 2 * MINUTE);
    expect(await list(shop)).toEqual([]);
  }, 60_000);
});

describe("E13: tags that the store goes on sending", () => {
  test("E13: added and removed in Shopify they mirror; the CRM's own survive every sync", async () => {
    const shop = await mintShop();
    await shopifySays(shop, "vip, early");
    const { id } = (await shop.full.get("/v1/contacts")).body.items[0];
    await shop.full.post(`/v1/contacts/${id}/tags`, { tags: ["ours"] });
    await shopifyChanges(shop, "added", ["late"]);
    expect(await tagsOf(shop, id)).toEqual(["early", "late", "ours", "vip"]);
    await shopifyChanges(shop, "removed", ["vip"]);
    expect(await tagsOf(shop, id)).toEqual(["early", "late", "ours"]);
    await shopifySays(shop, "early");
    expect(await tagsOf(shop, id)).toEqual(["early", "ours"]);
    await shopifySays(shop, "");
    expect(await tagsOf(shop, id)).toEqual(["ours"]);
    expect(await counts(shop)).toEqual({ vip: 0, early: 0, late: 0, ours: 1 });
  });

  test("E13: one that was renamed here comes in under its new name, and goes when Shopify removes it", async () => {
    const shop = await mintShop();
    await shopifySays(shop, "vip");
    const { id } = (await shop.full.get("/v1/contacts")).body.items[0];
    await shop.full.patch(`/v1/tags/${(await tagNamed(shop, "vip")).id}`, { label: "Stammkunde" });
    await shopifySays(shop, "vip, early");
    expect(await tagsOf(shop, id)).toEqual(["early", "Stammkunde"]);
    await shop.full.patch(`/v1/tags/${(await tagNamed(shop, "Stammkunde")).id}`, { label: "Gold" });
    await shopifySays(shop, "vip");
    expect(await tagsOf(shop, id)).toEqual(["Gold"]);
    await shopifyChanges(shop, "removed", ["vip"]);
    expect(await tagsOf(shop, id)).toEqual([]);
    await shopifyChanges(shop, "added", ["vip"]);
    expect(await tagsOf(shop, id)).toEqual(["Gold"]);
    await shop.full.patch(`/v1/tags/${(await tagNamed(shop, "Gold")).id}`, { label: "VIP" });
    await shopifySays(shop, "vip, more");
    expect(await tagsOf(shop, id)).toEqual(["more", "VIP"]);
    expect(await counts(shop)).toEqual({ VIP: 1, early: 0, more: 1 });
  });

  test("E13: one that was merged here stays merged; deleted, it stays away until it is added again", async () => {
    const shop = await mintShop();
    await shopifySays(shop, "a, b, c");
    const { id } = (await shop.full.get("/v1/contacts")).body.items[0];
    const [a, b, c] = [await tagNamed(shop, "a"), await tagNamed(shop, "b"), await tagNamed(shop, "c")];
    await shop.full.post(`/v1/tags/${a.id}/merge`, { into: b.id });
    await shop.full.delete(`/v1/tags/${c.id}`);
    await shopifySays(shop, "a, c");
    expect(await tagsOf(shop, id)).toEqual(["b"]);
    await shopifyChanges(shop, "added", ["c"]);
    expect(await tagsOf(shop, id)).toEqual(["b"]);
    await shop.full.delete(`/v1/tags/${b.id}`);
    await shopifySays(shop, "a, b, c, d");
    expect(await tagsOf(shop, id)).toEqual(["d"]);
    await shop.full.post("/v1/tags", { label: "c" });
    await shopifySays(shop, "a, b, c");
    expect(await tagsOf(shop, id)).toEqual(["c"]);
  });
});

test("nobody without the right sees or changes tags: no key, the wrong scope, another shop", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  const { id } = (await shop.full.post("/v1/tags", { label: "ours" })).body;
  const theirs = (await other.full.post("/v1/tags", { label: "theirs" })).body;
  const requests: [string, string, unknown, number][] = [
    ["GET", "/v1/tags", undefined, 200],
    ["POST", "/v1/tags", { label: "X" }, 201],
    ["GET", `/v1/tags/${id}`, undefined, 404],
    ["PATCH", `/v1/tags/${id}`, { label: "Stolen" }, 404],
    ["POST", `/v1/tags/${id}/merge`, { into: theirs.id }, 404],
    ["POST", `/v1/tags/${theirs.id}/merge`, { into: id }, 404],
    ["DELETE", `/v1/tags/${id}`, undefined, 404],
  ];
  for (const [method, path, body, elsewhere] of requests) {
    const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
    expect([path, (await api(null).request(method, path, body)).status]).toEqual([path, 401]);
    expect([path, (await wrong.request(method, path, body)).status]).toEqual([path, 403]);
    expect([path, (await other.full.request(method, path, body)).status]).toEqual([path, elsewhere]);
  }
  expect(await list(shop)).toMatchObject([{ id, label: "ours" }]);
});
