import { bundle, Served } from "../harness.ts";
import { atMost, type BenchOptions, median, type Row, shown } from "../row.ts";
import type { Filled, SegmentOrder } from "../worker/segment-order.ts";
import { type Asked, ASKED } from "./asked.ts";
import { segmentData, type SegmentData } from "./data.ts";

const ROUNDS = 3;
/** Segments of a shop that one event may concern. */
const LIVE = 50;
/** Contacts that are asked about in turn. */
const SUBJECTS = 20;

/** One that the database fills by itself, one that time moves. */
const FILLED = ["totals: revenue as ordered", "event count: the order word for word"];

interface Measured {
  ms: number;
  /** Of the runtime's process: what the same would take on a machine with nothing else to do. */
  cpuMs: number;
  count: number;
  rowsRead: number;
}

/** What segments cost over a million contacts: against SQL written by hand on the same data, and for one subject. */
export async function segments({ quick, detail }: BenchOptions): Promise<Row[]> {
  const code = await bundle("test/bench/worker/segments-worker.ts");
  const data = await segmentData(code, quick ? 10_000 : 1_000_000);
  const served = await Served.start(code, data.state);
  try {
    return [
      about(data),
      ...(await counts(served, data, detail)),
      await oneSubject(served, data),
      ...(await fills(served, data)),
    ];
  } finally {
    await served.stop();
  }
}

function about({ contacts, orders, events, bytes, madeInSeconds }: SegmentData): Row {
  const made = madeInSeconds === null ? "made by an earlier run" : `made in ${madeInSeconds.toFixed(0)} s`;
  const number = (value: number) => value.toLocaleString("en");
  return shown(
    `${number(contacts)} contacts, ${number(orders)} orders, ${number(events)} events on disk`,
    `${(bytes / 1e9).toFixed(2)} GB, ${made}`,
  );
}

async function counts(served: Served, { now }: SegmentData, detail: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const asked of ASKED) {
    const { sql, values } = await order<{ sql: string; values: string[] }>(served, {
      do: "compile",
      asked,
      now,
    });
    const ours: Measured[] = [];
    const byHand: Measured[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      ours.push(await run(served, sql, values));
      byHand.push(await run(served, asked.sql, []));
    }
    // The first round warms the cache up.
    const [compiled, written] = [ours.slice(1), byHand.slice(1)];
    rows.push(...compare(asked, compiled, written));
    if (detail) {
      console.log(`${asked.name}: ${JSON.stringify({ compiled, written })}`);
      console.log(await plan(served, sql, values));
      console.log(await plan(served, asked.sql, []));
    }
  }
  return rows;
}

function compare({ name }: Asked, compiled: Measured[], written: Measured[]): Row[] {
  const [ours, byHand] = [compiled[0], written[0]];
  if (!ours || !byHand) throw new Error("nothing was measured");
  if (ours.count !== byHand.count) throw new Error(`${name}: counted ${ours.count}, by hand ${byHand.count}`);
  const ms = median(compiled.map((one) => one.ms));
  const ratio = ms / median(written.map((one) => one.ms));
  const cpu = (some: Measured[]) => Math.round(median(some.map((one) => one.cpuMs)));
  const read = `CPU ${cpu(compiled)} against ${cpu(written)}; ${ours.count.toLocaleString("en")} counted, rows read ${ours.rowsRead.toLocaleString("en")} against ${byHand.rowsRead.toLocaleString("en")}`;
  return [atMost(`segment, against SQL by hand: ${name}`, ratio, 1.2), { ...atMost(`  ms; ${read}`, ms, 1_000, 0) }];
}

/** One contact after the other against fifty live segments, compiled each time as the product does. */
async function oneSubject(served: Served, { contacts, now }: SegmentData): Promise<Row> {
  const asked = Array.from({ length: LIVE }, (_, i) => ASKED[i % ASKED.length]).filter((one) => one !== undefined);
  const keys = Array.from({ length: SUBJECTS }, (_, i) => 1 + ((i * 48_611) % contacts));
  const ask = () => order(served, { do: "subjects", asked, now, contacts: keys });
  await ask();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await ask();
    times.push((performance.now() - started) / SUBJECTS);
  }
  return atMost(`one contact against ${LIVE} segments, ms`, median(times), 10, 1);
}

/** Filling stored memberships from nothing, and looking again at everybody whose time has come. */
async function fills(served: Served, { contacts, now }: SegmentData): Promise<Row[]> {
  const rows: Row[] = [];
  const per = (ms: number, people: number) =>
    `${(ms / 1000).toFixed(1)} s, ${Math.round(people / (ms / 1000)).toLocaleString("en")} a second`;
  for (const name of FILLED) {
    const asked = ASKED.find((one) => one.name === name);
    if (!asked) throw new Error(`there is no segment ${name}`);
    const filled = await order<Filled>(served, { do: "fill", asked, now });
    rows.push({
      ...atMost(`first fill, s: ${name}`, filled.fillMs / 1000, 300 * (contacts / 1_000_000), 1),
      figure: `${per(filled.fillMs, contacts)}; ${filled.size.toLocaleString("en")} members, ${filled.waiting.toLocaleString("en")} wait for their time`,
    });
    if (filled.swept > 0)
      rows.push(
        shown(`  a day later: ${filled.swept.toLocaleString("en")} looked at again`, per(filled.sweepMs, filled.swept)),
      );
  }
  return rows;
}

async function order<T>(served: Served, what: SegmentOrder): Promise<T> {
  const response = await served.miniflare.dispatchFetch("http://bench/", {
    method: "POST",
    body: JSON.stringify(what),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${JSON.stringify(what)} -> ${response.status} ${text}`);
  return JSON.parse(text);
}

async function run(served: Served, sql: string, values: string[]): Promise<Measured> {
  const db = await served.miniflare.getD1Database("DB");
  const cpuBefore = served.cpuMs();
  const started = performance.now();
  const { results, meta } = await db
    .prepare(sql)
    .bind(...values)
    .all<{ count: number }>();
  const ms = performance.now() - started;
  return { ms, cpuMs: served.cpuMs() - cpuBefore, count: results[0]?.count ?? -1, rowsRead: meta.rows_read };
}

async function plan(served: Served, sql: string, values: string[]): Promise<string> {
  const db = await served.miniflare.getD1Database("DB");
  const { results } = await db
    .prepare(`explain query plan ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map((step: { detail: string }) => `    ${step.detail}`).join("\n");
}
