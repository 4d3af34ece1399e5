import { DurableObject } from "cloudflare:workers";

import { logFailure, reason } from "../../lib/log";
import { AdminError } from "../admin";
import { notePutOff } from "./progress";

/** How long one run works: well within the processor time of an alarm. */
const RUN_MS = 10_000;

/** The alarm's own safety net, armed before a run: after a kill the next one goes on from the checkpoint. */
const NET_MS = 15_000;

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Reads what one store knows, and what changes there: backfill, reconciliation and the connection's checks, driven by
 * one alarm. Everything that matters is in D1 (`sync_streams`, `jobs`), so losing the object loses nothing. Named by the
 * shop's integer key.
 */
export class Sync extends DurableObject<Env> {
  #failures = 0;
  /** The earliest time that a caller asked for while a run was under way. */
  #asked = Number.POSITIVE_INFINITY;
  /** Operations that are over by Shopify's word. Forgotten with the object: then they are looked at a little later. */
  #ended = new Set<string>();

  /** Makes sure that a run comes at `by` or before. */
  async arm(by: number): Promise<void> {
    this.#asked = Math.min(this.#asked, by);
    const current = await this.ctx.storage.getAlarm();
    if (current === null || current > by) await this.ctx.storage.setAlarm(by);
  }

  /** Told that a bulk operation is over, which nobody has to wait for any longer. */
  async ended(operation: string): Promise<void> {
    this.#ended.add(operation);
    await this.arm(Date.now());
  }

  /** Never throws: a failed run is repeated, after a wait that grows. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#asked = Number.POSITIVE_INFINITY;
    try {
      await this.ctx.storage.setAlarm(now + NET_MS);
      const next = await this.#run(now);
      const wake = Math.min(next ?? Number.POSITIVE_INFINITY, this.#asked);
      if (Number.isFinite(wake)) await this.ctx.storage.setAlarm(Math.max(wake, Date.now()));
      else await this.ctx.storage.deleteAlarm();
    } catch (error) {
      logFailure("sync", error);
    }
  }

  async #run(now: number): Promise<number | null> {
    // The object stands in the Worker's entry, which beacons share: what it works with is loaded by its first run.
    const [{ runSync }, { checkConnection }] = await Promise.all([import("./run"), import("../connect")]);
    const context = {
      env: this.env,
      shop: Number(this.ctx.id.name),
      clock: Date.now,
      until: now + RUN_MS,
      failures: this.#failures,
      ended: this.#ended,
      check: checkConnection,
    };
    try {
      this.#ended = new Set();
      const next = await runSync(context);
      this.#failures = 0;
      return next;
    } catch (error) {
      this.#failures = context.failures + 1;
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#failures - 1, 10));
      const told = error instanceof AdminError ? (error.retryAfterMs ?? LONGEST_WAIT_MS) : 0;
      logFailure("sync", error);
      await notePutOff(this.env.DB, context.shop, reason(error)).catch(() => undefined);
      return Date.now() + Math.max(wait, told);
    }
  }
}
