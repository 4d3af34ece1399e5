import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { type MintedShop, mintShop } from "../helpers/api";
import { MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { seedContact, seedVisitor } from "../helpers/seed";
import { addSegment, catchUp, membersOf, rows } from "../segments/membership";

useFakeClock();

async function newList(shop: MintedShop, more: Record<string, unknown> = {}): Promise<string> {
  const made = await shop.full.post("/v1/lists", { name: "List", ...more });
  expect(made.status).toBe(201);
  return made.body.id;
}

const onList = async (shop: MintedShop, list: string, query = "") => {
  const { body } = await shop.full.get(`/v1/lists/${list}/members${query}`);
  return body.items.map(({ kind, id }: { kind: string; id: string }) => `${kind} ${id}`);
};

describe("static lists", () => {
  test("by ids, contacts and visitors, added once and taken off; pages; the profile shows them", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    const visitor = await seedVisitor(shop.key);
    const list = await newList(shop);
    const add = { action: "add", contactIds: [contact.id], visitorIds: [visitor.tracker] };
    expect((await shop.full.post(`/v1/lists/${list}/members`, add)).body).toMatchObject({
      state: "done",
      changed: 2,
      size: 2,
    });
    expect((await shop.full.post(`/v1/lists/${list}/members`, add)).body).toMatchObject({ changed: 0, size: 2 });
    expect(await onList(shop, list)).toEqual([`contact ${contact.id}`, `visitor ${visitor.tracker}`]);
    const page = (await shop.full.get(`/v1/lists/${list}/members?limit=1`)).body;
    expect(await onList(shop, list, `?limit=1&cursor=${page.nextCursor}`)).toEqual([`visitor ${visitor.tracker}`]);
    const profile = (await shop.full.get(`/v1/contacts/${contact.id}?include=lists,segments`)).body;
    expect(profile.lists).toEqual([{ id: list, name: "List", since: new Date(T0).toISOString() }]);
    expect(profile.segments).toEqual([]);
    const off = { action: "remove", contactIds: [contact.id] };
    expect((await shop.full.post(`/v1/lists/${list}/members`, off)).body).toMatchObject({ changed: 1, size: 1 });
    const nobody = await shop.full.post(`/v1/lists/${list}/members`, { action: "add", contactIds: ["con_x"] });
    expect([nobody.status, nobody.body.errors[0].pointer]).toEqual([422, "/contactIds/0"]);
  });

  test("everybody of a filter, more than one run can take: it goes on after a kill and ends exact", async () => {
    const shop = await mintShop();
    await env.DB.prepare(
      `with recursive n(value) as (select 1 union all select value + 1 from n where value < 12000)
       insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
       select ?1, 'con_' || ?1 || '_' || value, 'API', 1, 'lead', ?2, ?2 from n`,
    )
      .bind(shop.key, T0)
      .run();
    const list = await newList(shop);
    const started = await shop.full.post(`/v1/lists/${list}/members`, { action: "add", filter: { all: true } });
    expect([started.status, started.body.state, started.body.size]).toEqual([202, "running", 10_000]);
    travel(MINUTE);
    await continueLongJobs(env, Date.now(), shop.key);
    expect((await shop.full.get(`/v1/lists/${list}`)).body.size).toBe(12_000);
    expect((await shop.full.get(`/v1/jobs/${started.body.jobId}`)).body.state).toBe("done");
    const [row] = await rows<{ key: number }>("select key from lists where id = ?", list);
    await shop.full.delete(`/v1/lists/${list}`);
    for (let i = 0; i < 3; i++) {
      travel(MINUTE);
      await continueLongJobs(env, Date.now(), shop.key);
    }
    expect(await rows("select * from list_members where list = ? limit 1", row?.key ?? 0)).toEqual([]);
    expect(await rows("select * from lists where id = ?", list)).toEqual([]);
  });

  test("a snapshot of a segment stays as it was; a segment about a list follows it", async () => {
    const shop = await mintShop();
    const contact = (await shop.full.post("/v1/contacts", { email: "b@x.example", tags: ["a"] })).body.id;
    const tagged = await addSegment(shop, { all: [{ field: "tags", op: "has_any", value: ["a"] }] });
    const list = await newList(shop, { segment: tagged.id });
    const about = await addSegment(shop, { all: [{ in: { list } }] });
    expect(await membersOf(shop, about)).toEqual([contact]);
    await shop.full.patch(`/v1/contacts/${contact}`, { tags: [] });
    await catchUp(shop);
    expect(await membersOf(shop, tagged)).toEqual([]);
    expect(await onList(shop, list)).toEqual([`contact ${contact}`]);
    expect((await shop.full.delete(`/v1/lists/${list}`)).status).toBe(409);
    await shop.full.post(`/v1/lists/${list}/members`, { action: "remove", contactIds: [contact] });
    await catchUp(shop);
    expect(await membersOf(shop, about)).toEqual([]);
  });
});
