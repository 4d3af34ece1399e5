import { glob } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Kind, NoDeprecatedCustomRule, parse, specifiedRules, validate } from "graphql";
import { expect, it } from "vitest";
import { z } from "zod";

import { adminSchema } from "../../demo/admin-api/schema.ts";

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
