import { fraction } from "../lib/fraction";
import type { Automation, ReadStep } from "./definition";
import { after, before, momentOf, nextTime } from "./length";
import { type Effect, MOST_DEPTH, MOST_STEPS, type Run, type RunData, type Standing, type Taken } from "./run";
import type { StepOf } from "./steps";

/** What has to be known before a run can take its present step. */
export interface Facts {
  /** Answers of the step's conditions, in their order. */
  answers: boolean[];
  /** The code that a coupon step got; null where none is left. */
  code: string | null;
  /** The date, `YYYY-MM-DD`, in the field that a step waits for. */
  day: string | null;
}

/** What there is to know about the step where a run stands: nothing has to be looked up for most. */
export function needs(
  { step, asks }: ReadStep,
  run: Pick<Run, "signals" | "arrivedAt">,
): "answers" | "code" | "day" | null {
  if (step.type === "coupon") return "code";
  if (step.type === "wait" && "untilDay" in step.wait && run.arrivedAt === null) return "day";
  if (step.type === "goal" && signalled(run, step.id)) return null;
  return asks.length > 0 ? "answers" : null;
}

interface Move {
  outcome: string;
  detail?: Record<string, unknown>;
  effects?: Effect[];
  /** Where it goes on; null is the end. */
  to: string | null;
  reason?: string;
  data?: RunData;
}

interface Stay {
  /** When to look again; null for only when something happens. */
  until: number | null;
}

/**
 * Takes as many steps as can be taken without looking anything up: at most the present one with what was, and then
 * those that ask nothing. Pure; what it asks for is committed together with where the run then stands.
 *
 * @param run at a step of the automation, due
 * @param zone of the shop
 */
export function plan(
  automation: Automation,
  run: Run,
  facts: Facts | null,
  { now, zone }: { now: number; zone: string },
): { taken: Taken[]; standing: Standing } {
  const taken: Taken[] = [];
  let current: Run = run;
  let known = facts;
  for (;;) {
    const read = automation.steps.get(current.step);
    const base = { visit: current.visit, data: current.data };
    const end = (state: "exited" | "failed", reason: string | null): Standing => ({
      ...base,
      state,
      step: state === "failed" ? current.step : null,
      dueAt: null,
      arrivedAt: null,
      reason,
    });
    if (!read) return { taken, standing: end("exited", "the step is gone") };
    if (current.visit > MOST_STEPS) return { taken, standing: end("failed", "it took more steps than a run may") };
    if (known === null && needs(read, current) !== null) {
      return {
        taken,
        standing: {
          ...base,
          state: "active",
          step: current.step,
          dueAt: current.dueAt,
          arrivedAt: current.arrivedAt,
          reason: null,
        },
      };
    }
    const move = take(read, current, known ?? NOTHING, now, zone);
    known = null;
    if ("until" in move) {
      const arrivedAt = current.arrivedAt ?? now;
      return {
        taken,
        standing: { ...base, state: "active", step: current.step, dueAt: move.until, arrivedAt, reason: null },
      };
    }
    taken.push({
      step: current.step,
      visit: current.visit,
      outcome: move.outcome,
      detail: move.detail ?? null,
      scheduledAt: current.dueAt,
      effects: move.effects ?? [],
    });
    const data = move.data ?? current.data;
    const visit = current.visit + 1;
    if (move.to === null) {
      return {
        taken,
        standing: { state: "done", step: null, visit, dueAt: null, arrivedAt: null, reason: move.reason ?? null, data },
      };
    }
    current = { ...current, step: move.to, visit, arrivedAt: null, data };
  }
}

const NOTHING: Facts = { answers: [], code: null, day: null };

/** Effects on a person that only contacts can have. */
const FOR_CONTACTS = new Set([
  "message",
  "add_tag",
  "remove_tag",
  "set_field",
  "increase_field",
  "clear_field",
  "score",
  "lifecycle",
  "consent",
  "coupon",
]);

