import { isConflict, sql } from "../db/client";
import { nudgeDeliveries } from "../messages";
import { logFailure, reason } from "../lib/log";
import { findShop, type Shop } from "../shops";
import { settlePending } from "./browse";
import { commitSteps, type Decided } from "./commit";
import { giveUp } from "./failures";
import { answer, loadVersions, type Loaded, type Question, versionName } from "./load";
import { factsOf } from "./facts";
import { needs, plan, PULLED } from "./plan";
import { readRun, type Run, RUN_COLUMNS, type StoredRun } from "./run";
import type { Automation } from "./definition";

/** A run that is being moved is nobody else's for this long; after a kill the clock finds it again, ms. */
export const LEASE_MS = 60_000;

/** Runs moved by one batch, and rounds of one call: what is left goes on with the next message. */
const MOST_RUNS = 200;
const MOST_ROUNDS = 25;

/** What came of moving runs, for whoever nudges queues. */
interface Moved {
  steps: number;
  /** Runs that are due at once: they were started, or took as many steps as one call may. */
  more: number[];
}

/**
 * Moves those of the runs that are due and that nobody else is moving, as far as they go without waiting. A step's
 * effect, its log and where the run then stands commit together, guarded by the lease and the number of the step; so a
 * second consumer, a repetition and a kill at any point change nothing twice.
 */
export async function advanceRuns(env: Env, shopKey: number, keys: number[], now: number): Promise<Moved> {
  const moved: Moved = { steps: 0, more: [] };
  const shop = await findShop(env.DB, shopKey);
  if (!shop) return moved;
  for (let from = 0; from < keys.length; from += MOST_RUNS) {
    let held = await lease(env.DB, shopKey, keys.slice(from, from + MOST_RUNS), now);
    for (let round = 0; held.length > 0; round++) {
      const outcome = await oneRound(env, shop, held, now, round === MOST_ROUNDS - 1);
      moved.steps += outcome.steps;
      moved.more.push(...outcome.started);
      held = outcome.left;
      if (round === MOST_ROUNDS - 1) {
        moved.more.push(...held.map(({ key }) => key));
        break;
      }
    }
  }
  return moved;
}

/** Takes the due ones; those of a paused automation are put aside until it goes on. */
async function lease(db: D1Database, shop: number, keys: number[], now: number): Promise<Run[]> {
  const due = `key in (select value from json_each(?2)) and +shop = ?1 and due_at <= ?3 and ended_at is null
    and (lease_until is null or lease_until <= ?3)`;
  const paused =
    "automation in (select key from automations where shop = ?1 and (state = 'paused' or deleted_at is not null))";
  const list = JSON.stringify(keys);
  const [, taken] = await db.batch<StoredRun>([
    sql(db, `update runs set held_at = due_at, due_at = null where ${due} and ${paused}`, shop, list, now),
    sql(db, `update runs set lease_until = ?4 where ${due} returning ${RUN_COLUMNS}`, shop, list, now, now + LEASE_MS),
  ]);
  return (taken?.results ?? []).map(readRun);
}

interface Round {
  steps: number;
  /** Runs that can go on at once. */
  left: Run[];
  started: number[];
}

/** Looks up what the runs' steps ask for, takes the steps, and commits; a run that fails is put off alone. */
async function oneRound(env: Env, shop: Shop, held: Run[], now: number, isLast: boolean): Promise<Round> {
  const { DB } = env;
  const versions = await loadVersions(DB, shop, distinct(held));
  const there = await readSubjects(DB, shop.key, held);
  const failed = new Map<Run, string>();
  const ready: { run: Run; automation: Automation }[] = [];
  const pending: typeof ready = [];
  const gone: Decided[] = [];
  for (const run of held) {
    const loaded: Loaded = versions.get(versionName(run.automation, run.version)) ?? { problem: "the version is gone" };
    if ("problem" in loaded) failed.set(run, loaded.problem);
    else if (!there.has(`${run.kind}:${run.subject}`))
      gone.push(ended(run, loaded.automation, "gone", "the person is gone"));
    else (run.state === "pending" ? pending : ready).push({ run, automation: loaded.automation });
  }
  const begun = pending.length === 0 ? [] : await settlePending(DB, shop, pending, now);
  const asked = await ask(DB, shop, ready, now);
  const decided: Decided[] = [...gone];
  for (const { run, automation } of ready) {
    const answers = asked.get(run);
    if (answers === undefined || "problem" in answers) {
      failed.set(run, answers?.problem ?? "its conditions were not answered");
      continue;
    }
    if (answers.exit !== null) {
      decided.push(ended(run, automation, "exited", answers.exit));
      continue;
    }
    try {
      const pulled = pull(run, automation, answers.goals);
      const step = automation.steps.get(pulled.step);
      const facts = step
        ? await factsOf(env, shop, pulled, step, pulled === run ? answers.answers : [true], now)
        : null;
      const { taken, standing } = plan(automation, pulled, facts, { now, zone: shop.timezone });
      decided.push({ run, automation, taken, standing, keeps: !isLast });
    } catch (error) {
      failed.set(run, reason(error));
    }
  }
  const { refused, ...done } = await commit(env, shop, decided, now);
  for (const [run, why] of [...failed, ...refused]) await giveUp(DB, shop.key, run, why, now);
  return { ...done, started: [...done.started, ...begun] };
}

