import { bundle, Served } from "./harness.ts";
import { atMost, type BenchOptions, median, type Row, shown } from "./row.ts";
import { contactId, FEW, MANY, type Scale, scaleData, specialContacts, trackerOf } from "./scale-data.ts";
import { total } from "./worker/counts.ts";

const PAGE = 50;

/** A statement that reads more is named with `--detail`. */
const MANY_ROWS = 10;

/** How often a read is repeated: the median counts. */
const REPEATS = 7;

interface Measured {
  ms: number;
  rowsRead: number;
  rowsWritten: number;
  body: Record<string, unknown>;
}

/** What reads and erasure cost with a million visitors and ten million events: time, and rows by D1's own meta. */
export async function scale({ quick, detail }: BenchOptions): Promise<Row[]> {
  const code = await bundle("test/bench/worker/counting-worker.ts");
  const data = await scaleData(code, quick ? 100_000 : 1_000_000);
  const made = data.madeInSeconds === null ? "made by an earlier run" : `made in ${data.madeInSeconds.toFixed(0)} s`;
  const rows: Row[] = [
    shown(
      `${data.visitors.toLocaleString("en")} visitors, ${data.events.toLocaleString("en")} events on disk`,
      `${(data.bytes / 1e9).toFixed(2)} GB, ${made}`,
    ),
  ];
  const served = await Served.start(code, data.state);
  try {
    const reads = new Reads(served, data);
    rows.push(...(await reads.timelines()), ...(await reads.lists()), await reads.erase(), await reads.retention());
    if (detail) for (const line of reads.lines) console.log(line);
  } finally {
    await served.stop();
  }
  return rows;
}

class Reads {
  readonly lines: string[] = [];
  readonly #served: Served;
  readonly #data: Scale;

  constructor(served: Served, data: Scale) {
    this.#served = served;
    this.#data = data;
  }

  async timelines(): Promise<Row[]> {
    const { few, many } = specialContacts(this.#data);
    const of = async (what: string, path: string, returned: number): Promise<Row> => {
      const page = await this.#read(`${path}/timeline?limit=${PAGE}`);
      expectItems(page, returned);
      return shown(what, describe(page));
    };
    const manyPath = `/v1/contacts/${contactId(many.contact)}`;
    const deep = await this.#deepPage(`${manyPath}/timeline?limit=${PAGE}`, 20);
    expectItems(deep, PAGE);
    return [
      await of(
        `timeline page of a contact with ${FEW.visits} visits`,
        `/v1/contacts/${contactId(few.contact)}`,
        FEW.events,
      ),
      await of(`timeline page of a contact with ${MANY.events.toLocaleString("en")} events`, manyPath, PAGE),
      shown("  its 20th page", describe(deep)),
      await of("timeline of one visitor", `/v1/visitors/${trackerOf(7)}`, 1),
    ];
  }

  /** An order's items count as rows that were returned, since each is one. */
  async lists(): Promise<Row[]> {
    const rows: Row[] = [];
    for (const list of ["visitors", "contacts", "orders"]) {
      const first = await this.#read(`/v1/${list}?limit=${PAGE}`);
      const deep = await this.#deepPage(`/v1/${list}?limit=${PAGE}`, 20);
      for (const page of [first, deep]) expectItems(page, PAGE);
      const most = Math.max(first.rowsRead, deep.rowsRead);
      rows.push(
        atMost(`rows read per row returned, page of /v1/${list}`, most / rowsIn(first), 3, 1),
        shown("  first page; 20th page", `${describe(first)}; ${describe(deep)}`),
      );
    }
    return rows;
  }

  /** An ordinary contact with its browser; the next one in every run. */
  async erase(): Promise<Row> {
    const { many } = specialContacts(this.#data);
    for (let n = 1; n < many.contact; n++) {
      const path = this.#path(`/v1/contacts/${contactId(n)}`);
      const there = await this.#served.call("GET", path);
      if (there.status !== 200) continue;
      const done = await this.#measure("POST", this.#path(`/v1/contacts/${contactId(n)}/erase`));
      return shown("erase a contact with its browser and 10 events", describe(done));
    }
    throw new Error("every contact is erased");
  }

  /** The oldest events of the shop, as many as one run of cron takes. */
  async retention(): Promise<Row> {
    // A day of ninety is too old: far more than a run may take.
    await this.#served.api("PATCH", `/v1/shops/${this.#data.domain}`, { settings: { eventRetentionDays: 89 } });
    const done = await this.#measure("POST", "/v1/bench-cron");
    return shown("a run of retention that deletes at most 5,000 events a type", describe(done));
  }

  async #deepPage(path: string, page: number): Promise<Measured> {
    let cursor = "";
    for (let n = 1; n < page; n++) {
      const { body } = await this.#served.call("GET", this.#path(path + cursor));
      cursor = `&cursor=${encodeURIComponent(String(body["nextCursor"]))}`;
    }
    return this.#read(path + cursor);
  }

  async #read(path: string): Promise<Measured> {
    const times: Measured[] = [];
    for (let n = 0; n < REPEATS; n++) times.push(await this.#measure("GET", this.#path(path)));
    const last = times.at(-1);
    if (!last) throw new Error("nothing was read");
    return { ...last, ms: median(times.map(({ ms }) => ms)) };
  }

  async #measure(method: string, path: string): Promise<Measured> {
    await this.#served.takeCounts();
    const started = performance.now();
    const answer = await this.#served.call(method, path);
    const ms = performance.now() - started;
    if (answer.status >= 300) throw new Error(`${method} ${path} -> ${answer.status}`);
    const counts = await this.#served.takeCounts();
    const rowsWritten = total(counts.databaseRows);
    const rowsRead = total(counts.databaseReads);
    this.lines.push(`  ${method} ${path.slice(0, 90)}: ${ms.toFixed(1)} ms, ${rowsRead} rows read`);
    for (const [text, n] of Object.entries(counts.databaseReads)) {
      if (n > MANY_ROWS) this.lines.push(`    ${n} rows: ${text.slice(0, 300)}`);
    }
    return { ms, rowsRead, rowsWritten, body: answer.body };
  }

  #path(path: string): string {
    return `${path}${path.includes("?") ? "&" : "?"}shop=${this.#data.domain}`;
  }
}

function rowsIn({ body }: Measured): number {
  const items: { items?: unknown[] }[] = Array.isArray(body["items"]) ? body["items"] : [];
  return items.reduce((sum, item) => sum + 1 + (item.items?.length ?? 0), 0);
}

function expectItems({ body }: Measured, least: number): void {
  const items = body["items"];
  if (!Array.isArray(items) || items.length < least) throw new Error(`a page has fewer than ${least} items`);
}

function describe({ ms, rowsRead, rowsWritten }: Measured): string {
  return `${ms.toFixed(1)} ms, ${rowsRead.toLocaleString("en")} rows read${rowsWritten > 0 ? `, ${rowsWritten.toLocaleString("en")} written` : ""}`;
}
