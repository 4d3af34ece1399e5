import { AppError } from "../../../src/errors";
import { compile, parseDefinition, type Question } from "../../../src/segments";
import type { Chance } from "./chance";
import { CUSTOM_FIELDS } from "./custom-fields";
import { evaluate, keyOf, subjectsOf } from "./evaluate";
import type { Audience } from "./make-definition";
import type { Clock } from "./operators";
import { type Json, placed, type World } from "./world";

/** One question about one world. */
export interface Case {
  world: World;
  definition: Json;
  audience: Audience;
  clock: Clock;
}

interface Named {
  kind: "contact" | "visitor";
  key: number;
}

/** Which of the questions that are many are put: where pages begin and how long they are, and who is asked alone. */
export interface Sampling {
  pages: { after: Named | null; limit: number }[];
  /** Stretches of keys, of whatever kind; null is no end. */
  pieces: { after: number; upTo: number | null }[];
  alone: Named[];
}

export function parsed({ definition, audience, world }: Pick<Case, "definition" | "audience" | "world">) {
  return parseDefinition(placed(world, definition), { audience, stores: [], customFields: [...CUSTOM_FIELDS] });
}

/** Everybody of the world, whoever may be a member. */
function everybody(world: World): Named[] {
  return [
    ...world.contacts.map(({ key }): Named => ({ kind: "contact", key })),
    ...world.visitors.map(({ key }): Named => ({ kind: "visitor", key })),
  ];
}

/** A few of them, and pages that begin somewhere. */
export function sampled(chance: Chance, { world }: Case): Sampling {
  const people = everybody(world);
  const somebody = () => chance.oneOf(people) ?? { kind: "contact" as const, key: 1 };
  return {
    pages: [
      { after: null, limit: chance.int(1, 6) },
      { after: somebody(), limit: chance.int(1, 6) },
    ],
    pieces: [{ after: chance.int(0, 8), upTo: chance.maybe(0.7, () => chance.int(1, 10)) }],
    alone: [somebody(), somebody()],
  };
}

/** All of them. */
export function whole({ world }: Case): Sampling {
  const people = everybody(world);
  return {
    pages: [null, ...people].map((after) => ({ after, limit: 3 })),
    pieces: people.flatMap(({ key }) => [
      { after: key, upTo: null },
      { after: 0, upTo: key },
    ]),
    alone: people,
  };
}

const order = (a: Named, b: Named) => (a.kind === b.kind ? a.key - b.key : a.kind < b.kind ? -1 : 1);
const shown = (list: Named[]) => list.map(({ kind, key }) => `${kind} ${key}`).join(", ") || "nobody";

/**
 * What the compiled queries answer otherwise than the evaluator, for each of the cases; null where all agree. The cases
 * are about one world, and asked in one batch.
 *
 * @param strangers whose people are nobody's members here
 */
export async function disagreements(
  db: D1Database,
  cases: { asked: Case; sampling: Sampling }[],
  strangers: World | null,
): Promise<(string | null)[]> {
  const compiled = cases.map(({ asked, sampling }) => questions(db, asked, sampling, strangers));
  try {
    const answers = await db.batch<Record<string, unknown>>(compiled.flatMap(({ statements }) => statements));
    let at = 0;
    return compiled.map(({ statements, verdict }) => {
      const rows = answers.slice(at, at + statements.length).map(({ results }) => results);
      at += statements.length;
      return verdict(rows);
    });
  } catch (error) {
    // A query that the database does not run disagrees too.
    if (cases.length === 1) return [`failed: ${String(error)}`];
    const halves = [cases.slice(0, cases.length / 2), cases.slice(cases.length / 2)];
    const found = [];
    for (const half of halves) found.push(...(await disagreements(db, half, strangers)));
    return found;
  }
}

interface Questions {
  statements: D1PreparedStatement[];
  verdict: (rows: Record<string, unknown>[][]) => string | null;
}

function questions(
  db: D1Database,
  asked: Case,
  { pages, pieces, alone }: Sampling,
  strangers: World | null,
): Questions {
  const { world, definition, audience, clock } = asked;
  const shop = { key: world.shop, currency: world.currency, timezone: clock.zone };
  const { base } = world;
  const definitionRead = readOrExplain(asked);
  const ask = (question: Question) => {
    const { sql, values } = compile(definitionRead, shop, clock.now, question);
    return db.prepare(sql).bind(...values);
  };
  const expected = subjectsOf(world, audience)
    .filter((subject) => evaluate(world, definition, subject, clock))
    .map((subject): Named => ({ kind: subject.kind, key: keyOf(subject) }))
    .sort(order);
  const inShop = ({ kind, key }: Named) => ({ kind, key: base + key });
  const foreign = [strangers?.contacts[0], strangers?.visitors[0]].flatMap((one, i): Named[] =>
    one && strangers ? [{ kind: i === 0 ? "contact" : "visitor", key: strangers.base + one.key }] : [],
  );
  const found = (rows: Record<string, unknown>[] | undefined) =>
    (rows ?? []).map((row): Named => ({
      kind: row["kind"] === "contact" ? "contact" : "visitor",
      key: Number(row["key"]) - base,
    }));
  const statements = [
    ask({ ask: "members" }),
    ask({ ask: "count" }),
    ...pages.map(({ after, limit }) => ask({ ask: "page", after: after && inShop(after), limit })),
    ...pieces.map(({ after, upTo }) =>
      ask({
        ask: "members",
        between: { after: base + after, upTo: upTo === null ? null : base + upTo },
      }),
    ),
    ...[...alone.map(inShop), ...foreign].map((subject) => ask({ ask: "subject", subject })),
  ];
  const verdict: Questions["verdict"] = (rows) => {
    const wrong: string[] = [];
    const all = found(rows[0]).sort(order);
    if (shown(all) !== shown(expected)) wrong.push(`everyone: ${shown(all)}`);
    const count = rows[1]?.[0]?.["count"];
    if (count !== expected.length) wrong.push(`count: ${String(count)}`);
    pages.forEach(({ after, limit }, i) => {
      const page = expected.filter((one) => after === null || order(one, after) > 0).slice(0, limit);
      const told = found(rows[2 + i]);
      if (shown(told) !== shown(page)) {
        wrong.push(`page of ${limit} after ${after ? shown([after]) : "nobody"}: ${shown(told)}`);
      }
    });
    pieces.forEach(({ after, upTo }, i) => {
      const piece = expected.filter(({ key }) => key > after && (upTo === null || key <= upTo));
      const told = found(rows[2 + pages.length + i]).sort(order);
      if (shown(told) !== shown(piece)) wrong.push(`keys after ${after} up to ${upTo}: ${shown(told)}`);
    });
    [...alone, ...foreign].forEach((one, i) => {
      const is = i < alone.length && expected.some((other) => order(one, other) === 0);
      const told = rows[2 + pages.length + pieces.length + i]?.[0]?.["member"] === 1;
      if (told !== is) wrong.push(`asked alone, ${shown([one])} is ${told ? "a" : "no"} member`);
    });
    return wrong.length === 0 ? null : [`expected: ${shown(expected)}`, ...wrong].join("\n");
  };
  return { statements, verdict };
}

/** A definition that is refused is a fault of the maker. */
function readOrExplain(asked: Case) {
  try {
    return parsed(asked);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new Error(`${error.message}: ${JSON.stringify(error.errors)} ${JSON.stringify(asked.definition)}`, {
      cause: error,
    });
  }
}
