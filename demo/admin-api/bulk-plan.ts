import {
  type FieldNode,
  getArgumentValues,
  getNamedType,
  getNullableType,
  GraphQLError,
  type GraphQLNamedType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  validate,
} from "graphql";
import type { Args } from "./listing.ts";
import { demandAccess } from "./resolve.ts";
import { adminSchema } from "./schema.ts";

/** How one field of a node becomes one key of its line. */
export type Step = {
  key: string;
  /** The key as it stands in the line, with its colon. */
  name: string;
  field: string;
  args: Args;
  /** The object type it is for; any when null. */
  on: string | null;
  kind: "leaf" | "object" | "connection";
  steps: Step[];
};

export type Plan = { root: Step };

/** Shopify's limits of a bulk query. */
const MOST_CONNECTIONS = 5;
const DEEPEST = 2;

/** Refused by Shopify, in its words. */
export class BulkQueryError extends Error {}

/** Reads a bulk query and refuses what Shopify refuses. Throws BulkQueryError; GraphQLError where access is missing. */
export function planBulk(text: string, granted: readonly string[]): Plan {
  const { schema } = adminSchema();
  let document;
  try {
    document = parse(text);
  } catch (error) {
    throw new BulkQueryError(`Invalid bulk query: ${error instanceof GraphQLError ? error.message : String(error)}`);
  }
  const invalid = validate(schema, document)[0];
  if (invalid !== undefined) throw new BulkQueryError(`Invalid bulk query: ${invalid.message}`);
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (operation === undefined || operations.length > 1 || operation.operation !== OperationTypeNode.QUERY)
    throw new BulkQueryError("Bulk queries must contain exactly one query operation.");
  const fragments = new Map(
    document.definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [])),
  );
  const compiler = new Compiler(fragments, granted);
  return compiler.compile(operation);
}

class Compiler {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #granted: readonly string[];
  #connections = 0;

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>, granted: readonly string[]) {
    this.#fragments = fragments;
    this.#granted = granted;
  }

  compile(operation: OperationDefinitionNode): Plan {
    const type = adminSchema().schema.getQueryType();
    if (!type) throw new BulkQueryError("The schema has no queries.");
    const steps = this.#steps(operation.selectionSet, type, { depth: 0, inList: false });
    const [root] = steps;
    if (root === undefined || steps.length > 1)
      throw new BulkQueryError("Bulk queries can select a single top-level field only.");
    if (["node", "nodes"].includes(root.field))
      throw new BulkQueryError("Bulk queries cannot select the top-level fields node and nodes.");
    if (this.#connections === 0) throw new BulkQueryError("Bulk queries must contain at least one connection.");
    if (root.kind !== "connection") throw new BulkQueryError("The stand-in runs bulk queries over a connection only.");
    if (this.#connections > MOST_CONNECTIONS)
      throw new BulkQueryError(`Bulk queries cannot contain more than ${MOST_CONNECTIONS} connections.`);
    return { root };
  }

  #steps(
    set: SelectionSetNode,
    type: GraphQLNamedType,
    place: { depth: number; inList: boolean },
    on: string | null = null,
  ): Step[] {
    return set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [this.#step(selection, type, place, on)];
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(selection.name.value) : selection;
      if (fragment === undefined) return [];
      const condition = fragment.typeCondition?.name.value;
      const narrowed = condition === undefined ? type : (adminSchema().schema.getType(condition) ?? type);
      return this.#steps(fragment.selectionSet, narrowed, place, isObjectType(narrowed) ? narrowed.name : on);
    });
  }

  #step(field: FieldNode, type: GraphQLNamedType, place: { depth: number; inList: boolean }, on: string | null): Step {
    const name = field.name.value;
    const key = field.alias?.value ?? name;
    const named = { key, name: `${JSON.stringify(key)}:`, field: name, on };
    if (name === "__typename") return { ...named, args: {}, kind: "leaf", steps: [] };
    const definition = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    if (definition === undefined) throw new BulkQueryError(`Field ${name} doesn't exist`);
    const returned = getNamedType(definition.type);
    const args = getArgumentValues(definition, field);
    if (returned.name.endsWith("Connection") && isObjectType(returned)) {
      const nodes = returned.getFields()["nodes"];
      const node = nodes === undefined ? returned : getNamedType(nodes.type);
      demandAccess(type.name, name, node.name, this.#granted);
      return { ...named, args, kind: "connection", steps: this.#connection(field, node, place) };
    }
    demandAccess(type.name, name, returned.name, this.#granted);
    if (isLeafType(returned) || field.selectionSet === undefined) return { ...named, args, kind: "leaf", steps: [] };
    const inList = place.inList || isListType(getNullableType(definition.type));
    const steps = this.#steps(field.selectionSet, returned, { depth: place.depth, inList });
    return { ...named, args, kind: "object", steps };
  }

  /** The selection on a connection's nodes, through `edges { node }` or `nodes`. */
  #connection(field: FieldNode, node: GraphQLNamedType, place: { depth: number; inList: boolean }): Step[] {
    if (place.inList) throw new BulkQueryError("Queries cannot contain a connection field within a list field.");
    if (place.depth > DEEPEST)
      throw new BulkQueryError(`Bulk queries cannot nest connections deeper than ${DEEPEST} levels.`);
    this.#connections += 1;
    const inner = this.#nodeSelections(field.selectionSet);
    const steps = inner.flatMap((set) => this.#steps(set, node, { depth: place.depth + 1, inList: false }));
    const nested = hasConnection(steps);
    if (nested !== undefined && !steps.some((step) => step.key === "id" && step.field === "id"))
      throw new BulkQueryError(
        `The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' return type. Connection fields without 'id': ${nested}.`,
      );
    return steps;
  }

  #nodeSelections(set: SelectionSetNode | undefined): SelectionSetNode[] {
    return (set?.selections ?? []).flatMap((selection) => {
      if (selection.kind !== Kind.FIELD) {
        const fragment =
          selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(selection.name.value) : selection;
        return this.#nodeSelections(fragment?.selectionSet);
      }
      if (selection.name.value === "edges") return this.#nodeSelections(selection.selectionSet);
      const isNode = selection.name.value === "node" || selection.name.value === "nodes";
      return isNode && selection.selectionSet !== undefined ? [selection.selectionSet] : [];
    });
  }
}

/** The name of a connection among a node's fields, in objects of it too. */
function hasConnection(steps: readonly Step[]): string | undefined {
  for (const step of steps) {
    if (step.kind === "connection") return step.field;
    const inner = step.kind === "object" ? hasConnection(step.steps) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}
