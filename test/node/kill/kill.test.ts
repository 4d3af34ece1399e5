import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Ledger } from "./ledger";
import { Load, pause } from "./load";
import { ABANDON_AFTER_MS, findProblems, OBSERVE } from "./problems";
import { Random } from "../../helpers/random";
import { OPERATOR_TOKEN, Product } from "./worker";

/** More for a longer run; the seed repeats the moments as far as the machine allows. */
const KILLS = Math.max(4, Number(process.env["KILLS"] ?? 20));
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** The kills between which D1 takes no writes. */
const REFUSING = { from: Math.floor(KILLS * 0.5), until: Math.floor(KILLS * 0.5) + 2 };

/** A clock's period, an alarm's net and a retry's wait, one after the other; it mostly takes half of that. */
const SETTLED_WITHIN_MS = 120_000;

const TABLES = ["events", "webhook_inbox"] as const;
const REFUSE = TABLES.map(
  (table) => `create trigger refuse_${table} before insert on ${table} begin select raise(abort, 'refused'); end`,
);
const ALLOW = TABLES.map((table) => `drop trigger refuse_${table}`);

const ledger = new Ledger();
/** Answers of the time in which D1 took no writes. */
const refused = new Map<string, number>();
let product: Product;
let problems: string[] = ["nothing ran"];

describe(`${KILLS} kills under load, seed ${SEED}`, () => {
  beforeAll(
    async () => {
      product = await Product.build();
      await product.start();
      await product.migrate();
      const domain = "kill.myshopify.com";
      await product.sql(...OBSERVE, shopRow(domain));
      await addEndpoint(domain);
      const random = new Random(SEED);
      const started = Date.now();
      const load = new Load(product, domain, ledger, random);
      load.start();
      for (let kill = 1; kill <= KILLS; kill++) {
        const isRefusing = kill >= REFUSING.from && kill < REFUSING.until;
        if (kill === REFUSING.from) {
          await product.sql(...REFUSE);
          // Whatever was under way before may still be answered as if nothing had happened.
          await pause(500);
        }
        const before = new Map(ledger.answers);
        await answers(random.int(2, 10));
        await pause(random.int(0, 400));
        for (const [name, n] of isRefusing ? ledger.answers : []) {
          refused.set(name, n - (before.get(name) ?? 0) + (refused.get(name) ?? 0));
        }
        if (kill === REFUSING.until - 1) await product.sql(...ALLOW);
        await product.kill();
        if (kill < KILLS) await product.start();
      }
      await load.stop();
      // Whatever was to happen meanwhile happens late, without anybody asking for it: no request from here on.
      await pause(ABANDON_AFTER_MS + 500);
      await product.start();
      const restarted = Date.now();
      problems = await settled();
      const [events, webhooks] = [ledger.count("events"), ledger.count("webhooks")];
      console.log(
        `seed ${SEED}: ${KILLS} kills in ${restarted - started} ms under ${events} events and ${webhooks} webhooks, ` +
          `settled ${Date.now() - restarted} ms after the last start`,
      );
    },
    SETTLED_WITHIN_MS + 60_000 + KILLS * 25_000,
  );
  afterAll(() => product.remove());

  it("every acknowledged event and webhook is there exactly once, and counters equal rows", () => {
    expect(problems.slice(0, 30)).toEqual([]);
  });

  it("outgoing webhooks: every delivery came, under one id, however often it was sent", () => {
    const [pending] = product.read<{ n: number }>(
      "select count(*) as n from endpoint_deliveries where state <> 'delivered'",
    );
    expect(pending).toEqual({ n: 0 });
    expect(product.received.size).toBeGreaterThan(KILLS);
  });

  it("the load was worth the name", () => {
    expect(ledger.count("events")).toBeGreaterThan(20 * KILLS);
    expect(ledger.count("webhooks")).toBeGreaterThan(3 * KILLS);
    const abandoned = ledger.carts.filter((cart) => cart.purchase === null && !cart.isUnsure);
    expect(abandoned.length).toBeGreaterThan(KILLS);
  });

  it("while D1 refuses writes beacons are taken and webhooks are sent back", () => {
    const statuses = (path: string) =>
      [...refused].flatMap(([name, n]) => (n > 0 && name.startsWith(path) ? [name.slice(path.length + 1)] : []));
    expect(statuses("/ff")).toEqual(["204"]);
    expect(statuses("/webhooks/shopify")).toEqual(["503"]);
  });
});

/** Resolves when so many more requests of each kind were answered: the moment of a kill does not hang on the machine. */
async function answers(more: number): Promise<void> {
  const enough = ledger.answerCount + more;
  const deadline = Date.now() + 20_000;
  while (ledger.answerCount < enough && Date.now() < deadline) await pause(5);
}

/** An endpoint that is told of everything. */
async function addEndpoint(shop: string): Promise<void> {
  const response = await product.fetch("/v1/webhook-endpoints", {
    method: "POST",
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ shop, url: "https://hooks.acme.example/footfall" }),
  });
  if (response.status !== 201) throw new Error(`no endpoint: ${response.status} ${await response.text()}`);
}

function shopRow(domain: string): string {
  const settings = {
    flushSeconds: 2,
    abandonAfterSeconds: ABANDON_AFTER_MS / 1000,
    beaconsPerMinutePerAddress: 0,
    newContactsPerMinute: 100_000,
  };
  return `insert into shops (id, domain, name, currency, timezone, settings, pixel_key, installed_at, created_at, updated_at)
    values ('shp_kill', '${domain}', 'Kill', 'EUR', 'UTC', '${JSON.stringify(settings)}', 'pixel', 0, 0, 0)`;
}

/** Looks from outside until nothing is left to complain about, and once more a little later. */
async function settled(): Promise<string[]> {
  const started = Date.now();
  for (;;) {
    await pause(500);
    const found = findProblems(product, ledger);
    if (found.length === 0) {
      await pause(2_000);
      return findProblems(product, ledger);
    }
    if (Date.now() - started > SETTLED_WITHIN_MS) return found;
  }
}
