import { describe, expect, test } from "vitest";

import { mintShop } from "../helpers/api";
import { DAY, HOUR, MINUTE, travel, useFakeClock } from "../helpers/clock";
import { seedContact, seedOrder } from "../helpers/seed";
import { live, rows } from "./world";

useFakeClock();

const MANUAL = [{ type: "manual" }];
const EXIT = [{ id: "end", type: "exit" }];

describe("definitions", () => {
  test("errors point at the wrong part: shape, conditions, names of the shop, and the graph", async () => {
    const shop = await mintShop();
    const wait = (id: string, more: object = {}) => ({
      id,
      type: "wait",
      wait: { untilDate: "2035-05-01T00:00:00Z" },
      ...more,
    });
    const wrong: [string, object][] = [
      ["/definition/triggers", { triggers: [], steps: EXIT }],
      ["/definition/triggers/0/type", { triggers: [{ type: "nonsense" }], steps: EXIT }],
      ["/definition/triggers/0/url", { triggers: [{ type: "visited_url" }], steps: EXIT }],
      ["/definition/triggers/0/total/gte", { triggers: [{ type: "made_purchase", total: { gte: "1" } }], steps: EXIT }],
      [
        "/definition/triggers/0/segment",
        { triggers: [{ type: "segment", segment: "seg_x", change: "entered" }], steps: EXIT },
      ],
      [
        "/definition/triggers/0/field",
        { triggers: [{ type: "date", field: "fields.nope", time: "09:00" }], steps: EXIT },
      ],
      ["/definition/triggers/0/more", { triggers: [{ type: "manual", more: 1 }], steps: EXIT }],
      [
        "/definition/filter/all/0/field",
        { triggers: MANUAL, filter: { all: [{ field: "nope", op: "eq", value: 1 }] }, steps: EXIT },
      ],
      [
        "/definition/steps/0/when/any/1/op",
        {
          triggers: MANUAL,
          steps: [
            {
              id: "a",
              type: "if",
              when: {
                any: [
                  { field: "email", op: "is_set" },
                  { field: "email", op: "gt", value: 1 },
                ],
              },
            },
          ],
        },
      ],
      [
        "/definition/steps/0/wait/for/n",
        { triggers: MANUAL, steps: [{ id: "a", type: "wait", wait: { for: { n: 0, unit: "day" } } }] },
      ],
      ["/definition/steps/0/list", { triggers: MANUAL, steps: [{ id: "a", type: "add_to_list", list: "lst_x" }] }],
      [
        "/definition/steps/0/template",
        { triggers: MANUAL, steps: [{ id: "a", type: "message", channel: "email", template: "tpl_x" }] },
      ],
      ["/definition/steps/0/stage", { triggers: MANUAL, steps: [{ id: "a", type: "lifecycle", stage: "nope" }] }],
      [
        "/definition/steps/0/next",
        { triggers: MANUAL, steps: [{ id: "a", type: "add_tag", tag: "x", next: "nowhere" }] },
      ],
      ["/definition/steps/1/id", { triggers: MANUAL, steps: [wait("a"), wait("a")] }],
      ["/definition/steps/1", { triggers: MANUAL, steps: [wait("a", { next: null }), wait("b")] }],
      ["/definition/steps/0", { triggers: MANUAL, steps: [{ id: "a", type: "goal" }] }],
      ["/definition/steps/0", { triggers: MANUAL, steps: [wait("a"), { id: "b", type: "go_to", step: "a" }] }],
      ["/definition/exits/0", { triggers: MANUAL, exits: [{}], steps: EXIT }],
    ];
    for (const [pointer, definition] of wrong) {
      const answer = await shop.full.post("/v1/automations", { name: "A", definition });
      expect([pointer, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([pointer, 400, pointer]);
    }
    expect((await shop.full.get("/v1/automations")).body.items).toEqual([]);
  });

  test("B10, B11: the catalogue has the three e-commerce elements, which start and stand in the middle", async () => {
    const shop = await mintShop();
    const { groups } = (await shop.full.get("/v1/automations/catalog")).body;
    const [ecommerce] = groups.filter(({ name }: { name: string }) => name === "ecommerce");
    expect(
      ecommerce.elements.map((one: { type: string; label: string; starts: boolean; condition: boolean }) => [
        one.type,
        one.label,
        one.starts,
        one.condition,
      ]),
    ).toEqual([
      ["visited_url", "Visited URL", true, true],
      ["made_purchase", "Made a purchase", true, true],
      ["abandoned_cart", "Abandoned cart", true, true],
    ]);
    expect(ecommerce.elements[0].properties).toEqual([
      { name: "url", required: true, type: "string", options: [] },
      { name: "match", required: false, type: "string", options: ["exact", "contains", "starts_with"] },
    ]);
    const types = groups.flatMap(({ elements }: { elements: { type: string }[] }) => elements.map(({ type }) => type));
    for (const type of ["message", "split", "goal", "schedule", "sms_keyword", "wait_until"])
      expect(types).toContain(type);
  });

  test("D9: how messages are sent is kept with the automation", async () => {
    const shop = await mintShop();
    const sending = {
      quietHours: { from: "21:00", to: "08:00", mode: "defer" },
      weekdays: [1, 2, 3],
      caps: { email: { messages: 2, in: { n: 1, unit: "week" } }, sms: null },
    };
    const automation = await live(shop, { triggers: MANUAL, sending, steps: EXIT });
    const contact = await seedContact(shop.key);
    await shop.full.post(`/v1/automations/${automation.id}/runs`, { contactIds: [contact.id] });
    const { sendRules } = await import("../../src/automations");
    const { env } = await import("cloudflare:workers");
    const [run] = await rows<{ key: number }>("select key from runs where shop = ?", shop.key);
    expect(await sendRules(env.DB, run?.key ?? 0)).toEqual({ ...sending, neverSubscribed: false });
  });
});

describe("before anybody is let in", () => {
  test("the preview shows the last ten events, and which filter keeps whom out", async () => {
    const shop = await mintShop();
    const vip = (await shop.full.post("/v1/contacts", { email: "v@x.example", tags: ["vip"] })).body;
    const [row] = await rows<{ key: number }>("select key from contacts where id = ?", vip.id);
    const other = await seedContact(shop.key, { email: "o@x.example" });
    for (let i = 0; i < 12; i++) {
      travel(MINUTE);
      await seedOrder(shop.key, { contact: i % 2 === 0 ? (row?.key ?? 0) : other.key, total: 1000 * i });
    }
    const made = await shop.full.post("/v1/automations", {
      name: "A",
      definition: {
        triggers: [{ type: "made_purchase", total: { gte: 8000 } }],
        filter: { all: [{ field: "tags", op: "has_any", value: ["vip"] }] },
        exits: [{ when: { all: [{ field: "email", op: "eq", value: "nobody@x.example" }] } }],
        steps: EXIT,
      },
    });
    const { items } = (await shop.full.get(`/v1/automations/${made.body.id}/preview`)).body;
    expect(items).toHaveLength(10);
    expect(items.map(({ enters }: { enters: boolean }) => enters)).toEqual([
      false,
      true,
      false,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(items[0]).toMatchObject({ event: "order_placed", subject: { kind: "contact", id: other.id } });
    expect(items[0].checks).toEqual([
      { stage: "trigger", name: "total", passed: true },
      { stage: "filter", name: "/definition/filter", passed: false },
      { stage: "reentry", name: "never", passed: true },
      { stage: "exit", name: "/definition/exits/0/when", passed: true },
    ]);
    const unsaved = { triggers: [{ type: "made_purchase" }], steps: EXIT };
    const all = (await shop.full.post(`/v1/automations/${made.body.id}/preview`, { definition: unsaved })).body.items;
    expect(all.every(({ enters }: { enters: boolean }) => enters)).toBe(true);
  });

  test("a dry run tells the way and changes nothing", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "a@x.example" });
    const automation = await live(shop, {
      triggers: MANUAL,
      steps: [
        { id: "tag", type: "add_tag", tag: "x" },
        { id: "rest", type: "wait", wait: { for: { n: 2, unit: "day" } } },
        {
          id: "buys",
          type: "condition",
          on: { type: "made_purchase" },
          notMet: { after: { n: 1, unit: "hour" } },
          else: "no",
        },
        { id: "yes", type: "score", points: 1, next: null },
        { id: "no", type: "exit" },
      ],
    });
    const start = Date.now();
    const way = async (more: object = {}) =>
      (await shop.full.post(`/v1/automations/${automation.id}/test`, { contactId: contact.id, ...more })).body;
    const not = await way();
    expect(not.path.map(({ step, outcome }: { step: string; outcome: string }) => `${step} ${outcome}`)).toEqual([
      "tag done",
      "rest waited",
      "buys not met",
      "no done",
    ]);
    expect(not.path[3].at).toBe(new Date(start + 2 * DAY + HOUR).toISOString());
    const met = await way({ conditions: "met" });
    expect(met.path.at(-1)).toMatchObject({ step: "yes", outcome: "done", effects: ["score"] });
    expect([met.enters, met.ends]).toEqual([true, "done"]);
    const [state] = await rows(
      "select (select count(*) from runs where shop = ?1) as runs, (select count(*) from contact_tags where shop = ?1) as tags",
      shop.key,
    );
    expect(state).toEqual({ runs: 0, tags: 0 });
    expect((await shop.full.post(`/v1/automations/${automation.id}/test`, { contactId: "con_x" })).status).toBe(422);
  });

  test("another shop's automation is not there, and one that is named by another cannot be deleted", async () => {
    const [mine, other] = [await mintShop(), await mintShop()];
    const automation = await live(mine, { triggers: MANUAL, steps: EXIT });
    for (const path of ["", "/runs", "/runs/run_1", "/steps", "/versions", "/preview"]) {
      expect([path, (await other.full.get(`/v1/automations/${automation.id}${path}`)).status]).toEqual([path, 404]);
    }
    expect((await other.full.patch(`/v1/automations/${automation.id}`, { name: "x" })).status).toBe(404);
    const user = await live(mine, {
      triggers: MANUAL,
      steps: [{ id: "s", type: "start_automation", automation: automation.id }],
    });
    expect((await mine.full.delete(`/v1/automations/${automation.id}`)).status).toBe(409);
    expect((await mine.full.delete(`/v1/automations/${user.id}`)).status).toBe(204);
    expect((await mine.full.delete(`/v1/automations/${automation.id}`)).status).toBe(204);
    expect((await mine.full.get(`/v1/automations/${automation.id}`)).status).toBe(404);
  });
});