function take(read: ReadStep, run: Run, facts: Facts, now: number, zone: string): Move | Stay {
  const { step, ways } = read;
  const to = ways.next;
  if (run.kind === "visitor" && FOR_CONTACTS.has(step.type)) {
    return { outcome: "skipped", detail: { why: "nobody knows who the visitor is" }, to };
  }
  const done = (...effects: Effect[]): Move => ({ outcome: "done", effects, to });
  switch (step.type) {
    case "message":
      return {
        ...done({
          kind: "message",
          channel: step.channel,
          template: step.template,
          version: step.templateVersion ?? null,
          transactional: step.transactional,
        }),
        outcome: "queued",
      };
    case "webhook":
      return { ...done({ kind: "webhook", endpoint: step.endpoint, data: step.data ?? {} }), outcome: "queued" };
    case "alert":
      return done({ kind: "alert", text: step.text });
    case "add_tag":
    case "remove_tag":
      return done({ kind: step.type, tag: step.tag });
    case "add_to_list":
    case "remove_from_list":
      return done({ kind: step.type, list: step.list });
    case "move_to_list":
      return done({ kind: "remove_from_list", list: step.from }, { kind: "add_to_list", list: step.list });
    case "set_field":
      return done({ kind: "set_field", field: step.field, value: step.value });
    case "increase_field":
      return done({ kind: "increase_field", field: step.field, by: step.by });
    case "clear_field":
      return done({ kind: "set_field", field: step.field, value: null });
    case "score":
      return done({ kind: "score", points: step.points });
    case "lifecycle":
      return done({ kind: "lifecycle", stage: step.stage });
    case "consent":
      return done({ kind: "consent", channel: step.channel, state: step.state });
    case "coupon":
      return facts.code === null
        ? { outcome: "none left", to }
        : { outcome: "done", to, data: { ...run.data, codes: { ...run.data.codes, [step.id]: facts.code } } };
    case "wait":
      return takeWait(step, run, facts, to, now, zone);
    case "wait_until": {
      if (facts.answers[0] === true) return { outcome: "met", to };
      const end = step.timeout ? after(run.arrivedAt ?? now, step.timeout, zone) : null;
      if (end !== null && end <= now) return { outcome: "timed out", to: ways.else };
      return { until: Math.min(end ?? Infinity, now + LOOK_AGAIN_MS) };
    }
    case "condition": {
      if (signalled(run, step.id)) return { outcome: "met", to };
      const end = step.notMet === "never" ? null : after(run.arrivedAt ?? now, step.notMet.after, zone);
      return end !== null && end <= now ? { outcome: "not met", to: ways.else } : { until: end };
    }
    case "if":
      return facts.answers[0] === true ? { outcome: "yes", to } : { outcome: "no", to: ways.else };
    case "branch": {
      const at = facts.answers.indexOf(true);
      const branch = step.branches[at];
      return branch ? { outcome: `branch ${at + 1}`, to: branch.next } : { outcome: "none", to: ways.else };
    }
    case "split":
      return takeSplit(step, run);
    case "goal": {
      if (signalled(run, step.id) || facts.answers[0] === true) return { outcome: "met", to };
      if (step.notMet === "continue") return { outcome: "not met", to };
      if (step.notMet === "end") return { outcome: "not met", to: null, reason: "the goal was not met" };
      return { until: step.when === undefined ? null : now + LOOK_AGAIN_MS };
    }
    case "go_to": {
      const times = run.data.taken?.[step.id] ?? 0;
      if (times >= step.most) return { outcome: "taken often enough", to };
      const data = { ...run.data, taken: { ...run.data.taken, [step.id]: times + 1 } };
      return { outcome: "taken", detail: { time: times + 1 }, to: step.step, data };
    }
    case "start_automation":
      return (run.data.depth ?? 0) >= MOST_DEPTH
        ? { outcome: "skipped", detail: { why: "too many automations have started each other" }, to }
        : done({ kind: "start", automation: step.automation });
    case "stop_automation":
      return done({ kind: "stop", automation: step.automation });
    case "exit":
      return { outcome: "done", to: null, reason: "exit" };
    default:
      return step satisfies never;
  }
}

/** What only the clock may have changed is asked again so often, ms; a change of the person is told at once. */
const LOOK_AGAIN_MS = 3_600_000;

/** The event that a step waits for happened after the run came there. */
function signalled({ signals, arrivedAt }: Pick<Run, "signals" | "arrivedAt">, step: string): boolean {
  const at = signals[step];
  return at !== undefined && (arrivedAt === null ? at === PULLED : at >= arrivedAt || at === PULLED);
}

/** A goal's signal for whoever was pulled to it. */
export const PULLED = Number.MAX_SAFE_INTEGER;

function takeWait(
  { wait }: StepOf<"wait">,
  run: Run,
  { day }: Facts,
  to: string | null,
  now: number,
  zone: string,
): Move | Stay {
  if (run.arrivedAt !== null) return { outcome: "waited", to };
  if ("for" in wait) return { until: after(now, wait.for, zone) };
  if ("untilTime" in wait) return { until: nextTime(now, wait.untilTime, wait.weekdays, zone) };
  if ("untilDate" in wait) {
    const until = Date.parse(wait.untilDate);
    return until > now ? { until } : { outcome: "the date is over", to };
  }
  if (day === null) return { outcome: "no date", to };
  const { offset, time } = wait.untilDay;
  const on = momentOf(day, time, zone);
  const shifted = offset === undefined ? on : (offset.direction === "before" ? before : after)(on, offset, zone);
  return shifted > now ? { until: shifted } : { outcome: "the date is over", to };
}

function takeSplit({ arms, holdout, id }: StepOf<"split">, run: Run): Move {
  const chance = fraction(`${run.id}:${id}`);
  const rest = 1 - holdout / 100;
  if (chance >= rest) return { outcome: "holdout", to: null, reason: "holdout" };
  const all = arms.reduce((sum, { weight }) => sum + weight, 0);
  let left = (chance / rest) * all;
  for (const arm of arms) {
    left -= arm.weight;
    if (left < 0) return { outcome: `arm ${arm.name}`, to: arm.next };
  }
  const last = arms.at(-1);
  return { outcome: `arm ${last?.name ?? ""}`, to: last?.next ?? null };
}
