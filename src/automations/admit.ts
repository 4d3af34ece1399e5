import type { Shop } from "../shops";
import type { Asked, Automation } from "./definition";
import type { Entry } from "./enter";
import { answer, type Question } from "./load";

type Person = Pick<Entry, "kind" | "subject">;

interface Condition {
  asked: Asked;
  stage: "filter" | "exit";
  /** What the answer has to be. */
  wanted: boolean;
}

/** What is asked of a person before they enter: the filter, and that no exit is met already. */
function conditionsOf({ filter, exits }: Pick<Automation, "filter" | "exits">): Condition[] {
  return [
    ...(filter ? [{ asked: filter, stage: "filter" as const, wanted: true }] : []),
    ...exits.flatMap(({ asks }) => (asks ? [{ asked: asks, stage: "exit" as const, wanted: false }] : [])),
  ];
}

/** Those who pass the filter and meet no exit; each condition is asked once for all of a kind. */
export async function admit<T extends { open: { automation: Automation }; entry: Person }>(
  db: D1Database,
  shop: Shop,
  candidates: T[],
  now: number,
): Promise<T[]> {
  const questions = new Map<Asked, Map<string, Question>>();
  for (const { open, entry } of candidates) {
    for (const { asked } of conditionsOf(open.automation)) {
      const byKind = questions.get(asked) ?? new Map<string, Question>();
      questions.set(asked, byKind);
      const question = byKind.get(entry.kind) ?? { asked, kind: entry.kind, subjects: [] };
      byKind.set(entry.kind, question);
      question.subjects.push(entry.subject);
    }
  }
  const all = [...questions.values()].flatMap((byKind) => [...byKind.values()]);
  const answers = await answer(db, shop, all, now);
  const holds = new Map(all.map((question, i) => [question, answers[i]]));
  return candidates.filter(({ open, entry }) =>
    conditionsOf(open.automation).every(({ asked, wanted }) => {
      const question = questions.get(asked)?.get(entry.kind);
      const one = question && holds.get(question);
      // A condition that cannot be asked any more lets nobody in.
      return one !== undefined && "holds" in one && one.holds.has(entry.subject) === wanted;
    }),
  );
}

/** The same for one person, each condition by itself. */
export async function admitChecks(db: D1Database, shop: Shop, automation: Automation, person: Person, now: number) {
  const conditions = conditionsOf(automation);
  const answers = await answer(
    db,
    shop,
    conditions.map(({ asked }) => ({ asked, kind: person.kind, subjects: [person.subject] })),
    now,
  );
  return conditions.map(({ stage, asked, wanted }, i) => {
    const one = answers[i];
    const passed = one !== undefined && "holds" in one && one.holds.has(person.subject) === wanted;
    return { stage, name: asked.pointer, passed };
  });
}
