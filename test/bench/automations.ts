import { bundle, removeFolder, scratchFolder, Served } from "./harness.ts";
import { PRICES } from "./prices.ts";
import { atLeast, type BenchOptions, median, type Row, shown } from "./row.ts";
import type { AutomationsAnswer, AutomationsOrder } from "./worker/automations-order.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A message is written, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3;

/** Ten steps with three waits, a fork, points, tags and a message. */
const STEPS = [
  { id: "tag", type: "add_tag", tag: "in" },
  { id: "first", type: "wait", wait: { for: { n: 1, unit: "hour" } } },
  { id: "ask", type: "if", when: { all: [{ field: "tags", op: "has_any", value: ["in"] }] } },
  { id: "points", type: "score", points: 10 },
  { id: "second", type: "wait", wait: { for: { n: 1, unit: "day" } } },
  { id: "mail", type: "message", channel: "email", template: "tpl_bench", transactional: true },
  { id: "third", type: "wait", wait: { untilTime: "09:00" } },
  { id: "again", type: "if", when: { all: [{ field: "score", op: "gte", value: 10 }] } },
  { id: "untag", type: "remove_tag", tag: "in" },
  { id: "end", type: "exit" },
];

/** When the runs are looked at: at once, and after each of their waits. */
const MOMENTS = [0, HOUR + 1, HOUR + DAY + 2, HOUR + 2 * DAY + 3];

/** Steps a second of the engine against a bare D1 batch of the same rows, and what a million runs of ten steps cost. */
export async function automations({ quick }: BenchOptions): Promise<Row[]> {
  const state = scratchFolder(2e9);
  const people = quick ? 500 : 2_000;
  const served = await Served.start(await bundle("test/bench/worker/automations-worker.ts"), state, false);
  try {
    await served.migrate();
    const db = await served.miniflare.getD1Database("DB");
    await db.batch([
      db.prepare("create table bare_runs (key integer primary key, step text, visit integer, due_at integer)"),
      db.prepare(
        "create table bare_steps (run integer, visit text, step text, outcome text, at integer, primary key (run, visit)) without rowid",
      ),
      db.prepare(
        "with recursive n(value) as (select 0 union all select value + 1 from n where value < 49) insert into bare_runs (key, visit) select value, 0 from n",
      ),
    ]);
    const ours: number[] = [];
    const bare: number[] = [];
    const totals: AutomationsAnswer = { steps: 0, written: 0, read: 0, messages: 0 };
    const rounds = quick ? 3 : 5;
    let cpuMs = 0;
    for (let round = 1; round <= rounds; round++) {
      const start = Date.UTC(2035, 0, round, 12);
      await seed(db, round, people);
      const entered = await timed(served, { do: "enter", shop: round, now: start, steps: 0 });
      totals.written += entered.written;
      totals.read += entered.read;
      const cpu = served.cpuMs();
      let took = 0;
      let steps = 0;
      for (const moment of MOMENTS) {
        const answer = await timed(served, { do: "product", shop: round, now: start + moment, steps: 0 });
        took += answer.ms;
        steps += answer.steps;
        for (const name of ["steps", "written", "read", "messages"] as const) totals[name] += answer[name];
      }
      cpuMs += served.cpuMs() - cpu;
      if (steps !== people * STEPS.length) throw new Error(`${steps} steps instead of ${people * STEPS.length}`);
      ours.push((steps / took) * 1_000);
      const plain = await timed(served, { do: "bare", shop: 0, now: 0, steps });
      bare.push((plain.steps / plain.ms) * 1_000);
    }
    const runs = people * rounds;
    const price = priceOf(totals, runs, cpuMs);
    // The first pair meets cold code.
    const pairs = ours.map((rate, i) => rate / (bare[i] ?? 1)).slice(1);
    return [
      atLeast("steps of automations a second : bare D1 batch", median(pairs), 0.5),
      shown("  product; bare", `${median(ours).toFixed(0)}/s; ${median(bare).toFixed(0)}/s`),
      shown(
        "  a run of ten steps, its entry included",
        `${(totals.written / runs).toFixed(1)} rows written, ${(totals.read / runs).toFixed(0)} read, CPU ${(cpuMs / runs).toFixed(2)} ms`,
      ),
      shown("  list price of 1,000,000 ten-step runs", `$${price.toFixed(2)}`),
    ];
  } finally {
    await served.stop();
    removeFolder(state);
  }
}

/** Prices are dollars per million: what one run takes of each is what a million runs cost. */
function priceOf({ written, read, messages }: AutomationsAnswer, runs: number, cpuMs: number): number {
  const perRun =
    (written / runs) * PRICES.databaseRowsWritten +
    (read / runs) * PRICES.databaseRowsRead +
    (messages / runs) * OPERATIONS_PER_MESSAGE * PRICES.queueOperations +
    (messages / runs) * PRICES.workerRequests +
    (cpuMs / runs) * PRICES.workerCpuMs;
  return perRun;
}

async function timed(served: Served, order: AutomationsOrder): Promise<AutomationsAnswer & { ms: number }> {
  const started = performance.now();
  const response = await served.miniflare.dispatchFetch("http://bench/automations", {
    method: "POST",
    body: JSON.stringify(order),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return { ...JSON.parse(text), ms: performance.now() - started };
}

type Database = Awaited<ReturnType<Served["miniflare"]["getD1Database"]>>;

/** A shop of its own with people and an active automation. */
async function seed(db: Database, shop: number, people: number): Promise<void> {
  const definition = JSON.stringify({ triggers: [{ type: "manual" }], steps: STEPS });
  await db.batch([
    db
      .prepare(
        `insert into shops (key, id, domain, name, currency, timezone, settings, pixel_key, installed_at, created_at, updated_at)
         values (?1, 'shp_' || cast(?1 as integer), 'bench' || cast(?1 as integer) || '.example', 'B', 'EUR', 'Europe/Berlin', '{}', 'p', 0, 0, 0)`,
      )
      .bind(shop),
    db
      .prepare(
        "insert into automations (key, id, shop, name, state, activated_at, created_at, updated_at) values (?1, 'aut_' || cast(?1 as integer), ?1, 'A', 'active', 0, 0, 0)",
      )
      .bind(shop),
    db
      .prepare(
        `insert into automation_versions (automation, version, definition, pins, created_at) values (?, 1, ?, '{"tpl_bench":[1,1]}', 0)`,
      )
      .bind(shop, definition),
    db
      .prepare(
        `with recursive n(value) as (select 1 union all select value + 1 from n where value < ?2)
         insert into contacts (shop, id, source, verified, stage, created_at, updated_at)
         select ?1, 'con_' || cast(?1 as integer) || '_' || value, 'API', 1, 'lead', 0, 0 from n`,
      )
      .bind(shop, people),
  ]);
}