/** Commits everybody together; where that fails, everybody alone, so that one does not hold back the others. */
async function commit(env: Env, shop: Shop, decided: Decided[], now: number) {
  const refused = new Map<Run, string>();
  const round: Round = { steps: 0, left: [], started: [] };
  if (decided.length === 0) return { ...round, refused };
  try {
    const { messages, ...done } = await commitSteps(env, shop, decided, now);
    if (messages.length > 0) await nudgeDeliveries(env, shop.key, messages, now);
    return { ...done, refused };
  } catch (error) {
    if (decided.length === 1 && decided[0]) {
      // Somebody else has moved or ended it: whoever that was knows where it stands.
      if (!isConflict(error)) refused.set(decided[0].run, reason(error));
      return { ...round, refused };
    }
    if (!isConflict(error)) logFailure("automations", error);
  }
  for (const one of decided) {
    const alone = await commit(env, shop, [one], now);
    round.steps += alone.steps;
    round.left.push(...alone.left);
    round.started.push(...alone.started);
    for (const [run, why] of alone.refused) refused.set(run, why);
  }
  return { ...round, refused };
}

function distinct(held: Run[]) {
  return [...new Map(held.map((run) => [versionName(run.automation, run.version), run])).values()];
}

/** An end that no step brings about; the log says why. */
function ended(run: Run, automation: Automation, outcome: string, why: string): Decided {
  return {
    run,
    automation,
    taken: [{ step: run.step, visit: run.visit, outcome, detail: { why }, scheduledAt: run.dueAt, effects: [] }],
    standing: {
      state: "exited",
      step: null,
      visit: run.visit + 1,
      dueAt: null,
      arrivedAt: null,
      reason: why,
      data: run.data,
    },
    keeps: false,
  };
}

async function readSubjects(db: D1Database, shop: number, held: Run[]): Promise<Set<string>> {
  const keys = (kind: Run["kind"]) =>
    JSON.stringify(held.filter((run) => run.kind === kind).map(({ subject }) => subject));
  const { results } = await sql(
    db,
    `select 'contact:' || c.key as name from json_each(?2) j cross join contacts c on c.key = j.value
       where c.shop = ?1 and c.deleted_at is null
     union all select 'visitor:' || v.key from json_each(?3) j cross join visitors v on v.key = j.value where v.shop = ?1`,
    shop,
    keys("contact"),
    keys("visitor"),
  ).all<{ name: string }>();
  return new Set(results.map(({ name }) => name));
}

interface Answers {
  /** The exit that the person has met. */
  exit: string | null;
  /** Ids of goals that the person meets. */
  goals: string[];
  /** Of the present step's conditions. */
  answers: boolean[];
}

/** Asks everything that the runs' next move depends on, in one batch. */
async function ask(
  db: D1Database,
  shop: Shop,
  ready: { run: Run; automation: Automation }[],
  now: number,
): Promise<Map<Run, Answers | { problem: string }>> {
  const questions: Question[] = [];
  const wanted = new Map<string, number>();
  const place = (run: Run, asked: Question["asked"]) => {
    const name = `${run.automation}:${run.version}:${run.kind}:${asked.pointer}`;
    const at = wanted.get(name) ?? questions.push({ asked, kind: run.kind, subjects: [] }) - 1;
    wanted.set(name, at);
    questions[at]?.subjects.push(run.subject);
    return at;
  };
  const places = ready.map(({ run, automation }) => {
    const step = automation.steps.get(run.step);
    return {
      run,
      exits: automation.exits.flatMap(({ asks }, i) => (asks ? [{ exit: `exit ${i + 1}`, at: place(run, asks) }] : [])),
      goals: automation.goals
        .filter(({ step: goal }) => goal.id !== run.step && run.signals[goal.id] !== PULLED)
        .flatMap(({ step: goal, asks }) => asks.map((asked) => ({ goal: goal.id, at: place(run, asked) }))),
      answers: step && needs(step, run) === "answers" ? step.asks.map((asked) => place(run, asked)) : [],
    };
  });
  const answered = await answer(db, shop, questions, now);
  return new Map(
    places.map(({ run, exits, goals, answers }): [Run, Answers | { problem: string }] => {
      const holds = (at: number) => {
        const one = answered[at];
        if (one === undefined || "problem" in one) throw new Error(one?.problem ?? "was not asked");
        return one.holds.has(run.subject);
      };
      try {
        return [
          run,
          {
            exit: exits.find(({ at }) => holds(at))?.exit ?? null,
            goals: goals.filter(({ at }) => holds(at)).map(({ goal }) => goal),
            answers: answers.map(holds),
          },
        ];
      } catch (error) {
        return [run, { problem: reason(error) }];
      }
    }),
  );
}

/** Brings a run to the last goal that its person meets. */
function pull(run: Run, automation: Automation, goals: string[]): Run {
  const goal = automation.goals.filter(({ step }) => goals.includes(step.id)).at(-1);
  if (!goal) return run;
  return { ...run, step: goal.step.id, arrivedAt: null, signals: { ...run.signals, [goal.step.id]: PULLED } };
}
