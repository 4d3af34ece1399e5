import {
  type DocumentNode,
  execute,
  getOperationAST,
  GraphQLError,
  Kind,
  OperationTypeNode,
  parse,
  validate,
} from "graphql";
import { z } from "zod";
import { actualCost, refill, requestedCost, SINGLE_QUERY_LIMIT } from "./cost.ts";
import { resolveField, resolveType, type Context } from "./resolve.ts";
import { mutationRoot, queryRoot } from "./root.ts";
import { adminSchema } from "./schema.ts";
import { SearchError } from "./search.ts";
import type { AdminStore } from "./store.ts";

export type GraphQLCall = {
  document: DocumentNode;
  query: string;
  operation: string | null;
  mutation: boolean;
  /** The root fields. */
  fields: string[];
  operationName: string | undefined;
  variables: Record<string, unknown>;
};

export type GraphQLAnswer = { status: number; body: Record<string, unknown>; requestedCost: number | null };

const request = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

/** Reads a GraphQL request; an answer in Shopify's words when it is none. */
export function readCall(body: string): GraphQLCall | GraphQLAnswer {
  let read: z.infer<typeof request>;
  try {
    read = request.parse(JSON.parse(body));
  } catch {
    return { status: 400, body: { errors: { query: "Required parameter missing or invalid" } }, requestedCost: null };
  }
  let document: DocumentNode;
  try {
    document = parse(read.query);
  } catch (error) {
    return failed([error instanceof GraphQLError ? error : new GraphQLError(String(error))]);
  }
  const operation = getOperationAST(document, read.operationName);
  if (!operation) return failed([new GraphQLError("An operation name is required")]);
  return {
    document,
    query: read.query,
    operation: operation.name?.value ?? null,
    mutation: operation.operation === OperationTypeNode.MUTATION,
    fields: operation.selectionSet.selections.flatMap((one) => (one.kind === Kind.FIELD ? [one.name.value] : [])),
    operationName: read.operationName ?? undefined,
    variables: read.variables ?? {},
  };
}

const failed = (errors: readonly GraphQLError[]): GraphQLAnswer => ({
  status: 200,
  body: { errors: errors.map((error) => error.toJSON()) },
  requestedCost: null,
});

/** What the throttled get to hear: status 200, code THROTTLED and the bucket. */
export function throttled(store: AdminStore, cost: number): GraphQLAnswer {
  return {
    status: 200,
    body: {
      errors: [
        {
          message: "Throttled",
          extensions: { code: "THROTTLED", documentation: "https://shopify.dev/api/usage/rate-limits" },
        },
      ],
      extensions: { cost: { requestedQueryCost: cost, actualQueryCost: null, throttleStatus: refill(store) } },
    },
    requestedCost: cost,
  };
}

/**
 * Validates the request against Shopify's schema, charges the bucket and executes. A field that the stand-in cannot
 * answer makes status 501 with the field's name, so that nobody takes its null for the truth.
 */
export async function answerCall(store: AdminStore, call: GraphQLCall, base: string): Promise<GraphQLAnswer> {
  const { schema } = adminSchema();
  const invalid = validate(schema, call.document);
  if (invalid.length > 0) return failed(invalid);
  const operation = getOperationAST(call.document, call.operationName);
  if (!operation) return failed([new GraphQLError("An operation name is required")]);
  const fragments = new Map(
    call.document.definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [])),
  );
  const cost = requestedCost(operation, { schema, fragments, variables: call.variables });
  if (cost > SINGLE_QUERY_LIMIT) return tooExpensive(cost);
  if (refill(store).currentlyAvailable < cost) return throttled(store, cost);
  store.bucket.level -= cost;
  const context: Context = { store, granted: store.app.scopes, unanswered: [] };
  const result = await execute({
    schema,
    document: call.document,
    rootValue: call.mutation ? mutationRoot(store, base) : queryRoot(store),
    contextValue: context,
    variableValues: call.variables,
    operationName: call.operationName ?? null,
    fieldResolver: resolveField,
    typeResolver: resolveType,
  });
  const own = ownFailure(context, result.errors ?? []);
  if (own !== undefined) {
    console.error(own);
    return { status: 501, body: { errors: own }, requestedCost: cost };
  }
  const actual = Math.min(cost, actualCost(result.data) + (call.mutation ? 10 : 0));
  store.bucket.level += cost - actual;
  return {
    status: 200,
    body: {
      ...(result.data === undefined ? {} : { data: result.data }),
      ...(result.errors === undefined ? {} : { errors: result.errors.map((error) => error.toJSON()) }),
      extensions: { cost: { requestedQueryCost: cost, actualQueryCost: actual, throttleStatus: refill(store) } },
    },
    requestedCost: cost,
  };
}

function ownFailure(context: Context, errors: readonly GraphQLError[]): string | undefined {
  if (context.unanswered.length > 0) return `The stand-in cannot answer ${[...new Set(context.unanswered)].join(", ")}`;
  for (const { originalError, message } of errors) {
    if (originalError instanceof SearchError) return message;
    // What the resolvers refuse on purpose is a GraphQLError, which has no original.
    if (originalError !== undefined && !(originalError instanceof GraphQLError))
      return `${message} ${originalError.stack}`;
  }
  return undefined;
}

function tooExpensive(cost: number): GraphQLAnswer {
  return {
    status: 200,
    body: {
      errors: [
        {
          message: `Query cost is ${cost}, which exceeds the single query max cost limit (${SINGLE_QUERY_LIMIT}).`,
          extensions: {
            code: "MAX_COST_EXCEEDED",
            cost,
            maxCost: SINGLE_QUERY_LIMIT,
            documentation: "https://shopify.dev/api/usage/rate-limits",
          },
        },
      ],
    },
    requestedCost: cost,
  };
}
