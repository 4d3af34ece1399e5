import type { FieldError } from "../errors";
import type { ReadStep } from "./definition";
import type { Step } from "./steps";

/** Every step that may come right after one; null is the end. */
export function waysOf({ step, ways }: ReadStep): (string | null)[] {
  switch (step.type) {
    case "exit":
      return [];
    case "branch":
      return [...step.branches.map(({ next }) => next), ways.else];
    case "split":
      return step.arms.map(({ next }) => next);
    case "go_to":
      return [step.step, ways.next];
    case "if":
    case "condition":
      return [ways.next, ways.else];
    case "wait_until":
      return step.timeout === undefined ? [ways.next] : [ways.next, ways.else];
    default:
      return [ways.next];
  }
}

/** Steps at which a run stands still for a while, so that a loop through one of them is no endless one. */
function stands({ step }: ReadStep): boolean {
  if (step.type === "wait") return !("untilDate" in step.wait) && !("untilDay" in step.wait);
  return step.type === "condition";
}

/**
 * What is wrong with how steps lead to each other: names that are no step, steps that nobody comes to, a goal that
 * nothing meets, and loops in which nobody ever waits.
 */
export function checkGraph(list: Step[], steps: ReadonlyMap<string, ReadStep>): FieldError[] {
  const errors: FieldError[] = [];
  const at = new Map(list.map((step, i) => [step.id, `/definition/steps/${i}`]));
  const problem = (id: string, below: string, detail: string) =>
    errors.push({ pointer: (at.get(id) ?? "") + below, detail });
  for (const [i, step] of list.entries()) {
    const named: [string, string | null | undefined][] = [
      ["/next", "next" in step ? step.next : null],
      ["/else", "else" in step ? step.else : null],
      ["/step", "step" in step ? step.step : null],
      ...("branches" in step
        ? step.branches.map((one, n): [string, string | null] => [`/branches/${n}/next`, one.next])
        : []),
      ...("arms" in step ? step.arms.map((one, n): [string, string | null] => [`/arms/${n}/next`, one.next]) : []),
    ];
    for (const [below, id] of named) {
      if (id && !steps.has(id)) errors.push({ pointer: `/definition/steps/${i}${below}`, detail: "is no step" });
    }
    if (step.type === "goal" && (step.on === undefined) === (step.when === undefined)) {
      problem(step.id, "", "needs either on or when");
    }
  }
  const reached = new Set<string>();
  const follow = (from: string) => {
    const left = [from];
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const one = steps.get(id);
      if (!one || reached.has(id)) continue;
      reached.add(id);
      for (const way of waysOf(one)) if (way !== null) left.push(way);
    }
  };
  follow(list[0]?.id ?? "");
  for (const step of list) if (step.type === "goal") follow(step.id);
  for (const step of list) if (!reached.has(step.id)) problem(step.id, "", "is a step that nobody comes to");
  for (const id of endless(steps)) problem(id, "", "is in a loop in which nobody ever waits");
  return errors;
}

/** The first step of every loop without a step that stands still. */
function endless(steps: ReadonlyMap<string, ReadStep>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  for (const start of steps.keys()) {
    const path: { id: string; ways: string[] }[] = [];
    const enter = (id: string) => {
      const one = steps.get(id);
      if (!one || stands(one)) return;
      if (path.some((before) => before.id === id)) {
        if (!found.includes(id)) found.push(id);
        return;
      }
      if (!done.has(id)) path.push({ id, ways: waysOf(one).filter((way) => way !== null) });
    };
    enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const way = top.ways.pop();
      if (way === undefined) {
        done.add(top.id);
        path.pop();
      } else enter(way);
    }
  }
  return found;
}
