import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { finished, runBulk, type Shop, startStandin } from "./client.ts";

let standin: Awaited<ReturnType<typeof startStandin>>;
beforeAll(async () => {
  standin = await startStandin();
});
afterAll(() => standin.close());

const codeOf = (answer: Awaited<ReturnType<Shop["graphql"]>>): unknown =>
  Array.isArray(answer.body.errors) ? answer.body.errors[0]?.extensions?.code : undefined;

type Granted = { status: number; body: Record<string, unknown> };

async function token(shop: Shop, fields: Record<string, unknown>): Promise<Granted> {
  const answer = await fetch(`${shop.origin}/admin/oauth/access_token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_id: shop.store.app.clientId, client_secret: shop.store.app.clientSecret, ...fields }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const works = async (shop: Shop, as: unknown): Promise<boolean> =>
  (await shop.graphql("{ shop { name } }", {}, String(as))).status === 200;

describe("tokens", () => {
  it("come for client credentials, for a day, and not for a wrong secret or an app that is not installed", async () => {
    const shop = standin.shop();
    const granted = await token(shop, { grant_type: "client_credentials" });
    expect(granted).toMatchObject({
      status: 200,
      body: { expires_in: 86_399, scope: shop.store.app.scopes.join(",") },
    });
    expect(granted.body).not.toHaveProperty("refresh_token");
    expect(await works(shop, granted.body["access_token"])).toBe(true);
    shop.store.setNow(Date.now() + 86_400_000);
    expect(await works(shop, granted.body["access_token"])).toBe(false);
    expect((await token(shop, { grant_type: "client_credentials", client_secret: "wrong" })).status).toBe(401);
    expect((await token(shop, { grant_type: "client_credentials", client_id: "nobody" })).status).toBe(400);
    shop.store.app.installed = false;
    expect((await token(shop, { grant_type: "client_credentials" })).body).toMatchObject({
      error: "shop_not_permitted",
    });
  });

  it("come for a code that the authorization page sends back signed, once", async () => {
    const shop = standin.shop({ installed: false });
    const { clientId, clientSecret } = shop.store.app;
    const ask = (more: string): Promise<Response> =>
      fetch(
        `${shop.origin}/admin/oauth/authorize?client_id=${clientId}&scope=read_orders&state=s1&redirect_uri=${encodeURIComponent("https://app.example/shopify/callback")}${more}`,
        { redirect: "manual" },
      );
    expect(await (await ask("")).text()).toMatch(/read_orders.*approve=1/s);
    const back = new URL((await ask("&approve=1")).headers.get("location") ?? "");
    expect(back.origin + back.pathname).toBe("https://app.example/shopify/callback");
    const query = Object.fromEntries(back.searchParams);
    expect(query).toMatchObject({ shop: shop.store.domain, state: "s1" });
    const { hmac, ...signed } = query;
    const text = Object.entries(signed)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join("&");
    expect(hmac).toBe(createHmac("sha256", clientSecret).update(text).digest("hex"));
    const granted = await token(shop, { code: query["code"], expiring: 1 });
    expect(granted.body).toMatchObject({ expires_in: 3600, refresh_token_expires_in: 7_776_000, scope: "read_orders" });
    expect((await token(shop, { code: query["code"], expiring: 1 })).status).toBe(400);
    expect(await works(shop, granted.body["access_token"])).toBe(true);
  });

  it("rotate: a refresh token works once, and for a minute answers the same again", async () => {
    const shop = standin.shop();
    const exchange = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      requested_token_type: "urn:shopify:params:oauth:token-type:offline-access-token",
      expiring: "1",
    };
    const { sessionToken } = await import("../../../demo/admin-api/oauth.ts");
    const late = sessionToken(shop.store, { exp: Math.floor(Date.now() / 1000) - 1 });
    expect((await token(shop, { ...exchange, subject_token: late })).body).toMatchObject({
      error: "invalid_subject_token",
    });
    const other = sessionToken(shop.store, { aud: "another app" });
    expect((await token(shop, { ...exchange, subject_token: other })).status).toBe(400);
    expect((await token(shop, { ...exchange, subject_token: `${sessionToken(shop.store)}x` })).status).toBe(400);
    expect((await token(shop, { ...exchange, subject_token: "a.b.c" })).status).toBe(400);
    const first = await token(shop, { ...exchange, subject_token: sessionToken(shop.store) });
    const refresh = { grant_type: "refresh_token", refresh_token: first.body["refresh_token"] };
    const second = await token(shop, refresh);
    expect(second.body["refresh_token"]).not.toBe(first.body["refresh_token"]);
    expect(await token(shop, refresh)).toEqual(second);
    expect(await works(shop, first.body["access_token"])).toBe(true);
    shop.store.setNow(Date.now() + 61_000);
    expect((await token(shop, refresh)).body).toMatchObject({ error: "invalid_grant" });
    expect(
      (await token(shop, { grant_type: "refresh_token", refresh_token: second.body["refresh_token"] })).status,
    ).toBe(200);
  });

  it("die with the app", async () => {
    const shop = standin.shop();
    await shop.graphql(
      `mutation { webhookSubscriptionCreate(topic: APP_UNINSTALLED, webhookSubscription: { uri: "https://app.example/w" }) { webhookSubscription { id } } }`,
    );
    const answer = await fetch(`${standin.url}/_admin/api/stores/${shop.store.domain}/uninstall`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(answer.status).toBe(200);
    expect(await works(shop, shop.token)).toBe(false);
    expect(shop.store.deliveries).toMatchObject([{ topic: "app/uninstalled", uri: "https://app.example/w" }]);
    expect(shop.store.subscriptions.size).toBe(0);
  });
});

describe("access", () => {
  it("is refused field by field in Shopify's words, and orders end at sixty days", async () => {
    const shop = standin.shop({ scopes: ["read_orders"] });
    shop.seed({
      orders: [{ createdAt: Date.now() - 61 * 86_400_000 }, { locationId: 5 }],
      locations: [{ id: 5, name: "Workshop" }],
    });
    const answer = await shop.graphql(`query Two { orders(first: 5) { nodes { name retailLocation { name } } } }`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      data: { orders: { nodes: [{ retailLocation: null }] } },
      errors: [
        {
          message: expect.stringContaining("Access denied for retailLocation field. Required access: `read_locations`"),
          path: ["orders", "nodes", 0, "retailLocation"],
          extensions: { code: "ACCESS_DENIED" },
        },
      ],
    });
    expect(codeOf(await shop.graphql(`{ customers(first: 1) { nodes { id } } }`))).toBe("ACCESS_DENIED");
  });

  it("is validated against Shopify's schema, and an unknown field of ours fails loudly", async () => {
    const shop = standin.shop();
    shop.seed({ orders: [{}] });
    const wrong = await shop.graphql(`{ orders(first: 1) { nodes { total_price } } }`);
    expect(wrong.body).toMatchObject({ errors: [{ message: expect.stringContaining("total_price") }] });
    expect(wrong.body).not.toHaveProperty("data");
    const unanswered = await shop.graphql(`{ orders(first: 1) { nodes { risk { recommendation } } } }`);
    expect(unanswered).toMatchObject({ status: 501, body: { errors: expect.stringContaining("Order.risk") } });
    const all = await shop.graphql(`{ orders { nodes { id } } }`);
    expect(all.body).toMatchObject({ errors: [{ message: "you must provide one of first or last" }] });
  });
});

describe("throttling", () => {
  it("charges a leaky bucket, answers THROTTLED with status 200 and leaves bulk queries outside", async () => {
    const shop = standin.shop();
    shop.seed({ orders: Array.from({ length: 3 }, () => ({})) });
    const dear = `{ orders(first: 100) { nodes { id lineItems(first: 8) { nodes { id } } } } }`;
    const tooDear = await shop.graphql(dear.replace("first: 8", "first: 80"));
    expect(codeOf(tooDear)).toBe("MAX_COST_EXCEEDED");
    expect(codeOf(await shop.graphql(dear))).toBe("MAX_COST_EXCEEDED");
    const page = `{ orders(first: 90) { nodes { id lineItems(first: 8) { nodes { id } } } } }`;
    const first = await shop.graphql(page);
    expect(first.body).toMatchObject({
      extensions: { cost: { requestedQueryCost: 992, throttleStatus: { maximumAvailable: 2000, restoreRate: 100 } } },
    });
    shop.store.bucket.level = 500;
    const refused = await shop.graphql(page);
    expect([refused.status, codeOf(refused)]).toEqual([200, "THROTTLED"]);
    expect(refused.body).toMatchObject({ extensions: { cost: { requestedQueryCost: 992, actualQueryCost: null } } });
    expect(refused.body).not.toHaveProperty("data");
    expect(refused.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    const done = await finished(shop, (await runBulk(shop, "{ orders { edges { node { id } } } }")).id ?? "");
    expect(done).toMatchObject({ status: "COMPLETED", objectCount: "3" });
    shop.store.bucket.at -= 6_000;
    expect((await shop.graphql(page)).body).toHaveProperty("data");
  });

  it("fails as ordered: a frozen store, a lost answer whose effect stays", async () => {
    const shop = standin.shop();
    const order = { times: 1, skip: 0, headers: {}, afterEffect: false };
    shop.store.failures.push({ ...order, on: "graphql", status: 402, skip: 1 });
    expect((await shop.graphql("{ shop { id } }")).status).toBe(200);
    await expect(shop.graphql("{ shop { id } }")).resolves.toMatchObject({ status: 402 });
    shop.store.failures.push({ ...order, on: "Make", dropAfterBytes: 0, afterEffect: true });
    const make = `mutation Make { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: { uri: "https://app.example/w" }) { userErrors { message } } }`;
    await expect(shop.graphql(make)).rejects.toThrow();
    expect((await shop.graphql(make)).body.data).toEqual({
      webhookSubscriptionCreate: { userErrors: [{ message: "Address for this topic has already been taken" }] },
    });
    expect(shop.store.log.map(({ status, mutation }) => [status, mutation])).toEqual([
      [200, false],
      [402, false],
      [0, true],
      [200, true],
    ]);
  });
});

describe("mutations", () => {
  it("keep subscriptions as Shopify does: no plain http, no foreign topic, no twins", async () => {
    const shop = standin.shop({ scopes: ["read_orders"] });
    const create = async (topic: string, uri: string): Promise<unknown> => {
      const answer = await shop.graphql(
        `mutation New($topic: WebhookSubscriptionTopic!, $uri: String!) {
          webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri }) { webhookSubscription { topic uri } userErrors { field message } }
        }`,
        { topic, uri },
      );
      return answer.body.data?.["webhookSubscriptionCreate"];
    };
    const refused = (message: string) => ({ webhookSubscription: null, userErrors: [{ message }] });
    expect(await create("ORDERS_CREATE", "https://app.example/w")).toMatchObject({
      webhookSubscription: { topic: "ORDERS_CREATE" },
    });
    expect(await create("ORDERS_CREATE", "http://app.example/w")).toMatchObject(
      refused("Address protocol http:// is not supported"),
    );
    expect(await create("ORDERS_CREATE", "nonsense")).toMatchObject(refused("Address is invalid"));
    expect(await create("PRODUCTS_UPDATE", "https://app.example/w")).toMatchObject(
      refused("You cannot create a webhook subscription with the specified topic"),
    );
    const listed = await shop.graphql(`{ webhookSubscriptions(first: 10) { nodes { id topic } } }`);
    const { nodes } = (listed.body.data as { webhookSubscriptions: { nodes: { id: string }[] } }).webhookSubscriptions;
    expect(nodes).toHaveLength(1);
    const remove = `mutation Gone($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }`;
    const id = nodes[0]?.id;
    expect((await shop.graphql(remove, { id })).body.data).toMatchObject({
      webhookSubscriptionDelete: { deletedWebhookSubscriptionId: id },
    });
    expect((await shop.graphql(remove, { id })).body.data).toMatchObject({
      webhookSubscriptionDelete: { deletedWebhookSubscriptionId: null },
    });
  });

  it("make discount codes that are unique whatever their case", async () => {
    const shop = standin.shop({ scopes: ["write_discounts"] });
    const make = (code: string) =>
      shop.graphql(
        `mutation Make($input: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $input) { codeDiscountNode { id codeDiscount { ... on DiscountCodeBasic { title codes(first: 5) { nodes { code } } } } } userErrors { code field } } }`,
        {
          input: {
            title: "Welcome",
            code,
            startsAt: "2026-01-01T00:00:00Z",
            context: { all: "ALL" },
            customerGets: { value: { percentage: 0.1 }, items: { all: true } },
          },
        },
      );
    const made = await make("HELLO");
    expect(made.body.data).toMatchObject({
      discountCodeBasicCreate: {
        codeDiscountNode: { codeDiscount: { codes: { nodes: [{ code: "HELLO" }] } } },
        userErrors: [],
      },
    });
    expect((await make("hello")).body.data).toMatchObject({
      discountCodeBasicCreate: { codeDiscountNode: null, userErrors: [{ code: "TAKEN" }] },
    });
    const { id } = (made.body.data as { discountCodeBasicCreate: { codeDiscountNode: { id: string } } })
      .discountCodeBasicCreate.codeDiscountNode;
    const added = await shop.graphql(
      `mutation Add($id: ID!) { discountRedeemCodeBulkAdd(discountId: $id, codes: [{ code: "A1" }, { code: "Hello" }]) { bulkCreation { id done importedCount } userErrors { code } } }`,
      { id },
    );
    expect(added.body.data).toMatchObject({
      discountRedeemCodeBulkAdd: { bulkCreation: { done: false, importedCount: 0 }, userErrors: [] },
    });
    const { bulkCreation } = (added.body.data as { discountRedeemCodeBulkAdd: { bulkCreation: { id: string } } })
      .discountRedeemCodeBulkAdd;
    const ended = await shop.graphql(
      `query Ended($id: ID!) { discountRedeemCodeBulkCreation(id: $id) { done importedCount failedCount codes(first: 5) { nodes { code errors { code } } } } }`,
      { id: bulkCreation.id },
    );
    expect(ended.body.data).toMatchObject({
      discountRedeemCodeBulkCreation: {
        done: true,
        importedCount: 1,
        failedCount: 1,
        codes: {
          nodes: [
            { code: "A1", errors: [] },
            { code: "Hello", errors: [{ code: "TAKEN" }] },
          ],
        },
      },
    });
    const denied = await standin
      .shop({ scopes: ["read_discounts"] })
      .graphql(`mutation { discountCodeBasicCreate(basicCodeDiscount: { title: "x" }) { userErrors { code } } }`);
    expect(codeOf(denied)).toBe("ACCESS_DENIED");
  });
});
