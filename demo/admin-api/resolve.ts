import { type GraphQLFieldResolver, GraphQLError, getNamedType, type GraphQLTypeResolver, isObjectType } from "graphql";
import { type Args, isListing, isSource, type Listing, type Source } from "./listing.ts";
import { adminSchema, allows } from "./schema.ts";
import type { AdminStore } from "./store.ts";

export type Context = {
  store: AdminStore;
  granted: readonly string[];
  /** Fields that were asked for and that the stand-in cannot answer: the request fails loudly. */
  unanswered: string[];
};

/** Refuses with Shopify's words when the scopes do not reach this far. */
export function demandAccess(parent: string, field: string, returned: string, granted: readonly string[]): void {
  const { access } = adminSchema();
  const rule = access.get(`${parent}.${field}`) ?? access.get(returned);
  if (rule === undefined || allows(granted, rule.scopes)) return;
  throw new GraphQLError(`Access denied for ${field} field. Required access: ${rule.required}`, {
    extensions: {
      code: "ACCESS_DENIED",
      documentation: "https://shopify.dev/api/usage/access-scopes",
      requiredAccess: rule.required,
    },
  });
}

/** What the connection's own type holds for a page: edges, nodes and pageInfo. */
function connection(listing: Listing, args: Args): Source {
  const { entries, hasNextPage, hasPreviousPage } = listing.page(args);
  return {
    edges: entries,
    nodes: entries.map((entry) => entry.node),
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: entries[0]?.cursor ?? null,
      endCursor: entries.at(-1)?.cursor ?? null,
    },
  };
}

/** The value a node has for a field: called with the arguments when it is a function. */
export function valueOf(source: Source, field: string, args: Args): unknown {
  const value = source[field];
  return typeof value === "function" ? value(args) : value;
}

/** Answers every field from the node's own properties; a field that a node does not have is an error of the stand-in. */
export const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const returned = getNamedType(info.returnType).name;
  const { name: parent } = info.parentType;
  const typed = returned.endsWith("Connection") ? nodeTypeOf(returned) : returned;
  demandAccess(parent, info.fieldName, typed, context.granted);
  const value = isSource(source) ? valueOf(source, info.fieldName, args) : undefined;
  if (value === undefined) {
    context.unanswered.push(`${parent}.${info.fieldName}`);
    throw new GraphQLError(`The stand-in cannot answer ${parent}.${info.fieldName}`);
  }
  return isListing(value) ? connection(value, args) : value;
};

/** The type of a connection's nodes, whose access rule holds for the connection too. */
function nodeTypeOf(connectionName: string): string {
  const type = adminSchema().schema.getType(connectionName);
  const nodes = isObjectType(type) ? type.getFields()["nodes"] : undefined;
  return nodes === undefined ? connectionName : getNamedType(nodes.type).name;
}

export const resolveType: GraphQLTypeResolver<unknown, Context> = (source) =>
  isSource(source) && typeof source["__typename"] === "string" ? source["__typename"] : undefined;
