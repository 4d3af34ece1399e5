import { z } from "@hono/zod-openapi";

import { iso } from "../../lib/time";
import type { Shop } from "../../shops";
import { missingScopes } from "../scopes";
import { listKnown } from "../subscriptions";
import { readConnection } from "./read";

const Time = z.string().openapi({ format: "date-time", example: "2026-11-22T08:30:00.000Z" });

const SubscriptionSchema = z
  .strictObject({
    topic: z.string().openapi({ example: "orders/create" }),
    state: z.enum(["active", "missing", "foreign_address", "refused"]).openapi({
      description:
        "`missing` and `foreign_address` (somebody pointed it elsewhere) were found but could not be repaired yet; " +
        "`refused`: Shopify does not give it",
    }),
    problem: z.string().nullable().openapi({
      description: "Why it is not active; of an active one, what was wrong before it was repaired",
    }),
    repairedAt: Time.nullable(),
    checkedAt: Time,
  })
  .openapi("ShopifySubscription");

export const ConnectionSchema = z
  .strictObject({
    connected: z.boolean().openapi({ description: "A token of the store is held; `problem` tells whether it works" }),
    method: z.enum(["client_credentials", "oauth", "token", "token_exchange"]).nullable(),
    clientId: z.string().nullable(),
    scopes: z.array(z.string()).openapi({ description: "As the store granted them" }),
    missingScopes: z.array(
      z.strictObject({ scope: z.string(), reason: z.string().openapi({ description: "What it is wanted for" }) }),
    ),
    problem: z
      .enum(["token_refused", "shop_frozen", "unreachable", "unexpected_answer", "scopes_missing", "webhooks_refused"])
      .nullable(),
    connectedAt: Time.nullable(),
    tokenExpiresAt: Time.nullable().openapi({ description: "It is renewed before; null for one that never expires" }),
    checkedAt: Time.nullable().openapi({ description: "When scopes and subscriptions were last compared" }),
    subscriptions: z.array(SubscriptionSchema),
  })
  .openapi("ShopifyConnection");

const Problem = ConnectionSchema.shape.problem;

/** How a shop is connected, as the API shows it. */
export async function showConnection(env: Env, shop: Shop): Promise<z.infer<typeof ConnectionSchema>> {
  const connection = await readConnection(env.DB, shop.key);
  if (!connection || !shop.connected) return NOT_CONNECTED;
  const [held, subscriptions] = await Promise.all([
    env.CONNECTION.getByName(String(shop.key)).state(),
    listKnown(env.DB, shop.key),
  ]);
  const missing = missingScopes(connection.scopes, shop.settings);
  return {
    connected: true,
    method: connection.method,
    clientId: connection.clientId,
    scopes: connection.scopes,
    missingScopes: missing,
    problem: held.isRefused
      ? "token_refused"
      : (Problem.parse(connection.problem) ??
        (missing.length > 0 && connection.checkedAt !== null ? "scopes_missing" : null)),
    connectedAt: iso(shop.connectedAt),
    tokenExpiresAt: iso(held.tokenExpiresAt),
    checkedAt: iso(connection.checkedAt),
    subscriptions: subscriptions.map(({ topic, state, problem, repairedAt, checkedAt }) => ({
      topic,
      state,
      problem,
      repairedAt: iso(repairedAt),
      checkedAt: iso(checkedAt),
    })),
  };
}

const NOT_CONNECTED: z.infer<typeof ConnectionSchema> = {
  connected: false,
  method: null,
  clientId: null,
  scopes: [],
  missingScopes: [],
  problem: null,
  connectedAt: null,
  tokenExpiresAt: null,
  checkedAt: null,
  subscriptions: [],
};
