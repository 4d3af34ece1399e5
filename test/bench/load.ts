import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { percentile } from "./row.ts";
import type { Served } from "./harness.ts";

/** What a load process is asked to do. */
export interface LoadOrder {
  port: number;
  kind: "beacon" | "webhook";
  shop: string;
  secret: string;
  connections: number;
  /** Visitors that beacons are spread over. */
  objects: number;
  /** Names the visitors of this round: each round has fresh ones. */
  round: number;
  seconds: number;
}

export interface LoadResult {
  requests: number;
  /** Answers that were no success. */
  errors: number;
  seconds: number;
  latenciesMs: number[];
}

export interface Round {
  perSecond: number;
  p50: number;
  p99: number;
  /** Processor time of the runtime per request, ms. */
  cpuMs: number;
}

/** One round of load from a process of its own; throws when an answer was no success. */
export async function drive(served: Served, order: Omit<LoadOrder, "port">): Promise<Round> {
  const child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)), { stdio: ["ignore", 2, 2, "ipc"] });
  const before = new Promise<number>((resolve) => child.once("message", () => resolve(served.cpuMs())));
  child.send({ ...order, port: Number(served.url.port) } satisfies LoadOrder);
  const cpuBefore = await before;
  const result = await new Promise<LoadResult>((resolve, reject) => {
    child.once("message", (message: LoadResult) => resolve(message));
    child.once("exit", (code) => reject(new Error(`the load process ended with ${code}`)));
  });
  const cpuMs = served.cpuMs() - cpuBefore;
  child.kill();
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests failed`);
  return {
    perSecond: result.requests / result.seconds,
    p50: percentile(result.latenciesMs, 0.5),
    p99: percentile(result.latenciesMs, 0.99),
    cpuMs: cpuMs / result.requests,
  };
}
