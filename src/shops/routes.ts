import { createRoute } from "@hono/zod-openapi";
import { desc, lt } from "drizzle-orm";
import type { Context } from "hono";

import { keyFrom, pageOf } from "../api/page";
import {
  type ApiEnv,
  body,
  ctxForRecord,
  json,
  listOf,
  operatorOnly,
  readProblems,
  router,
  writeProblems,
} from "../api/route";
import { IdParam, PageQuery } from "../api/schemas";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { createShop } from "./create";
import { findShop } from "./load";
import { NewShop, ShopPatch, ShopSchema, showShop } from "./schemas";
import { toShop } from "./shop";
import { shops } from "./tables";
import { updateShop } from "./update";

async function ctxOfShop(c: Context<ApiEnv>, ref: string): Promise<Ctx> {
  return ctxForRecord(c, (await findShop(c.env.DB, ref))?.key);
}

export const shopRoutes = router()
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/shops",
      tags: ["Shops"],
      summary: "Add a shop",
      description: "Operator only. The shop accepts beacons at once. 409 with `shopId` when the domain is taken.",
      middleware: [operatorOnly] as const,
      request: { body: body(NewShop) },
      responses: { 201: json(ShopSchema, "The shop"), ...writeProblems },
    }),
    async (c) => {
      const { actor, requestId, now } = c.var;
      const shop = await createShop(c.env.DB, c.req.valid("json"), { actor, requestId, now });
      return c.json(showShop(shop), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/shops",
      tags: ["Shops"],
      summary: "All shops of this installation, newest first",
      description: "Operator only.",
      middleware: [operatorOnly] as const,
      request: { query: PageQuery.omit({ shop: true }) },
      responses: { 200: json(listOf(ShopSchema), "A page of shops"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const before = keyFrom("shops", cursor);
      const rows = await orm(c.env.DB)
        .select()
        .from(shops)
        .where(before === null ? undefined : lt(shops.key, before))
        .orderBy(desc(shops.key))
        .limit(limit + 1);
      return c.json(
        pageOf(
          "shops",
          rows,
          limit,
          (row) => [row.key],
          (row) => showShop(toShop(row)),
        ),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/shops/{id}",
      tags: ["Shops"],
      summary: "One shop, by id or domain",
      request: { params: IdParam },
      responses: { 200: json(ShopSchema, "The shop"), ...readProblems },
    }),
    async (c) => c.json(showShop((await ctxOfShop(c, c.req.valid("param").id)).shop), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/shops/{id}",
      tags: ["Shops"],
      summary: "Change a shop",
      description: "Absent keys stay as they are, inside `settings` too. The currency stays once orders exist (409).",
      request: { params: IdParam, body: body(ShopPatch) },
      responses: { 200: json(ShopSchema, "The shop as it is now"), ...writeProblems },
    }),
    async (c) => {
      const ctx = await ctxOfShop(c, c.req.valid("param").id);
      return c.json(showShop(await updateShop(ctx, c.req.valid("json"))), 200);
    },
  );
