import { fillStatements } from "../../../src/segments/membership/refill";
import { updateMembership } from "../../../src/segments/membership/update";
import { watchesOf } from "../../../src/segments/membership/watches";
import type { Chance } from "./chance";
import { happen, type Step } from "./changes";
import { evaluate, keyOf, subjectsOf } from "./evaluate";
import type { Audience } from "./make-definition";
import { parsed } from "./queries";
import type { Shops } from "./store-world";
import { groupName, type Json, type Member, placed, type World } from "./world";

/** A segment that is kept up to date: in the world it is the live group of this key. */
export interface Kept {
  key: number;
  definition: Json;
  audience: Audience;
  /** Filled by a job, as a new one is; others look at everybody who is marked. */
  isFilled: boolean;
}

/** Every limit of what a segment may cost, off: how long this machine takes is not the question. */
const NO_LIMITS = { rows: Number.MAX_SAFE_INTEGER, ms: Number.MAX_SAFE_INTEGER };

/** Further than this nobody looks ahead for changes that were not foreseen. */
const AHEAD_MS = 400 * 86_400_000;

/** How many members' futures are looked at: each costs as much as three memberships. */
const LOOKED_AHEAD = 0.1;

/** More runs than these at one moment mean that it never ends. */
const MOST_RUNS = 50;

export interface Mismatch {
  key: number;
  problem: string;
}

interface Stored {
  segment: number;
  kind: "contact" | "visitor";
  subject: number;
  at: number;
}

/** The segments of one shop as the product stores their members, beside what the evaluator says. */
export class Membership {
  readonly #env: Env;
  readonly #shops: Shops;
  readonly #kept: Kept[];
  world: World;
  /** Those that have been added. */
  #live: Kept[] = [];
  compared = 0;

  constructor(env: Env, shops: Shops, world: World, kept: Kept[]) {
    this.#env = env;
    this.#shops = shops;
    this.#kept = kept;
    this.world = world;
  }

  /** Adds the segments, those that a job fills before the others; null where all is right. */
  async begin(now: number, chance: Chance | null): Promise<Mismatch | null> {
    const filled = this.#kept.filter(({ isFilled }) => isFilled);
    const others = this.#kept.filter(({ isFilled }) => !isFilled);
    return (await this.#add(filled, now, chance)) ?? (await this.#add(others, now, chance));
  }

  async #add(added: Kept[], now: number, chance: Chance | null): Promise<Mismatch | null> {
    if (added.length === 0) return null;
    const { shop, base } = this.world;
    const db = this.#env.DB;
    const rows = added.map(({ key, audience, definition, isFilled }) => [
      base + key,
      groupName({ key, of: "segment" }).replace("_g", `_${base}x`),
      audience,
      JSON.stringify(placed(this.world, definition)),
      isFilled ? "filling" : "live",
    ]);
    const watches = added.flatMap((kept) =>
      watchesOf(parsed({ ...kept, world: this.world })).map((what) => [what, base + kept.key]),
    );
    const people = added.some(({ isFilled }) => isFilled)
      ? []
      : [
          ...this.world.contacts.map(({ key }) => ["contact", base + key]),
          ...this.world.visitors.map(({ key }) => ["visitor", base + key]),
        ];
    const all = (text: string, list: unknown[]) => db.prepare(text).bind(shop, JSON.stringify(list));
    await db.batch([
      all(
        `insert into segments (shop, key, id, name, audience, definition, state, created_at, updated_at)
         select ?1, value ->> 0, value ->> 1, 'Kept', value ->> 2, value ->> 3, value ->> 4, 0, 0 from json_each(?2)`,
        rows,
      ),
      all(
        "insert into segment_watches (shop, what, segment) select ?1, value ->> 0, value ->> 1 from json_each(?2)",
        watches,
      ),
      all(
        `insert into segment_dirty (shop, kind, subject, stamp)
         select ?1, value ->> 0, value ->> 1, random() >> 11 from json_each(?2) where true
         on conflict do update set stamp = excluded.stamp`,
        people,
      ),
      ...added
        .filter(({ isFilled }) => isFilled)
        .flatMap(({ key }) => fillStatements(db, shop, { key: base + key, version: 1 }, now)),
    ]);
    this.#live = [...this.#live, ...added];
    return this.#settled(now, chance);
  }

  /** Lets something happen, or only time pass. */
  async go(step: Step, chance: Chance | null): Promise<Mismatch | null> {
    // After a change of products a segment may wait before it looks at everybody once more; here nobody waits.
    const noWait = "update segments set refilled_at = null where shop = ? and refilled_at is not null";
    await this.#env.DB.prepare(noWait).bind(this.world.shop).run();
    this.world = await happen(this.#env.DB, this.#shops, this.world, step);
    return this.#settled(step.now, chance);
  }

  /** Times at which somebody is to be looked at again, the soonest first. */
  async due(): Promise<number[]> {
    const { results } = await this.#env.DB.prepare(
      "select at from segment_rechecks where shop = ? order by at limit 40",
    )
      .bind(this.world.shop)
      .all<{ at: number }>();
    return results.map(({ at }) => at);
  }

