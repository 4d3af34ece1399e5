import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { advanceRuns, exitReached } from "../../src/automations";
import { findShop } from "../../src/shops";
import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, SECOND, travel, useFakeClock } from "../helpers/clock";
import { seedCart, seedContact, seedOrder, seedVisitor } from "../helpers/seed";
import { wakeClock } from "../segments/membership";
import { live, logOf, rows, runsOf, settle, tagsOf } from "./world";

useFakeClock();

const MANUAL = [{ type: "manual" }];
const WAIT = { id: "wait", type: "wait", wait: { for: { n: 1, unit: "hour" } } };

async function enter(shop: MintedShop, automation: { id: string }, ...contacts: { id: string }[]) {
  const { body } = await shop.full.post(`/v1/automations/${automation.id}/runs`, {
    contactIds: contacts.map(({ id }) => id),
  });
  await settle(shop);
  return body;
}

const people = async (shop: MintedShop, n: number) => {
  await rows(
    `with recursive n(value) as (select 1 union all select value + 1 from n where value < ?3)
     insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
     select ?1, 'con_' || cast(?1 as integer) || '_' || value, 'API', 1, 'lead', ?2, ?2 from n`,
    shop.key,
    Date.now(),
    n,
  );
  return Array.from({ length: n }, (_, i) => ({ id: `con_${shop.key}_${i + 1}` }));
};

describe("outages and repetitions", () => {
  test("1,000 people wait, nothing runs for three hours, then the clock alone brings all on, none twice", async () => {
    const shop = await mintShop();
    const all = await people(shop, 1_000);
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [WAIT, { id: "points", type: "score", points: 1 }],
    });
    await enter(shop, automation, ...all);
    travel(4 * HOUR);
    await wakeClock(shop);
    await settle(shop);
    await wakeClock(shop);
    await settle(shop);
    const [sum] = await rows(
      "select count(*) as n, min(score) as low, max(score) as high from contacts where shop = ?",
      shop.key,
    );
    expect(sum).toEqual({ n: 1_000, low: 1, high: 1 });
    const [logs] = await rows(
      "select count(*) as n from run_steps where run in (select key from runs where shop = ?)",
      shop.key,
    );
    expect(logs).toEqual({ n: 2_000 });
  });

  test("two consumers at once, and a lease that a kill left behind: every step once", async () => {
    const shop = await mintShop();
    const all = await people(shop, 50);
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [WAIT, { id: "points", type: "score", points: 1 }],
    });
    await enter(shop, automation, ...all);
    travel(HOUR);
    const keys = (await rows<{ key: number }>("select key from runs where shop = ?", shop.key)).map(({ key }) => key);
    await rows("update runs set lease_until = ? where key = ?", Date.now() + MINUTE, keys[0] ?? 0);
    const both = await Promise.all([1, 2, 3].map(() => advanceRuns(env, shop.key, keys, Date.now())));
    expect(both.reduce((sum, { steps }) => sum + steps, 0)).toBe(2 * 49);
    travel(2 * MINUTE);
    await settle(shop);
    expect(await rows("select distinct score from contacts where shop = ?", shop.key)).toEqual([{ score: 1 }]);
  });

  test("a poison step is tried again and again, holds up nobody, ends in the list of failed runs and goes on with a retry", async () => {
    const shop = await mintShop();
    const [a, b] = [
      await seedContact(shop.key, { email: "a@x.example" }),
      await seedContact(shop.key, { email: "b@x.example" }),
    ];
    await shop.full.post("/v1/fields", { label: "Size", name: "size", type: "text" });
    const poison = await live(shop, {
      triggers: MANUAL,
      steps: [
        WAIT,
        { id: "if", type: "if", when: { all: [{ field: "fields.size", op: "not_set" }] } },
        { id: "tag", type: "add_tag", tag: "poison" },
      ],
    });
    const healthy = await live(shop, {
      triggers: MANUAL,
      steps: [WAIT, { id: "tag", type: "add_tag", tag: "healthy" }],
    });
    await enter(shop, poison, a);
    await enter(shop, healthy, b);
    const field = (await shop.full.get("/v1/fields")).body.items.find(({ name }: { name: string }) => name === "size");
    await shop.full.delete(`/v1/fields/${field.id}`);
    travel(HOUR);
    await settle(shop);
    expect(await tagsOf(shop, b)).toEqual(["healthy"]);
    for (let i = 0; i < 8; i++) {
      travel(40 * MINUTE);
      await settle(shop);
    }
    const failed = (await shop.full.get(`/v1/automations/${poison.id}/runs?state=failed`)).body.items;
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ step: "wait", attempts: 6, error: expect.stringContaining("no field") });
    const alerts = (await shop.full.get("/v1/alerts")).body.items.map(({ kind }: { kind: string }) => kind);
    expect(alerts).toContain("automation_failing");
    await rows("delete from jobs where shop = ?", shop.key);
    await shop.full.post("/v1/fields", { label: "Size", name: "size", type: "text" });
    expect((await shop.full.post(`/v1/automations/${poison.id}/runs/${failed[0].id}/retry`)).status).toBe(204);
    await settle(shop);
    expect(await tagsOf(shop, a)).toEqual(["poison"]);
    expect((await shop.full.post(`/v1/automations/${poison.id}/runs/${failed[0].id}/retry`)).status).toBe(409);
  });

  test("a loop that nobody foresaw ends at the step budget", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key);
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [
        { id: "points", type: "score", points: 1 },
        { id: "rest", type: "wait", wait: { for: { n: 1, unit: "minute" } } },
        { id: "again", type: "go_to", step: "points", most: 100 },
      ],
    });
    await enter(shop, automation, contact);
    await rows("update runs set visit = 998 where automation = ?", automation.key);
    for (let i = 0; i < 4; i++) {
      travel(MINUTE);
      await settle(shop);
    }
    const [run] = await runsOf(shop, automation);
    expect(run.run).toMatchObject({ state: "failed" });
  });
});

