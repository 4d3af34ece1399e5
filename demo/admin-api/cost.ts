import {
  type FieldNode,
  getNamedType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type GraphQLNamedType,
} from "graphql";
import { type AdminStore, RESTORE_RATES } from "./store.ts";

/** A single query may not cost more. */
export const SINGLE_QUERY_LIMIT = 1000;

const MUTATION_COST = 10;

type Asked = {
  schema: GraphQLSchema;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  variables: Record<string, unknown>;
};

/**
 * What a query would cost before it runs, by Shopify's published rule: scalars 0, objects 1, connections two plus
 * their objects, mutations 10. Shopify charges large pages less than this; whoever fits here fits there.
 */
export function requestedCost(operation: OperationDefinitionNode, asked: Asked): number {
  const root = asked.schema.getRootType(operation.operation);
  if (!root) return 0;
  return costOf(
    operation.selectionSet,
    root,
    asked,
    operation.operation === OperationTypeNode.MUTATION ? MUTATION_COST : 1,
    "root",
  );
}

function costOf(
  set: SelectionSetNode,
  type: GraphQLNamedType,
  asked: Asked,
  objectCost: number,
  place: "root" | "connection" | "object",
  size = 1,
): number {
  let cost = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) cost += fieldCost(selection, type, asked, objectCost, place, size);
    else {
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? asked.fragments.get(selection.name.value) : selection;
      const condition = fragment?.typeCondition?.name.value;
      const on = condition === undefined ? type : (asked.schema.getType(condition) ?? type);
      if (fragment !== undefined) cost += costOf(fragment.selectionSet, on, asked, objectCost, place, size);
    }
  }
  return cost;
}

function fieldCost(
  field: FieldNode,
  type: GraphQLNamedType,
  asked: Asked,
  objectCost: number,
  place: "root" | "connection" | "object",
  size: number,
): number {
  const definition = isObjectType(type) || isInterfaceType(type) ? type.getFields()[field.name.value] : undefined;
  if (definition === undefined || field.selectionSet === undefined) return 0;
  const returned = getNamedType(definition.type);
  if (isLeafType(returned)) return 0;
  if (place === "connection" && field.name.value === "pageInfo") return 0;
  if (place === "connection" && field.name.value === "edges")
    return costOf(field.selectionSet, returned, asked, 1, "connection", size);
  if (place === "connection") return size * (1 + costOf(field.selectionSet, returned, asked, 1, "object"));
  if (returned.name.endsWith("Connection"))
    return 2 + costOf(field.selectionSet, returned, asked, 1, "connection", pageSize(field, asked.variables));
  const own = place === "root" ? objectCost : 1;
  const many = field.name.value === "nodes" && place === "root" ? idsIn(field, asked.variables) : 1;
  const inner = costOf(field.selectionSet, returned, asked, 1, "object");
  return many * ((isAbstractType(returned) && place !== "root" ? 0 : own) + inner);
}

function pageSize(field: FieldNode, variables: Record<string, unknown>): number {
  const argument = field.arguments?.find(({ name }) => name.value === "first" || name.value === "last");
  if (argument?.value.kind === Kind.INT) return Number(argument.value.value);
  if (argument?.value.kind === Kind.VARIABLE) return Number(variables[argument.value.name.value] ?? 0);
  return 0;
}

function idsIn(field: FieldNode, variables: Record<string, unknown>): number {
  const argument = field.arguments?.find(({ name }) => name.value === "ids");
  if (argument?.value.kind === Kind.LIST) return argument.value.values.length;
  const value = argument?.value.kind === Kind.VARIABLE ? variables[argument.value.name.value] : undefined;
  return Array.isArray(value) ? value.length : 1;
}

/** What the answer turned out to cost: one for each object in it, connections and edges aside. */
export function actualCost(data: unknown): number {
  if (Array.isArray(data)) return data.reduce<number>((sum, one) => sum + actualCost(one), 0);
  if (typeof data !== "object" || data === null) return 0;
  const entries = Object.entries(data);
  const isEnvelope = entries.length > 0 && entries.every(([name]) => ["edges", "nodes", "pageInfo"].includes(name));
  const isEdge = "node" in data;
  let cost = isEnvelope ? 2 : isEdge ? 0 : 1;
  for (const [name, value] of entries) if (name !== "pageInfo") cost += actualCost(value);
  return cost;
}

export type ThrottleStatus = { maximumAvailable: number; currentlyAvailable: number; restoreRate: number };

/** The bucket as it is now, refilled for the time since it was last looked at. */
export function refill(store: AdminStore): ThrottleStatus {
  const restoreRate = RESTORE_RATES[store.plan];
  const maximumAvailable = restoreRate * 20;
  const now = Date.now();
  const restored = ((now - store.bucket.at) / 1000) * restoreRate;
  store.bucket.level = Math.min(maximumAvailable, store.bucket.level + restored);
  store.bucket.at = now;
  return { maximumAvailable, currentlyAvailable: Math.floor(store.bucket.level), restoreRate };
}
