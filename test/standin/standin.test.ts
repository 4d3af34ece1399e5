import { expect, it } from "vitest";

import { standinStore } from "../helpers/standin";

it("the stand-in gives a token to client credentials and answers GraphQL with it", async () => {
  const store = await standinStore({ currency: "JPY", name: "Kiso" });
  await store.seed({ customers: [{ email: "ada@example.com", tags: ["vip"] }] });
  const answer = await fetch(`${store.origin}/admin/oauth/access_token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: store.clientId,
      client_secret: store.clientSecret,
    }),
  });
  const granted = await answer.json<{ access_token: string; expires_in: number; scope: string }>();
  expect(granted).toMatchObject({ expires_in: 86_399, scope: store.scopes.join(",") });
  const graphql = async (query: string, variables = {}) => {
    const response = await fetch(`${store.origin}/admin/api/2026-10/graphql.json`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-shopify-access-token": granted.access_token },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, body: await response.json() };
  };
  expect(
    await graphql(`
      query Look {
        shop {
          name
          currencyCode
        }
        customers(first: 5, query: "tag:vip") {
          nodes {
            defaultEmailAddress {
              emailAddress
            }
            numberOfOrders
          }
          pageInfo {
            hasNextPage
          }
        }
        currentAppInstallation {
          accessScopes {
            handle
          }
        }
      }
    `),
  ).toMatchObject({
    status: 200,
    body: {
      data: {
        shop: { name: "Kiso", currencyCode: "JPY" },
        customers: { nodes: [{ defaultEmailAddress: { emailAddress: "ada@example.com" } }] },
      },
      extensions: { cost: { throttleStatus: { maximumAvailable: 2000, restoreRate: 100 } } },
    },
  });
  expect((await store.log()).map(({ operation, path }) => operation ?? path)).toEqual([
    "/admin/oauth/access_token",
    "Look",
  ]);
  expect(await store.written()).toEqual([]);
});
