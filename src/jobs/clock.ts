import { DurableObject } from "cloudflare:workers";

import { abandonDueCarts, nextAbandonment } from "../carts";
import { sql } from "../db/client";
import { CLOCK_PERIOD_MS } from "./arm";

/** Rows sent to a queue per sweep and kind. */
const SWEEP_ROWS = 500;

/** The alarm's own safety net: a sweep that is cut off is repeated as if it had found work, ms. */
const NET_MS = CLOCK_PERIOD_MS;

/**
 * The sweep of one shop: outbox and inbox rows that no queue message has finished, and carts known only from webhooks.
 * While any of them holds work its alarm is at most 30 s ahead, so that everything goes on after a kill without a
 * request. Named by the shop's integer key.
 */
export class Clock extends DurableObject<Env> {
  /**
   * The latest time that a caller was told. It commits work until shortly before and asks no more, so no sweep that
   * finds nothing earlier may put the alarm out.
   */
  #promised = 0;

  /** Makes sure that a sweep comes at `by` or before. Returns when the alarm will go off. */
  async arm(by: number): Promise<number> {
    const current = await this.ctx.storage.getAlarm();
    const alarm = current !== null && current <= by ? current : by;
    this.#promised = Math.max(this.#promised, alarm);
    if (alarm !== current) await this.ctx.storage.setAlarm(alarm);
    return alarm;
  }

  /** Never throws: a failed sweep is repeated by the alarm armed first. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    try {
      await this.ctx.storage.setAlarm(now + NET_MS);
      const due = await this.#sweep(now);
      const promised = this.#promised > now ? this.#promised : null;
      const wakes = [due, promised].filter((time) => time !== null);
      if (wakes.length === 0) await this.ctx.storage.deleteAlarm();
      else await this.ctx.storage.setAlarm(Math.max(Math.min(...wakes), now + 100));
    } catch (error) {
      console.error(JSON.stringify({ feature: "clock", error: error instanceof Error ? error.message : "unknown" }));
    }
  }

  /** Does what is due. Returns when to look again: null with nothing left to do. */
  async #sweep(now: number): Promise<number | null> {
    const { DB } = this.env;
    const shop = Number(this.ctx.id.name);
    await DB.batch(abandonDueCarts(DB, shop, now));
    const inbox = await sql(
      DB,
      `select key, next_attempt_at as dueAt from webhook_inbox where shop = ? and state = 'pending'
       order by next_attempt_at limit ?`,
      shop,
      SWEEP_ROWS,
    ).all<{ key: number; dueAt: number }>();
    const outbox = await sql(
      DB,
      "select key, next_attempt_at as dueAt from outbox where shop = ? order by next_attempt_at, key limit ?",
      shop,
      SWEEP_ROWS,
    ).all<{ key: number; dueAt: number }>();
    const due = <T extends { dueAt: number }>(rows: T[]) => rows.filter((row) => row.dueAt <= now);
    await sendAll(
      this.env.WEBHOOKS,
      due(inbox.results).map(({ key }) => ({ shop, inbox: key })),
    );
    await sendAll(
      this.env.REACTIONS,
      due(outbox.results).map(({ key }) => ({ shop, outbox: key })),
    );
    const times = [
      await nextAbandonment(DB, shop),
      ...[...inbox.results, ...outbox.results].map(({ dueAt }) => dueAt),
    ].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(now + CLOCK_PERIOD_MS, ...times.filter((time) => time > now));
  }
}

/** At most 100 messages a call. */
async function sendAll(queue: Queue, bodies: object[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += 100) {
    await queue.sendBatch(bodies.slice(from, from + 100).map((body) => ({ body })));
  }
}