describe("people who change", () => {
  test("an anonymous visitor becomes a contact, contacts are merged, and the run goes along", async () => {
    const shop = await mintShop();
    const tracker = newVisitor();
    await send(shop.domain, tracker, [{ type: "page_viewed", url: "https://s.example/" }]);
    await objectOf(shop, tracker).flush();
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [WAIT, { id: "tag", type: "add_tag", tag: "there" }],
    });
    const entered = await shop.full.post(`/v1/automations/${automation.id}/runs`, { visitorIds: [tracker] });
    expect(entered.body).toEqual({ entered: 1, keptOut: 0, unknown: [] });
    await settle(shop);
    await send(shop.domain, tracker, [
      { type: "identified", url: "https://s.example/", data: { email: "a@x.example" } },
    ]);
    await objectOf(shop, tracker).flush();
    const contact = (await shop.full.get("/v1/contacts?email=a@x.example")).body.items[0];
    expect((await runsOf(shop, automation))[0]?.run.subject).toEqual({ kind: "contact", id: contact.id });
    const winner = await seedContact(shop.key, { email: "w@x.example" });
    expect((await shop.full.post(`/v1/contacts/${winner.id}/merge`, { from: contact.id })).status).toBeLessThan(300);
    travel(HOUR);
    await settle(shop);
    expect(await tagsOf(shop, winner)).toEqual(["there"]);
  });

  test("of the same automation's two runs one stays after a merge; a merge takes no tag away", async () => {
    const shop = await mintShop();
    const [a, b] = [
      await seedContact(shop.key, { email: "a@x.example" }),
      await seedContact(shop.key, { email: "b@x.example" }),
    ];
    const lost = await live(shop, {
      triggers: [{ type: "tag", tag: "x", change: "removed" }],
      steps: [{ id: "end", type: "exit" }],
    });
    await shop.full.patch(`/v1/contacts/${b.id}`, { tags: ["x"] });
    await shop.full.post(`/v1/contacts/${a.id}/merge`, { from: b.id });
    await settle(shop);
    expect(await runsOf(shop, lost)).toEqual([]);
    expect(await tagsOf(shop, a)).toEqual(["x"]);
  });

  test("erased and trashed: nothing of the run stays, nothing more happens", async () => {
    const shop = await mintShop();
    const [a, b] = [
      await seedContact(shop.key, { email: "a@x.example" }),
      await seedContact(shop.key, { email: "b@x.example" }),
    ];
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [{ id: "points", type: "score", points: 1 }, WAIT, { id: "tag", type: "add_tag", tag: "x" }],
    });
    await enter(shop, automation, a, b);
    const copy = (await shop.full.post(`/v1/contacts/${a.id}/export`)).body;
    expect([copy.automations[0].steps[0].step, copy.scoreChanges[0].points]).toEqual(["points", 1]);
    expect((await shop.full.post(`/v1/contacts/${a.id}/erase`)).status).toBeLessThan(300);
    await shop.full.delete(`/v1/contacts/${b.id}`);
    travel(HOUR);
    await settle(shop);
    const runs = await runsOf(shop, automation);
    expect(runs.map(({ run }) => [run.state, run.reason])).toEqual([["exited", "the person is gone"]]);
    expect(await rows("select * from score_history where contact = ?", a.key)).toEqual([]);
    expect(await rows("select * from run_steps where run not in (select key from runs)")).toEqual([]);
  });
});

