import { EVENT_TYPES } from "../../../src/collect/schemas";
import { Chance, STEPS, ZONES } from "./chance";
import { evaluate, subjectsOf } from "./evaluate";
import { allCards, type Card } from "./cards";
import { type Made, Maker } from "./make-definition";
import { CHANGES, makeChanges } from "./make-changes";
import { makeWorld } from "./make-world";
import { type Kept, Membership } from "./membership";
import type { Clock } from "./operators";
import type { Outcome } from "./outcome";
import { type Case, disagreements, sampled, whole } from "./queries";
import { shrinkCase, shrinkStory, type Story } from "./shrink";
import { Shops } from "./store-world";
import type { World } from "./world";

const CASES_PER_WORLD = 60;
/** Definitions whose queries go to the database together. */
const CASES_PER_BATCH = 10;
const STEPS_PER_WORLD = 3;
/** Worlds disagree about the same thing again and again: the first few tell. */
const MOST_MISMATCHES = 10;
/** Segments of a world that others may ask about, and how many of the others a job fills. */
const BASES = 2;
const FIRST_KEPT = 11;
const FILLED = 0.15;

const KINDS = ["count", "everyone", "page", "piece", "alone", "stored, filled", "stored, marked", "stored, time alone"];

/**
 * Asks random questions about random worlds, lets things happen and time pass in them, and compares what the product's
 * queries answer and what it stores with the naive evaluator. The same seed asks the same.
 *
 * @param cases how many; null deals everything that can be asked exactly once
 * @param firstShop the key of the first shop: no other may have it or a later one
 */
export async function check(env: Env, seed: number, cases: number | null, firstShop = 1): Promise<Outcome> {
  const chance = new Chance(seed);
  const shops = new Shops(env.DB, firstShop);
  const cards = allCards();
  const outcome: Outcome = {
    seed,
    cases: 0,
    subjects: 0,
    stored: 0,
    coverage: Object.fromEntries(cards.map(({ name }) => [name, { asked: 0, met: 0, unmet: 0 }])),
    kinds: Object.fromEntries([...KINDS, ...CHANGES().map((name) => `after ${name}`)].map((kind) => [kind, 0])),
    mismatches: [],
    nextShop: firstShop,
  };
  const deck = new Deck(chance, cards);
  const isDone = () => (cases === null ? deck.isDealt : outcome.cases >= cases);
  let strangers: World | null = null;
  while (!isDone() && outcome.mismatches.length < MOST_MISMATCHES) {
    const turn = new Turn(env, chance, shops, outcome, strangers);
    await turn.play(deck, isDone);
    strangers = turn.world;
  }
  outcome.nextShop = shops.next;
  return outcome;
}

/** Every card once, then every card again. */
class Deck {
  readonly #chance: Chance;
  readonly #cards: Card[];
  #pile: Card[];
  isDealt = false;

  constructor(chance: Chance, cards: Card[]) {
    this.#chance = chance;
    this.#cards = cards;
    this.#pile = chance.shuffled(cards);
  }

  draw(): Card {
    const card = this.#pile.pop();
    if (this.#pile.length === 0) {
      this.isDealt = true;
      this.#pile = this.#chance.shuffled(this.#cards);
    }
    return card ?? this.draw();
  }
}

/** One world and all that is asked of it. */
class Turn {
  readonly #env: Env;
  readonly #chance: Chance;
  readonly #shops: Shops;
  readonly #outcome: Outcome;
  readonly #strangers: World | null;
  world: World | null = null;

  constructor(env: Env, chance: Chance, shops: Shops, outcome: Outcome, strangers: World | null) {
    this.#env = env;
    this.#chance = chance;
    this.#shops = shops;
    this.#outcome = outcome;
    this.#strangers = strangers;
  }

