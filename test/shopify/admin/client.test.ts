import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { AdminError, adminQuery, type AdminQuery } from "../../../src/shopify/admin";
import { judge } from "../../../src/shopify/admin/judge";
import { ReadShopId } from "../../../src/shopify/connect";
import { getShopOrThrow } from "../../../src/shops";
import { MINUTE, travel, useFakeClock } from "../../helpers/clock";
import { connectedPair, newPair, type Pair, path } from "../connect/stores";

useFakeClock();

async function ask<T>({ shop }: Pair, query: AdminQuery<T>, variables = {}): Promise<T> {
  return adminQuery(env, await getShopOrThrow(env.DB, shop.key), query, variables);
}

const errorOf = (pair: Pair, query: AdminQuery<unknown> = ReadShopId) =>
  ask(pair, query).then(
    () => null,
    (error: unknown) => (error instanceof AdminError ? error : Promise.reject(error)),
  );

const questions = async ({ store }: Pair) => (await store.log()).filter(({ path }) => path.endsWith("/graphql.json"));

const problemOf = async ({ shop }: Pair) => (await shop.full.get(path(shop))).body.problem;

/** A mutation that changes nothing: there is no such subscription. */
const Forget: AdminQuery<unknown> = {
  name: "Forget",
  text: `mutation Forget {
    webhookSubscriptionDelete(id: "gid://shopify/WebhookSubscription/1") { userErrors { message } }
  }`,
  answer: z.unknown(),
};

describe("judging an answer", () => {
  const throttled = (requested: number, available: number, rate: number) =>
    JSON.stringify({
      errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }],
      extensions: {
        cost: {
          requestedQueryCost: requested,
          actualQueryCost: null,
          throttleStatus: { maximumAvailable: 2_000, currentlyAvailable: available, restoreRate: rate },
        },
      },
    });
  const denied = '{"errors":[{"message":"Access denied for orders field.","extensions":{"code":"ACCESS_DENIED"}}]}';
  const internal = '{"errors":[{"message":"Oops","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}';

  it.each([
    [200, null, '{"data":{"shop":{"id":"1"}}}', { kind: "answered", data: { shop: { id: "1" } } }],
    [401, null, "", { error: { kind: "refused", retryAfterMs: null } }],
    [403, null, "", { error: { kind: "refused" } }],
    [402, null, "", { error: { kind: "frozen", retryAfterMs: 3_600_000 } }],
    [423, null, "", { error: { kind: "frozen" } }],
    [429, "2.5", "", { error: { kind: "throttled", retryAfterMs: 2_500 } }],
    [429, null, "", { error: { kind: "throttled", retryAfterMs: 1_000 } }],
    [429, "later", "", { error: { kind: "throttled", retryAfterMs: 1_000 } }],
    [429, "86400", "", { error: { kind: "throttled", retryAfterMs: 60_000 } }],
    [500, null, "", { error: { kind: "unreachable", retryAfterMs: 30_000 } }],
    [503, "5", "", { error: { kind: "unreachable", retryAfterMs: 5_000 } }],
    [302, null, "", { error: { kind: "invalid" } }],
    [404, null, "", { error: { kind: "invalid" } }],
    [200, null, "<html>", { error: { kind: "unreachable" } }],
    [200, null, '{"errors":"no"}', { error: { kind: "unreachable" } }],
    [200, null, throttled(500, 100, 100), { error: { kind: "throttled", retryAfterMs: 4_000 } }],
    [200, null, throttled(500, 499.99, 2_000), { error: { kind: "throttled", retryAfterMs: 100 } }],
    [
      200,
      null,
      '{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}',
      { error: { retryAfterMs: 1_000 } },
    ],
    [200, null, denied, { error: { kind: "invalid", code: "ACCESS_DENIED", retryAfterMs: null } }],
    [200, null, internal, { error: { kind: "unreachable", code: "INTERNAL_SERVER_ERROR" } }],
  ] as const)("status %i, Retry-After %s: %s", (status, retryAfter, text, expected) => {
    expect(judge(status, retryAfter, text)).toMatchObject(expected);
  });
});

