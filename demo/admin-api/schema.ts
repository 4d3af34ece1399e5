import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { buildClientSchema, type GraphQLSchema, type IntrospectionQuery, isEnumType } from "graphql";
import { z } from "zod";

/** The version whose introspection the stand-in answers by. */
export const ADMIN_VERSION = "2026-10";

/** The versions that Shopify serves while `ADMIN_VERSION` is the latest. */
export const SERVED_VERSIONS = ["2026-01", "2026-04", "2026-07", "2026-10"];

export type AccessRule = {
  /** Any one of these is enough. */
  scopes: string[];
  /** Shopify's own words, as its errors quote them. */
  required: string;
};

export type Topic = {
  /** As webhook headers name it: `orders/create`. */
  name: string;
  /** Any one of these is enough; none needed when empty. */
  scopes: string[];
};

export type AdminSchema = {
  schema: GraphQLSchema;
  /** What a type (`Order`) or a field (`Shop.orderTags`) asks of the token. */
  access: Map<string, AccessRule>;
  /** Webhook topics by their enum names. */
  topics: Map<string, Topic>;
};

const accessItem = z.object({
  type: z.enum(["type", "field"]),
  typeName: z.string(),
  fieldName: z.string().optional(),
  requiredAccess: z.string(),
  offlineScopes: z.array(z.string()),
});

const file = z.object({
  data: z.custom<IntrospectionQuery>((value) => typeof value === "object" && value !== null && "__schema" in value),
  offline_scopes: z.object({ items: z.array(accessItem) }),
});

let loaded: AdminSchema | undefined;

/**
 * Shopify's published Admin schema with the access each part asks for, from the introspection in `@shopify/dev-mcp`.
 * Reads and builds it at the first call (about half a second), then keeps it.
 */
export function adminSchema(): AdminSchema {
  loaded ??= load();
  return loaded;
}

function load(): AdminSchema {
  const manifest = findPackageJSON("@shopify/dev-mcp", import.meta.url);
  if (manifest === undefined) throw new Error("@shopify/dev-mcp is not installed");
  const path = join(dirname(manifest), `dist/data/admin_${ADMIN_VERSION}.json.gz`);
  const { data, offline_scopes } = file.parse(JSON.parse(gunzipSync(readFileSync(path)).toString("utf8")));
  const schema = buildClientSchema(data, { assumeValid: true });
  const access = new Map<string, AccessRule>();
  for (const item of offline_scopes.items) {
    if (item.offlineScopes.length === 0) continue;
    const name = item.fieldName === undefined ? item.typeName : `${item.typeName}.${item.fieldName}`;
    access.set(name, { scopes: item.offlineScopes, required: item.requiredAccess });
  }
  return { schema, access, topics: topicsOf(schema) };
}

/** The schema's descriptions of the topics say their names and, after the word "Requires", their scopes. */
function topicsOf(schema: GraphQLSchema): Map<string, Topic> {
  const type = schema.getType("WebhookSubscriptionTopic");
  if (!isEnumType(type)) throw new Error("The schema has no WebhookSubscriptionTopic");
  return new Map(
    type.getValues().map((value) => {
      const text = value.description ?? "";
      const name = /`([^`]+)` events/.exec(text)?.[1] ?? value.name.toLowerCase();
      const requires = text.split("Requires")[1] ?? "";
      return [value.name, { name, scopes: requires.match(/\b(?:read|write)_\w+/g) ?? [] }];
    }),
  );
}

/** Whether these granted scopes satisfy the rule; a write scope holds its read scope. */
export function allows(granted: readonly string[], anyOf: readonly string[]): boolean {
  return (
    anyOf.length === 0 ||
    anyOf.some((scope) => granted.includes(scope) || granted.includes(scope.replace(/^read_/, "write_")))
  );
}
