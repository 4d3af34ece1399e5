import { fork } from "node:child_process";
import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";

import { burst as makeBurst, type BurstDelivery, VISIBLE_STATE } from "../helpers/burst.ts";
import { Random } from "../helpers/random.ts";
import { bundle, removeFolder, scratchFolder, Served, WEBHOOK_SECRET } from "./harness.ts";
import { type BenchOptions, percentile, type Row, shown } from "./row.ts";
import { total } from "./worker/counts.ts";

/** What the sending process is asked to do. */
export interface BurstOrder {
  port: number;
  shop: string;
  secret: string;
  size: number;
  seed: number;
  now: number;
  seconds: number;
}

export interface BurstResult {
  /** Answers that were not 200. */
  errors: number;
  seconds: number;
  latenciesMs: number[];
}

const SHOP = "burst.example";
const CALM = "calm.example";
const SEED = 20_261_122;

/** Shopify wants an answer within five seconds. */
const MOST_P99_MS = 5_000;

/**
 * 10,000 deliveries in a minute, out of order and with duplicates; then a second shop gets the newest of each record in
 * order, and both must look the same.
 */
export async function burst({ quick, detail }: BenchOptions): Promise<Row[]> {
  const [size, seconds] = quick ? [1_500, 9] : [10_000, 60];
  const now = Date.now();
  const state = scratchFolder(1e9);
  const served = await Served.start(await bundle("test/bench/worker/burst-worker.ts"), state);
  try {
    await served.migrate();
    for (const domain of [SHOP, CALM]) await served.api("POST", "/v1/shops", { domain });
    const { newest, distinct } = makeBurst(size, new Random(SEED), now);
    await served.takeCounts();
    const cpuBefore = served.cpuMs();
    const result = await send(served, { shop: SHOP, size, seed: SEED, now, seconds });
    const ended = Date.now();
    await drained(served);
    const seconds_ = (Date.now() - ended) / 1000;
    const counts = await served.takeCounts();
    const cpu = served.cpuMs() - cpuBefore;
    await straight(served, newest);
    const differing = await differences(served);
    if (detail)
      console.log(
        JSON.stringify(
          {
            written: top(counts.databaseRows),
            read: top(counts.databaseReads),
            statements: top(counts.databaseStatements),
          },
          null,
          2,
        ),
      );
    const p99 = percentile(result.latenciesMs, 0.99);
    return [
      {
        what: "burst: answers that were not 200",
        figure: String(result.errors),
        budget: "none",
        met: result.errors === 0,
      },
      {
        what: "burst: parts of the state that differ",
        figure: differing.join(", ") || "none",
        budget: "none",
        met: differing.length === 0,
      },
      {
        what: "burst: acknowledged, p99",
        figure: `${p99.toFixed(0)} ms`,
        budget: "at most 5,000 ms",
        met: p99 <= MOST_P99_MS,
      },
      shown(
        "  deliveries",
        `${size} (${distinct} distinct) in ${result.seconds.toFixed(1)} s, p50 ${percentile(result.latenciesMs, 0.5).toFixed(1)} ms`,
      ),
      shown(
        "  drained after the last",
        `${seconds_.toFixed(1)} s, ${(distinct / (result.seconds + seconds_)).toFixed(0)}/s, CPU ${(cpu / size).toFixed(2)} ms a delivery`,
      ),
      shown(
        "  D1 rows a delivery",
        `${(total(counts.databaseRows) / size).toFixed(1)} written, ${(total(counts.databaseReads) / size).toFixed(1)} read`,
      ),
      shown(
        "  D1 calls a delivery",
        `${(counts.databaseCalls / size).toFixed(2)}, of ${(total(counts.databaseStatements) / size).toFixed(1)} statements`,
      ),
    ];
  } finally {
    await served.stop();
    removeFolder(state);
  }
}

function top(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 25);
}

async function send(served: Served, order: Omit<BurstOrder, "port" | "secret">): Promise<BurstResult> {
  const child = fork(fileURLToPath(new URL("burst-process.ts", import.meta.url)), { stdio: ["ignore", 2, 2, "ipc"] });
  child.send({ ...order, port: Number(served.url.port), secret: WEBHOOK_SECRET } satisfies BurstOrder);
  return new Promise((resolve, reject) => {
    child.once("message", (message: BurstResult) => resolve(message));
    child.once("exit", (code) => reject(new Error(`the sending process ended with ${code}`)));
  });
}

/** Resolves when nothing waits in the inbox or the outbox. */
async function drained(served: Served): Promise<void> {
  const db = await served.miniflare.getD1Database("DB");
  for (;;) {
    const row = await db
      .prepare(
        "select (select count(*) from webhook_inbox where state = 'pending') + (select count(*) from outbox) as n",
      )
      .first<{ n: number }>();
    if (row?.n === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** One after another, each handled before the next. */
async function straight(served: Served, deliveries: BurstDelivery[]): Promise<void> {
  for (const { topic, webhookId, triggeredAt, body } of deliveries) {
    const response = await fetch(new URL("/webhooks/shopify", served.url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": CALM,
        "x-shopify-webhook-id": webhookId,
        "x-shopify-triggered-at": new Date(triggeredAt).toISOString(),
        "x-shopify-hmac-sha256": createHmac("sha256", WEBHOOK_SECRET).update(body).digest("base64"),
      },
      body,
    });
    if (response.status !== 200) throw new Error(`${topic}: ${response.status}`);
  }
  await drained(served);
}

/** Names of what the two shops differ in. */
async function differences(served: Served): Promise<string[]> {
  const db = await served.miniflare.getD1Database("DB");
  const differing: string[] = [];
  for (const [name, query] of Object.entries(VISIBLE_STATE)) {
    const of = async (domain: string) => {
      const shop = await db.prepare("select key from shops where domain = ?").bind(domain).first<{ key: number }>();
      return (
        await db
          .prepare(query)
          .bind(shop?.key ?? 0)
          .all()
      ).results;
    };
    const burst: unknown[] = await of(SHOP);
    const calm: unknown[] = await of(CALM);
    if (JSON.stringify(burst) === JSON.stringify(calm)) continue;
    differing.push(name);
    const at = burst.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(calm[i]));
    console.error(`${name}: ${burst.length} and ${calm.length} rows`, burst[at], calm[at]);
  }
  return differing;
}
