import { DurableObject } from "cloudflare:workers";

import { abandonDueCarts } from "../carts";
import { config } from "../config";
import { onConflictRetry, sql } from "../db/client";
import { open } from "../lib/crypto";
import { logFailure } from "../lib/log";
import { getShopOrThrow } from "../shops";
import { contactById, contactHashes, linkClaim, linkStatements, personaHash, readPersona } from "../identity";
import type { Claim } from "../collect";
import { armClock } from "../jobs";
import { applyBatch, newPerson } from "./apply";
import { deletePersona, erasePersona } from "./erase";
import { type Cargo, flushStatements } from "./flush";
import { type Batch, hasPending, initialState, type ShopFacts, type VisitorState } from "./state";
import { VisitorStore } from "./store";
import { armedUntil, flushDue, nextWake, RETRY_FIRST_MS, RETRY_MOST_MS } from "./timers";

/** Above this the visitor takes nothing more until D1 has some of it, bytes. */
const FULL_BYTES = 5 * 1024 * 1024;

/** After a kill in the middle of a hot flush the alarm repeats it, ms. */
const HOT_NET_MS = 5_000;

/** The alarm's own safety net: armed before it works, ms. */
const ALARM_NET_MS = 60_000;

export type RecordResult = { kind: "recorded"; accepted: number } | { kind: "full" };

/**
 * One browser (or one contact's server-side events) of one shop: its open visit, cart and timers, and the durable
 * queue of what D1 does not have yet. Named `<shop key>:<tracker id>`. State is one JSON document in one row.
 */
