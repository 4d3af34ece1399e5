import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Random } from "../../helpers/random";
import { pause } from "../kill/load";
import { OPERATOR_TOKEN, Product } from "../kill/worker";

const KILLS = Math.max(4, Number(process.env["KILLS"] ?? 6));
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Contacts that enter, those of one request, and the steps of each. */
const PEOPLE = 280;
const AT_ONCE = 40;
const STEPS = 8;

/** Where each run waits until the kills are nearly over, ms from the start. */
const WAIT_MS = 15_000;

const SETTLED_WITHIN_MS = 180_000;

let product: Product;
let problems: string[] = ["nothing ran"];

/**
 * Automations under kills of the runtime at random moments: every step of everybody is taken once, every message reaches
 * the provider under one key, and after the last kill nobody asks for anything.
 */
describe(`automations under ${KILLS} kills, seed ${SEED}`, () => {
  beforeAll(
    async () => {
      product = await Product.build();
      await product.start();
      await product.migrate();
      await product.sql(...people());
      const automation = await setUp();
      const random = new Random(SEED);
      const started = Date.now();
      const waiting = Array.from({ length: PEOPLE / AT_ONCE }, (_, i) => i);
      for (let kill = 1; kill <= KILLS; kill++) {
        // Asked again until it was answered: a request that a kill cut off may have let people in.
        const part = waiting[0];
        if (part !== undefined && (await enter(automation, part))) waiting.shift();
        await pause(random.int(50, 1_500));
        await product.kill();
        if (kill < KILLS) await product.start();
      }
      await product.start();
      while (waiting[0] !== undefined) if (await enter(automation, waiting[0])) waiting.shift();
      await product.kill();
      await pause(Math.max(0, started + WAIT_MS + 500 - Date.now()));
      await product.start();
      const restarted = Date.now();
      problems = await settled();
      console.log(
        `seed ${SEED}: ${PEOPLE * STEPS} steps of ${PEOPLE} people, ${product.mails.size} messages under ${KILLS + 1} kills, ` +
          `settled ${Date.now() - restarted} ms after the last start`,
      );
    },
    SETTLED_WITHIN_MS + 60_000 + KILLS * 25_000,
  );
  afterAll(() => product.remove());

  it("every step of everybody once, and exactly one message for each person and message step", () => {
    expect(problems).toEqual([]);
  });
});

function people(): string[] {
  return [
    `insert into shops (id, domain, name, currency, timezone, settings, pixel_key, installed_at, created_at, updated_at)
     values ('shp_kill', 'kill.myshopify.com', 'Kill', 'EUR', 'UTC', '{}', 'pixel', 0, 0, 0)`,
    `with recursive n(value) as (select 1 union all select value + 1 from n where value < ${PEOPLE})
     insert into contacts (shop, id, email, source, verified, stage, created_at, updated_at)
     select 1, 'con_' || value, 'p' || value || '@x.example', 'API', 1, 'lead', 0, 0 from n`,
    `insert into identities (shop, kind, value, contact, evidence, created_at)
     select 1, 'email', email, key, 'verified', 0 from contacts`,
  ];
}

async function call(path: string, body: unknown): Promise<Response> {
  return product.fetch(path, {
    method: "POST",
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function made(path: string, body: Record<string, unknown>): Promise<string> {
  const response = await call(path, { shop: "kill.myshopify.com", ...body });
  const answer: { id: string } = await response.json();
  if (response.status !== 201) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer.id;
}

async function setUp(): Promise<string> {
  await made("/v1/senders", {
    channel: "email",
    provider: "resend",
    from: { address: "shop@kill.example" },
    postalAddress: "1 Kill Street",
    credentials: { apiKey: "re_test" },
  });
  const template = await made("/v1/templates", {
    name: "T",
    channel: "email",
    subject: "Hello",
    format: "html",
    body: "<p>Hello</p>",
  });
  const message = { type: "message", channel: "email", template, transactional: true };
  const steps = [
    { id: "first", ...message },
    { id: "score", type: "score", points: 1 },
    { id: "tag", type: "add_tag", tag: "in" },
    { id: "rest", type: "wait", wait: { untilDate: new Date(Date.now() + WAIT_MS).toISOString() } },
    { id: "ask", type: "if", when: { all: [{ field: "tags", op: "has_any", value: ["in"] }] } },
    { id: "again", type: "score", points: 1 },
    { id: "second", ...message },
    { id: "end", type: "remove_tag", tag: "in" },
  ];
  const automation = await made("/v1/automations", {
    name: "A",
    definition: { triggers: [{ type: "manual" }], steps },
  });
  const active = await call(`/v1/automations/${automation}/activation`, { action: "activate" });
  if (active.status !== 200) throw new Error(`not active: ${await active.text()}`);
  return automation;
}

/** True once the product has vouched for it. */
async function enter(automation: string, part: number): Promise<boolean> {
  const contactIds = Array.from({ length: AT_ONCE }, (_, i) => `con_${part * AT_ONCE + i + 1}`);
  const response = await call(`/v1/automations/${automation}/runs`, { contactIds, key: `part-${part}` }).catch(
    () => null,
  );
  return response?.status === 200;
}

/** Looks from outside until nothing is left to complain about. */
async function settled(): Promise<string[]> {
  const started = Date.now();
  for (;;) {
    await pause(1_000);
    const found = findProblems();
    if (found.length === 0 || Date.now() - started > SETTLED_WITHIN_MS) return found;
  }
}

function findProblems(): string[] {
  const one = (text: string) => product.read<{ n: number }>(text)[0];
  const same = (what: string, wanted: unknown, found: unknown) =>
    JSON.stringify(wanted) === JSON.stringify(found) ? [] : [`${what}: ${JSON.stringify(found)}`];
  const keys = new Set(product.read<{ id: string }>("select id from deliveries").map(({ id }) => id));
  return [
    ...same(
      "runs",
      [{ state: "done", n: PEOPLE }],
      product.read("select state, count(*) as n from runs group by state"),
    ),
    ...same("steps", { n: PEOPLE * STEPS }, one("select count(*) as n from run_steps")),
    ...same(
      "steps taken twice",
      [],
      product.read("select run, step from run_steps group by run, step having count(*) > 1 limit 5"),
    ),
    ...same(
      "points",
      [{ score: 2, n: PEOPLE }],
      product.read("select score, count(*) as n from contacts group by score"),
    ),
    ...same(
      "deliveries",
      [{ state: "sent", n: 2 * PEOPLE }],
      product.read("select state, count(*) as n from deliveries group by state order by state"),
    ),
    ...same(
      "for each person and step",
      { n: 2 * PEOPLE },
      one("select count(distinct contact || step) as n from deliveries"),
    ),
    ...same("messages at the provider", 2 * PEOPLE, product.mails.size),
    ...[...product.mails.keys()].filter((key) => !keys.has(key)).map((key) => `a message that nobody decided: ${key}`),
  ].slice(0, 20);
}
