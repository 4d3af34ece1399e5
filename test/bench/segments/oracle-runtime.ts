import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

import type { Outcome } from "../../segments/oracle/outcome.ts";
import { migrationStatements, ROOT } from "../harness.ts";

/** One runtime with the product's database and queries, and nothing else of the product. */
export class OracleRuntime {
  readonly #miniflare: Miniflare;

  private constructor(miniflare: Miniflare) {
    this.#miniflare = miniflare;
  }

  /** @param state folder for the database */
  static async start(state: string): Promise<OracleRuntime> {
    const { outputFiles } = await build({
      entryPoints: [join(ROOT, "test/bench/worker/oracle-worker.ts")],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "node:*"],
      // What renders messages is never asked here.
      loader: { ".wasm": "empty" },
      logLevel: "error",
    });
    const [code] = outputFiles;
    if (!code) throw new Error("there is no bundle");
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        compatibilityDate: "2026-11-01",
        compatibilityFlags: ["nodejs_compat"],
        resourcePersistencePath: state,
        workers: [
          {
            name: "oracle",
            modules: [{ type: "ESModule", path: "index.js", contents: code.text }],
            compatibilityDate: "2026-11-01",
            compatibilityFlags: ["nodejs_compat"],
            d1Databases: { DB: "oracle" },
          },
        ],
      }),
    );
    const db = await miniflare.getD1Database("DB");
    for (const statement of migrationStatements()) await db.prepare(statement).run();
    return new OracleRuntime(miniflare);
  }

  /** Deals everything that can be asked once, to worlds of a seed. */
  async turn(seed: number, shop: number): Promise<Outcome> {
    const response = await this.#miniflare.dispatchFetch("http://bench/", {
      method: "POST",
      body: JSON.stringify({ seed, shop }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`oracle, seed ${seed}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  async stop(): Promise<void> {
    await this.#miniflare.dispose();
  }
}
