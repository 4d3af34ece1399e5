import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { addCustomerStage } from "../../src/lifecycle";
import { placed } from "../../src/lifecycle/change";
import { api, type MintedShop, mintShop } from "../helpers/api";
import { DAY, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { customer, order } from "../shopify/bodies";

useFakeClock();

const FIRST = ["subscriber", "lead", "qualified", "opportunity"];

interface Stage {
  name: string;
  label: string;
  position: number;
  system: boolean;
  contacts: number;
  statuses: Record<string, number> | null;
}

const ladder = async (shop: MintedShop): Promise<Stage[]> => (await shop.full.get("/v1/lifecycle-stages")).body.items;
const names = async (shop: MintedShop) => (await ladder(shop)).map(({ name }) => name);
const counts = async (shop: MintedShop) => Object.fromEntries((await ladder(shop)).map((s) => [s.name, s.contacts]));

/** As a connection leaves the shop. */
async function connect(shop: MintedShop): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("update shops set connected_at = ? where key = ?").bind(Date.now(), shop.key),
    ...addCustomerStage(env.DB, shop.key, Date.now()),
  ]);
}

async function contactAt(shop: MintedShop, email: string, stage: string): Promise<string> {
  const made = await shop.full.post("/v1/contacts", { email, lifecycle: { stage } });
  expect(made.status).toBe(201);
  return made.body.id;
}

const iso = (at: number) => new Date(at).toISOString();

describe("the stage of customers", () => {
  test("C16: it is there after connecting, once, and cannot be deleted while connected", async () => {
    const shop = await mintShop();
    expect(await names(shop)).toEqual(FIRST);
    await connect(shop);
    await connect(shop);
    expect(await names(shop)).toEqual([...FIRST, "customer"]);
    expect((await ladder(shop)).at(-1)).toMatchObject({ label: "Customer", system: true, contacts: 0 });
    expect((await shop.full.delete("/v1/lifecycle-stages/customer?moveTo=lead")).status).toBe(409);
    await env.DB.prepare("update shops set connected_at = null where key = ?").bind(shop.key).run();
    expect((await shop.full.delete("/v1/lifecycle-stages/customer")).status).toBe(204);
    expect(await names(shop)).toEqual(FIRST);
  });

  test("C16: a stage of that name from before becomes the store's, where the merchant had put it", async () => {
    const shop = await mintShop();
    await shop.full.post("/v1/lifecycle-stages", { label: "Customer", position: 1 });
    await connect(shop);
    expect((await ladder(shop))[0]).toMatchObject({ name: "customer", position: 1, system: true });
    expect(await names(shop)).toEqual(["customer", ...FIRST]);
  });

  test("C17 to C22: state by orders gives exactly one of five statuses, counted by status, with the history kept", async () => {
    const states = ["invited", "enabled", "disabled", "declined"];
    const shop = await mintShop();
    await connect(shop);
    const status = async (id: number) =>
      (await shop.full.get(`/v1/contacts?shopifyCustomerId=${id}`)).body.items[0].lifecycle.status;
    const table: Record<string, string[]> = {};
    for (const [n, state] of states.entries()) {
      const id = 100 + n;
      const email = `${state}@post.example`;
      const body = () => customer({ id, email, state, updated_at: iso(Date.now()), default_address: null });
      await deliverWebhook(shop.domain, "customers/create", body());
      const without = await status(id);
      expect((await ladder(shop)).at(-1)?.statuses).toMatchObject({ [without]: 1, paying: n });
      travel(1_000);
      const now = iso(Date.now());
      const own = { created_at: now, processed_at: now, updated_at: now, cart_token: null, checkout_token: null };
      await deliverWebhook(shop.domain, "orders/create", order({ id, email, customer: body(), ...own }));
      table[state] = [without, await status(id)];
      const { items } = (await shop.full.get(`/v1/contacts?shopifyCustomerId=${id}`)).body;
      const history = (await shop.full.get(`/v1/contacts/${items[0].id}/lifecycle`)).body.items;
      expect(history.slice(0, 2).map((entry: { status: string }) => entry.status)).toEqual(["paying", without]);
      travel(1_000);
    }
    expect(table).toEqual({
      invited: ["invited", "paying"],
      enabled: ["enabled", "paying"],
      disabled: ["disabled", "paying"],
      declined: ["declined", "paying"],
    });
    expect(await counts(shop)).toMatchObject({ customer: 4 });
    const answer = await shop.full.patch(
      `/v1/contacts/${(await shop.full.get("/v1/contacts?limit=1")).body.items[0].id}`,
      { lifecycle: { status: "sixth" } },
    );
    expect(answer.status).toBe(400);
  });

  test("where no store is connected, who orders is a customer all the same and the ladder shows it", async () => {
    const shop = await mintShop();
    await shop.full.post("/v1/contacts", { email: "a@b.example", lifecycle: { stage: "customer" } });
    expect((await ladder(shop)).at(-1)).toMatchObject({ name: "customer", position: 5, system: false, contacts: 1 });
  });
});

