import { createRoute } from "@hono/zod-openapi";
import { and, desc, eq, isNull, lt } from "drizzle-orm";
import { z } from "zod";

import { audit } from "../api/audit";
import { keyFrom, pageOf } from "../api/page";
import {
  body,
  ctxForRecord,
  ctxFrom,
  json,
  listOf,
  operatorOnly,
  readProblems,
  router,
  writeProblems,
} from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { orm, sql } from "../db/client";
import { iso } from "../lib/time";
import { createApiKey } from "./create";
import { ApiKeySchema, CreatedApiKeySchema, NewApiKey } from "./schemas";
import { apiKeys } from "./tables";

const Scopes = z.array(z.enum(["read", "write"]));

export const apiKeyRoutes = router()
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/api-keys",
      tags: ["API keys"],
      summary: "Make an API key of a shop",
      description: "Operator only. The key is shown once.",
      middleware: [operatorOnly] as const,
      request: { body: body(NewApiKey) },
      responses: { 201: json(CreatedApiKeySchema, "The key"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createApiKey(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/api-keys",
      tags: ["API keys"],
      summary: "The keys of a shop that were not revoked, newest first",
      description: "Operator only.",
      middleware: [operatorOnly] as const,
      request: { query: PageQuery },
      responses: { 200: json(listOf(ApiKeySchema), "A page of keys"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { shop } = await ctxFrom(c);
      const before = keyFrom("api-keys", cursor);
      const rows = await orm(c.env.DB)
        .select()
        .from(apiKeys)
        .where(
          and(
            eq(apiKeys.shop, shop.key),
            isNull(apiKeys.revokedAt),
            before === null ? undefined : lt(apiKeys.key, before),
          ),
        )
        .orderBy(desc(apiKeys.key))
        .limit(limit + 1);
      return c.json(
        pageOf(
          "api-keys",
          rows,
          limit,
          (row) => [row.key],
          (row) => ({
            id: row.id,
            shopId: shop.id,
            name: row.name,
            hint: row.hint,
            scopes: Scopes.parse(JSON.parse(row.scopes)),
            createdAt: iso(row.createdAt),
            revokedAt: null,
          }),
        ),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/api-keys/{id}",
      tags: ["API keys"],
      summary: "Revoke a key",
      description: "Operator only. It stops working at once.",
      middleware: [operatorOnly] as const,
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Revoked" }, ...writeProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const row = await orm(c.env.DB)
        .select({ shop: apiKeys.shop })
        .from(apiKeys)
        .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
        .get();
      const ctx = await ctxForRecord(c, row?.shop);
      await ctx.db.batch([
        sql(ctx.db, `update api_keys set revoked_at = ? where id = ? and revoked_at is null`, ctx.now, id),
        audit(ctx, "api_key.revoked", id),
      ]);
      return c.body(null, 204);
    },
  );
