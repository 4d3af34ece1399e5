import { glob } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Kind, NoDeprecatedCustomRule, parse, specifiedRules, validate, visit } from "graphql";
import { expect, it } from "vitest";
import { z } from "zod";

import { adminSchema } from "../../demo/admin-api/schema.ts";
import {
  checkoutsQuery,
  customersQuery,
  ordersQuery,
  productsQuery,
} from "../../src/shopify/sync/resources.queries.ts";

const Query = z.object({ name: z.string(), text: z.string(), answer: z.instanceof(z.ZodType) });

const root = fileURLToPath(new URL("../../src/", import.meta.url));

/** Every query that a `*.queries.ts` file exports, by its name. */
async function exportedQueries() {
  const found: z.infer<typeof Query>[] = [];
  for await (const file of glob("**/*.queries.ts", { cwd: root })) {
    const exported: Record<string, unknown> = await import(root + file);
    found.push(...Object.values(exported).flatMap((value) => Query.safeParse(value).data ?? []));
  }
  return found;
}

/** The texts that a bulk operation takes, with every part that a scope adds, and none. */
const bulkTexts: [string, string][] = [
  ["products", productsQuery("")],
  ["customers", customersQuery("customer_date:>='2026-01-01T00:00:00Z'")],
  ...[true, false].flatMap((location) =>
    [true, false].map((staff): [string, string] => [
      `orders, location ${location}, staff ${staff}`,
      ordersQuery("created_at:<'2026-01-01T00:00:00Z'", { location, staff }),
    ]),
  ),
  ["checkouts", checkoutsQuery("recovery_state:not_recovered")],
];

/** What a text searches for. */
function searchesIn(text: string): string[] {
  const searches: string[] = [];
  visit(parse(text), {
    Argument: ({ name, value }) => {
      if (name.value === "query" && value.kind === Kind.STRING) searches.push(value.value);
    },
  });
  return searches;
}

it.each(bulkTexts)(
  "the bulk text of %s is one query that Shopify's schema knows all of, and deprecates nothing of",
  (_, text) => {
    const document = parse(text);
    const errors = validate(adminSchema().schema, document, [...specifiedRules, NoDeprecatedCustomRule]);
    expect(errors.map(({ message }) => message)).toEqual([]);
    expect(document.definitions).toHaveLength(1);
    const [operation] = document.definitions;
    expect(operation?.kind === Kind.OPERATION_DEFINITION && operation.operation).toBe("query");
  },
);

it("a search arrives in a bulk text as it is, whatever its quotes", () => {
  const search = `tag:'it"s' AND created_at:>='2026-01-01T00:00:00Z'`;
  for (const text of [productsQuery(search), customersQuery(search), checkoutsQuery(search)]) {
    expect(searchesIn(text)).toEqual([search]);
  }
});

it("every function of a *.queries.ts file that makes a text is tried above", async () => {
  const made: string[] = [];
  for await (const file of glob("**/*.queries.ts", { cwd: root })) {
    const exported: Record<string, unknown> = await import(root + file);
    made.push(...Object.entries(exported).flatMap(([name, value]) => (typeof value === "function" ? [name] : [])));
  }
  expect(made.toSorted()).toEqual(["checkoutsQuery", "customersQuery", "ordersQuery", "productsQuery"]);
});

it("every query is named as its operation, and Shopify's schema knows all of it and deprecates nothing", async () => {
  const queries = await exportedQueries();
  expect(queries.length).toBeGreaterThanOrEqual(5);
  const { schema } = adminSchema();
  for (const { name, text } of queries) {
    const document = parse(text);
    const errors = validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule]);
    expect(
      errors.map(({ message }) => message),
      name,
    ).toEqual([]);
    const [operation] = document.definitions;
    expect(operation?.kind === Kind.OPERATION_DEFINITION && operation.name?.value).toBe(name);
  }
});