describe("D2: the ladder is the merchant's", () => {
  test("D2: stages are added, renamed, moved and deleted; lead stays", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/lifecycle-stages", { label: "Demo booked", position: 3 });
    expect(made).toMatchObject({ status: 201, body: { id: "demo_booked", name: "demo_booked", position: 3 } });
    expect(await names(shop)).toEqual(["subscriber", "lead", "demo_booked", "qualified", "opportunity"]);
    expect((await shop.full.post("/v1/lifecycle-stages", { label: "Demo booked" })).status).toBe(409);
    expect((await shop.full.post("/v1/lifecycle-stages", { label: "Report" })).status).toBe(409);
    const moved = await shop.full.patch("/v1/lifecycle-stages/demo_booked", { label: "Demo", position: 1 });
    expect(moved.body).toMatchObject({ name: "demo_booked", label: "Demo", position: 1 });
    expect((await ladder(shop)).map(({ name, position }) => [name, position])).toEqual([
      ["demo_booked", 1],
      ["subscriber", 2],
      ["lead", 3],
      ["qualified", 4],
      ["opportunity", 5],
    ]);
    await shop.full.patch("/v1/lifecycle-stages/demo_booked", { position: 99 });
    expect((await names(shop)).at(-1)).toBe("demo_booked");
    expect((await shop.full.delete("/v1/lifecycle-stages/demo_booked")).status).toBe(204);
    expect(await names(shop)).toEqual(FIRST);
    expect((await shop.full.delete("/v1/lifecycle-stages/lead?moveTo=qualified")).status).toBe(409);
    expect((await shop.full.delete("/v1/lifecycle-stages/demo_booked")).status).toBe(404);
    expect((await shop.full.patch("/v1/lifecycle-stages/nothing", { label: "X" })).status).toBe(404);
    const log = await env.DB.prepare(
      "select action, subject from audit_log where shop = ? and action like 'lifecycle%'",
    )
      .bind(shop.key)
      .all();
    expect(log.results).toHaveLength(4);
    const pages = [(await shop.full.get("/v1/lifecycle-stages?limit=3")).body];
    pages.push((await shop.full.get(`/v1/lifecycle-stages?limit=3&cursor=${pages[0].nextCursor}`)).body);
    expect(pages.map((page) => page.items.length)).toEqual([3, 1]);
    expect(pages[1].nextCursor).toBeNull();
  });

  test("D2: a stage's place among the others", () => {
    const ladder = ["a", "b", "c"];
    expect([1, 2, 4, 9].map((position) => placed(ladder, "n", position).join(""))).toEqual([
      "nabc",
      "anbc",
      "abcn",
      "abcn",
    ]);
    expect([1, 2, 3].map((position) => placed(ladder, "b", position).join(""))).toEqual(["bac", "abc", "acb"]);
  });

  test("D2: a contact moves along it, unknown stages are refused, the history has every step", async () => {
    const shop = await mintShop();
    const id = await contactAt(shop, "a@b.example", "subscriber");
    for (const stage of ["lead", "qualified", "customer"]) {
      travel(MINUTE);
      const moved = await shop.full.patch(`/v1/contacts/${id}`, { lifecycle: { stage } });
      expect(moved.body.lifecycle.stage).toBe(stage);
    }
    const { items } = (await shop.full.get(`/v1/contacts/${id}/lifecycle`)).body;
    expect(items.map((entry: { stage: string }) => entry.stage)).toEqual([
      "customer",
      "qualified",
      "lead",
      "subscriber",
    ]);
    const unknown = { lifecycle: { stage: "galaxy" } };
    for (const answer of [
      await shop.full.patch(`/v1/contacts/${id}`, unknown),
      await shop.full.post("/v1/contacts", { email: "c@b.example", ...unknown }),
      await shop.full.post("/v1/contacts/bulk", {
        filter: { all: true },
        action: { type: "set_stage", stage: "galaxy" },
      }),
    ]) {
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, expect.stringMatching(/stage$/)]);
    }
  });

  test("D2: deleting a stage moves its contacts to the one that is named, also those in the trash; many go on as a job", async () => {
    const shop = await mintShop();
    const id = await contactAt(shop, "a@b.example", "qualified");
    const trashed = await contactAt(shop, "c@b.example", "qualified");
    await shop.full.delete(`/v1/contacts/${trashed}`);
    expect((await shop.full.delete("/v1/lifecycle-stages/qualified")).status).toBe(409);
    for (const moveTo of ["qualified", "galaxy"]) {
      expect((await shop.full.delete(`/v1/lifecycle-stages/qualified?moveTo=${moveTo}`)).status).toBe(400);
    }
    expect((await shop.full.delete("/v1/lifecycle-stages/qualified?moveTo=opportunity")).status).toBe(204);
    await shop.full.post(`/v1/contacts/${trashed}/restore`);
    for (const contact of [id, trashed]) {
      expect((await shop.full.get(`/v1/contacts/${contact}`)).body.lifecycle.stage).toBe("opportunity");
      const { items } = (await shop.full.get(`/v1/contacts/${contact}/lifecycle`)).body;
      expect(items).toMatchObject([{ stage: "opportunity" }, { stage: "qualified" }]);
    }
    await env.DB.prepare(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 5300)
       insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
       select ?1, 'con_staged_' || ?1 || '_' || i, 'Import', 1, 'subscriber', 1, 1 from n`,
    )
      .bind(shop.key)
      .run();
    const begun = await shop.full.delete("/v1/lifecycle-stages/subscriber?moveTo=lead");
    expect(begun).toMatchObject({ status: 202, body: { state: "running" } });
    await continueLongJobs(env, Date.now() + MINUTE);
    expect((await shop.full.get(`/v1/jobs/${begun.body.jobId}`)).body).toMatchObject({ state: "done", progress: 5300 });
    expect(await counts(shop)).toEqual({ lead: 5300, opportunity: 2 });
  }, 60_000);

  test("D2: contacts by stage and moves of a window, without changes of status alone", async () => {
    const shop = await mintShop();
    await connect(shop);
    const first = await contactAt(shop, "a@b.example", "lead");
    const second = await contactAt(shop, "c@b.example", "lead");
    travel(10 * DAY);
    for (const id of [first, second])
      await shop.full.patch(`/v1/contacts/${id}`, { lifecycle: { stage: "qualified" } });
    travel(MINUTE);
    await shop.full.patch(`/v1/contacts/${first}`, { lifecycle: { stage: "customer", status: "invited" } });
    travel(MINUTE);
    await shop.full.patch(`/v1/contacts/${first}`, { lifecycle: { status: "enabled" } });
    await contactAt(shop, "d@b.example", "subscriber");
    travel(MINUTE);
    const window = `from=${iso(T0 + DAY)}&to=${iso(Date.now())}`;
    const { body } = await shop.full.get(`/v1/lifecycle-stages/report?${window}`);
    expect(
      body.stages.map((s: Record<string, unknown>) => [s["stage"], s["contacts"], s["entered"], s["left"]]),
    ).toEqual([
      ["subscriber", 1, 1, 0],
      ["lead", 0, 0, 2],
      ["qualified", 1, 2, 1],
      ["opportunity", 0, 0, 0],
      ["customer", 1, 1, 0],
    ]);
    expect(body.moves).toEqual([
      { from: "lead", to: "qualified", count: 2 },
      { from: "qualified", to: "customer", count: 1 },
      { from: null, to: "subscriber", count: 1 },
    ]);
    const whole = (await shop.full.get("/v1/lifecycle-stages/report")).body;
    expect(whole.moves).toContainEqual({ from: null, to: "lead", count: 2 });
    for (const query of [`from=${iso(T0)}&to=${iso(T0)}`, `from=${iso(T0 - 400 * DAY)}`, "from=yesterday"]) {
      expect((await shop.full.get(`/v1/lifecycle-stages/report?${query}`)).status).toBe(400);
    }
  });

  test("counts read the index and no contact", async () => {
    const plan = async (text: string) =>
      (await env.DB.prepare(`explain query plan ${text}`).all<{ detail: string }>()).results.map(
        ({ detail }) => detail,
      );
    const byStage = "select stage, count(*) from contacts where shop = 1 and deleted_at is null group by stage";
    const byStatus =
      "select status, count(*) from contacts where shop = 1 and deleted_at is null and status is not null group by status";
    expect(await plan(byStage)).toEqual(["SEARCH contacts USING COVERING INDEX contacts_stage (shop=?)"]);
    expect(await plan(byStatus)).toEqual([
      "SEARCH contacts USING COVERING INDEX contacts_status (shop=? AND status>?)",
    ]);
  });

  test("nobody without the right sees or changes it: no key, the wrong scope, another shop", async () => {
    const [shop, other] = [await mintShop(), await mintShop()];
    await shop.full.post("/v1/lifecycle-stages", { label: "Ours" });
    const requests: [string, string, unknown, number][] = [
      ["GET", "/v1/lifecycle-stages", undefined, 200],
      ["GET", "/v1/lifecycle-stages/report", undefined, 200],
      ["POST", "/v1/lifecycle-stages", { label: "X" }, 201],
      ["PATCH", "/v1/lifecycle-stages/ours", { label: "Theirs" }, 404],
      ["DELETE", "/v1/lifecycle-stages/ours", undefined, 404],
    ];
    for (const [method, path, body, elsewhere] of requests) {
      const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
      expect([path, (await api(null).request(method, path, body)).status]).toEqual([path, 401]);
      expect([path, (await wrong.request(method, path, body)).status]).toEqual([path, 403]);
      expect([path, (await other.full.request(method, path, body)).status]).toEqual([path, elsewhere]);
      const named = await other.full.request(method, `${path}?shop=${shop.id}`, body);
      expect([path, named.status]).toEqual([path, 404]);
    }
    expect(await names(shop)).toEqual([...FIRST, "ours"]);
    expect(await names(other)).toEqual([...FIRST, "x"]);
  });
});
