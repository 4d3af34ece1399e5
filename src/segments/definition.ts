import { AppError, type FieldError } from "../errors";
import { type CustomField, customField, FIELDS } from "./fields";
import { readLeaf } from "./leaves";
import { isObject, type Reading, step } from "./reading";
import type { Audience, Definition, Node } from "./tree";

/** Deepest tree and most conditions of one segment. */
export const MOST_DEPTH = 5;
export const MOST_LEAVES = 100;

/** What a definition is read against. */
export interface Vocabulary {
  audience: Audience;
  /** The shop's id and domain: what a `store` may name. */
  stores: string[];
  customFields: CustomField[];
}

const GROUPS = ["all", "any", "none"] as const;

/**
 * Reads a definition: a tree of `all`, `any` and `none` over leaves. Throws `validation_failed`, whose errors point at
 * the leaf by JSON pointer.
 *
 * @param pointer where the definition is in the body
 */
export function parseDefinition(value: unknown, vocabulary: Vocabulary, pointer = "/definition"): Definition {
  const errors: FieldError[] = [];
  const custom = new Map(vocabulary.customFields.map((field) => [`fields.${field.name}`, customField(field)]));
  const reading: Reading = {
    audience: vocabulary.audience,
    stores: vocabulary.stores,
    field: (name) => FIELDS.get(name) ?? custom.get(name),
    problem: (at, detail) => errors.push({ pointer: at, detail }),
  };
  let leaves = 0;

  const read = (node: unknown, at: string, depth: number): Node[] => {
    if (!isObject(node)) {
      reading.problem(at, "is neither a group nor a condition");
      return [];
    }
    const group = GROUPS.find((name) => Object.hasOwn(node, name));
    if (group === undefined) {
      leaves += 1;
      if (leaves === MOST_LEAVES + 1) reading.problem(at, `is one condition more than ${MOST_LEAVES}`);
      const leaf = leaves > MOST_LEAVES ? null : readLeaf(reading, node, at);
      return leaf ? [leaf] : [];
    }
    const nodes = node[group];
    const other = Object.keys(node).find((name) => name !== group);
    if (other !== undefined) reading.problem(at + step(other), `has no place beside ${group}`);
    if (!Array.isArray(nodes)) {
      reading.problem(`${at}/${group}`, "is not a list");
      return [];
    }
    if (depth > MOST_DEPTH) {
      reading.problem(at, `is nested deeper than ${MOST_DEPTH}`);
      return [];
    }
    if (group === "any" && nodes.length === 0) reading.problem(`${at}/any`, "has no condition");
    return [{ kind: group, nodes: nodes.flatMap((child, i) => read(child, `${at}/${group}/${i}`, depth + 1)) }];
  };

  const [root] = read(value, pointer, 1);
  if (errors.length > 0 || !root) {
    throw new AppError("validation_failed", undefined, { errors: errors.slice(0, 50) });
  }
  return { audience: vocabulary.audience, root };
}
