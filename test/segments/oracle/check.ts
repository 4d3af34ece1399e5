import { compile, parseDefinition, type Question } from "../../../src/segments";
import { AppError } from "../../../src/errors";
import { EVENT_TYPES } from "../../../src/collect/schemas";
import { Chance, ZONES } from "./chance";
import { CUSTOM_FIELDS } from "./facts";
import { evaluate, keyOf, subjectsOf } from "./evaluate";
import { allCards, type Audience, type Made, Maker } from "./make-definition";
import { makeWorld } from "./make-world";
import type { Clock } from "./operators";
import type { Outcome } from "./outcome";
import { shrink } from "./shrink";
import { storeWorld } from "./store-world";
import type { Json, World } from "./world";

/** One question about one world. */
export interface Case {
  world: World;
  definition: Json;
  audience: Audience;
  clock: Clock;
}

const CASES_PER_WORLD = 60;
/** Worlds disagree about the same thing again and again: the first few tell. */
const MOST_MISMATCHES = 10;
const PAGE = 4;

/**
 * Asks random questions about random worlds of the compiled SQL and of the naive evaluator. The same seed asks the same.
 *
 * @param cases how many; null deals everything that can be asked exactly once
 * @param firstShop the key of the first shop: no other may have it or a later one
 */
export async function check(db: D1Database, seed: number, cases: number | null, firstShop = 1): Promise<Outcome> {
  const chance = new Chance(seed);
  const cards = allCards();
  const outcome: Outcome = { seed, cases: 0, subjects: 0, coverage: {}, mismatches: [], nextShop: firstShop };
  for (const { name } of cards) outcome.coverage[name] = { asked: 0, met: 0, unmet: 0 };
  let pile = chance.shuffled(cards);
  const draw = () => {
    const card = pile.pop();
    if (card) return card;
    pile = chance.shuffled(cards);
    return draw();
  };
  const shops = new Shops(db, firstShop);
  let dealt = false;
  const isDone = () =>
    (cases === null ? dealt : outcome.cases >= cases) || outcome.mismatches.length >= MOST_MISMATCHES;
  while (!isDone()) {
    const world = await shops.store(makeWorld(chance, EVENT_TYPES));
    const maker = new Maker(chance, world);
    for (let i = 0; i < CASES_PER_WORLD && !isDone(); i++) {
      const before = pile.length;
      const made = maker.definition(draw, chance.pick(ZONES));
      // The last definition may take the first cards of a new pile.
      dealt = pile.length === 0 || pile.length > before;
      outcome.cases++;
      const asked: Case = { world, ...made };
      note(outcome, asked, made);
      const problem = await disagreementOrFailure(db, asked, shops.strangers);
      outcome.subjects += world.contacts.length + world.visitors.length;
      if (problem === null) continue;
      const name = `seed ${seed}, case ${outcome.cases}`;
      outcome.mismatches.push(await shrink(asked, (one) => stillDisagrees(db, shops, one), name));
    }
    shops.strangers = world;
  }
  outcome.nextShop = shops.next;
  return outcome;
}

/** Gives worlds shops of their own. */
class Shops {
  readonly #db: D1Database;
  next: number;
  /** The world before: its people are nobody's members here. */
  strangers: World | null = null;

  constructor(db: D1Database, first: number) {
    this.#db = db;
    this.next = first;
  }

