import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, Response as MiniflareResponse } from "miniflare";
import { type SourcelessWorkerOptions, unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";

import { family, signal } from "../../../scripts/processes.mjs";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export const OPERATOR_TOKEN = "operator-token-of-the-kill-test";
export const WEBHOOK_SECRET = "webhook-secret-of-the-kill-test";

/** Long enough that kills come while a delivery to an endpoint is under way, ms. */
const RECEIVER_MS = 50;

interface Module {
  type: "ESModule" | "CompiledWasm";
  path: string;
  contents: string | Uint8Array<ArrayBuffer>;
}

interface OutgoingRequest {
  url: string;
  headers: { get(name: string): string | null };
}

/** In memory where the machine has such a place: the test is about what is written, not about a disk's speed. */
function scratch(): string {
  const shm = statSync("/dev/shm", { throwIfNoEntry: false })?.isDirectory();
  return mkdtempSync(join(shm ? "/dev/shm" : tmpdir(), "footfall-kill-"));
}

/** The Worker as it is deployed: bundled once, with the bindings that `wrangler.toml` names, its state on disk. */
export class Product {
  readonly #folder: string;
  readonly #modules: Module[];
  readonly #options: SourcelessWorkerOptions;
  readonly #settings: Record<string, string>;
  /** How often each delivery, by its `webhook-id`, came to whatever host the Worker called. */
  readonly received = new Map<string, number>();
  /** How often each message, by its key, came to the e-mail provider (Resend's address). */
  readonly mails = new Map<string, number>();
  #running: { miniflare: Miniflare; url: URL; pid: number } | null = null;

  private constructor(folder: string, modules: Module[], settings: Record<string, string>) {
    this.#folder = folder;
    this.#modules = modules;
    this.#settings = settings;
    this.#options = workerOptionsOf(join(ROOT, "wrangler.toml")).workerOptions;
  }

  /** @param settings beside those that every run of the tests has */
  static async build(settings: Record<string, string> = {}): Promise<Product> {
    const folder = scratch();
    const out = join(folder, "bundle");
    const wrangler = join(ROOT, "node_modules/.bin/wrangler");
    await promisify(execFile)(wrangler, ["deploy", "--dry-run", "--outdir", out], {
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const compiled = readdirSync(out).filter((name) => name.endsWith(".wasm"));
    return new Product(
      folder,
      [
        { type: "ESModule", path: "index.js", contents: readFileSync(join(out, "index.js"), "utf8") },
        ...compiled.map((path): Module => {
          return { type: "CompiledWasm", path, contents: new Uint8Array(readFileSync(join(out, path))) };
        }),
      ],
      settings,
    );
  }

  /** Serves from the state that is on disk. */
  async start(): Promise<void> {
    if (this.#running) throw new Error("the Worker runs already");
    const workerOptions = this.#options;
    const before = new Set(runtimes());
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        cf: false,
        log: new Log(LogLevel.NONE),
        // Every kill makes the Worker complain of what it cut off.
        handleStructuredLogs: () => undefined,
        resourcePersistencePath: join(this.#folder, "state"),
        workers: [
          {
            ...workerOptions,
            name: "footfall",
            modules: this.#modules,
            // With a store to speak to, calls go out for real.
            ...("SHOPIFY_ADMIN_ORIGIN" in this.#settings
              ? {}
              : {
                  outboundService: (request: OutgoingRequest) => this.#receive(request),
                }),
            bindings: Object.assign({}, workerOptions.bindings, {
              OPERATOR_TOKEN,
              SHOPIFY_API_KEY: "key-of-the-kill-test",
              SHOPIFY_API_SECRET: WEBHOOK_SECRET,
              ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
              TRUST_GEO_HEADERS: "on",
              ...this.#settings,
            }),
          },
        ],
      }),
    );
    const url = await miniflare.ready;
    const pid = runtimes().find((one) => !before.has(one));
    if (pid === undefined) throw new Error("no workerd process was started");
    this.#running = { miniflare, url, pid };
  }

  async #receive({ url, headers }: OutgoingRequest): Promise<MiniflareResponse> {
    const mail = new URL(url).hostname === "api.resend.com" ? headers.get("idempotency-key") : null;
    if (mail !== null) {
      this.mails.set(mail, (this.mails.get(mail) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, RECEIVER_MS));
      return MiniflareResponse.json({ id: `re_${mail}` });
    }
    const id = headers.get("webhook-id") ?? "none";
    this.received.set(id, (this.received.get(id) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, RECEIVER_MS));
    return new MiniflareResponse(null, { status: 204 });
  }

  /** Brings the schema up to `migrations/`. */
  async migrate(): Promise<void> {
    const db = await this.#db();
    for (const file of readdirSync(join(ROOT, "migrations"))
      .filter((name) => name.endsWith(".sql"))
      .sort()) {
      const statements = readFileSync(join(ROOT, "migrations", file), "utf8").split("--> statement-breakpoint");
      await db.batch(statements.map((text) => db.prepare(text)));
    }
  }

  /** Statements straight into D1, past the Worker. */
  async sql(...statements: string[]): Promise<void> {
    const db = await this.#db();
    await db.batch(statements.map((text) => db.prepare(text)));
  }

  /** A request as a browser or Shopify makes it; rejects while the Worker is down. */
  fetch(path: string, init: RequestInit): Promise<Response> {
    if (!this.#running) return Promise.reject(new Error("the Worker is down"));
    return fetch(new URL(path, this.#running.url), init);
  }

  /** Memory that the runtime holds of its own now, without mapped files, bytes. */
  memory(): number {
    if (!this.#running) throw new Error("the Worker is down");
    const status = readFileSync(`/proc/${this.#running.pid}/status`, "utf8");
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  /** SIGKILL, in the middle of whatever it does. Nothing serves until `start`. */
  async kill(): Promise<void> {
    const running = this.#running;
    if (!running) throw new Error("the Worker is down already");
    this.#running = null;
    signal(running.pid, "SIGKILL");
    await running.miniflare.dispose();
  }

  /** Reads D1's file from outside: no request reaches the Worker. */
  read<T>(text: string): T[] {
    const file = this.#databaseFile();
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names the columns of its own query
      return db.prepare(text).all() as T[];
    } finally {
      db.close();
    }
  }

  async remove(): Promise<void> {
    if (this.#running) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #db() {
    if (!this.#running) throw new Error("the Worker is down");
    return this.#running.miniflare.getD1Database("DB");
  }

  #databaseFile(): string {
    const files = readdirSync(join(this.#folder, "state"), { recursive: true, encoding: "utf8" }).filter(
      (name) => /^(v3\/)?d1\//.test(name) && name.endsWith(".sqlite") && !name.endsWith("metadata.sqlite"),
    );
    const [file] = files;
    if (files.length !== 1 || file === undefined) throw new Error(`not one database: ${files.join(", ")}`);
    return join(this.#folder, "state", file);
  }
}

/** Process ids of the workerds that this process has started and that run now. */
function runtimes(): number[] {
  return family([process.pid])
    .filter(({ command }) => /workerd\S* serve/.test(command))
    .map(({ pid }) => pid);
}
