import { sql } from "../db/client";
import type { Shop } from "../shops";
import type { Asked, Automation } from "./definition";
import type { Told } from "./happening";
import { answer, loadVersions, type Question, versionName } from "./load";
import { meets } from "./match";
import { PULLED } from "./plan";
import { readRun, type Run, RUN_COLUMNS, type StoredRun } from "./run";

/** What an event, or what it has changed about its person, means for one run; the first that applies. */
type Turn =
  | { kind: "exit"; why: string }
  | { kind: "goal"; step: string; at: number }
  | { kind: "wake"; at: number }
  | { kind: "signals"; steps: string[]; at: number };

/**
 * What events mean for people who are in an automation already, wherever they are: exits end their runs, goals pull
 * them, and steps that wait for the event, or for a condition that it has made true, go on at once.
 */
export async function flightStatements(
  db: D1Database,
  shop: Shop,
  told: Told[],
  now: number,
): Promise<D1PreparedStatement[]> {
  const people = told.flatMap(({ who }) => (who ? [[who.kind, who.key]] : []));
  if (people.length === 0) return [];
  const { results } = await sql(
    db,
    `select ${RUN_COLUMNS} from runs where shop = ?1 and state in ('active', 'failed') and key in (
       select r.key from json_each(?2) j
       cross join runs r on r.subject = j.value ->> 1 and r.kind = j.value ->> 0 and r.ended_at is null)`,
    shop.key,
    JSON.stringify(people),
  ).all<StoredRun>();
  if (results.length === 0) return [];
  const runs = results.map(readRun);
  const versions = await loadVersions(db, shop, runs);
  const flights = runs.flatMap((run) => {
    const loaded = versions.get(versionName(run.automation, run.version));
    const mine = told.filter(
      ({ row, who, event }) =>
        who?.kind === run.kind &&
        who.key === run.subject &&
        event.at >= run.enteredAt &&
        `${row.type}:${row.natural_key}` !== run.data.eventKey,
    );
    return loaded && "automation" in loaded && mine.length > 0 ? [{ run, automation: loaded.automation, mine }] : [];
  });
  const met = await conditionsMet(db, shop, flights, now);
  return flights.flatMap(({ run, automation, mine }) => {
    const turn = turnOf(run, automation, mine, (asked) => met.has(nameOf(run, asked)), shop);
    return turn === null ? [] : statementsOf(db, run, turn, now);
  });
}

const nameOf = (run: Run, asked: Asked) =>
  `${run.automation}:${run.version}:${asked.pointer}:${run.kind}:${run.subject}`;

/** Conditions of these runs' exits, goals and waits, as they are answered now. */
async function conditionsMet(
  db: D1Database,
  shop: Shop,
  flights: { run: Run; automation: Automation }[],
  now: number,
): Promise<Set<string>> {
  const questions: (Question & { runs: Run[] })[] = [];
  const places = new Map<string, number>();
  for (const { run, automation } of flights) {
    const here = automation.steps.get(run.step);
    const waits = here?.step.type === "wait_until" ? here.asks : [];
    const asks = [
      ...automation.exits.flatMap(({ asks: one }) => one ?? []),
      ...automation.goals.flatMap((goal) => goal.asks),
      ...waits,
    ];
    for (const asked of asks) {
      const name = `${run.automation}:${run.version}:${run.kind}:${asked.pointer}`;
      const at = places.get(name) ?? questions.push({ asked, kind: run.kind, subjects: [], runs: [] }) - 1;
      places.set(name, at);
      questions[at]?.subjects.push(run.subject);
      questions[at]?.runs.push(run);
    }
  }
  const answers = await answer(db, shop, questions, now);
  return new Set(
    questions.flatMap(({ asked, runs }, i) => {
      const one = answers[i];
      return one && "holds" in one
        ? runs.filter((run) => one.holds.has(run.subject)).map((run) => nameOf(run, asked))
        : [];
    }),
  );
}