describe("asking a store", () => {
  it("renews a refused token once and asks again", async () => {
    const pair = await connectedPair();
    await pair.store.revokeTokens();
    await pair.store.clearLog();
    expect((await ask(pair, ReadShopId)).shop.id).toMatch(/^gid:/);
    expect((await pair.store.log()).map(({ status }) => status)).toEqual([401, 200, 200]);
  });

  it("gives up when the new token is refused too, and shows it", async () => {
    const pair = await connectedPair();
    await pair.store.fail({ on: "graphql", status: 401, times: 2 });
    expect(await errorOf(pair)).toMatchObject({ kind: "refused" });
    expect(await problemOf(pair)).toBe("token_refused");
  });

  it("waits a little while Shopify throttles, as long as the answer says", async () => {
    const pair = await connectedPair();
    await pair.store.clearLog();
    await pair.store.fail({ on: "graphql", throttled: true });
    expect((await ask(pair, ReadShopId)).shop.id).toMatch(/^gid:/);
    expect(await questions(pair)).toHaveLength(2);
    await pair.store.fail({ on: "graphql", status: 429, headers: { "retry-after": "30" } });
    expect(await errorOf(pair)).toMatchObject({ kind: "throttled", retryAfterMs: 30_000 });
    expect(await problemOf(pair)).toBeNull();
  });

  it("asks a question again once without an answer, a mutation never", async () => {
    const pair = await connectedPair();
    await pair.store.fail({ on: "graphql", status: 502 });
    expect((await ask(pair, ReadShopId)).shop.id).toMatch(/^gid:/);
    await pair.store.fail({ on: "graphql", dropAfterBytes: 0, times: 2 });
    expect(await errorOf(pair)).toMatchObject({ kind: "unreachable" });
    await pair.store.clearLog();
    await pair.store.fail({ on: "Forget", status: 502 });
    expect(await errorOf(pair, Forget)).toMatchObject({ kind: "unreachable" });
    expect(await questions(pair)).toHaveLength(1);
    expect(await problemOf(pair)).toBe("unreachable");
  });

  it.each([
    [502, "unreachable", 2],
    [402, "shop_frozen", 1],
    [401, "token_refused", 2],
  ])(
    "after status %i shows %s until the store answers, and writes nothing at other answers",
    async (status, problem, times) => {
      const pair = await connectedPair();
      const updatedAt = () =>
        env.DB.prepare("select updated_at as at from shopify_connections where shop = ?")
          .bind(pair.shop.key)
          .first("at");
      await pair.store.fail({ on: "graphql", status, times });
      await errorOf(pair);
      expect(await problemOf(pair)).toBe(problem);
      // A refused token rests for a while before it is tried again.
      travel(11 * MINUTE);
      await ask(pair, ReadShopId);
      expect(await problemOf(pair)).toBeNull();
      const before = await updatedAt();
      travel(MINUTE);
      await ask(pair, ReadShopId);
      expect(await updatedAt()).toBe(before);
    },
  );

  it("of another shape than expected is invalid, and the error holds nothing of the answer", async () => {
    const pair = await connectedPair({ name: "Secret name" });
    const Wrong: AdminQuery<{ shop: { name: number } }> = {
      name: "Wrong",
      text: "query Wrong { shop { name } }",
      answer: z.object({ shop: z.object({ name: z.number() }) }),
    };
    const error = await errorOf(pair, Wrong);
    expect(error).toMatchObject({ kind: "invalid", message: "Wrong was answered with another shape at shop.name" });
  });

  it("that is not connected is refused without a request", async () => {
    const pair = await newPair();
    expect(await errorOf(pair)).toMatchObject({ kind: "refused", message: "The store is not connected" });
    expect(await pair.store.log()).toEqual([]);
  });
});
