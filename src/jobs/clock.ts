import { DurableObject } from "cloudflare:workers";

import { abandonDueCarts, nextAbandonment } from "../carts";
import { sql } from "../db/client";
import { logFailure } from "../lib/log";
import { CLOCK_PERIOD_MS } from "./arm";
import { continueLongJobs } from "./long";
import { nextCampaign } from "./campaigns";
import { dueRuns, nextEntrance, nextRun } from "./runs";
import { nextMembership, updateMembership } from "./membership";

/** Rows looked at per sweep and kind: a backlog of more than that keeps the queues busy until the next sweep. */
const SWEEP_ROWS = 5_000;

/** A row that was sent to its queue and is still there is sent again after this time, ms. */
const RESEND_MS = 2 * 60_000;

/** Rows named in one message: as many as a consumer does quickly, so that consumers share a backlog. */
const PER_MESSAGE = { inbox: 10, outbox: 50, calls: 12, deliveries: 12, runs: 100 };

/** What one sweep leaves of memberships goes on in the next, ms. */
const BEHIND_MS = 100;

/** The alarm's own safety net: a sweep that is cut off is repeated as if it had found work, ms. */
const NET_MS = CLOCK_PERIOD_MS;

/**
 * The sweep of one shop: rows of inbox and outbox and deliveries to endpoints and people that no queue
 * message has finished, carts known only from webhooks, and members of segments whose time has come.
 * While any of them holds work its alarm is at most 30 s ahead, so that everything goes on after a kill without a
 * request. Named by the shop's integer key.
 */
export class Clock extends DurableObject<Env> {
  /**
   * The latest time that a caller was told. It commits work until shortly before and asks no more, so no sweep that
   * finds nothing earlier may put the alarm out.
   */
  #promised = 0;

  /** When each row was sent for its present attempt, by kind, key and due time. Lost with the queues in a crash, as it should be. */
  readonly #sent = new Map<string, number>();

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
      logFailure("clock", error);
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
    const calls = await sql(
      DB,
      `select key, next_attempt_at as dueAt from endpoint_deliveries where shop = ? and state = 'pending'
       order by next_attempt_at limit ?`,
      shop,
      SWEEP_ROWS,
    ).all<{ key: number; dueAt: number }>();
    const deliveries = await sql(
      DB,
      `select key, iif(state = 'sending', coalesce(lease_until, due_at), due_at) as dueAt from deliveries
       where shop = ? and state in ('queued', 'sending') order by due_at limit ?`,
      shop,
      SWEEP_ROWS,
    ).all<{ key: number; dueAt: number }>();
    const runs = await dueRuns(DB, shop, now, SWEEP_ROWS);
    for (const [name, at] of this.#sent) if (at <= now - RESEND_MS) this.#sent.delete(name);
    await this.#send(this.env.WEBHOOKS, "inbox", inbox.results, now);
    await this.#send(this.env.REACTIONS, "outbox", outbox.results, now);
    await this.#send(this.env.RUNS, "runs", runs, now);
    await this.#send(this.env.CALLS, "calls", calls.results, now);
    await this.#send(this.env.MESSAGES, "deliveries", deliveries.results, now);
    const membership = await nextMembership(DB, shop);
    const isBehind = membership !== null && membership <= now && (await updateMembership(this.env, shop, now));
    const campaign = await nextCampaign(this.env, shop, now);
    const goesOn = await continueLongJobs(this.env, now, shop);
    const entering = await nextEntrance(this.env, shop, now);
    const times = [
      isBehind ? now + BEHIND_MS : null,
      goesOn === null ? null : now + goesOn,
      await nextAbandonment(DB, shop),
      ...[...inbox.results, ...outbox.results, ...calls.results, ...deliveries.results, ...runs].map(
        ({ dueAt }) => dueAt,
      ),
    ].filter((time) => time !== null);
    const soon = times.length === 0 ? null : Math.min(now + CLOCK_PERIOD_MS, ...times.filter((time) => time > now));
    // Where nothing else waits the clock sleeps until a membership or a wait ends, however far that is.
    const later = [await nextMembership(DB, shop), await nextRun(DB, shop, now), entering, campaign].filter(
      (at) => at !== null,
    );
    return later.length === 0 ? soon : Math.min(soon ?? Infinity, Math.max(Math.min(...later), now));
  }

  /** Nudges the queue for the rows that are due and not under way. */
  async #send(queue: Queue, kind: keyof typeof PER_MESSAGE, rows: { key: number; dueAt: number }[], now: number) {
    const shop = Number(this.ctx.id.name);
    // A new attempt is a new sending: what failed and is due again must not wait for the time of a lost message.
    const due = rows
      .filter(({ dueAt }) => dueAt <= now)
      .map(({ key, dueAt }) => ({ key, name: `${kind}:${key}:${dueAt}` }))
      .filter(({ name }) => !this.#sent.has(name));
    const size = PER_MESSAGE[kind];
    for (let from = 0; from < due.length; from += 100 * size) {
      const part = due.slice(from, from + 100 * size);
      const messages = Array.from({ length: Math.ceil(part.length / size) }, (_, i) => ({
        body: { shop, [kind]: part.slice(i * size, (i + 1) * size).map(({ key }) => key) },
      }));
      await queue.sendBatch(messages);
      for (const { name } of part) this.#sent.set(name, now);
    }
  }
}
