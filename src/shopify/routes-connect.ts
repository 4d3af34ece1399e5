import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";

import { type ApiEnv, body, ctxForRecord, json, readProblems, router, writeProblems } from "../api/route";
import { IdParam } from "../api/schemas";
import type { Ctx } from "../context";
import { findShop, getShopOrThrow } from "../shops";
import { checkConnection } from "./connect/check";
import { connectWithCredentials, connectWithToken, prepareInstall } from "./connect/connect";
import { disconnect } from "./connect/disconnect";
import { ConnectionSchema, showConnection } from "./connect/show";

/** As Shopify prints them: letters, digits, `_` and `-`. */
const Credential = (most: number) =>
  z
    .string()
    .trim()
    .min(8)
    .max(most)
    .regex(/^[\w-]+$/, "holds characters that no credential of Shopify has");

const ConnectBody = z
  .discriminatedUnion("method", [
    z.strictObject({
      method: z.literal("client_credentials"),
      clientId: Credential(100),
      clientSecret: Credential(200),
    }),
    z
      .strictObject({
        method: z.literal("token"),
        accessToken: Credential(500).openapi({ example: "shpat_0123456789abcdef0123456789abcdef" }),
        clientId: Credential(100).optional(),
        clientSecret: Credential(200)
          .optional()
          .openapi({ description: "Signs the store's webhooks; without it they are checked with the installation's" }),
      })
      .refine(({ clientId, clientSecret }) => (clientId === undefined) === (clientSecret === undefined), {
        path: ["clientSecret"],
        error: "is given together with clientId",
      }),
    z.strictObject({ method: z.literal("oauth"), clientId: Credential(100), clientSecret: Credential(200) }),
  ])
  .openapi("ConnectShopify");

async function ctxOfShop(c: Context<ApiEnv>): Promise<Ctx> {
  return ctxForRecord(c, (await findShop(c.env.DB, c.req.param("id") ?? ""))?.key);
}

async function shown(ctx: Ctx) {
  return showConnection(ctx.env, await getShopOrThrow(ctx.db, ctx.shop.key));
}

export const connectRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/shops/{id}/shopify",
      tags: ["Shopify"],
      summary: "How a shop is connected to Shopify, and what is wrong with it",
      request: { params: IdParam },
      responses: { 200: json(ConnectionSchema, "The connection; never its secrets"), ...readProblems },
    }),
    async (c) => c.json(await shown(await ctxOfShop(c)), 200),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/v1/shops/{id}/shopify",
      tags: ["Shopify"],
      summary: "Connect a shop to its store on Shopify",
      description:
        "With an app's client credentials or a pasted Admin API token. Answers once Shopify has accepted them; the " +
        "import then runs by itself. 422 when Shopify refuses, 503 when it does not answer. `oauth` only names the " +
        "store's own app; the merchant then installs it at `/shopify/install?shop=`. 409 while the store is connected.",
      request: { params: IdParam, body: body(ConnectBody) },
      responses: { 200: json(ConnectionSchema, "The connection as it is now"), ...writeProblems },
    }),
    async (c) => {
      const ctx = await ctxOfShop(c);
      const input = c.req.valid("json");
      const { origin } = new URL(c.req.url);
      if (input.method === "client_credentials") await connectWithCredentials(ctx, input, origin);
      else if (input.method === "oauth") await prepareInstall(ctx, input);
      else {
        const { accessToken: token, clientId, clientSecret } = input;
        const app = clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : null;
        await connectWithToken(ctx, { token, app }, origin);
      }
      return c.json(await shown(ctx), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/shops/{id}/shopify",
      tags: ["Shopify"],
      summary: "Disconnect a shop from its store",
      description: "Our webhook subscriptions and the token go; what was imported stays.",
      request: { params: IdParam },
      responses: { 204: { description: "Disconnected" }, ...writeProblems },
    }),
    async (c) => {
      await disconnect(await ctxOfShop(c));
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/shops/{id}/shopify/check",
      tags: ["Shopify"],
      summary: "Compare scopes and subscriptions with what is wanted now, and repair them",
      description: "Happens by itself every six hours.",
      request: { params: IdParam },
      responses: { 200: json(ConnectionSchema, "The connection as it was found"), ...writeProblems },
    }),
    async (c) => {
      const ctx = await ctxOfShop(c);
      await checkConnection(ctx.env, ctx.shop, ctx.now);
      return c.json(await shown(ctx), 200);
    },
  );
