import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";

import type { Counts } from "./worker/counts.ts";
import { family } from "../../scripts/processes.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const OPERATOR_TOKEN = "operator-token-of-the-bench";
export const WEBHOOK_SECRET = "webhook-secret-of-the-bench";

/** Where the local runtime says a request comes from: like a real `request.cf`, unlike its own placeholder. */
const CF = { country: "DE", region: "Berlin", city: "Berlin", asn: 3320 };

/** Bytes that must be free before state goes to a memory file system. */
export function isMemoryFree(bytes: number): boolean {
  try {
    const { MemAvailable = 0 } = Object.fromEntries(
      [...readFileSync("/proc/meminfo", "utf8").matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, k, v]) => [k, Number(v)]),
    );
    return statSync("/dev/shm").isDirectory() && MemAvailable * 1024 > bytes;
  } catch {
    return false;
  }
}

/** A folder of our own, in memory where that is possible: a shared disk's fsync would hide everything else. */
export function scratchFolder(bytes: number): string {
  return mkdtempSync(join(isMemoryFree(bytes) ? "/dev/shm" : tmpdir(), "footfall-bench-"));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** A bundled Worker: the module that is its entry, then those that it takes as they are. */
export type Bundle = { type: "ESModule" | "CompiledWasm"; path: string; contents: string | Uint8Array<ArrayBuffer> }[];

/** The Worker bundled as a deployment would, or another entry with the same configuration. */
export async function bundle(entry?: string): Promise<Bundle> {
  const out = mkdtempSync(join(tmpdir(), "footfall-bundle-"));
  try {
    await promisify(execFile)(
      join(ROOT, "node_modules/.bin/wrangler"),
      ["deploy", ...(entry ? [entry] : []), "--dry-run", "--outdir", out],
      { cwd: ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" } },
    );
    const files = readdirSync(out);
    const name = files.find((file) => file.endsWith(".js"));
    if (!name) throw new Error("wrangler made no bundle");
    return [
      { type: "ESModule", path: "index.js", contents: readFileSync(join(out, name), "utf8") },
      ...files
        .filter((file) => file.endsWith(".wasm"))
        .map((path) => ({
          type: "CompiledWasm" as const,
          path,
          contents: new Uint8Array(readFileSync(join(out, path))),
        })),
    ];
  } finally {
    removeFolder(out);
  }
}

/** A Worker that runs under miniflare with everything that `wrangler.toml` binds. */
export class Served {
  readonly miniflare: Miniflare;
  readonly url: URL;
  /** The runtime's process. */
  readonly pid: number;

  private constructor(miniflare: Miniflare, url: URL, pid: number) {
    this.miniflare = miniflare;
    this.url = url;
    this.pid = pid;
  }

  /**
   * @param state folder that keeps what the Worker stores
   * @param consumes false leaves what the Worker puts into queues there
   */
  static async start(code: Bundle, state: string, consumes = true): Promise<Served> {
    const { workerOptions } = workerOptionsOf(join(ROOT, "wrangler.toml"));
    const before = new Set(runtimes());
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        cf: CF,
        log: new Log(LogLevel.NONE),
        handleStructuredLogs: ({ level, message }) => {
          if (level === "error") console.error(message);
        },
        resourcePersistencePath: state,
        workers: [
          {
            ...workerOptions,
            name: "footfall",
            ...(consumes ? {} : { queueConsumers: [] }),
            modules: code,
            bindings: Object.assign({}, workerOptions.bindings, {
              OPERATOR_TOKEN,
              SHOPIFY_API_KEY: "key-of-the-bench",
              SHOPIFY_API_SECRET: WEBHOOK_SECRET,
              ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
              TRUST_GEO_HEADERS: "off",
            }),
          },
        ],
      }),
    );
    const url = await miniflare.ready;
    const pid = runtimes().find((one) => !before.has(one));
    if (pid === undefined) throw new Error("the runtime's process is not there");
    return new Served(miniflare, url, pid);
  }

  /** Applies the migrations, statement by statement. */
  async migrate(): Promise<void> {
    const db = await this.miniflare.getD1Database("DB");
    for (const statement of migrationStatements()) await db.prepare(statement).run();
  }

  /** One call of the REST API as the operator. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    return { status: response.status, body: typeof parsed === "object" && parsed !== null ? { ...parsed } : {} };
  }

  /** The same; throws unless it succeeds. */
  async api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path} -> ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** What the counting Worker has counted since it was last asked. */
  async takeCounts(): Promise<Counts> {
    return JSON.parse(await (await fetch(new URL("/v1/bench-counts", this.url))).text());
  }

  /** Asks the counting Worker (worker/counting-worker.ts) to live through visits. */
  async simulate(order: object): Promise<{ counts: Counts }> {
    const response = await this.miniflare.dispatchFetch("http://bench/simulate", {
      method: "POST",
      body: JSON.stringify(order),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the simulation failed: ${text}`);
    return JSON.parse(text);
  }

  /** Processor time that the runtime has used, ms. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    // utime and stime, in ticks of 10 ms on every Linux that Node runs on.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async stop(): Promise<void> {
    await this.miniflare.dispose();
  }
}

/** What the migrations say, one statement each. */
export function migrationStatements(): string[] {
  const folder = join(ROOT, "migrations");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("--> statement-breakpoint"))
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

function runtimes(): number[] {
  return family([process.pid])
    .filter(({ command }) => /\bworkerd serve\b/.test(command))
    .map(({ pid }) => pid);
}
