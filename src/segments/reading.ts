import type { Condition } from "./condition";
import type { Field } from "./field";
import type { Askable } from "./operators";
import { type Problem, readCondition, readWindow } from "./read-condition";
import type { Audience } from "./tree";
import type { Span } from "./window";

/** What the readers of leaves share: the names they may use, and where problems go. */
export interface Reading {
  audience: Audience;
  /** The shop's id and domain. */
  stores: string[];
  field: (name: string) => Field | undefined;
  problem: (pointer: string, detail: string) => void;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One step of a JSON pointer (RFC 6901). */
export function step(part: string | number): string {
  return `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Tells of members that a leaf of this kind does not have; true when there are none. */
export function only(reading: Reading, leaf: Record<string, unknown>, pointer: string, names: string[]): boolean {
  const others = Object.keys(leaf).filter((name) => !names.includes(name));
  for (const name of others) reading.problem(pointer + step(name), "is not known here");
  return others.length === 0;
}

export function tell(reading: Reading, pointer: string, problems: Problem[]): null {
  for (const { path, detail } of problems) reading.problem(pointer + path.map(step).join(""), detail);
  return null;
}

export function ownStore(reading: Reading, { store }: Record<string, unknown>, pointer: string): boolean {
  if (store === undefined || (typeof store === "string" && reading.stores.includes(store))) return true;
  reading.problem(`${pointer}/store`, "is another store than the segment's");
  return false;
}

export function readAsked(
  reading: Reading,
  asked: Askable,
  { op, value }: Record<string, unknown>,
  pointer: string,
): Condition | null {
  if (typeof op !== "string") {
    reading.problem(`${pointer}/op`, "is no operator");
    return null;
  }
  const outcome = readCondition(asked, op, value);
  return "problems" in outcome ? tell(reading, pointer, outcome.problems) : outcome.condition;
}

/** Null for no window, undefined for a wrong one. */
export function readSpan(reading: Reading, value: unknown, pointer: string): Span | null | undefined {
  if (value === undefined) return null;
  const outcome = readWindow(value);
  if ("span" in outcome) return outcome.span;
  tell(reading, pointer, outcome.problems);
  return undefined;
}
