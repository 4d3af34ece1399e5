import { z } from "zod";
import { type AdminApi, startAdminApi } from "../../../demo/admin-api/admin-api.ts";
import { accessToken } from "../../../demo/admin-api/oauth.ts";
import { seedRecords, seedSchema, type Seed } from "../../../demo/admin-api/seed-records.ts";
import type { AdminStore, StoreOptions } from "../../../demo/admin-api/store.ts";

const body = z.looseObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .union([
      z.string(),
      z.array(
        z.looseObject({ message: z.string(), extensions: z.looseObject({ code: z.string().optional() }).optional() }),
      ),
    ])
    .optional(),
});

export type Answered = { status: number; headers: Headers; body: z.infer<typeof body> };

export type Shop = {
  store: AdminStore;
  /** The address that stands for https://{domain}. */
  origin: string;
  token: string;
  graphql: (query: string, variables?: object, token?: string) => Promise<Answered>;
  seed: (records: Seed) => ReturnType<typeof seedRecords>;
};

/** A stand-in of a test file's own, and stores of a test's own on it. */
export async function startStandin(): Promise<{
  url: string;
  api: AdminApi;
  shop: (options?: StoreOptions) => Shop;
  close: () => Promise<void>;
}> {
  const { url, api, close } = await startAdminApi();
  const shop = (options: StoreOptions = {}): Shop => {
    const store = api.open(options);
    const origin = `${url}/_shopify/${store.domain}`;
    const token = String(accessToken(store, "permanent", null)["access_token"]);
    return {
      store,
      origin,
      token,
      seed: (records) => seedRecords(store, seedSchema.parse(records)),
      graphql: async (query, variables = {}, as = token) => {
        const answer = await fetch(`${origin}/admin/api/2026-10/graphql.json`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-shopify-access-token": as },
          body: JSON.stringify({ query, variables }),
        });
        return { status: answer.status, headers: answer.headers, body: body.parse(await answer.json()) };
      },
    };
  };
  return { url, api, shop, close };
}

/** Asks until the operation is over. */
export async function finished(shop: Shop, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = await shop.graphql(
      `query Poll($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize url partialDataUrl } }`,
      { id },
    );
    const operation = z
      .object({ bulkOperation: z.record(z.string(), z.unknown()) })
      .parse(answer.body.data).bulkOperation;
    if (!["CREATED", "RUNNING", "CANCELING"].includes(String(operation["status"]))) return operation;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const started = z.object({
  bulkOperationRunQuery: z.object({
    bulkOperation: z.object({ id: z.string(), status: z.string() }).nullable(),
    userErrors: z.array(z.object({ message: z.string(), code: z.string().nullable() })),
  }),
});

/** Starts a bulk operation; its id, or the messages of its refusal. */
export async function runBulk(
  shop: Shop,
  query: string,
  groupObjects = false,
): Promise<{ id: string | null; status: string | null; errors: string[] }> {
  const answer = await shop.graphql(
    `mutation Run($query: String!, $group: Boolean!) {
      bulkOperationRunQuery(query: $query, groupObjects: $group) { bulkOperation { id status } userErrors { message code } }
    }`,
    { query, group: groupObjects },
  );
  const { bulkOperation, userErrors } = started.parse(answer.body.data).bulkOperationRunQuery;
  return {
    id: bulkOperation?.id ?? null,
    status: bulkOperation?.status ?? null,
    errors: userErrors.map(({ message }) => message),
  };
}

export const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
