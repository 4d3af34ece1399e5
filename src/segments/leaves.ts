import type { Condition } from "./condition";
import type { Field } from "./field";
import { readEvent, readSequence } from "./leaves-of-events";
import { isObject, only, ownStore, readAsked, type Reading, readSpan } from "./reading";
import type { Leaf } from "./tree";

/** Reads one condition of the tree; null after telling what is wrong with it. */
export function readLeaf(reading: Reading, leaf: Record<string, unknown>, pointer: string): Leaf | null {
  if ("field" in leaf) return readAttribute(reading, leaf, pointer);
  if ("did" in leaf) return readEvent(reading, leaf, pointer);
  if ("first" in leaf) return readSequence(reading, leaf, pointer);
  if ("in" in leaf || "notIn" in leaf) return readMembership(reading, leaf, pointer);
  if ("sample" in leaf) return readSample(reading, leaf, pointer);
  reading.problem(pointer, "is no condition: it needs field, did, first, in, notIn or sample");
  return null;
}

function readAttribute(reading: Reading, leaf: Record<string, unknown>, pointer: string): Leaf | null {
  const isWhole = only(reading, leaf, pointer, ["field", "op", "value", "store"]) && ownStore(reading, leaf, pointer);
  const field = typeof leaf["field"] === "string" ? reading.field(leaf["field"]) : undefined;
  if (!field) {
    reading.problem(`${pointer}/field`, "is no field that this shop has (see the catalogue)");
    return null;
  }
  if (reading.audience === "visitors" && !field.places.visitor) {
    reading.problem(`${pointer}/field`, "is not known of visitors");
    return null;
  }
  const condition = readAsked(reading, field, leaf, pointer);
  if (!condition || !isWhole) return null;
  return { kind: "attribute", pointer, field, condition: withWords(condition, field) };
}

/** Puts in place of the words the ways in which they may be stored. */
function withWords(condition: Condition, { words, beginnings }: Field): Condition {
  const { test, negative } = condition;
  const stored = words ?? beginnings;
  if (!stored || test.kind !== "text" || test.match !== "is") return condition;
  const match = beginnings ? "prefix" : "is";
  return { test: { ...test, match, words: [...new Set(test.words.flatMap(stored))] }, negative };
}

function readMembership(reading: Reading, leaf: Record<string, unknown>, pointer: string): Leaf | null {
  const is = "in" in leaf;
  const name = is ? "in" : "notIn";
  const isWhole = only(reading, leaf, pointer, is ? ["in", "window", "store"] : ["notIn", "store"]);
  const target = leaf[name];
  const [kind, more] = isObject(target) ? Object.keys(target) : [];
  const of = kind === "segment" || kind === "list" ? kind : null;
  const id = of !== null && isObject(target) ? target[of] : null;
  if (of === null || more !== undefined || typeof id !== "string" || !/^[a-z]{3}_[0-9a-z]{1,60}$/.test(id)) {
    reading.problem(`${pointer}/${name}`, "needs the id of one segment or one list");
    return null;
  }
  const window = readSpan(reading, leaf["window"], `${pointer}/window`);
  if (window === undefined || !isWhole || !ownStore(reading, leaf, pointer)) return null;
  return { kind: "membership", pointer, of, id, is, window };
}

function readSample(reading: Reading, leaf: Record<string, unknown>, pointer: string): Leaf | null {
  const { sample } = leaf;
  const percent = isObject(sample) ? sample["percent"] : null;
  const seed = isObject(sample) ? (sample["seed"] ?? "") : "";
  const isKnown = isObject(sample) && only(reading, sample, `${pointer}/sample`, ["percent", "seed"]);
  if (typeof percent !== "number" || !(percent >= 0 && percent <= 100) || typeof seed !== "string") {
    reading.problem(`${pointer}/sample`, "needs a percent from 0 to 100, and may have a seed, a text");
    return null;
  }
  if (!isKnown || !only(reading, leaf, pointer, ["sample", "store"]) || !ownStore(reading, leaf, pointer)) return null;
  return { kind: "sample", pointer, percent, seed: numberOf(seed) };
}

/** A number of 32 bits out of a text (FNV-1a). */
function numberOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
