/**
 * Moves runs through ten steps in simulated time, where the product does: in the Worker, with every D1 statement
 * counted. Beside it the same rows written by a bare D1 batch.
 */
import { advanceRuns } from "../../../src/automations";
import { enterStatements } from "../../../src/automations/enter";
import type { AutomationsOrder } from "./automations-order";
import { newCounts, total } from "./counts";
import { countingDatabase } from "./counting-database";

export * from "../../../src/index";

/** Runs that one message of the clock names. */
const PER_MESSAGE = 100;

/** Runs that a bare batch moves. */
const PER_BATCH = 50;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const order: AutomationsOrder = await request.json();
    const counts = newCounts();
    const answer =
      order.do === "bare"
        ? await bare(env.DB, order.steps)
        : await (order.do === "enter" ? enter : product)(env, order, counts);
    return Response.json({ ...answer, written: total(counts.databaseRows), read: total(counts.databaseReads) });
  },
} satisfies ExportedHandler<Env>;

/** Lets everybody of the shop in, as a trigger does. */
async function enter(env: Env, { shop, now }: AutomationsOrder, counts: ReturnType<typeof newCounts>) {
  const db = countingDatabase(env.DB, () => counts, false);
  const { results } = await env.DB.prepare("select key from contacts where shop = ?").bind(shop).all<{ key: number }>();
  const automation = { start: "tag", reentry: "never", parallel: null } as const;
  for (let from = 0; from < results.length; from += PER_BATCH) {
    const entries = results.slice(from, from + PER_BATCH).map(({ key }) => {
      return { kind: "contact" as const, subject: key, entryKey: `bench:${key}`, at: now, data: { event: "bench" } };
    });
    await db.batch(enterStatements(db, shop, { key: shop, version: 1, automation }, entries, now, now));
  }
  return { steps: 0, messages: 0 };
}

async function product(env: Env, { shop, now }: AutomationsOrder, counts: ReturnType<typeof newCounts>) {
  const counted = { ...env, DB: countingDatabase(env.DB, () => counts, false) };
  const { results } = await env.DB.prepare("select key from runs where shop = ? and due_at <= ? limit 5000")
    .bind(shop, now)
    .all<{ key: number }>();
  let steps = 0;
  let messages = 0;
  for (let from = 0; from < results.length; from += PER_MESSAGE) {
    const keys = results.slice(from, from + PER_MESSAGE).map(({ key }) => key);
    const moved = await advanceRuns(counted, shop, keys, now);
    steps += moved.steps;
    messages++;
  }
  return { steps, messages };
}

/** For each step a row of a log, and the row of who took it, one statement each. */
async function bare(db: D1Database, steps: number) {
  for (let from = 0; from < steps; from += PER_BATCH) {
    const turn = crypto.randomUUID();
    await db.batch(
      Array.from({ length: PER_BATCH }, (_, i) => [
        db
          .prepare("insert into bare_steps (run, visit, step, outcome, at) values (?, ?, 'step', 'done', ?)")
          .bind(i, `${turn}:${i}`, from),
        db.prepare("update bare_runs set step = 'step', visit = visit + 1, due_at = ? where key = ?").bind(from, i),
      ]).flat(),
    );
  }
  return { steps, messages: 0 };
}
