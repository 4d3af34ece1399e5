import { bundle, removeFolder, scratchFolder, Served, WEBHOOK_SECRET } from "./harness.ts";
import { drive, type LoadOrder, type Round } from "./load.ts";
import { atLeast, type BenchOptions, median, type Row, shown } from "./row.ts";

const CONNECTIONS = 32;
const SHOP = "bench.example";

/** Beacons a second of the product against one Durable Object row a request. Also what a hit costs in CPU, ms. */
export async function beacon(options: BenchOptions): Promise<{ rows: Row[]; cpuMs: number }> {
  const { ours, bare, ratio } = await compare("beacon", 1_000, options);
  return {
    cpuMs: median(ours.map((round) => round.cpuMs)),
    rows: [
      atLeast("beacons a second, product : bare Durable Object row", ratio, 0.8),
      shown("  product", describe(ours)),
      shown("  bare", describe(bare)),
    ],
  };
}

/** Webhooks a second, verified, stored and acknowledged, against one D1 insert of the same body. */
export async function webhook(options: BenchOptions): Promise<Row[]> {
  const { ours, bare, ratio } = await compare("webhook", 1, options);
  return [
    atLeast("webhooks a second, product : bare D1 insert", ratio, 0.7),
    shown("  product", describe(ours)),
    shown("  bare", describe(bare)),
  ];
}

/** Rounds of both in turn, so that whatever else the machine does meets both; the ratio is the median of the pairs. */
async function compare(kind: LoadOrder["kind"], objects: number, { quick }: BenchOptions) {
  const states = [scratchFolder(4e9), scratchFolder(4e9)] as const;
  const ourCode = await bundle();
  const bareCode = await bundle("test/bench/worker/bare-worker.ts");
  const served: Served[] = [];
  const ours: Round[] = [];
  const bare: Round[] = [];
  try {
    // Handling comes after the acknowledgement, from the queue: it is not what this measures.
    const product = await Served.start(ourCode, states[0], kind !== "webhook");
    served.push(product);
    const floor = await Served.start(bareCode, states[1]);
    served.push(floor);
    await product.migrate();
    await product.api("POST", "/v1/shops", { domain: SHOP, settings: { beaconsPerMinutePerAddress: 1_000_000 } });
    const db = await floor.miniflare.getD1Database("DB");
    await db.prepare("create table bare (key integer primary key, body text not null)").run();
    const order = { kind, shop: SHOP, secret: WEBHOOK_SECRET, connections: CONNECTIONS, objects };
    for (let round = 0; round < (quick ? 3 : 7); round++) {
      const seconds = quick ? 3 : 6;
      const inTurn = round % 2 === 0 ? [product, floor] : [floor, product];
      for (const one of inTurn) {
        (one === product ? ours : bare).push(await drive(one, { ...order, round, seconds }));
      }
    }
  } finally {
    for (const one of served) await one.stop();
    for (const state of states) removeFolder(state);
  }
  // The first pair meets cold code.
  const pairs = ours.map((round, i) => round.perSecond / (bare[i]?.perSecond ?? 1)).slice(1);
  return { ours: ours.slice(1), bare: bare.slice(1), ratio: median(pairs) };
}

function describe(rounds: Round[]): string {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  return `${of((r) => r.perSecond).toFixed(0)}/s, p50 ${of((r) => r.p50).toFixed(1)} ms, p99 ${of((r) => r.p99).toFixed(1)} ms, CPU ${of((r) => r.cpuMs).toFixed(2)} ms a request`;
}