describe("changes of an automation", () => {
  test("who is in it stays on their version; removing a step with people on it forces a choice", async () => {
    const shop = await mintShop();
    const all = await people(shop, 3);
    const definition = { triggers: MANUAL, steps: [WAIT, { id: "old", type: "add_tag", tag: "old" }] };
    const automation = await live(shop, definition);
    await enter(shop, automation, all[0] ?? { id: "" });
    const change = (steps: object[], more: object = {}) =>
      shop.full.patch(`/v1/automations/${automation.id}`, { definition: { triggers: MANUAL, steps }, ...more });
    expect((await change([WAIT, { id: "new", type: "add_tag", tag: "new" }])).body.version).toBe(2);
    await enter(shop, automation, all[1] ?? { id: "" });
    const refused = await change([{ id: "new", type: "add_tag", tag: "newer" }]);
    expect([refused.status, refused.body.errors]).toEqual([
      409,
      [{ pointer: "/definition/steps", detail: "2 at wait" }],
    ]);
    expect(
      (await change([{ id: "new", type: "add_tag", tag: "newer" }], { onRemovedSteps: "stay" })).body.version,
    ).toBe(3);
    const versions = (await shop.full.get(`/v1/automations/${automation.id}/versions`)).body.items;
    expect(versions.map(({ version, people: n }: { version: number; people: number }) => [version, n])).toEqual([
      [3, 0],
      [2, 1],
      [1, 1],
    ]);
    const counts = (await shop.full.get(`/v1/automations/${automation.id}/steps`)).body.items;
    expect(counts).toEqual([
      { step: "wait", version: 2, here: 1, failed: 0 },
      { step: "wait", version: 1, here: 1, failed: 0 },
    ]);
    travel(HOUR);
    await settle(shop);
    const tags = await rows<{ label: string }>(
      "select label from contact_tags where shop = ? order by contact",
      shop.key,
    );
    expect(tags.map(({ label }) => label)).toEqual(["old", "new"]);
  });

  test("a removed step: people leave, or go on at another", async () => {
    const shop = await mintShop();
    const [a, b] = await people(shop, 2);
    const one = await live(shop, { triggers: MANUAL, steps: [WAIT] });
    const two = await live(shop, { triggers: MANUAL, steps: [WAIT] });
    await enter(shop, one, a ?? { id: "" });
    await enter(shop, two, b ?? { id: "" });
    const definition = { triggers: MANUAL, steps: [{ id: "tag", type: "add_tag", tag: "moved" }] };
    await shop.full.patch(`/v1/automations/${one.id}`, { definition, onRemovedSteps: "exit" });
    await shop.full.patch(`/v1/automations/${two.id}`, { definition, onRemovedSteps: { moveTo: "tag" } });
    await settle(shop);
    expect(await logOf(shop, one)).toEqual(["wait exited"]);
    expect(await logOf(shop, two)).toEqual(["wait moved", "tag done"]);
  });

  test("paused nobody moves or enters, resumed all go on; drained nobody enters; stopped everybody leaves", async () => {
    const shop = await mintShop();
    const [a, b] = [await seedContact(shop.key), await seedContact(shop.key)];
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [WAIT, { id: "tag", type: "add_tag", tag: "x" }, { ...WAIT, id: "more" }],
    });
    const act = async (action: string) =>
      (await shop.full.post(`/v1/automations/${automation.id}/activation`, { action })).status;
    await enter(shop, automation, a);
    expect([await act("pause"), await act("pause")]).toEqual([200, 409]);
    travel(2 * HOUR);
    await settle(shop);
    expect(await tagsOf(shop, a)).toEqual([]);
    expect((await enter(shop, automation, b)).status).toBe(409);
    expect(await act("resume")).toBe(200);
    await settle(shop);
    expect(await tagsOf(shop, a)).toEqual(["x"]);
    expect(await act("drain")).toBe(200);
    expect((await enter(shop, automation, b)).status).toBe(409);
    expect(await act("stop")).toBe(200);
    expect((await runsOf(shop, automation))[0]?.run).toMatchObject({
      state: "exited",
      reason: "the automation was stopped",
    });
  });
});