export class Visitor extends DurableObject<Env> {
  readonly #store: VisitorStore;
  #state: VisitorState | null;
  #flushing: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new VisitorStore(ctx.storage);
    this.#state = this.#store.load();
  }

  /** Takes a batch; durable when this returns. Duplicates by (type, id) are left out. */
  async record(batch: Batch): Promise<RecordResult> {
    const now = Date.now();
    const before = this.#state ?? initialState(this.#tracker(), batch.shop, batch.channel);
    if (before.spilled.bytes > FULL_BYTES) return { kind: "full" };
    const { state, accepted, hot } = applyBatch(before, batch, now);
    if (accepted === 0) return { kind: "recorded", accepted };
    this.#save(state, hot ? now + HOT_NET_MS : null);
    const waits = state.retryAt !== null && state.retryAt > now;
    if ((hot && !waits) || flushDue(state, now)) this.ctx.waitUntil(this.#flush());
    return { kind: "recorded", accepted };
  }

  /** Brings everything to D1 now; false when D1 does not take it. */
  async flush(): Promise<boolean> {
    if (this.#state && hasPending(this.#state)) await this.#flush();
    return !this.#state || !hasPending(this.#state);
  }

  /**
   * Links a persona to a contact on verified evidence (a webhook, an API call). The persona is the one the cart
   * belongs to when a cart is named, otherwise the one who sits there; if that one is somebody else already, a new
   * persona begins and earlier events stay where they are.
   *
   * @param contactId public id; may be one that was merged away
   */
  async link(facts: ShopFacts, channel: "browser" | "api", contactId: string, cartToken: string | null): Promise<void> {
    const now = Date.now();
    if (!this.#state && channel === "browser") return;
    if (this.#state) await this.#flush();
    const contact = await contactById(this.env.DB, facts.key, contactId);
    if (!contact) return;
    const { results: rows } = await sql(
      this.env.DB,
      `select v.key, v.person, v.contact, exists (
         select 1 from carts c where c.shop = ?1 and c.visitor = v.key and c.token = ?3) as owns
       from visitors v where v.shop = ?1 and v.tracker = ?2 order by v.person`,
      facts.key,
      this.#tracker(),
      cartToken,
    ).all<{ key: number; person: number; contact: number | null; owns: number }>();
    const hashes = await contactHashes(this.env.DB, config(this.env).encryptionKey, facts.key, contact.key);
    const state = this.#state ?? initialState(this.#tracker(), facts, channel);
    const mine = rows.find((row) => row.contact === contact.key);
    const person = mine?.person ?? rows.find((row) => row.owns)?.person ?? state.current;
    const row = rows.find((r) => r.person === person);
    if (row && row.contact !== null && row.contact !== contact.key) {
      if (state.current !== person) return;
      state.current = newPerson(state, now, hashes).n;
      await this.#writePersona(state, state.current, contact.key, now);
    } else if (row) {
      this.#know(row.person, hashes);
      await this.env.DB.batch([
        ...linkStatements(this.env.DB, facts.key, row, contact.key, "verified", now, "webhook"),
        sql(
          this.env.DB,
          "update visitors set evidence = 'verified' where key = ? and contact = ?",
          row.key,
          contact.key,
        ),
      ]);
    } else {
      state.current = newPerson(state, now, hashes).n;
      await this.#writePersona(state, state.current, contact.key, now);
    }
  }

  /** Remembers by what a persona's contact is known, so that somebody else's identity is told from another of theirs. */
  #know(person: number, hashes: string[]): void {
    const found = this.#state?.persons.find((p) => p.n === person);
    if (!this.#state || !found || hashes.every((hash) => found.hashes.includes(hash))) return;
    found.hashes = [...new Set([...found.hashes, ...hashes])];
    this.#save(this.#state, null);
  }

  /** Forgets that a persona is this contact; its history stays anonymous. */
  async undo(person: number): Promise<void> {
    if (!this.#state) return;
    await this.#flush();
    const state = this.#state;
    const found = state?.persons.find((p) => p.n === person);
    if (!state || !found) return;
    found.hashes = [];
    this.#save(state, null);
  }

  /** Erases one persona, or all of this browser, here and in D1. Repeatable until it succeeds. */
  async erase(shop: number, person: number | "all"): Promise<void> {
    const { results } = await sql(
      this.env.DB,
      "select person from visitors where shop = ? and tracker = ?",
      shop,
      this.#tracker(),
    ).all<{ person: number }>();
    const known = [...results.map((row) => row.person), ...(this.#state?.persons.map((p) => p.n) ?? [])];
    const targets = person === "all" ? [...new Set(known)] : [person];
    if (this.#state) {
      const state = this.#state;
      state.erasing = [...new Set([...state.erasing, ...targets])];
      this.#dropErased(state);
      this.#save(state, Date.now() + ALARM_NET_MS);
    }
    await this.#flushing;
    for (const n of targets) await this.#erasePersona(shop, n);
    await this.#finishErasure();
  }

  /** Deletes the object with everything that it holds, unsent or not: its shop is gone. D1 is the caller's to clear. */
  async wipe(): Promise<void> {
    this.#state = null;
    await this.#flushing;
    await this.#reset();
  }

  /** Deletes all of a visitor that nobody saw since; without the mark of an erasure, as the browser may come again. */
  async expire(shop: number, lastSeenAt: number): Promise<void> {
    if (this.#state?.persons.some((p) => p.lastSeenAt > lastSeenAt) || (this.#state && hasPending(this.#state))) return;
    const { results } = await sql(
      this.env.DB,
      "select key, contact from visitors where shop = ? and tracker = ?",
      shop,
      this.#tracker(),
    ).all<{ key: number; contact: number | null }>();
    if (results.some((row) => row.contact !== null)) return;
    for (const { key } of results) await deletePersona(this.env.DB, shop, key);
    if (this.#state && !hasPending(this.#state)) await this.#reset();
  }

  /**
   * The one timer: flush deadlines, retries, abandonment, unfinished erasure. Never throws. What the last flush has
   * left it nothing to do for costs no write: it only looks again when something else is due.
   */
  override async alarm(): Promise<void> {
    const now = Date.now();
    const state = this.#state;
    if (!state) return;
    if (state.erasing.length === 0 && nextWake(state, now, false) > now) return this.#rest(state, now);
    try {
      state.alarmAt = now + ALARM_NET_MS;
      await this.ctx.storage.setAlarm(state.alarmAt);
      for (const n of state.erasing) await this.#erasePersona(state.shop.key, n);
      if (state.erasing.length > 0) return await this.#finishErasure();
      if (hasPending(state) && nextWake(state, now, true) <= now) await this.#flush();
      const cart = this.#state?.cart;
      if (cart?.reached && cart.watched && now >= cart.activityAt + 1000 * state.shop.abandonAfterSeconds) {
        await this.#abandon(state.shop.key, cart.token, now);
      }
      if (this.#state) this.#armFor(this.#state, nextWake(this.#state, Date.now(), false));
    } catch (error) {
      log("alarm", error);
    }
  }

  /** D1 decides by its own threshold; if the shop has raised it meanwhile, the clock goes on watching. */
  async #abandon(shop: number, token: string, now: number): Promise<void> {
    await armClock(this.env, shop, now);
    await this.env.DB.batch(abandonDueCarts(this.env.DB, shop, now));
    await this.#nudge(shop, now);
    const cart = this.#state?.cart;
    if (this.#state && cart?.token === token) this.#write({ ...this.#state, cart: { ...cart, watched: false } });
  }

  /** The alarm came for nothing, and is now gone: set again only for what is still to come. */
  #rest(state: VisitorState, now: number): void {
    const early = state.alarmAt !== null && state.alarmAt > now;
    state.alarmAt = null;
    this.#armFor(state, nextWake(state, now, false));
    if (early) this.#write(state);
  }

  /**
   * Moves the alarm forward to `wake`; never back, as an alarm that comes too early costs less than a row. The document
   * may go on naming an earlier time: when that has passed, it counts as no alarm.
   */
  #armFor(state: VisitorState, wake: number): void {
    if (wake >= armedUntil(state, Date.now())) return;
    state.alarmAt = wake;
    void this.ctx.storage.setAlarm(wake);
  }

  /** One flush at a time; events that come meanwhile are taken along until nothing is left or D1 refuses. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flushAll(): Promise<void> {
    try {
      while (this.#state && hasPending(this.#state)) {
        const state = this.#state;
        if (state.spilled.rows > 0 || state.pending.length > 0 || state.carts.length > 0)
          await this.#flushEvents(state);
        if (this.#state && this.#state.identifications.length > 0) {
          if (!(await this.#flushIdentifications(this.#state))) return;
        }
      }
    } catch (error) {
      this.#retryLater(error);
    }
  }

  async #flushEvents(state: VisitorState): Promise<void> {
    const now = Date.now();
    const spill = this.#store.firstSpill(state);
    const events = spill?.events ?? [...state.pending];
    const carts = [...state.carts];
    const cut = spill ? (events.at(-1)?.seq ?? 0) : state.seq;
    const persons: Cargo["persons"] = [];
    for (const n of new Set([...events.map((e) => e.person), ...carts.map((c) => c.cart.person)])) {
      const person = state.persons.find((p) => p.n === n);
      const key = config(this.env).encryptionKey;
      if (person)
        persons.push({ person: { ...person }, erasedHash: await personaHash(key, state.shop.key, state.tracker, n) });
    }
    const cargo: Cargo = { cut, events, carts: carts.filter((c) => c.seq <= cut), persons };
    const { statements, parts } = flushStatements(this.env.DB, state, cargo, now);
    const asked = persons.map(({ erasedHash }) =>
      sql(this.env.DB, "select 1 as erased from erased where shop = ? and hash = ?", state.shop.key, erasedHash),
    );
    const marks = sql(this.env.DB, "select 1 from segment_dirty where shop = ? limit 1", state.shop.key);
    const results = await this.env.DB.batch<{ erased?: number }>([...statements, ...asked, marks]);
    // Before the queue forgets these events: a kill up to here repeats the batch.
    const isDirty = (results.at(-1)?.results.length ?? 0) > 0;
    // What happens to carts is told to others: without the nudge it would wait for the clock.
    if (isDirty || cargo.carts.length > 0) await this.#nudge(state.shop.key, now);
    const after = this.#state;
    if (!after) return;
    const gone = persons.filter((_, i) => (results[statements.length + i]?.results.length ?? 0) > 0);
    after.pending = after.pending.filter((event) => event.seq > cut);
    after.carts = after.carts.filter((effect) => effect.seq > cut);
    after.parts = Object.fromEntries(
      Object.entries(parts).filter(([name]) => after.persons.some((p) => `${p.n}.${p.visit?.no}` === name)),
    );
    if (spill) this.#store.dropSpill(after, spill);
    if (gone.length > 0) {
      after.erasing = [...new Set([...after.erasing, ...gone.map(({ person }) => person.n)])];
      this.#dropErased(after);
    }
    this.#flushed(after);
    if (gone.length > 0) await this.#finishErasure();
  }

  /** Domain events may have been written, or memberships of segments changed: seen to at once, or by the clock. */
  async #nudge(shop: number, now: number): Promise<void> {
    await armClock(this.env, shop, now);
    await this.env.REACTIONS.send({ shop }).catch(() => undefined);
  }

  /** False when an identification has to wait for the next attempt; the others do not wait for it. */
  async #flushIdentifications(state: VisitorState): Promise<boolean> {
    const { DB } = this.env;
    let isDone = true;
    const shop = await getShopOrThrow(DB, state.shop.key);
    for (const told of state.identifications) {
      const persona = await readPersona(DB, shop.key, state.tracker, told.person);
      if (persona) {
        const claim: Claim = JSON.parse(await open(config(this.env).sealingKeys, told.sealed));
        const result = await onConflictRetry(() => linkClaim(DB, shop, persona, claim, told, Date.now()));
        if (result.kind === "later") {
          isDone = false;
          continue;
        }
        if (result.kind === "linked") {
          await this.#nudge(shop.key, Date.now());
          this.#know(told.person, await contactHashes(DB, config(this.env).encryptionKey, shop.key, result.contact));
        }
      }
      const after = this.#state;
      if (!after) return false;
      after.identifications = after.identifications.filter((i) => i.seq !== told.seq);
      this.#flushed(after);
    }
    if (!isDone) this.#retryLater(null);
    return isDone;
  }

  /** After a success: what is gone from the queue is gone from the document, in one write. */
  #flushed(state: VisitorState): void {
    state.failures = 0;
    state.retryAt = null;
    if (!hasPending(state)) state.pendingSince = null;
    this.#save(state, null);
  }

  /** Keeps everything and tries again with full jitter. */
  #retryLater(error: unknown): void {
    if (error) log("flush", error);
    const state = this.#state;
    if (!state) return;
    state.failures = Math.min(state.failures + 1, 20);
    const most = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** state.failures);
    const now = Date.now();
    state.retryAt = now + RETRY_FIRST_MS + Math.floor(Math.random() * most);
    this.#save(state, state.retryAt);
  }

  /** Writes a persona that D1 does not know yet, linked. */
  async #writePersona(state: VisitorState, n: number, contact: number, now: number): Promise<void> {
    this.#save(state, null);
    const person = state.persons.find((p) => p.n === n);
    if (!person) return;
    const { encryptionKey } = config(this.env);
    const erasedHash = await personaHash(encryptionKey, state.shop.key, state.tracker, n);
    const cargo: Cargo = { cut: 0, events: [], carts: [], persons: [{ person: { ...person }, erasedHash }] };
    await this.env.DB.batch(flushStatements(this.env.DB, state, cargo, now).statements);
    const row = await readPersona(this.env.DB, state.shop.key, state.tracker, n);
    if (row) {
      await this.env.DB.batch(linkStatements(this.env.DB, state.shop.key, row, contact, "verified", now, "webhook"));
    }
  }

  async #erasePersona(shop: number, n: number): Promise<void> {
    const hash = await personaHash(config(this.env).encryptionKey, shop, this.#tracker(), n);
    await erasePersona(this.env.DB, shop, this.#tracker(), n, hash, Date.now());
    if (this.#state) this.#state.erasing = this.#state.erasing.filter((m) => m !== n);
  }

  /** Without a person left the object itself goes, its alarm with it. */
  async #finishErasure(): Promise<void> {
    const state = this.#state;
    if (!state) return;
    if (state.persons.length > 0 || state.spilled.rows > 0) return this.#save(state, null);
    await this.#reset();
  }

  async #reset(): Promise<void> {
    this.#state = null;
    await this.#store.clear();
  }

  /** Takes everything of persons that are being erased out of the document and the spilled rows. */
  #dropErased(state: VisitorState): void {
    const gone = (person: number) => state.erasing.includes(person);
    state.persons = state.persons.filter((p) => !gone(p.n));
    state.pending = state.pending.filter((e) => !gone(e.person));
    state.carts = state.carts.filter((c) => !gone(c.cart.person));
    state.identifications = state.identifications.filter((i) => !gone(i.person));
    if (state.cart && gone(state.cart.person)) state.cart = null;
    this.#store.filterSpills(state, (event) => !gone(event.person));
  }

  /**
   * Persists the state, one row; and moves the alarm forward when something is due before it, in the same commit.
   *
   * @param by an additional time to wake at
   */
  #save(state: VisitorState, by: number | null): void {
    this.#armFor(state, Math.min(nextWake(state, Date.now(), false), by ?? Number.POSITIVE_INFINITY));
    this.#write(state);
  }

  /** In memory only what is stored: a write that fails must not look like one that happened. */
  #write(state: VisitorState): void {
    this.#store.save(state);
    this.#state = state;
  }

  #tracker(): string {
    const name = this.ctx.id.name ?? "";
    return name.slice(name.indexOf(":") + 1);
  }
}

function log(doing: string, error: unknown): void {
  logFailure("visitor", error, { doing });
}