/** What these events of the run's person mean for it. Pure. */
export function turnOf(
  run: Run,
  automation: Automation,
  mine: Told[],
  holds: (asked: Asked) => boolean,
  shop: { id: string; domain: string },
): Turn | null {
  const meeting = (element: Parameters<typeof meets>[0] | null | undefined) =>
    element ? mine.filter(({ event }) => meets(element, event, shop)).at(-1)?.event.at : undefined;
  for (const [i, { on, asks }] of automation.exits.entries()) {
    if (meeting(on) !== undefined || (asks && holds(asks))) return { kind: "exit", why: on?.type ?? `exit ${i + 1}` };
  }
  const latest = Math.max(...mine.map(({ event }) => event.at));
  for (const { step, asks } of [...automation.goals].reverse()) {
    if (step.type !== "goal" || run.signals[step.id] === PULLED) continue;
    const at = meeting(step.on) ?? (asks.some(holds) ? latest : undefined);
    if (at !== undefined) return { kind: "goal", step: step.id, at };
  }
  const here = automation.steps.get(run.step);
  if (here?.step.type === "wait_until" && run.arrivedAt !== null && here.asks.some(holds)) {
    return { kind: "wake", at: latest };
  }
  const signals = [...automation.steps.values()].flatMap(({ step }) => {
    const at = step.type === "condition" ? meeting(step.on) : undefined;
    return at === undefined ? [] : [{ step: step.id, at }];
  });
  const [first] = signals;
  return first ? { kind: "signals", steps: signals.map(({ step }) => step), at: first.at } : null;
}

/** A run that a consumer is moving just now loses its lease by an exit or a goal, so that nothing of it commits. */
function statementsOf(db: D1Database, run: Run, turn: Turn, now: number): D1PreparedStatement[] {
  const log = (outcome: string, why: string, at: number) =>
    sql(
      db,
      `insert into run_steps (run, visit, step, outcome, detail, scheduled_at, at)
       select key, visit, coalesce(step, ''), ?2, json_object('why', ?3), ?4, ?5 from runs
       where key = ?1 and ended_at is null on conflict do nothing`,
      run.key,
      outcome,
      why,
      at,
      now,
    );
  switch (turn.kind) {
    case "exit":
      return [
        log("exited", turn.why, now),
        sql(
          db,
          `update runs set state = 'exited', reason = ?2, step = null, visit = visit + 1, due_at = null, held_at = null,
             lease_until = null, ended_at = ?3 where key = ?1 and ended_at is null`,
          run.key,
          turn.why,
          now,
        ),
      ];
    case "goal":
      return [
        log("left", `goal ${turn.step}`, turn.at),
        sql(
          db,
          `update runs set state = 'active', step = ?2, visit = visit + 1, arrived_at = null, due_at = ?3, held_at = null,
             lease_until = null, attempts = 0, error = null, signals = json_set(signals, ?4, ?5)
           where key = ?1 and ended_at is null returning key`,
          run.key,
          turn.step,
          turn.at,
          path(turn.step),
          PULLED,
        ),
      ];
    case "wake":
      return [
        sql(
          db,
          "update runs set due_at = min(coalesce(due_at, ?2), ?2) where key = ?1 and state = 'active' and held_at is null and step = ?3 returning key",
          run.key,
          turn.at,
          run.step,
        ),
      ];
    case "signals":
      return turn.steps.map((step) =>
        sql(
          db,
          `update runs set signals = json_set(signals, ?2, max(?3, coalesce(signals ->> ?2, 0))),
             due_at = iif(step = ?4 and arrived_at <= ?3 and held_at is null, ?3, due_at)
           where key = ?1 and ended_at is null and state = 'active' returning key`,
          run.key,
          path(step),
          turn.at,
          step,
        ),
      );
    default:
      return turn satisfies never;
  }
}

const path = (step: string) => `$."${step}"`;