describe("just before a message goes out", () => {
  test("an order that D1 holds stops it, whether or not anybody has acted on it; so does its cart, a condition, its end", async () => {
    const shop = await mintShop();
    const row = await findShop(env.DB, shop.key);
    if (!row) throw new Error("no shop");
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    const begin = async (more: object, run: object = {}) => {
      const automation = await live(shop, { triggers: MANUAL, steps: [WAIT], ...more });
      await enter(shop, automation, contact);
      const [made] = await rows<{ key: number }>("select key from runs where automation = ?", automation.key);
      await rows("update runs set data = ? where key = ?", JSON.stringify({ event: "manual", ...run }), made?.key ?? 0);
      return made?.key ?? 0;
    };
    const ask = (run: number) => exitReached(env, row, run, Date.now());
    const order = await begin({ exits: [{ on: { type: "made_purchase" } }] });
    const plain = await begin({});
    const condition = await begin({ exits: [{ when: { all: [{ field: "tags", op: "has_any", value: ["x"] }] } }] });
    const cart = await begin({ triggers: [{ type: "abandoned_cart" }, { type: "manual" }] }, { cart: "c1" });
    await seedCart(shop.key, { contact: contact.key, token: "c1", state: "abandoned" });
    expect(await Promise.all([order, plain, condition, cart].map(ask))).toEqual([null, null, null, null]);
    travel(SECOND);
    await seedOrder(shop.key, { contact: contact.key });
    await rows("update carts set state = 'recovered' where token = 'c1' and shop = ?", shop.key);
    await rows(
      "insert into contact_tags (shop, tag, contact, label, origin, at) values (?, 'x', ?, 'x', 'crm', 0)",
      shop.key,
      contact.key,
    );
    expect(await Promise.all([order, plain, condition, cart].map(ask))).toEqual([
      "an order was placed",
      null,
      "an exit condition is met",
      "the cart is recovered",
    ]);
    await rows("update runs set state = 'exited', reason = 'why', ended_at = 1 where key = ?", plain);
    expect(await ask(plain)).toBe("why");
    expect((await seedVisitor(shop.key)).key + DAY).toBeGreaterThan(0);
  });
});
