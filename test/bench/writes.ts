import { billOf, DATABASE_BATCH_MS, OBJECT_CALL_MS } from "./prices.ts";
import { type Bundle, bundle, removeFolder, scratchFolder, Served } from "./harness.ts";
import { atMost, type BenchOptions, type Row, shown } from "./row.ts";
import { type Counts, total } from "./worker/counts.ts";
import type { Mix } from "./worker/visit-mix.ts";

const ROWS_PER_PAGE_VIEW = 2.4;
const DOLLARS = 5.2;

const MIXES: Mix[] = ["browsing", "shop", "theme"];
const QUICK_MIXES: Mix[] = ["browsing", "shop"];

const WITH = {
  shop: "with carts, checkouts, purchases and forms beside",
  theme: "and with a Shopify theme's product and collection views",
} as const;

/** Visits before the count begins: two and a half simulated hours, so that carts of theirs are abandoned meanwhile. */
const WARM_UP = 1_000;

/** CPU of a beacon where this run has not measured it, ms. */
const CPU_MS = 1;

/**
 * Rows written per page view and the list price of a million, counted while simulated shoppers visit the real Worker.
 *
 * @param cpuMs what the beacon row has measured in this run
 */
export async function writes({ quick, detail }: BenchOptions, cpuMs: number | null): Promise<Row[]> {
  const code = await bundle("test/bench/worker/counting-worker.ts");
  const rows: Row[] = [];
  for (const mix of quick ? QUICK_MIXES : MIXES) {
    const counts = await simulate(code, mix, quick ? 800 : 2_500);
    const bill = billOf(counts, cpuMs ?? CPU_MS);
    const ofObjects = total(counts.objectRows) / counts.pageViews;
    const ofDatabase = total(counts.databaseRows) / counts.pageViews;
    if (mix === "browsing") {
      rows.push(
        atMost("row writes per page view, Durable Object", ofObjects, ROWS_PER_PAGE_VIEW),
        atMost("row writes per page view, D1", ofDatabase, ROWS_PER_PAGE_VIEW),
        atMost("list price per million page views, $ (aim 4.20)", bill.dollars, DOLLARS),
      );
    } else {
      const figures = `${ofObjects.toFixed(2)} and ${ofDatabase.toFixed(2)} rows, $${bill.dollars.toFixed(2)}`;
      rows.push(shown(`  ${WITH[mix]}`, figures));
    }
    console.log(`\n${mix}: ${counts.visits} visits, ${counts.pageViews} page views, ${counts.beacons} beacons`);
    for (const line of bill.lines) {
      console.log(
        `  ${line.name.padEnd(20)} ${line.perPageView.toFixed(4).padStart(10)} a page view x $${line.price}/M = $${line.dollars.toFixed(3)}`,
      );
    }
    if (detail) printDetail(counts);
  }
  console.log(
    `  price per million page views = sum of (counted quantity per page view x list price per million); CPU ${(
      cpuMs ?? CPU_MS
    ).toFixed(
      2,
    )} ms a request${cpuMs === null ? " (assumed)" : " (measured, the whole runtime's)"}, an object's call ${OBJECT_CALL_MS} ms and its wait for D1 ${DATABASE_BATCH_MS} ms of 128 MB (assumed), one /ff.js a visit`,
  );
  return rows;
}

async function simulate(code: Bundle, mix: Mix, visits: number): Promise<Counts> {
  const state = scratchFolder(1e9);
  const served = await Served.start(code, state);
  try {
    await served.migrate();
    const domain = "bench.example";
    await served.api("POST", "/v1/shops", { domain, settings: { beaconsPerMinutePerAddress: 0 } });
    const { counts } = await served.simulate({ shop: domain, seed: 7, visits, warmUp: WARM_UP, mix });
    return counts;
  } finally {
    await served.stop();
    removeFolder(state);
  }
}

function printDetail(counts: Counts): void {
  for (const [name, of] of [
    ["Durable Object rows", counts.objectRows],
    ["D1 rows", counts.databaseRows],
    ["object requests", counts.objectRequests],
    ["Worker requests", counts.requests],
  ] as const) {
    console.log(`  ${name}, per page view:`);
    for (const [what, n] of Object.entries(of).sort((a, b) => b[1] - a[1])) {
      console.log(`    ${what.padEnd(44)} ${(n / counts.pageViews).toFixed(4)}`);
    }
  }
}