  store(world: World): Promise<World> {
    return storeWorld(this.#db, world, this.next++);
  }
}

function note({ coverage }: Outcome, { world, audience, clock }: Case, { leaves }: Made): void {
  for (const { name, leaf } of leaves) {
    const counted = coverage[name];
    if (!counted) continue;
    counted.asked++;
    for (const subject of subjectsOf(world, audience)) {
      if (evaluate(world, leaf, subject, clock)) counted.met++;
      else counted.unmet++;
    }
  }
}

async function stillDisagrees(db: D1Database, shops: Shops, asked: Case): Promise<string | null> {
  const world = await shops.store(asked.world);
  try {
    return await disagreementOrFailure(db, { ...asked, world }, null);
  } catch {
    // A smaller case that cannot be asked is none.
    return null;
  }
}

/** A query that the database does not run disagrees too; a definition that is refused is a fault of the maker. */
async function disagreementOrFailure(db: D1Database, asked: Case, strangers: World | null): Promise<string | null> {
  try {
    return await disagreement(db, asked, strangers);
  } catch (error) {
    if (!(error instanceof AppError)) return `failed: ${String(error)}`;
    throw new Error(`${error.message}: ${JSON.stringify(error.errors)} ${JSON.stringify(asked.definition)}`, {
      cause: error,
    });
  }
}

interface Found {
  kind: string;
  key: number;
}

/** What the queries answer otherwise than the evaluator; null where all agree. */
export async function disagreement(db: D1Database, asked: Case, strangers: World | null): Promise<string | null> {
  const { world, definition, audience, clock } = asked;
  const parsed = parseDefinition(definition, { audience, stores: [], customFields: [...CUSTOM_FIELDS] });
  const shop = { key: world.shop, currency: world.currency, timezone: clock.zone };
  const ask = (question: Question) => {
    const { sql, values } = compile(parsed, shop, clock.now, question);
    return db.prepare(sql).bind(...values);
  };
  const expected = subjectsOf(world, audience)
    .filter((subject) => evaluate(world, definition, subject, clock))
    .map((subject) => ({ kind: subject.kind, key: world.base + keyOf(subject) }))
    .sort((a, b) => (a.kind === b.kind ? a.key - b.key : a.kind < b.kind ? -1 : 1));
  const everybody = [
    ...world.contacts.map(({ key }) => ({ kind: "contact" as const, key: world.base + key })),
    ...world.visitors.map(({ key }) => ({ kind: "visitor" as const, key: world.base + key })),
    ...(strangers?.contacts.slice(0, 1) ?? []).map(({ key }) => ({
      kind: "contact" as const,
      key: (strangers?.base ?? 0) + key,
    })),
    ...(strangers?.visitors.slice(0, 1) ?? []).map(({ key }) => ({
      kind: "visitor" as const,
      key: (strangers?.base ?? 0) + key,
    })),
  ];
  const starts = [null, ...expected.filter((_, i) => i % PAGE === PAGE - 1)];
  const answers = await db.batch<Record<string, unknown>>([
    ask({ ask: "members" }),
    ask({ ask: "count" }),
    ...starts.map((after) => ask({ ask: "page", after, limit: PAGE })),
    ...everybody.map((subject) => ask({ ask: "subject", subject })),
  ]);
  const rows = answers.map(({ results }) => results);
  const named = (list: Found[]) => list.map(({ kind, key }) => `${kind} ${key - world.base}`).join(", ");
  const found = (list: Record<string, unknown>[] | undefined) =>
    (list ?? []).map((row): Found => ({ kind: String(row["kind"]), key: Number(row["key"]) }));
  const all = found(rows[0]).sort((a, b) => (a.kind === b.kind ? a.key - b.key : a.kind < b.kind ? -1 : 1));
  const one = everybody.filter((_, i) => rows[2 + starts.length + i]?.[0]?.["member"] === 1);
  const told: [string, string][] = [
    ["everyone", named(all)],
    ["pages", named(rows.slice(2, 2 + starts.length).flatMap(found))],
    ["one by one", named(one.toSorted((a, b) => (a.kind === b.kind ? a.key - b.key : a.kind < b.kind ? -1 : 1)))],
  ];
  const wrong = told
    .filter(([, list]) => list !== named(expected))
    .map(([name, list]) => `${name}: ${list || "nobody"}`);
  const count = rows[1]?.[0]?.["count"];
  if (count !== expected.length) wrong.push(`count: ${String(count)}`);
  return wrong.length === 0 ? null : [`expected: ${named(expected) || "nobody"}`, ...wrong].join("\n");
}
