import { AppError, type FieldError } from "../errors";
import { type Definition, type Happening, type Leaf, leavesOf, type MembershipLeaf } from "./tree";
import type { Span } from "./window";

/** What a segment depends on: the changes after which a subject's membership must be looked at again. */
export interface Mentions {
  fields: string[];
  events: string[];
  segments: string[];
  lists: string[];
  /** True where time alone changes who is a member. */
  clock: boolean;
}

export function mentionsOf({ root }: Definition): Mentions {
  const leaves = leavesOf(root);
  const memberships = leaves.filter((leaf) => leaf.kind === "membership");
  return {
    fields: unique(leaves.flatMap((leaf) => (leaf.kind === "attribute" ? [leaf.field.name] : []))),
    events: unique(leaves.flatMap((leaf) => happenings(leaf).map(({ event }) => event.name))),
    segments: idsOf(memberships, "segment"),
    lists: idsOf(memberships, "list"),
    clock: leaves.some(isClocked),
  };
}

function idsOf(leaves: MembershipLeaf[], of: "segment" | "list"): string[] {
  return unique(leaves.filter((leaf) => leaf.of === of).map(({ id }) => id));
}

function unique(names: string[]): string[] {
  return [...new Set(names)].sort();
}

function happenings(leaf: Leaf): Happening[] {
  if (leaf.kind === "event") return [leaf];
  return leaf.kind === "sequence" ? [leaf.first, leaf.next] : [];
}

function isClocked(leaf: Leaf): boolean {
  const moves = (span: Span | null) => span !== null && span.kind !== "fixed";
  switch (leaf.kind) {
    case "attribute": {
      const { test } = leaf.condition;
      return (
        test.kind === "anniversary" ||
        test.kind === "held" ||
        leaf.field.name === "days_since_last_order" ||
        (test.kind === "time" && moves(test.span))
      );
    }
    case "event": {
      const { measure, where, window } = leaf;
      const byTime = "negative" in measure && measure.test.kind === "time" && moves(measure.test.span);
      return (
        moves(window) || byTime || where.some(({ condition: { test } }) => test.kind === "time" && moves(test.span))
      );
    }
    case "sequence":
      return !leaf.happens || moves(leaf.window);
    case "membership":
      return moves(leaf.window);
    case "sample":
      return false;
    default:
      return leaf satisfies never;
  }
}

/** What exists of what definitions refer to, by id. */
export interface Known {
  /** The segments that each live segment of the shop refers to. */
  segments: ReadonlyMap<string, readonly string[]>;
  lists: ReadonlySet<string>;
}

/**
 * Throws `unprocessable`, pointing at the leaf, where a definition refers to a segment or list that is not there, or
 * to the segment itself, directly or by way of others.
 *
 * @param own id of the segment that gets this definition; null for one that has none yet
 */
export function checkReferences(definition: Definition, own: string | null, known: Known): void {
  const errors: FieldError[] = [];
  for (const leaf of leavesOf(definition.root)) {
    if (leaf.kind !== "membership") continue;
    const pointer = `${leaf.pointer}/${leaf.is ? "in" : "notIn"}`;
    const detail = leaf.of === "list" ? listProblem(leaf.id, known) : segmentProblem(leaf.id, own, known);
    if (detail !== null) errors.push({ pointer, detail });
  }
  if (errors.length > 0) throw new AppError("unprocessable", "The definition refers to what it cannot", { errors });
}

function listProblem(id: string, { lists }: Known): string | null {
  return lists.has(id) ? null : "is no list of this shop";
}

function segmentProblem(id: string, own: string | null, { segments }: Known): string | null {
  if (id === own) return "is the segment itself";
  if (!segments.has(id)) return "is no segment of this shop";
  const way = own === null ? null : wayTo(own, id, segments);
  return way === null ? null : `leads back to the segment itself: ${way.join(" > ")}`;
}

/** The segments from one to another along their references; null where none leads there. */
function wayTo(target: string, from: string, segments: Known["segments"]): string[] | null {
  const before = new Map<string, string | null>([[from, null]]);
  for (const id of before.keys()) {
    if (id === target) {
      const way: string[] = [];
      for (let step: string | null | undefined = id; step; step = before.get(step)) way.unshift(step);
      return way;
    }
    for (const next of segments.get(id) ?? []) if (!before.has(next)) before.set(next, id);
  }
  return null;
}