  async play(deck: Deck, isDone: () => boolean): Promise<void> {
    const [chance, outcome] = [this.#chance, this.#outcome];
    const first = await this.#shops.store(makeWorld(chance, EVENT_TYPES));
    const start: Clock = { now: chance.moment(), zone: first.zone };
    const bases: World = {
      ...first,
      groups: [
        ...first.groups,
        ...Array.from({ length: BASES }, (_, i) => ({
          key: FIRST_KEPT + i,
          of: "segment" as const,
          isLive: true,
          members: [],
        })),
      ],
    };
    const made: Made[] = [];
    for (let i = 0; i < CASES_PER_WORLD && !isDone(); i++) {
      const maker = new Maker(chance, i < BASES ? first : bases);
      const clock = chance.chance(0.5) ? start : { now: chance.moment(), zone: chance.pick(ZONES) };
      made.push(maker.definition(() => deck.draw(), clock));
      outcome.cases++;
    }
    const kept = made.map(({ definition, audience }, i): Kept => ({
      key: FIRST_KEPT + i,
      definition,
      audience,
      isFilled: i < BASES || chance.chance(FILLED),
    }));
    const membership = new Membership(this.#env, this.#shops, bases, kept);
    const story: Story = { world: bases, kept, start: start.now, steps: [] };
    const isRight = await this.#follow(story, () => membership.begin(start.now, chance));
    this.#count("stored, filled", kept.filter((one) => one.isFilled).length);
    this.#count("stored, marked", kept.filter((one) => !one.isFilled).length);
    this.world = membership.world;
    await this.#query(made, membership.world);
    if (isRight) await this.#live(membership, story);
    outcome.stored += membership.compared;
  }

  #count(kind: string, times = 1): void {
    const { kinds } = this.#outcome;
    kinds[kind] = (kinds[kind] ?? 0) + times;
  }

  async #query(made: Made[], world: World): Promise<void> {
    const outcome = this.#outcome;
    const asked = made.map((one) => {
      note(outcome, world, one);
      const { definition, audience, clock } = one;
      const asking: Case = { world, definition, audience, clock };
      const sampling = sampled(this.#chance, asking);
      this.#count("count");
      this.#count("everyone");
      this.#count("page", sampling.pages.length);
      this.#count("piece", sampling.pieces.length);
      this.#count("alone", sampling.alone.length);
      outcome.subjects += world.contacts.length + world.visitors.length + sampling.alone.length;
      return { asked: asking, sampling };
    });
    for (let at = 0; at < asked.length; at += CASES_PER_BATCH) {
      const some = asked.slice(at, at + CASES_PER_BATCH);
      const problems = await disagreements(this.#env.DB, some, this.#strangers);
      for (const [i, problem] of problems.entries()) {
        const one = some[i]?.asked;
        if (problem === null || !one || outcome.mismatches.length >= MOST_MISMATCHES) continue;
        const name = `seed ${outcome.seed}, case ${outcome.cases - asked.length + at + i + 1}`;
        outcome.mismatches.push(
          `${await shrinkCase(one, (smaller) => this.#disagrees(smaller), name)}\nat first ${problem}`,
        );
      }
    }
  }

  async #disagrees(asked: Case): Promise<string | null> {
    try {
      const groups = asked.world.groups.map((group) => ({ ...group, isLive: false }));
      const one = { ...asked, world: await this.#shops.store({ ...asked.world, groups }) };
      const [problem = null] = await disagreements(this.#env.DB, [{ asked: one, sampling: whole(one) }], null);
      return problem;
    } catch {
      // A smaller case that cannot be asked is none.
      return null;
    }
  }

  /** Lets things happen, and only time pass, and looks at what is stored after each. */
  async #live(membership: Membership, story: Story): Promise<void> {
    const chance = this.#chance;
    let now = story.start;
    for (let i = 0; i < STEPS_PER_WORLD; i++) {
      const quiet = chance.chance(0.3);
      const { names, changes } = quiet
        ? { names: [], changes: [] }
        : makeChanges(chance, membership.world, EVENT_TYPES);
      now = later(chance, now, await membership.due());
      const step = { changes, now };
      story.steps.push(step);
      for (const name of names) this.#count(`after ${name}`);
      if (names.length === 0) this.#count("stored, time alone", story.kept.length);
      if (!(await this.#follow(story, () => membership.go(step, chance)))) return;
    }
  }

  /** True where all that is stored is right. */
  async #follow(story: Story, next: () => ReturnType<Membership["begin"]>): Promise<boolean> {
    const mismatch = await next().catch((error) => ({ key: 0, problem: `failed: ${String(error)}` }));
    if (mismatch === null) return true;
    const name = `seed ${this.#outcome.seed}, stored, after ${this.#outcome.cases} cases, segment ${mismatch.key}`;
    const told = await shrinkStory(story, (smaller) => this.#goesWrong(smaller), name);
    this.#outcome.mismatches.push(`${told}\nat first ${mismatch.problem}`);
    return false;
  }

  async #goesWrong({ world, kept, start, steps }: Story): Promise<string | null> {
    try {
      const membership = new Membership(this.#env, this.#shops, await this.#shops.store(world), kept);
      // The same times are looked at for each smaller story.
      let mismatch = await membership.begin(start, new Chance(1));
      for (const step of steps) mismatch ??= await membership.go(step, new Chance(1));
      return mismatch && `segment ${mismatch.key}: ${mismatch.problem}`;
    } catch {
      return null;
    }
  }
}

/** Some time after now: when somebody is due, just before or after, or any other time. */
function later(chance: Chance, now: number, due: number[]): number {
  const moment = chance.moment();
  const times = [
    (chance.oneOf(due) ?? now) + chance.int(-1, 1),
    now + chance.pick(STEPS) * chance.int(1, 6) + chance.int(-1, 1),
    now + 1,
    moment > now ? moment : now + chance.int(1, 400) * chance.pick(STEPS),
  ];
  return Math.max(now, chance.oneOf(times) ?? now);
}

function note({ coverage }: Outcome, world: World, { leaves, audience, clock }: Made): void {
  for (const { name, leaf } of leaves) {
    const counted = coverage[name];
    if (!counted) continue;
    counted.asked++;
    for (const subject of subjectsOf(world, audience)) {
      if (evaluate(world, leaf, subject, clock)) counted.met++;
      else counted.unmet++;
      if (counted.met > 0 && counted.unmet > 0) break;
    }
  }
}