  async #settled(now: number, chance: Chance | null): Promise<Mismatch | null> {
    const { shop, base } = this.world;
    const db = this.#env.DB;
    await this.#upToDate(now);
    const [members, rechecks, states] = await db.batch([
      db
        .prepare(
          `select m.segment, m.kind, m.subject, m.entered_at as at from segments g
           join segment_members m on m.segment = g.key where g.shop = ? order by m.kind, m.subject`,
        )
        .bind(shop),
      db.prepare("select segment, kind, subject, at from segment_rechecks where shop = ?").bind(shop),
      db.prepare("select key, state, size, problem from segments where shop = ?").bind(shop),
    ]);
    const membersOf = Map.groupBy((members?.results ?? []) as Stored[], ({ segment }) => segment);
    const due = new Map(
      ((rechecks?.results ?? []) as Stored[]).map((row) => [`${row.segment} ${row.kind} ${row.subject}`, row.at]),
    );
    const stateOf = new Map(
      ((states?.results ?? []) as { key: number; state: string; size: number; problem: string | null }[]).map((row) => [
        row.key,
        row,
      ]),
    );
    for (const kept of this.#live) {
      const stored = (membersOf.get(base + kept.key) ?? []).map(({ kind, subject, at }): Member => ({
        kind,
        key: subject - base,
        at,
      }));
      const problem =
        this.#difference(kept, stored, now) ??
        this.#stateProblem(stateOf.get(base + kept.key), stored.length) ??
        (chance && this.#lateness(kept, due, now, chance));
      if (problem !== null) return { key: kept.key, problem };
      // Others may ask who is in it.
      this.world = {
        ...this.world,
        groups: this.world.groups.map((group) => (group.key === kept.key ? { ...group, members: stored } : group)),
      };
    }
    return null;
  }

  /** As the clock of the shop does, until nothing is left to do. */
  async #upToDate(now: number): Promise<void> {
    const { shop } = this.world;
    for (let runs = 0; runs < MOST_RUNS; runs++) {
      const { more } = await updateMembership(this.#env, shop, now, NO_LIMITS);
      if (more) continue;
      const left = await this.#env.DB.prepare(
        `select exists (select 1 from segment_dirty where shop = ?1)
           or exists (select 1 from segment_rechecks where shop = ?1 and at <= ?2) as is_left`,
      )
        .bind(shop, now)
        .first<{ is_left: number }>();
      if (left?.is_left !== 1) return;
    }
    throw new Error(`after ${MOST_RUNS} runs there is still something to do`);
  }

  #difference({ definition, audience }: Kept, stored: Member[], now: number): string | null {
    const clock = { now, zone: this.world.zone };
    const expected = subjectsOf(this.world, audience).filter((one) => evaluate(this.world, definition, one, clock));
    this.compared += this.world.contacts.length + this.world.visitors.length;
    const names = (list: { kind: string; key: number }[]) =>
      list
        .map(({ kind, key }) => `${kind} ${key}`)
        .sort()
        .join(", ") || "nobody";
    const right = names(expected.map((one) => ({ kind: one.kind, key: keyOf(one) })));
    const is = names(stored);
    return is === right ? null : `at ${new Date(now).toISOString()} stored: ${is}\nexpected: ${right}`;
  }

  #stateProblem(row: { state: string; size: number; problem: string | null } | undefined, size: number) {
    if (row?.state === "live" && row.size === size) return null;
    return `is ${row?.state} (${row?.problem ?? "no problem"}), of size ${row?.size}, with ${size} members`;
  }

  /** Somebody whose membership time changes before the time at which the product would look again. */
  #lateness({ key, definition, audience }: Kept, due: ReadonlyMap<string, number>, now: number, chance: Chance) {
    const { world } = this;
    const { base, zone } = world;
    // What others say of their members changes with them, not with time.
    if (/"seg_g\d\d/.test(JSON.stringify(definition))) return null;
    for (const subject of subjectsOf(world, audience)) {
      const at = due.get(`${base + key} ${subject.kind} ${base + keyOf(subject)}`);
      const last = at === undefined ? now + AHEAD_MS : Math.min(at - 1, now + AHEAD_MS);
      if (last <= now || !chance.chance(LOOKED_AHEAD)) continue;
      const is = (moment: number) => evaluate(world, definition, subject, { now: moment, zone });
      const current = is(now);
      for (const moment of [last, now + Math.floor((last - now) * chance.next())]) {
        if (is(moment) !== current) {
          return `${subject.kind} ${keyOf(subject)} is ${current ? "a" : "no"} member at ${new Date(now).toISOString()} and ${
            current ? "none" : "one"
          } at ${new Date(moment).toISOString()}, before it is looked at again at ${at === undefined ? "no time" : new Date(at).toISOString()}`;
        }
      }
    }
    return null;
  }
}
